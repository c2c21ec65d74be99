"""Birthplaces of the code officiel géographique (INSEE), each code with the dates between which it meant that place.

The same code can name several places over time (91 was Algiers before it was Essonne), so a code is looked up with the
birth date. Codes of the past are never updated: the INS keeps the code valid at birth.

The table is text sorted by code, searched where it lies: a first lookup costs one file read, and no object is made for
the places nobody asks about.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Self

from insigne.ins.dates import BirthDate

UNKNOWN_PLACE: Final = "99999"

KINDS: Final = {
    "C": "commune",
    "D": "delegated",
    "M": "arrondissement",
    "T": "territory",
    "P": "country",
    "U": "unknown",
}
"""Letter in the table → `Place.kind`."""

_LETTERS: Final = {kind: letter for letter, kind in KINDS.items()}
_CODE: Final = re.compile(r"[0-9][0-9AB](?:[0-9]{3})?")
_RECENT_CODES: Final = 4096
_ALWAYS: Final = ("0001-01-01", "9999-12-31")


@dataclass(frozen=True, slots=True)
class Place:
    """A place under one code. Dates are ISO (YYYY-MM-DD), `valid_from` included, `valid_to` excluded, "" unbounded.

    `kind`: "commune", "delegated" (a merged commune kept as part of another), "arrondissement" (of Paris, Lyon,
    Marseille), "territory" (a département outside today's France), "country" or "unknown".
    `successor`: the code that took the place over when this one ended, "" when none did.
    `parent`: the place this one is part of (commune of an arrondissement, state of a dependent territory), or "".
    """

    code: str
    label: str
    kind: str
    valid_from: str = ""
    valid_to: str = ""
    successor: str = ""
    parent: str = ""

    def valid_within(self, first: str, last: str) -> bool:
        """Tell whether the code held at some time between two ISO dates, both included."""
        return self.valid_from <= last and (not self.valid_to or first < self.valid_to)


class _Ended(NamedTuple):
    """The way from a place to the next: the code, and the date to look it up on."""

    code: str
    birth_date: str


class Cog:
    """A table of birthplaces: lines `code, label, kind letter, from, to, successor, parent` separated by tabs.

    Lines are sorted by bytes; those that begin with # are a heading. A code of two characters (a département outside
    today's France) stands for all those that begin with it.
    """

    def __init__(self, table: bytes) -> None:
        self._table = table
        # A hospital's patients come from few places: the same codes are asked all day.
        self._recent = lru_cache(maxsize=_RECENT_CODES)(self._history)

    @classmethod
    def of(cls, places: Iterable[Place], heading: Iterable[str] = ()) -> Self:
        """Make a table of places given in any order, with lines of heading."""
        lines = sorted(_line(place) for place in places)
        return cls("".join([*(f"# {line}\n" for line in heading), *lines]).encode())

    @property
    def table(self) -> bytes:
        """The table as text, to be written to a file."""
        return self._table

    def __iter__(self) -> Iterator[Place]:
        for line in self._table.decode().splitlines():
            if not line.startswith("#"):
                yield _place(line)

    def history(self, code: str) -> tuple[Place, ...]:
        """Return what a code has named, oldest first; empty for a code that never existed."""
        return self._recent(code) if _CODE.fullmatch(code) else ()

    def _history(self, code: str) -> tuple[Place, ...]:
        exact = self._lines(code)
        area = () if len(code) == 2 else (replace(place, code=code) for place in self._lines(code[:2]))
        return tuple(sorted((*exact, *area), key=lambda place: (place.valid_from, place.kind)))

    def lookup(self, code: str, birth_date: str = "") -> Place | None:
        """Return the place that a code named on a birth date, or None: no such code, or not on that date.

        `birth_date` is as written; an incomplete one is a span of days, an empty or unreadable one all of time: of
        several places the last is returned, a commune before a delegated one.
        """
        first, last = _span(birth_date)
        valid = [place for place in self.history(code) if place.valid_within(first, last)]
        return max(valid, key=lambda place: (place.kind != "delegated", place.valid_from), default=None)

    def later_codes(self, code: str, birth_date: str = "") -> tuple[str, ...]:
        """Return the codes under which the place of that date was found afterwards, in order, today's last."""
        codes: list[str] = []
        seen: set[_Ended] = set()
        step: _Ended | None = _Ended(code, birth_date)
        while step and step not in seen:
            seen.add(step)
            place = self.lookup(*step)
            step = _Ended(place.successor, place.valid_to or birth_date) if place and place.successor else None
            if step and step.code != code and step.code not in codes:
                codes.append(step.code)
        return tuple(codes)

    def same_place(self, one: str, other: str, birth_date: str = "") -> bool:
        """Tell whether two codes can name one birthplace: the same, a later code of it, or the whole it is part of."""
        return one == other or other in self._wider(one, birth_date) or one in self._wider(other, birth_date)

    def _wider(self, code: str, birth_date: str) -> tuple[str, ...]:
        place = self.lookup(code, birth_date)
        if place is None:  # a code used outside its dates still tells the place
            birth_date, place = "", self.lookup(code)
        return (*self.later_codes(code, birth_date), *((place.parent,) if place and place.parent else ()))

    def _lines(self, code: str) -> Iterator[Place]:
        """Find the lines of exactly this code by bisection."""
        table, key = self._table, f"{code}\t".encode()
        low, high = 0, len(table)
        while low < high:
            start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = table.find(b"\n", start) + 1 or len(table)
            if table[start:end] < key:
                low = end
            else:
                high = start
        while table.startswith(key, low):
            end = table.find(b"\n", low) + 1 or len(table)
            yield _place(table[low:end].decode().rstrip("\n"))
            low = end


@cache
def bundled_cog() -> Cog:
    """Return the table shipped with Insigne (sources and licence in data/NOTICE), read at first use."""
    return Cog((Path(__file__).parent / "data" / "cog.tsv").read_bytes())


def _line(place: Place) -> str:
    label, kind = " ".join(place.label.split()), _LETTERS[place.kind]
    fields = (place.code, label, kind, place.valid_from, place.valid_to, place.successor, place.parent)
    return "\t".join(fields).rstrip("\t") + "\n"


def _place(line: str) -> Place:
    code, label, kind, *rest = line.split("\t")
    return Place(code, label, KINDS[kind], *rest)


def _span(birth_date: str) -> tuple[str, str]:
    try:
        first, last = BirthDate.parse(birth_date).span()
    except ValueError:
        return _ALWAYS
    return first.isoformat(), last.isoformat()
