"""Objects of a PDF as they are written: bodies, numbers, and the cross-reference section that says where each is.

What stamping adds to a file is always the same few objects, so they are written here as bytes; pikepdf would build,
walk and write each of their values one by one, which took most of the time of a stamp.
"""

import hashlib
from collections.abc import Callable
from itertools import groupby
from typing import Final

_FREE: Final = b"0000000000 65535 f \n"
"""Object 0, the head of the list of free objects: only the first section of a file has it."""
_WIDTHS: Final = (1, 8, 2)
"""Bytes of the three columns of a cross-reference stream: kind, offset, generation."""
_IN_USE: Final = 1
_ID_BYTES: Final = 16


class Objects:
    """Objects one after another. `number` gives the number of the next one."""

    def __init__(self, number: Callable[[], int]) -> None:
        self.reserve = number
        """Takes a number for an object that is put later, since another one refers to it."""
        self._bodies: dict[int, tuple[int, bytes]] = {}

    def add(self, body: bytes) -> int:
        """Add an object; return its number."""
        number = self.reserve()
        self.put(number, body)
        return number

    def stream(self, entries: bytes, data: bytes) -> int:
        """Add a stream with these entries in its dictionary; return its number."""
        return self.add(_stream_body(entries, data))

    def put(self, number: int, body: bytes, generation: int = 0) -> None:
        """Add an object that has its number, or the new version of one that a file has."""
        self._bodies[number] = generation, body

    def written(
        self, start: int, trailer: bytes, identity: bytes = b"", *, previous: int = 0, table: bool = True
    ) -> bytes:
        """All the objects, then where they are, from the offset `start` of a file.

        `trailer`: the entries of the trailer but Size, ID and Prev. `identity`: the permanent identifier of the file,
        if it has one. `previous`: the offset of the section before this one, 0 for none. The section is a table, or
        else a stream (ISO 32000-1, 7.5.4 and 7.5.8), as those that the file has.
        """
        pieces: list[bytes] = []
        places: dict[int, tuple[int, int]] = {}
        position = start
        for number, (generation, body) in sorted(self._bodies.items()):
            places[number] = position, generation
            pieces.append(b"%d %d obj\n%s\nendobj\n" % (number, generation, body))
            position += len(pieces[-1])
        entries = trailer + _identified(identity, pieces) + (b"/Prev %d" % previous if previous else b"")
        if table:
            pieces.append(_table(places, entries, first=not previous))
        else:
            section = self.reserve()
            places[section] = position, 0
            pieces.append(b"%d 0 obj\n%s\nendobj\n" % (section, _stream(places, entries)))
        pieces.append(b"startxref\n%d\n%%%%EOF\n" % position)
        return b"".join(pieces)


def _stream_body(entries: bytes, data: bytes) -> bytes:
    """The body of a stream."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def _identified(identity: bytes, pieces: list[bytes]) -> bytes:
    """The identifier of the file, and one of what it has become: the same for the same content."""
    digest = hashlib.sha256(identity)
    for piece in pieces:
        digest.update(piece)
    now = digest.digest()[:_ID_BYTES]
    return b"/ID[<%s><%s>]" % ((identity or now).hex().encode(), now.hex().encode())


def _table(places: dict[int, tuple[int, int]], trailer: bytes, *, first: bool) -> bytes:
    lines = [b"xref\n", *([b"0 1\n", _FREE] if first else [])]
    for run in _runs(places):
        lines.append(b"%d %d\n" % (run[0], len(run)))
        lines += [b"%010d %05d n \n" % places[number] for number in run]
    return b"%strailer\n<<%s%s>>\n" % (b"".join(lines), trailer, _size(places))


def _stream(places: dict[int, tuple[int, int]], trailer: bytes) -> bytes:
    runs = _runs(places)
    index = b" ".join(b"%d %d" % (run[0], len(run)) for run in runs)
    rows = [(_IN_USE, *places[number]) for run in runs for number in run]
    data = b"".join(value.to_bytes(width, "big") for row in rows for width, value in zip(_WIDTHS, row, strict=True))
    return _stream_body(b"/Type/XRef/W[%d %d %d]/Index[%s]%s%s" % (*_WIDTHS, index, trailer, _size(places)), data)


def _size(places: dict[int, tuple[int, int]]) -> bytes:
    """New objects have the highest numbers of a file."""
    return b"/Size %d" % (max(places) + 1)


def _runs(places: dict[int, tuple[int, int]]) -> list[list[int]]:
    """The numbers in runs of consecutive ones."""
    ranked = enumerate(sorted(places))
    return [[number for _, number in run] for _, run in groupby(ranked, lambda pair: pair[1] - pair[0])]
