"""What a person asks at a desk, made into acts: one way for the command line and the HTTP interface.

Pure: the identity and the day are given. What the rules of entry refuse is `EntryRefused`, with every fault.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import msgspec
from msgspec.structs import replace

from insigne.ins.cog import UNKNOWN_PLACE
from insigne.ins.compare import first_given_names
from insigne.ins.datamatrix import read_payload
from insigne.ins.dates import BirthDate
from insigne.ins.entry import FIRST_GIVEN_NAME, Entry, enter_traits
from insigne.ins.matricule import compact
from insigne.ins.names import normalise_name
from insigne.ins.proof import Holder, Proof, ProofRules, ProofVerdict, assess
from insigne.ins.remarks import EntryError, Remark
from insigne.ins.status import Attribute
from insigne.ins.traits import StrictTraits
from insigne.registry import acts, values
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.record import RANK, strict
from insigne.registry.state import Identity
from insigne.registry.values import Ins, Traits

#: What is said of a strict trait when nothing is.
NOTHING: Final = StrictTraits()

#: The sexes the nation knows.
_NATIONAL_SEXES: Final = frozenset({"M", "F"})

#: A merge into an identity less well established is done, and said.
BETTER_ESTABLISHED: Final = Remark(
    "better-established",
    "The identity absorbed is better established than its survivor",
    "L’identité absorbée est mieux établie que celle qui demeure",
)


class EntryRefused(Exception):  # noqa: N818 - a decision, not a failure
    """What was typed breaks rules of entry: all of them, in the order of the traits."""

    def __init__(self, errors: Sequence[EntryError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identity document shown: its code, the end of its validity (YYYY-MM-DD) or "".

    `second` is the document of the parent or guardian, for a minor. `ehpad`: a direct admission to a nursing home.
    """

    type: str
    expiry: str = ""
    second: str = ""
    second_expiry: str = ""
    ehpad: bool = False


class Card(msgspec.Struct, frozen=True):
    """What the Application carte Vitale gives. The birth date is YYYY-MM-DD or YYYYMMDD."""

    matricule: str
    oid: str
    birth_name: str
    given_names: str
    sex: str
    birth_date: str
    birth_place: str = ""


def entered(typed: StrictTraits, today: date) -> Entry:
    """The traits by the rules of entry. Raises EntryRefused."""
    entry = enter_traits(typed, today)
    errors = list(entry.errors)
    if FIRST_GIVEN_NAME in entry.remarks:  # the registry refuses it too: here it is told with the rest
        remedy = "give the beginning of the list (EXI ID 10)"
        errors.append(
            EntryError("first_given_name", "list", remedy=remedy, message_fr="Donnez le début de la liste (EXI ID 10)")
        )
    if errors:
        raise EntryRefused(errors)
    return entry


def assertion(traits: StrictTraits) -> TraitsAssertion:
    """The traits as an act says them."""
    return TraitsAssertion(*(getattr(traits, name) for name in StrictTraits.__slots__))


def details_at_creation(said: DetailsAssertion, entry: Entry, birth_date: str) -> DetailsAssertion:
    """The complementary traits of a new identity whose traits were typed; `birth_date` is as written."""
    return replace(
        said,
        collection_mode="SM",
        birth_date_corrected="Y" if entry.date_completed else None,
        lunar_birth_date=_lunar(birth_date) or None,
    )


def edits(
    identity: Identity, said: StrictTraits, details: DetailsAssertion, version: int, reason: str, today: date
) -> tuple[list[acts.Act], tuple[Remark, ...]]:
    """The acts that change traits, "" keeping a strict one, and what there is to say of them. Raises EntryRefused."""
    wanted: list[acts.Act] = []
    remarks: tuple[Remark, ...] = ()
    if said != NOTHING:
        held = strict(identity.traits)
        merged = StrictTraits(*(getattr(said, name) or getattr(held, name) for name in StrictTraits.__slots__))
        entry = entered(merged, today)
        remarks = entry.remarks
        wanted.append(acts.EditTraits(identity.id, version, assertion(entry.traits), reason))
        if said.birth_date:
            completed = "Y" if entry.date_completed else ""
            lunar = _lunar(said.birth_date)
            details = replace(details, birth_date_corrected=completed, lunar_birth_date=lunar)
    if details != DetailsAssertion():
        # The first act saw the version; it may have changed it.
        wanted.append(acts.EditDetails(identity.id, 0 if wanted else version, details))
    return wanted, remarks


