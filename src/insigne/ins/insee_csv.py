"""INSEE's own COG files, for a hospital that keeps its table of birthplaces newer than the bundled one.

Files are told by their columns, so that a new year's name needs no change. Recognised: `v_commune_depuis_1943`,
`v_commune_outremer_depuis_1943`, `v_pays_et_territoire_depuis_1943`, `v_pays_territoire_<year>` and
`v_mvt_commune_<year>` (which gives successors).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from insigne.ins.cog import Cog, Place, bundled_cog

Row = Mapping[str, str]

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes that one file may have; the largest of INSEE's is under 10 MB."""

_UNBOUNDED: Final = "1943-01-01"  # the files' first day means "since ever"
_NEW_COMMUNE_EVENTS: Final = frozenset({"20", "21"})  # creation, re-establishment: the commune they come from goes on
_COMMUNE_TYPES: Final = {"COM": "commune", "ARM": "arrondissement", "COMA": "delegated", "COMD": "delegated"}


class CogFileError(ValueError):
    """A file that is not one of INSEE's COG files, or is damaged. The message names the file and the reason."""


def load_insee_csv(paths: Iterable[Path], base: Cog | None = None) -> Cog:
    """Return a table made of INSEE's files, completed by `base` (the bundled table) for the codes they do not have.

    Successors come from the file of events if it is among `paths`, else from `base`. Raises CogFileError for a file
    that is not recognised, too large or not UTF-8, and OSError for one that cannot be opened.
    """
    base = base or bundled_cog()
    places: dict[tuple[str, str, str], Place] = {}
    events: dict[tuple[str, str], str] = {}
    for path in paths:
        rows = _rows(path)
        if _has(rows, "MOD", "DATE_EFF", "TYPECOM_AV", "COM_AV", "TYPECOM_AP", "COM_AP"):
            events.update(_successors(rows))
            continue
        read = next((reader for columns, reader in _READERS if _has(rows, *columns)), None)
        if read is None:
            raise CogFileError(f"{path}: no column set of INSEE's COG files; found {', '.join(rows[0])}")
        for place in read(rows):
            places.setdefault((place.code, place.kind, place.valid_from), place)
    loaded = {place.code for place in places.values()}
    older = {(place.code, place.kind, place.valid_to): place for place in base if place.code in loaded}
    kept = (place for place in base if place.code not in loaded)
    return Cog.of([*(_completed(place, events, older) for place in places.values()), *kept])


def _rows(path: Path) -> list[Row]:
    if path.stat().st_size > MAX_SIZE:
        raise CogFileError(f"{path}: larger than {MAX_SIZE} bytes")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: list[Row] = list(csv.DictReader(file, restval=""))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CogFileError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    if not rows:
        raise CogFileError(f"{path}: empty")
    return rows


def _has(rows: list[Row], *columns: str) -> bool:
    return all(column in rows[0] for column in columns)


def _communes(rows: Iterable[Row]) -> Iterator[Place]:
    for row in rows:
        if kind := _COMMUNE_TYPES.get(row["TYPECOM"]):
            yield Place(row["COM"], row["LIBELLE"], kind, *_dates(row))


def _overseas(rows: Iterable[Row]) -> Iterator[Place]:
    for row in rows:
        if len(row["COM_COMER"]) == 5:
            yield Place(row["COM_COMER"], row["LIBELLE"], "commune", *_dates(row))


def _dated_countries(rows: Iterable[Row]) -> Iterator[Place]:
    for row in rows:
        yield Place(row["COG"], row["LIBCOG"], "country", *_dates(row), parent=row.get("CRPAY", ""))


def _countries(rows: Iterable[Row]) -> Iterator[Place]:
    for row in rows:
        yield Place(row["COG"], row["LIBCOG"], "country", parent=row.get("CRPAY", ""))


# The dated file of countries first: its columns include those of the yearly one.
_READERS: Final[tuple[tuple[tuple[str, ...], Callable[[Iterable[Row]], Iterator[Place]]], ...]] = (
    (("TYPECOM", "COM", "LIBELLE", "DATE_DEBUT", "DATE_FIN"), _communes),
    (("COM_COMER", "LIBELLE", "DATE_DEBUT", "DATE_FIN"), _overseas),
    (("COG", "LIBCOG", "DATE_DEBUT", "DATE_FIN"), _dated_countries),
    (("COG", "LIBCOG"), _countries),
)


def _dates(row: Row) -> tuple[str, str]:
    start = row["DATE_DEBUT"]
    # Corsicans born before 1976 may carry the code of either side of the split.
    corsican = row.get("COM", "")[:2] in ("2A", "2B") and start == "1976-01-01"
    return "" if start == _UNBOUNDED or corsican else start, row["DATE_FIN"]


def _successors(rows: Iterable[Row]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (commune, end date) → the commune that took it over."""
    for row in rows:
        if row["TYPECOM_AV"] == row["TYPECOM_AP"] == "COM" and row["MOD"] not in _NEW_COMMUNE_EVENTS:
            yield (row["COM_AV"], row["DATE_EFF"]), row["COM_AP"]


def _completed(
    place: Place, events: Mapping[tuple[str, str], str], older: Mapping[tuple[str, str, str], Place]
) -> Place:
    """Add what INSEE's file of communes does not say: the successor, and the whole that a part belongs to."""
    known = older.get((place.code, place.kind, place.valid_to))
    successor = events.get((place.code, place.valid_to), known.successor if known else "") if place.valid_to else ""
    return replace(place, successor=successor, parent=place.parent or (known.parent if known else ""))
