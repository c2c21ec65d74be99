"""A CSV file as rows. What one row has wrong stays with it: a quote that is never closed takes no other."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from insigne.exchange.load.mapping import Mapping as Columns
from insigne.exchange.load.mapping import MappingError

#: Longest field of a row, in characters, and most lines of the file that a row may take.
_LONGEST_FIELD: Final = 65_536
_MOST_LINES: Final = 100


class TableRow(msgspec.Struct, frozen=True):
    """A row: its number (the header is 1), its values by column; or why it cannot be read.

    `fault`: it has not as many fields as the header (`fields`); a field or the row itself is `too-long`, be it for a
    quote that is not closed where a field ends.
    """

    number: int
    values: Mapping[str, str]
    fault: Literal["", "fields", "too-long"] = ""


def table_rows(lines: Iterable[str], mapping: Columns) -> Iterator[TableRow]:
    """The rows of a file opened with `newline=""`. Raises MappingError when the header lacks a column, csv.Error.

    Nothing of the file is quoted, but names of columns that the mapping knows: it may have no header.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    taken = _Lines(lines)
    # Strict: a quote that nothing closes, or that is closed within a later row, would take rows into a field unseen.
    reader = csv.reader(taken, delimiter=mapping.delimiter, strict=True)
    header = [name.strip() for name in next(reader, [])]
    wanted = [*mapping.columns.values(), *(one.column for one in mapping.identifiers)]
    if missing := [name for name in wanted if name not in header]:
        known = ", ".join(name for name in wanted if name in header) or "none"
        raise MappingError(
            f"the file has no column {missing[0]!r}: of those of the mapping it has {known}"
            f" (the first line, of {len(header)} fields, must be the header)"
        )
    number = 1
    while True:
        taken.next_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = None
        if row == []:  # a blank line is nothing
            continue
        number += 1
        if row is not None and len(row) == len(header):
            yield TableRow(number, dict(zip(header, row, strict=True)))
            continue
        taken.only_first()
        yield TableRow(number, {}, "fields" if row is not None else "too-long")


class _Lines:
    """The lines of a file, with those that the row being read took: all but the first may be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self._row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._row) > _MOST_LINES:
            raise csv.Error("too many lines")
        line = self._back.popleft() if self._back else next(self._lines)
        self._row.append(line)
        return line

    def next_row(self) -> None:
        """A row begins."""
        self._row.clear()

    def only_first(self) -> None:
        """The row was its first line: what follows is read again."""
        self._back.extendleft(reversed(self._row[1:]))
