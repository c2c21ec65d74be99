"""A site's past figures: documents fed before this base, read from a CSV file.

Columns, in any order, named by the header: `month` (YYYY-MM), `identity` (qualified, other-ins, ins-c, none), `fed`,
and if the site has them `establishment` (FINESS), `type_code`, `held`, `refused`. The delimiter is `;` or `,`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from insigne.dmp.columns import named_rows
from insigne.dmp.indicators.figures import Count, Kind, Outcome

COLUMNS: Final = ("month", "identity", "fed", "establishment", "type_code", "held", "refused")
"""What a column may be; the first three are required."""
_REQUIRED: Final = COLUMNS[:3]
_MONTH: Final = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])")
_PLACE: Final = re.compile(r"[0-9A-Z]{0,14}")
_TYPE: Final = re.compile(r"[A-Za-z0-9_-]{0,40}")
_NUMBER: Final = re.compile(r"[0-9]{1,12}")
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


class PastFigures(NamedTuple):
    """What a file says: the figures of its good rows, and what is wrong with the others (by row, from 2)."""

    counts: tuple[Count, ...]
    rows: int
    problems: tuple[str, ...]
    refused: int


def read_past(lines: Iterable[str]) -> PastFigures:
    """Read past figures; a figure given twice for the same month, place, type and identity is a problem.

    Raises ColumnsError.
    """
    counts: dict[tuple[str, str, str, Kind, Outcome], Count] = {}
    problems: list[str] = []
    rows = refused = 0
    for number, row in named_rows(lines, COLUMNS, _REQUIRED):
        rows += 1
        try:
            found = list(_counts(row))
            twice = [one.outcome.value for one in found if one[:5] in counts]
            problem = f"{twice[0]} of that month, place, type and identity is there twice" if twice else ""
        except ValueError as error:
            found, problem = [], str(error)
        if problem:
            refused += 1
            problems.append(f"row {number}: {problem}")
        else:
            counts.update({one[:5]: one for one in found})
    return PastFigures(tuple(counts.values()), rows, tuple(problems[:MOST_PROBLEMS]), refused)


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
