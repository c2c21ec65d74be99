"""The strict traits of an identity, and how far two sets of them may differ and still be the same person.

Sources: RNIV (strict traits), guide INS EXI ID 10, and the differences tolerated between a document and INSi.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from insigne.ins.cog import UNKNOWN_PLACE, Cog, bundled_cog
from insigne.ins.dates import compatible
from insigne.ins.names import first_given_name_matches, fold_name, spaced_name


class Sex(StrEnum):
    """Administrative sex. I (undetermined) is local only: U in PAM, never sent to INSi, never qualified."""

    M = "M"
    F = "F"
    I = "I"  # noqa: E741 - the RNIV's own code


@dataclass(frozen=True, slots=True)
class StrictTraits:
    """The five strict traits, the given names being a first name and a list. "" stands for unknown.

    `given_names` is the list as one string, space-separated, as INSi returns it. `birth_date` is as received
    (YYYYMMDD, or incomplete, or lunar). `sex` is M, F or I. `birth_place` is a COG code (commune, or country abroad).
    """

    birth_name: str = ""
    first_given_name: str = ""
    given_names: str = ""
    birth_date: str = ""
    sex: str = ""
    birth_place: str = ""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What passes for the same trait. A recalled practice, hence a setting.

    `truncated_length`: letters from which a name may be the beginning of another, cut by an older system.
    """

    truncated_length: int = 20


DEFAULT_TOLERANCE: Final = Tolerance()
_UNDETERMINED_SEXES: Final = frozenset({"", "I", "U"})
_UNKNOWN_PLACES: Final = frozenset({"", UNKNOWN_PLACE})


def departures(
    before: StrictTraits, after: StrictTraits, *, tolerance: Tolerance = DEFAULT_TOLERANCE, cog: Cog | None = None
) -> tuple[str, ...]:
    """Return which of birth_name, given_names, birth_date, sex and birth_place differ beyond what is tolerated.

    Two or more mean that another person may be overwriting this one. Tolerated: spelling (case, accents, hyphen,
    apostrophe, space), a truncated long name, fewer given names in the same order, an incomplete date consistent with
    the other, another code of the same place. A trait unknown on either side (undetermined sex and place 99999
    included) never counts; first given name and list count once. `cog` is the table of places, by default the bundled.
    """
    places = cog or bundled_cog()
    same = {
        "birth_name": _same_name(before.birth_name, after.birth_name, tolerance),
        "given_names": _same_given_names(before, after, tolerance),
        "birth_date": not (before.birth_date and after.birth_date) or compatible(before.birth_date, after.birth_date),
        "sex": before.sex == after.sex or not _UNDETERMINED_SEXES.isdisjoint((before.sex, after.sex)),
        "birth_place": before.birth_place == after.birth_place
        or not _UNKNOWN_PLACES.isdisjoint((before.birth_place, after.birth_place))
        or places.same_place(before.birth_place, after.birth_place, before.birth_date or after.birth_date),
    }
    return tuple(trait for trait, unchanged in same.items() if not unchanged)


def _same_name(one: str, other: str, tolerance: Tolerance) -> bool:
    short, long = sorted((fold_name(one), fold_name(other)), key=len)
    return not short or short == long or (len(short) >= tolerance.truncated_length and long.startswith(short))


def _same_given_names(before: StrictTraits, after: StrictTraits, tolerance: Tolerance) -> bool:
    one, other = before.given_names or before.first_given_name, after.given_names or after.first_given_name
    return _one_begins_other(one, other, tolerance) and _one_begins_other(
        before.first_given_name, after.first_given_name, tolerance
    )


def _one_begins_other(one: str, other: str, tolerance: Tolerance) -> bool:
    if not spaced_name(one) or not spaced_name(other):
        return True
    return (
        first_given_name_matches(one, other)
        or first_given_name_matches(other, one)
        or _same_name(one, other, tolerance)
    )
