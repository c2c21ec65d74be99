"""Before and after a call: traits made fit to be sent, or refused with the reason; and whom the answer is about.

Sources: entry rules of SEL-MP-043 (characters, hyphens, date, sex, COG) as `insigne.ins` holds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from insigne.ins import (
    UNKNOWN_PLACE,
    BirthDate,
    Cog,
    EntryError,
    Remark,
    StrictTraits,
    departures,
    enter_traits,
    normalise_name,
)
from insigne.insi.strategy import Search
from insigne.insi.wire.model import InsiAnswer, SearchTraits
from insigne.insi.wire.request import is_place


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search ready to be made, None when there are errors; doubts are remarks. Nothing is sent when refused."""

    search: Search | None
    errors: tuple[EntryError, ...]
    remarks: tuple[Remark, ...] = ()


def prepare_search(
    birth_name: str,
    given_names: Sequence[str],
    sex: str,
    birth_date: str,
    birth_place: str = "",
    *,
    today: date,
    cog: Cog | None = None,
    any_place: bool = False,
) -> Prepared:
    """Check and normalise the criteria of a search by traits; `given_names` one by one, in civil order.

    A birth date that had to be completed, or a sex that is not M or F, is refused: INSi is not asked about it. A
    birthplace is optional; 99999 is left out. With `any_place`, one that the COG does not have bars no search: INSi may
    know a newer table, so that it only narrows an answer of several people, with a remark; other text is left out.
    """
    first, *others = given_names or [""]
    entry = enter_traits(StrictTraits(birth_name, first, "", birth_date, sex, birth_place or UNKNOWN_PLACE), today, cog)
    unknown = any_place and any(error.field == "birth_place" for error in entry.errors)
    errors = [error for error in entry.errors if not (unknown and error.field == "birth_place")]
    given = [entry.traits.first_given_name]
    for index, name in enumerate(others, start=2):
        try:
            given.append(normalise_name(name, "given", f"given_names[{index}]"))
        except EntryError as error:
            errors.append(error)
    if entry.traits.sex == "I":
        errors.append(_SEX)
    if entry.date_completed:
        errors.append(_DATE)
    if errors:
        return Prepared(None, tuple(errors))
    traits = entry.traits
    place = "" if traits.birth_place == UNKNOWN_PLACE or not is_place(traits.birth_place) else traits.birth_place
    day = BirthDate.parse(traits.birth_date).iso()
    remarks = (*entry.remarks, *((UNKNOWN_TO_COG,) if unknown else ())) if birth_place else ()
    return Prepared(Search(traits.birth_name, given, traits.sex, day, place), (), remarks)


def unlike(asked: SearchTraits, answer: InsiAnswer, cog: Cog | None = None) -> tuple[str, ...]:
    """Return which strict traits of an answer are not those asked about, beyond what is tolerated; () when none.

    INSi itself matches strictly, so that any of them is worth a look and several mean an answer for somebody else.
    """
    if answer.traits is None:
        return ()
    found = answer.traits
    listed = found.given_names or found.given_name
    return departures(
        StrictTraits(asked.birth_name, asked.given_name, "", asked.birth_date, asked.sex, asked.birth_place),
        StrictTraits(found.birth_name, "", listed, found.birth_date, found.sex, found.birth_place),
        cog=cog,
    )


UNKNOWN_TO_COG: Final = Remark(
    "birth-place-not-in-cog",
    "The birthplace is no code of the COG on that date: check it",
    "Lieu de naissance absent du COG à cette date : à vérifier",
)
_SEX = EntryError(
    "sex",
    "insi",
    remedy="INSi knows M and F only; ask once the sex is determined",
    message_fr="INSi ne connaît que M et F ; interrogez-le une fois le sexe déterminé",
)
_DATE = EntryError(
    "birth_date",
    "insi",
    remedy="INSi is asked with a whole date of the calendar, neither incomplete nor lunar",
    message_fr="INSi s’interroge avec une date complète du calendrier, ni incomplète ni lunaire",
)
