"""INSi's traits beside ours, trait by trait: identical, tolerated or blocking, and the sentence that says why.

Sources: guide INS EXI ID 10 (given names, hyphen and apostrophe as a space), RNIV §4.3; the other tolerances are
recalled practice and settings. A comparison informs a named person, who accepts or refuses: it accepts nothing.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, Literal

from insigne.ins.cog import UNKNOWN_PLACE, Cog, bundled_cog
from insigne.ins.compare_sentences import CONCLUSIONS, ENDINGS, SENTENCES, SIDES, Side
from insigne.ins.dates import BirthDate, compatible
from insigne.ins.names import (
    NameKind,
    first_given_name_matches,
    first_given_name_of,
    fold_name,
    normalise_name,
    spaced_name,
)
from insigne.ins.remarks import EntryError
from insigne.ins.settings import ComparisonSettings, Tolerable
from insigne.ins.traits import StrictTraits

Field = Literal["birth_name", "first_given_name", "given_names", "birth_date", "sex", "birth_place"]

DEFAULT_SETTINGS: Final = ComparisonSettings()
_COMPLETED_BY_INSI: Final = frozenset({"given_names", "birth_place"})
_DIFFERENT: Final = frozenset({"name-different", "first-given-name-different", "date-different"})
_PLACE_CODE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")
_CORSICA: Final = frozenset({"20", "2A", "2B"})


class Verdict(StrEnum):
    """What a difference means for the acceptance of an INS. `missing`: one side says nothing."""

    IDENTICAL = "identical"
    TOLERATED = "tolerated"
    MISSING = "missing"
    BLOCKING = "blocking"


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One trait compared. `rule` is a stable code; the sentences hold no personal value and can be logged."""

    field: Field
    verdict: Verdict
    rule: str
    sentence: str
    sentence_fr: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The six traits compared, in the order of `Field`."""

    fields: tuple[FieldComparison, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict on the whole: blocking if one is, then missing, then tolerated.

        The list of given names and the birthplace are what INSi brings: missing, they count as tolerated.
        """
        verdicts = {
            Verdict.TOLERATED if one.verdict is Verdict.MISSING and one.field in _COMPLETED_BY_INSI else one.verdict
            for one in self.fields
        }
        worst_first = (Verdict.BLOCKING, Verdict.MISSING, Verdict.TOLERATED)
        return next((verdict for verdict in worst_first if verdict in verdicts), Verdict.IDENTICAL)

    @property
    def acceptable(self) -> bool:
        """Whether a person may accept this INS."""
        return self.verdict in (Verdict.IDENTICAL, Verdict.TOLERATED)

    @property
    def sentence(self) -> str:
        """What the whole means and what to do."""
        return CONCLUSIONS[self.verdict][0]

    @property
    def sentence_fr(self) -> str:
        """As `sentence`, in French."""
        return CONCLUSIONS[self.verdict][1]


@dataclass(frozen=True, slots=True)
class FirstGivenNameProposal:
    """A first given name that the list allows: its first `words` words. `ours`: the one we hold says the same."""

    text: str
    words: int
    ours: bool


def compare(
    local: StrictTraits,
    insi: StrictTraits,
    *,
    side: Side = "local",
    settings: ComparisonSettings = DEFAULT_SETTINGS,
    cog: Cog | None = None,
) -> Comparison:
    """Compare our traits with those of INSi, whose first given name serves only when it gives no list.

    Dates are in any form `BirthDate` reads. `side` says what `local` is, an identity of ours or a document, for the
    sentences. A `local` birthplace may be a name, as documents write it. `cog` is the table of places, by default the
    bundled one.
    """
    length = settings.truncated_length
    rules: dict[Field, str] = {
        "birth_name": _birth_name(local.birth_name, insi.birth_name, length),
        "first_given_name": _first_given_name(local, insi, length),
        "given_names": _given_names(local.given_names, insi.given_names or insi.first_given_name, length),
        "birth_date": _birth_date(local.birth_date, insi.birth_date),
        "sex": _sex(local.sex, insi.sex),
        "birth_place": _birth_place(local, insi, cog or bundled_cog()),
    }
    return Comparison(tuple(_conclude(field, rule, side, settings.tolerated) for field, rule in rules.items()))


def someone_else(comparison: Comparison) -> bool:
    """Tell whether the answer is about another person: of name, first given name and date, all that is known differs.

    Sex and birthplace, shared by too many, do not count; nor do traits written in another order or exchanged. At least
    two traits must be known on both sides.
    """
    known = [
        one.rule
        for one in comparison.fields
        if one.field in ("birth_name", "first_given_name", "birth_date") and one.verdict is not Verdict.MISSING
    ]
    return len(known) >= 2 and _DIFFERENT.issuperset(known)


def first_given_names(given_list: str, ours: str = "") -> tuple[FirstGivenNameProposal, ...]:
    """Return every first given name that INSi's list allows, the shortest first, for the user to choose (EXI ID 10).

    INSi separates given names by spaces, and may write a compound one without its hyphen. `ours` is the first given
    name held or read on the document; none is proposed as chosen when it agrees with none.
    """
    held = spaced_name(ours)
    texts = (first_given_name_of(given_list, words) for words in range(1, len(given_list.split()) + 1))
    return tuple(
        FirstGivenNameProposal(text, words, bool(held) and spaced_name(text) == held)
        for words, text in enumerate(texts, start=1)
    )


