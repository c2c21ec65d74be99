"""What a lot says of a CDA is read from its header; the digest of its canonical form, without holding its body.

A long run of base64 is set aside as it is read: it has no markup, so that its canonical form is itself but for ends of
line. What remains, the header, is parsed; a document of a hundred megabytes costs its header.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from lxml import etree

from insigne.dmp.wire.model import WireError
from insigne.documents.cda import terms

LARGEST_HEADER: Final = 16 << 20
"""Bytes parsed at most: those of a structured document are all of its text."""
_PIECE: Final = 256 << 10
_LONG: Final = 4096
"""A run of base64 from this length on is set aside."""
_RUN: Final = re.compile(rb"[A-Za-z0-9+/= \t\r\n]*")
_START: Final = re.compile(rb">(?=[A-Za-z0-9+/= \t\r\n]{%d}|[A-Za-z0-9+/= \t\r\n]*\Z)" % _LONG)
"""Where a long run begins, or one of which nothing is known yet: it goes on in what is read next."""
_TOKEN: Final = b"@INSIGNE:RUN:%d@"
_TOKENS: Final = re.compile(rb"@INSIGNE:RUN:([0-9]+)@")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """A document read once: its header as a tree (runs of base64 replaced by marks), its SHA-1 and size, its runs as
    offsets.
    """

    root: etree._Element = field(repr=False)
    sha1: str
    size: int
    runs: tuple[tuple[int, int], ...]


def measure(document: BinaryIO) -> Measured:
    """Read a document from its start. Raises WireError for what is no CDA, or has a header beyond measure."""
    document.seek(0)
    digest, scan = hashlib.sha1(usedforsecurity=False), _Scan()
    while piece := document.read(_PIECE):
        digest.update(piece)
        scan.feed(piece)
    scan.end()
    if len(_TOKENS.findall(scan.kept)) != len(scan.runs):
        raise WireError("the document holds a mark that is kept for its reading")
    return Measured(_parse(bytes(scan.kept)), digest.hexdigest(), scan.size, tuple(scan.runs))


def canonical_digest(measured: Measured, document: BinaryIO, digest: "hashlib._Hash") -> bytes:
    """Feed a digest with the canonical form (C14N 1.0 with comments) of a document; returns what it gives."""
    text = etree.tostring(measured.root.getroottree(), method="c14n", with_comments=True)
    start = 0
    for found in _TOKENS.finditer(text):
        digest.update(text[start : found.start()])
        for piece in _run(document, *measured.runs[int(found[1])]):
            digest.update(piece)
        start = found.end()
    digest.update(text[start:])
    return digest.digest()


class _Scan:
    """A document passing by, its long runs of base64 set aside. A run begins right after a `>`."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.runs: list[tuple[int, int]] = []
        self.size = 0
        self._held: bytearray | None = None
        self._start = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        position = 0
        while position < len(piece):
            position = self._outside(piece, position) if self._held is None else self._inside(piece, position)
        self.size += len(piece)

    def end(self) -> None:
        """Close the run that the document may end with."""
        self._close(self.size)

    def _outside(self, piece: bytes, position: int) -> int:
        found = _START.search(piece, position)
        end = found.end() if found else len(piece)
        self._keep(piece[position:end])
        if found:
            self._held, self._start = bytearray(), self.size + end
        return end

    def _inside(self, piece: bytes, position: int) -> int:
        run = _RUN.match(piece, position)
        end = run.end() if run else position
        if self._held is not None and len(self._held) < _LONG:
            self._held += piece[position : min(end, position + _LONG)]
        if end < len(piece):
            self._close(self.size + end)
        return end

    def _close(self, end: int) -> None:
        """Set a run aside, or keep it when it was short."""
        held, self._held = self._held, None
        if held is None:
            return
        if end - self._start >= _LONG:
            self.kept += _TOKEN % len(self.runs)
            self.runs.append((self._start, end))
        else:
            self._keep(held)

    def _keep(self, part: bytes | bytearray) -> None:
        self.kept += part
        if len(self.kept) > LARGEST_HEADER:
            raise WireError(f"the document has more than {LARGEST_HEADER} bytes beside its body")


def _parse(data: bytes) -> etree._Element:
    if b"<!DOCTYPE" in data:
        raise WireError("the document has a DOCTYPE: refused")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise WireError(f"the document is not well-formed XML (line {error.lineno})") from None
    if root.tag != f"{{{terms.CDA}}}ClinicalDocument":
        raise WireError("the document is not a CDA R2")
    info = root.getroottree().docinfo
    if info.doctype or (info.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
        raise WireError("the document has a DOCTYPE, or is not in UTF-8")
    marked = [value for one in root.iter(etree.Element) for value in one.attrib.values() if "@INSIGNE:RUN:" in value]
    if marked:
        raise WireError("the document has an attribute of a length beyond measure")
    return root


def _run(document: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Give the bytes of a run with their ends of line as XML has them."""
    document.seek(start)
    left, carried = end - start, b""
    while left:
        piece = document.read(min(_PIECE, left))
        if not piece:
            raise WireError("the document is shorter than when it was measured")
        left -= len(piece)
        piece, carried = carried + piece, b""
        if left and piece.endswith(b"\r"):
            piece, carried = piece[:-1], b"\r"
        yield piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def rewrite(measured: Measured, document: BinaryIO, target: BinaryIO) -> None:
    """Write a document with its header as the tree is now; the runs set aside are copied as they stand."""
    text = etree.tostring(measured.root.getroottree(), encoding="UTF-8", xml_declaration=True)
    start = 0
    for found in _TOKENS.finditer(text):
        target.write(text[start : found.start()])
        first, end = measured.runs[int(found[1])]
        document.seek(first)
        left = end - first
        while left:
            piece = document.read(min(_PIECE, left))
            if not piece:
                raise WireError("the document is shorter than when it was measured")
            target.write(piece)
            left -= len(piece)
        start = found.end()
    target.write(text[start:])
