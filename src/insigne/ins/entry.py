"""Entry of strict traits by a person: everything normalised, every refusal at once, doubts as remarks.

For identities of our own authorities only; traits received from elsewhere are kept as they are.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from insigne.ins.cog import UNKNOWN_PLACE, Cog, bundled_cog
from insigne.ins.dates import BirthDate, complete
from insigne.ins.names import NameKind, first_given_name_matches, normalise_name
from insigne.ins.remarks import EntryError, Remark
from insigne.ins.traits import Sex, StrictTraits

_EARLIEST_YEAR: Final = 1850


@dataclass(frozen=True, slots=True)
class Entry:
    """Traits ready to be stored if `errors` is empty. `date_completed`: the birth date is conventional (ZFD-4 = Y)."""

    traits: StrictTraits
    date_completed: bool
    errors: tuple[EntryError, ...]
    remarks: tuple[Remark, ...]


def enter_traits(typed: StrictTraits, today: date, cog: Cog | None = None) -> Entry:
    """Check and normalise what a person typed: the five traits are mandatory, the list of given names is not.

    Names per `normalise_name`; an incomplete or lunar date completed and flagged (EXI ID 11, the written one goes to
    billing, EXI ID 12); sex M, F or I; a place known to the COG on that date, or 99999 with a remark (EXI ID 14, 15).
    A trait in error is kept as typed. `today` bounds the birth date.
    """
    errors: list[EntryError] = []
    remarks: list[Remark] = []
    traits = replace(
        typed,
        birth_name=_name(typed.birth_name, "family", "birth_name", errors),
        first_given_name=_name(typed.first_given_name, "given", "first_given_name", errors),
        given_names=_name(typed.given_names, "given", "given_names", errors) if typed.given_names else "",
    )
    if traits.given_names and not first_given_name_matches(traits.first_given_name, traits.given_names):
        remarks.append(FIRST_GIVEN_NAME)
    traits, completed = _birth_date(traits, today, errors)
    if completed:
        remarks.append(_COMPLETED)
    if traits.sex not in set(Sex):
        errors.append(_error("sex", "code", "give M, F or I", "Indiquez M, F ou I"))
    _birth_place(traits, cog or bundled_cog(), errors, remarks)
    return Entry(traits, completed, tuple(errors), tuple(remarks))


def _name(text: str, kind: NameKind, field: str, errors: list[EntryError]) -> str:
    try:
        return normalise_name(text, kind, field)
    except EntryError as error:
        errors.append(error)
        return text


def _birth_date(traits: StrictTraits, today: date, errors: list[EntryError]) -> tuple[StrictTraits, bool]:
    try:
        written = BirthDate.parse(traits.birth_date)
    except ValueError as error:
        errors.append(
            _error("birth_date", "shape", str(error), "Donnez l’année, puis le mois et le jour s’ils sont connus")
        )
        return traits, False
    if 1 <= written.month <= 12 and written.is_lunar and written.day <= 31:
        errors.append(_error("birth_date", "calendar", "this month has no such day", "Ce mois n’a pas ce jour"))
        return traits, False
    day, completed = complete(written)
    if not _EARLIEST_YEAR <= written.year <= today.year or written.span()[0] > today:
        errors.append(
            _error(
                "birth_date",
                "range",
                f"give a date from {_EARLIEST_YEAR} to today",
                f"Donnez une date comprise entre {_EARLIEST_YEAR} et aujourd’hui",
            )
        )
    return replace(traits, birth_date=day.hl7()), completed


def _birth_place(traits: StrictTraits, cog: Cog, errors: list[EntryError], remarks: list[Remark]) -> None:
    if traits.birth_place == UNKNOWN_PLACE:
        remarks.append(_UNKNOWN_PLACE)
    elif not cog.lookup(traits.birth_place, traits.birth_date):
        errors.append(
            _error(
                "birth_place",
                "cog",
                f"give the INSEE code of the commune on that date, of the country abroad, or {UNKNOWN_PLACE}",
                f"Donnez le code INSEE de la commune à cette date, celui du pays à l’étranger, ou {UNKNOWN_PLACE}",
            )
        )


def _error(field: str, rule: str, remedy: str, message_fr: str) -> EntryError:
    return EntryError(field, rule, remedy=remedy, message_fr=message_fr)


FIRST_GIVEN_NAME = Remark(
    "first-given-name",
    "The first given name is not the beginning of the list of given names (EXI ID 10)",
    "Le premier prénom n’est pas le début de la liste des prénoms de naissance (EXI ID 10)",
)
_COMPLETED = Remark(
    "birth-date-completed",
    "The birth date is completed by convention and flagged (EXI ID 11): INSi is not asked until it is known",
    "La date de naissance est complétée par convention et signalée (EXI ID 11) : INSi n’est pas interrogé tant qu’elle "
    "n’est pas connue",
)
_UNKNOWN_PLACE = Remark(
    "birth-place-unknown",
    "The birthplace is unknown (99999): such an identity should not be validated",
    "Le lieu de naissance est inconnu (99999) : une telle identité ne devrait pas être validée",
)