@cache  # fields by rules: a few dozen, and the tolerances of the site
def _conclude(field: Field, rule: str, side: Side, tolerated: tuple[Tolerable, ...]) -> FieldComparison:
    verdict = _verdict(rule, tolerated)
    english, french = (
        sentence.format(local=name) + ending
        for sentence, name, ending in zip(SENTENCES[rule], SIDES[side], ENDINGS[verdict], strict=True)
    )
    return FieldComparison(field, verdict, rule, english, french)


def _verdict(rule: str, tolerated: tuple[Tolerable, ...]) -> Verdict:
    if rule == "same":
        return Verdict.IDENTICAL
    if rule in ("missing-local", "missing-insi", "sex-undetermined"):
        return Verdict.MISSING
    accepted = rule in ("spelling", "first-given-name-part") or rule in tolerated
    return Verdict.TOLERATED if accepted else Verdict.BLOCKING


def _missing(local: str, insi: str) -> str:
    if not local:
        return "missing-local"
    return "" if insi else "missing-insi"


def _birth_name(local: str, insi: str, length: int) -> str:
    if missing := _missing(spaced_name(local), spaced_name(insi)):
        return missing
    if _capitals(local, "family") == _capitals(insi, "family"):
        return "same"
    return _nearly_same(local, insi, length) or "name-different"


def _first_given_name(local: StrictTraits, insi: StrictTraits, length: int) -> str:
    first = local.first_given_name or first_given_name_of(local.given_names)
    listed = insi.given_names or insi.first_given_name
    if missing := _missing(spaced_name(first), spaced_name(listed)):
        return missing
    if f"{_capitals(listed, 'given')} ".startswith(f"{_capitals(first, 'given')} "):
        return "same"
    if any(proposal.ours for proposal in first_given_names(listed, first)):
        return "spelling"
    if first_given_name_matches(first, listed):
        return "first-given-name-part"
    if nearly := _nearly_same(first, listed, length):
        return nearly
    words = f" {spaced_name(listed)} "
    return "first-given-name-later" if f" {spaced_name(first)} " in words else "first-given-name-different"


def _given_names(local: str, insi: str, length: int) -> str:
    if missing := _missing(spaced_name(local), spaced_name(insi)):
        return missing
    if _capitals(local, "given") == _capitals(insi, "given"):
        return "same"
    ours, theirs = spaced_name(local).split(), spaced_name(insi).split()
    if ours != theirs and _begins_within(ours, theirs):
        return "fewer-given-names"
    if ours != theirs and _begins_within(theirs, ours):
        return "more-given-names"
    if nearly := _nearly_same(local, insi, length):
        return nearly
    return "given-names-order" if sorted(ours) == sorted(theirs) else "given-names-different"


def _begins_within(some: list[str], names: list[str]) -> bool:
    """Tell whether `some` begin as `names` do and follow in their order, others being left out."""
    rest = iter(names)
    return some[0] == names[0] and all(name in rest for name in some)


def _nearly_same(local: str, insi: str, length: int) -> str:
    """Return the rule by which two spellings of unequal names come to the same, "" when none does."""
    short, long = sorted((spaced_name(local), spaced_name(insi)), key=len)
    if short == long:
        return "spelling"
    if fold_name(short) == fold_name(long):
        return "joined-words"
    return "truncated-name" if len(fold_name(short)) >= length and long.startswith(short) else ""


def _capitals(text: str, kind: NameKind) -> str:
    """Return a name as the health identity writes it, or in capitals when it has something that cannot be typed."""
    try:
        return normalise_name(text, kind)
    except EntryError:
        return " ".join(text.upper().split())


def _birth_date(local: str, insi: str) -> str:
    if missing := _missing(local, insi):
        return missing
    if local == insi:
        return "same"
    try:
        ours, theirs = BirthDate.parse(local), BirthDate.parse(insi)
    except ValueError:
        return "date-different"
    if (ours.year, ours.month, ours.day) == (theirs.year, theirs.month, theirs.day):
        return "same"
    if compatible(local, insi):
        return "incomplete-date"
    swapped = (ours.year, ours.month, ours.day) == (theirs.year, theirs.day, theirs.month)
    return "date-swapped" if swapped else "date-different"


def _sex(local: str, insi: str) -> str:
    if local in ("I", "U"):
        return "sex-undetermined"
    if missing := _missing(local, insi):
        return missing
    return "same" if local == insi else "sex-different"


def _birth_place(local: StrictTraits, insi: StrictTraits, cog: Cog) -> str:
    ours, theirs = (place.upper().replace(UNKNOWN_PLACE, "") for place in (local.birth_place, insi.birth_place))
    if missing := _missing(ours, theirs):
        return missing
    if ours == theirs:
        return "same"
    birth_date = insi.birth_date or local.birth_date
    if not _PLACE_CODE.fullmatch(ours):
        return _place_by_name(ours, theirs, birth_date, cog)
    if not cog.same_place(ours, theirs, birth_date):
        return "place-different"
    if _CORSICA.issuperset((ours[:2], theirs[:2])) and ours[2:] == theirs[2:]:
        return "place-corsica"
    history = [place for code in (ours, theirs) for place in cog.history(code)]
    parts = {(place.code, place.parent) for place in history if place.kind != "delegated"}
    return "place-part" if parts & {(ours, theirs), (theirs, ours)} else "place-renamed"


def _place_by_name(name: str, code: str, birth_date: str, cog: Cog) -> str:
    place = cog.lookup(code, birth_date) or cog.lookup(code)
    later = [cog.lookup(other) for other in cog.later_codes(code, birth_date)]
    whole = cog.lookup(place.parent) if place and place.parent else None
    if fold_name(name) in {fold_name(one.label) for one in (place, *later, whole) if one}:
        return "place-named"
    return "town-abroad" if place and place.kind == "country" else "place-different"
