"""A birthplace written by the person who was born there, found in the code officiel géographique if only one fits.

The code is the one of the day of birth: Nanterre is 75050 before 1968, 92050 since, and both are "Nanterre, 92".
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from insigne.ins.cog import UNKNOWN_PLACE, Cog, Place

_CORSICA: Final = ("20", "2A", "2B")
_ARRONDISSEMENT: Final = re.compile(r"(PARIS|LYON|MARSEILLE) 0?([0-9]{1,2})(?:E|ER|EME)?(?: ARRONDISSEMENT)?")
_FRANCE: Final = "99100"
_WORDS: Final = "".join(chr(code).upper() if chr(code).isalnum() or chr(code) in "\t\n" else " " for code in range(128))
_SPELLED: Final = str.maketrans({"Œ": "OE", "œ": "oe", "Æ": "AE", "æ": "ae", "’": "'", "–": "-", "—": "-"})


class PlaceNames:
    """Finds places of a table by name: capitals, accents, hyphens, apostrophes and ST for SAINT do not count."""

    def __init__(self, cog: Cog) -> None:
        self._cog = cog
        # The table folded as a whole: a name is found between two tabs, without an index of every place.
        self._table = "\n" + _folded(cog.table.decode())

    def commune(self, name: str, department: str, birth_date: str) -> str:
        """The code that a commune of that département, of then or of now, had on a day; 99999 if not exactly one."""
        areas = _CORSICA if department == "20" else (department,)
        found: dict[str, tuple[str, ...]] = {}
        for place in self._named(_spelled_out(name), birth_date):
            later = self._cog.later_codes(place.code, birth_date)
            if place.kind != "country" and any(code.startswith(areas) for code in (place.code, *later)):
                found[place.code] = later
        # Of one place that had two codes on that day, the one that it had first.
        superseded = {code for later in found.values() for code in later}
        return _only(found.keys() - superseded)

    def country(self, name: str, birth_date: str) -> str:
        """The code of a country; 99999 if none, or if part of it was French then and has codes of its own."""
        code = _only({place.code for place in self._named(name, birth_date) if place.kind == "country"})
        return UNKNOWN_PLACE if code == _FRANCE or self._was_french(code, birth_date) else code

    def _named(self, name: str, birth_date: str) -> Iterator[Place]:
        wanted = _key(name)
        at = self._table.find(wanted)
        while at >= 0:
            code = self._table[self._table.rfind("\n", 0, at) + 1 : at]
            place = self._cog.lookup(code, birth_date)
            # A commune of that day that only changed its name since is the one its people mean.
            if place is not None and (_key(place.label) == wanted or place.successor == code):
                yield place
            at = self._table.find(wanted, at + 1)

    def _was_french(self, code: str, birth_date: str) -> bool:
        territories = (self._cog.lookup(area, birth_date) for area in ("91", "92", "93", "94", "95", "96"))
        return any(place.successor == code for place in territories if place and place.kind == "territory")


def _only(codes: set[str]) -> str:
    return next(iter(codes)) if len(codes) == 1 else UNKNOWN_PLACE


def _spelled_out(name: str) -> str:
    """The name the table has for an arrondissement written `Paris 12`."""
    match = _ARRONDISSEMENT.fullmatch(_key(name).strip())
    if match is None:
        return name
    number = int(match[2])
    return f"{match[1]} {number}{'er' if number == 1 else 'e'} Arrondissement"


def _key(name: str) -> str:
    """A name as it stands in the folded table, between the tabs around it."""
    return _folded(f"\t{' '.join(name.split())}\t")


def _folded(text: str) -> str:
    """Capitals without accents, words apart by one space, tabs and ends of lines kept.

    Made of replacements only: it is also applied to a table of a million letters.
    """
    letters = unicodedata.normalize("NFKD", text.translate(_SPELLED)).encode("ascii", "ignore").decode("ascii")
    words = letters.translate(_WORDS)
    while "  " in words:
        words = words.replace("  ", " ")
    for mark in "\t\n":
        words = words.replace(f"{mark} ", mark).replace(f" {mark}", mark)
    for short, long in (("ST ", "SAINT "), ("STE ", "SAINTE ")):
        words = words.replace(f"\t{short}", f"\t{long}").replace(f" {short}", f" {long}")
    return words
