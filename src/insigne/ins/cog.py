"""Birthplaces of the code officiel géographique (INSEE), each code with the dates between which it meant that place.

The same code can name several places over time (91 was Algiers before it was Essonne), so a code is looked up with the
birth date. Codes of the past are never updated: the INS keeps the code valid at birth.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

UNKNOWN_PLACE: Final = "99999"


@dataclass(frozen=True, slots=True)
class Place:
    """A place under one code. Dates are ISO (YYYY-MM-DD), `valid_from` included, `valid_to` excluded, "" unbounded.

    `kind`: "commune", "arrondissement", "territory" (a département or colony of the past), "country" or "unknown".
    `successor`: the code under which the place is found today, "" when it is its own.
    """

    code: str
    label: str
    kind: str
    valid_from: str = ""
    valid_to: str = ""
    successor: str = ""


class Cog:
    """A table of birthplaces."""

    def __init__(self, places: Iterable[Place]) -> None:
        table: dict[str, list[Place]] = {}
        for place in places:
            table.setdefault(place.code, []).append(place)
        self._places: Mapping[str, list[Place]] = table

    def lookup(self, code: str, birth_date: str = "") -> Place | None:
        """Return the place that a code named on a birth date (as written, may be incomplete); None when unknown."""
        found = self._places.get(code)
        return found[0] if found else None

    def same_place(self, one: str, other: str) -> bool:
        """Tell whether two codes name the same place, one being a later code of the other."""
        return one == other


@cache
def bundled_cog() -> Cog:
    """Return the table shipped with Insigne, read at first use."""
    return Cog(())
