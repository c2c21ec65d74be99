"""A site's past figures: documents fed before this base, read from a CSV file.

Columns, in any order, named by the header: `month` (YYYY-MM), `identity` (qualified, other-ins, ins-c, none), `fed`,
and if the site has them `establishment` (FINESS), `type_code`, `held`, `refused`. The delimiter is `;` or `,`.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from insigne.dmp.indicators.figures import Count, Kind, Outcome

COLUMNS: Final = ("month", "identity", "fed", "establishment", "type_code", "held", "refused")
"""What a column may be; the first three are required."""
_REQUIRED: Final = COLUMNS[:3]
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_PLACE: Final = re.compile(r"[0-9A-Z]{0,14}")
_TYPE: Final = re.compile(r"[A-Za-z0-9_-]{0,40}")
_NUMBER: Final = re.compile(r"[0-9]{1,12}")
_LONGEST: Final = 1000
"""Characters of a field."""
MOST_PROBLEMS: Final = 100

#: How sites write the identities, beside our names.
_IDENTITIES: Final = {
    **{kind.value: kind for kind in Kind},
    "ins qualifié": Kind.QUALIFIED,
    "ins": Kind.OTHER,
    "nir": Kind.OTHER,
    "insc": Kind.INS_C,
    "": Kind.NONE,
}


class PastFileError(ValueError):
    """A file that cannot be read as past figures; the text says what it lacks."""


class PastFigures(NamedTuple):
    """What a file says: the figures of its good rows, and what is wrong with the others (by row, from 2)."""

    counts: tuple[Count, ...]
    rows: int
    problems: tuple[str, ...]
    refused: int


def read_past(lines: Iterable[str]) -> PastFigures:
    """Read past figures; a figure given twice for the same month, place, type and identity is a problem.

    Raises PastFileError when the header lacks a column or the file is not a table.
    """
    csv.field_size_limit(_LONGEST)
    rest = iter(lines)
    first = next(rest, "").removeprefix("\ufeff")
    rows = csv.reader(chain([first], rest), delimiter=";" if first.count(";") >= first.count(",") else ",")
    counts: dict[tuple[str, str, str, Kind, Outcome], Count] = {}
    problems: list[str] = []
    number = refused = 0
    try:
        header = _header(next(rows, []))
        for number, row in enumerate(rows, 2):
            if not any(cell.strip() for cell in row):
                continue
            try:
                found = list(_counts(dict(zip(header, (cell.strip() for cell in row), strict=False))))
                twice = [one.outcome.value for one in found if one[:5] in counts]
                problem = f"{twice[0]} of that month, place, type and identity is there twice" if twice else ""
            except ValueError as error:
                found, problem = [], str(error)
            if problem:
                refused += 1
                problems.append(f"row {number}: {problem}")
            else:
                counts.update({one[:5]: one for one in found})
    except csv.Error as error:
        raise PastFileError(f"row {number + 1}: {error}") from error
    return PastFigures(tuple(counts.values()), max(number - 1, 0), tuple(problems[:MOST_PROBLEMS]), refused)


def _header(row: list[str]) -> list[str]:
    header = [cell.strip().lower() for cell in row]
    if missing := [name for name in _REQUIRED if name not in header]:
        raise PastFileError(f"the header has no column {missing[0]!r}; columns are {', '.join(COLUMNS)}")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise PastFileError(f"column {unknown[0]!r} is none of {', '.join(COLUMNS)}")
    return header


def _counts(row: dict[str, str]) -> Iterator[Count]:
    """The figures of a row. Raises ValueError."""
    month, identity = row.get("month", ""), row.get("identity", "").casefold()
    if not _MONTH.fullmatch(month):
        raise ValueError("month: write it like 2019-03")
    if identity not in _IDENTITIES:
        raise ValueError(f"identity: one of {', '.join(kind.value for kind in Kind)}")
    place, type_code = row.get("establishment", ""), row.get("type_code", "")
    if not _PLACE.fullmatch(place):
        raise ValueError("establishment: a FINESS or SIRET number")
    if not _TYPE.fullmatch(type_code):
        raise ValueError("type_code: a code such as 11490-0")
    for name, outcome in (("fed", Outcome.FED), ("held", Outcome.HELD), ("refused", Outcome.REFUSED)):
        text = row.get(name, "")
        if text or name == "fed":
            if not _NUMBER.fullmatch(text):
                raise ValueError(f"{name}: a number of documents, in digits")
            yield Count(month, place, type_code, _IDENTITIES[identity], outcome, int(text), past=True)
