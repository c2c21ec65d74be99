"""A CSV file as rows."""

import csv
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from insigne.exchange.load.mapping import Mapping as Columns
from insigne.exchange.load.mapping import MappingError

#: Longest field of a row, in characters: a quote that is never closed must not take the rest of the file.
_LONGEST_FIELD = 65_536


class TableRow(msgspec.Struct, frozen=True):
    """A row: its number (the header is 1), its values by column; `whole` when it has as many as the header."""

    number: int
    values: Mapping[str, str]
    whole: bool


def table_rows(lines: Iterable[str], mapping: Columns) -> Iterator[TableRow]:
    """The rows of a file opened with `newline=""`. Raises MappingError when the header lacks a column, csv.Error."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=mapping.delimiter)
    header = [name.strip() for name in next(reader, [])]
    wanted = [*mapping.columns.values(), *(one.column for one in mapping.identifiers)]
    if missing := [name for name in wanted if name not in header]:
        raise MappingError(f"the file has no column {missing[0]!r}; its columns are {', '.join(header) or 'none'}")
    for number, row in enumerate(reader, 2):
        if row:  # a blank line is nothing
            yield TableRow(number, dict(zip(header, row, strict=False)), len(row) == len(header))
