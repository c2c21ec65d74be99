"""An incremental update of a PDF (ISO 32000-1, 7.5.6): the file stays as it is, byte for byte, and what is added or
changed is written after it. Nothing of what the file holds is written anew, and nothing can be lost by it.
"""

import re
from typing import BinaryIO, Final

import pikepdf

from insigne.documents.objects import Objects

_HEADER: Final = b"%PDF-"
_TAIL: Final = 1054
"""Bytes from the end where readers look for the last cross-reference section (qpdf looks there too)."""
_SECTION: Final = re.compile(rb"startxref\s+(\d{1,18})\s")
_PIECE: Final = 1_048_576


def continuable(pdf: pikepdf.Pdf, file: BinaryIO) -> bool:
    """Tell whether an open PDF can be revised, of which `file` holds the bytes; else it must be written anew first.

    It cannot when anything in it needed indulgence: its numbers, its offsets or its pages are then not surely what
    other readers see.
    """
    pdf.fix_dangling_references()  # reads every object, so that every warning is known
    if pdf.get_warnings():
        return False
    file.seek(0)
    begins = file.read(len(_HEADER)) == _HEADER  # else offsets count from further on
    return begins and _section_of(file) is not None


class Revision:
    """What is written after a file. `objects` are its new objects; a changed page is given to `replace`.

    `file` holds the bytes of `pdf`, which is `continuable`.
    """

    def __init__(self, pdf: pikepdf.Pdf, file: BinaryIO) -> None:
        self._pdf = pdf
        self._file = file
        self.objects = Objects(lambda: pdf.make_indirect(pikepdf.Dictionary()).objgen[0])

    def refer(self, number: int) -> pikepdf.Object:
        """What refers to an object of this revision in the values of pikepdf."""
        return self._pdf.get_object((number, 0))

    def replace(self, changed: pikepdf.Object) -> None:
        """Write the new version of an object of the file."""
        number, generation = changed.objgen
        self.objects.put(number, changed.unparse(resolved=True), generation)

    def write(self, target: BinaryIO) -> None:
        """Write the file, and this revision after it."""
        added = self._added()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            target.write(piece)
        target.write(added)

    def _added(self) -> bytes:
        trailer = self._pdf.trailer
        kept = [f"{name} ".encode() + trailer[name].unparse() for name in ("/Root", "/Info") if name in trailer]
        start = self._file.seek(0, 2) + 1
        previous, table = _section_of(self._file) or 0, trailer.get("/Type") != pikepdf.Name.XRef
        return b"\n" + self.objects.written(start, b"".join(kept), _identity(trailer), previous=previous, table=table)


def _section_of(file: BinaryIO) -> int | None:
    """The offset of the last cross-reference section; None for a file that does not say it."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _TAIL))
    found = _SECTION.findall(file.read(_TAIL))
    place = int(found[-1]) if found else 0
    return place if 0 < place < length else None


def _identity(trailer: pikepdf.Object) -> bytes:
    """The permanent identifier of the file, which no revision changes; b"" when it has none."""
    found = trailer.get("/ID")
    first = found[0] if isinstance(found, pikepdf.Array) and len(found) else None
    return bytes(first) if isinstance(first, pikepdf.String) else b""