def attributes_after(identity: Identity, put: Collection[str], lifted: Collection[str]) -> tuple[str, ...]:
    """The attributes once some are set and others lifted. Raises EntryRefused for none, or one that does not exist."""
    unknown = {*put, *lifted} - set(Attribute)
    if unknown or not (put or lifted):
        names = ", ".join(Attribute)
        error = EntryError("attributes", "code", remedy=f"name some of {names}", message_fr=f"Nommez-en parmi {names}")
        raise EntryRefused([error])
    return tuple(sorted({*identity.attributes, *put} - set(lifted)))


def judged(shown: Shown, identity: Identity, today: date, rules: ProofRules) -> ProofVerdict:
    """Whether the document shown validates this identity today. Raises EntryRefused for a date that is none."""
    errors: list[EntryError] = []
    until = _day(shown.expiry, "expiry", errors)
    second_until = _day(shown.second_expiry, "second_expiry", errors)
    if errors:
        raise EntryRefused(errors)
    second = Proof(shown.second, second_until) if shown.second else None
    holder = Holder(identity.traits.birth_date, identity.details.nationality, shown.ehpad)
    return assess(Proof(shown.type, until, second), holder, today, rules)


def is_noted(verdict: ProofVerdict) -> bool:
    """Whether the document is recorded: one of high trust, or one that only its end keeps from being so."""
    return verdict.high_trust or {reason.code for reason in verdict.reasons} == {"proof-expired"}


def proof_of(shown: Shown, verdict: ProofVerdict, copy: str = "") -> values.Proof:
    """The document as it is recorded; `copy` is the id of the copy kept."""
    return values.Proof(shown.type, verdict.high_trust, shown.expiry, shown.second, copy)


def answer_of_card(card: Card, today: date) -> acts.NationalAnswer:
    """What the Application carte Vitale gave, as the registry takes it. Raises EntryRefused.

    Its traits qualify at once, so they keep the rules of entry; a birth date that is not whole stays as it is written.
    """
    names = card.given_names
    typed = StrictTraits(card.birth_name, names, names, card.birth_date, card.sex, card.birth_place or UNKNOWN_PLACE)
    entry = enter_traits(typed, today)
    errors = [error for error in entry.errors if error.field not in ("first_given_name", "sex")]
    if not names:
        errors.append(
            EntryError("given_names", "empty", remedy="a card gives all of them", message_fr="Une carte les donne tous")
        )
    if typed.sex not in _NATIONAL_SEXES:
        errors.append(EntryError("sex", "code", remedy="a card says M or F", message_fr="Une carte dit M ou F"))
    if errors:
        raise EntryRefused(errors)
    read = entry.traits
    born = card.birth_date.replace("-", "") if entry.date_completed else read.birth_date
    traits = Traits(read.birth_name, "", read.given_names, born, read.sex, card.birth_place)
    return acts.NationalAnswer(Ins(compact(card.matricule), card.oid), traits, mode="AV")


def first_name(typed: str) -> str:
    """The first given name that a person chose, by the rules of entry; "" when none was. Raises EntryRefused."""
    try:
        return normalise_name(typed, "given", "first_given_name") if typed else ""
    except EntryError as error:
        raise EntryRefused([error]) from None


def answer_of_symbol(payload: str) -> acts.NationalAnswer:
    """What a Data Matrix says, as the registry takes it. Raises `ins.datamatrix.DatamatrixError`."""
    symbol = read_payload(payload)
    read = symbol.traits
    traits = Traits(read.birth_name, "", read.given_names, read.birth_date, read.sex, read.birth_place)
    return acts.NationalAnswer(Ins(symbol.matricule, symbol.oid), traits, mode="CB")


def first_names(answer: acts.NationalAnswer) -> list[str]:
    """The first given names that may be chosen in the list of an answer."""
    return [one.text for one in first_given_names(answer.traits.given_names)]


def merging(survivor: Identity, absorbed: Identity) -> tuple[Remark, ...]:
    """What there is to say of a merge."""
    return (BETTER_ESTABLISHED,) if RANK[absorbed.status] > RANK[survivor.status] else ()


def _lunar(typed: str) -> str:
    """A lunar date as ZFD-1 writes it, "" for another."""
    written = BirthDate.parse(typed)
    return f"{written.day:02d}^{written.month:02d}^{written.year:04d}" if written.is_lunar else ""


def _day(text: str, field: str, errors: list[EntryError]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        error = EntryError(
            field, "date", remedy="give a date like 2031-05-02", message_fr="Donnez une date comme 2031-05-02"
        )
        errors.append(error)
        return None
