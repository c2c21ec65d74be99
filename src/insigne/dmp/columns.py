"""Tables that sites write: CSV files whose header names the columns, in any order. Pure."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

_LONGEST: Final = 1000
"""Characters of a field: a quote that is never closed must not take the rest of the file."""


class ColumnsError(ValueError):
    """A file that is no such table; the text says what it lacks."""


def named_rows(
    lines: Iterable[str], columns: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with their number (the header is 1), cells by name, trimmed; empty rows left out.

    The delimiter is `;` or `,`, whichever the header has more of. Raises ColumnsError, for a row of more cells than the
    header too: what stands in which column is not known any more.
    """
    csv.field_size_limit(_LONGEST)
    rest = iter(lines)
    first = next(rest, "").removeprefix("\ufeff")
    rows = csv.reader(chain([first], rest), delimiter=";" if first.count(";") >= first.count(",") else ",")
    number = 1
    try:
        header = [cell.strip().lower() for cell in next(rows, [])]
        if missing := [name for name in required if name not in header]:
            raise ColumnsError(f"the header has no column {missing[0]!r}; columns are {', '.join(columns)}")
        if unknown := [name for name in header if name not in columns]:
            raise ColumnsError(f"column {unknown[0]!r} is none of {', '.join(columns)}")
        if len(set(header)) < len(header):
            raise ColumnsError("the header names a column twice: leave one")
        for number, row in enumerate(rows, 2):
            cells = [cell.strip() for cell in row]
            if any(cells[len(header) :]):
                raise ColumnsError(f"row {number}: more cells than columns; quote what holds the delimiter")
            if any(cells):
                yield number, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise ColumnsError(f"row {number + 1}: {error}") from error
