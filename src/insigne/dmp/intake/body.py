"""The bytes of a document being taken in: decoded and digested as they come, in memory when small, else in a file."""

import binascii
import hashlib
import mmap
import re
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from insigne.dmp.model import Content

IN_MEMORY: Final = 1_048_576
"""Bytes from which a document is put in a temporary file, which has no name."""
PIECE: Final = 1_048_576
_ENCODED: Final = 4 * 262_144
"""Characters of base64 decoded at once: whole groups of four."""
_LEAST: Final = 2
"""Characters of a last group that are a byte or more."""
_BLANKS: Final = b" \t\r\n"
_ESCAPES: Final = re.compile(rb"\\(?:X(?:0[AD])+|\.br|\.sp)\\", re.IGNORECASE)

CDA: Final = "text/xml"
PDF: Final = "application/pdf"


class BodyError(Exception):
    """The bytes cannot be taken. `reason` is "size", "base64" or "empty"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Body:
    """The bytes of one document, and what names them. It frees its file when nobody refers to it any more."""

    __slots__ = ("__weakref__", "_file", "_held", "digest", "size", "unpadded")

    def __init__(self, held: bytes, file: BinaryIO | None, size: int, digest: str) -> None:
        self._held = held
        self._file = file
        self.size = size
        self.digest = digest
        self.unpadded = False
        """Whether it came in base64 that lacks its padding, and nothing else."""
        if file is not None:
            weakref.finalize(self, file.close)

    def __repr__(self) -> str:
        return f"<Body of {self.size} bytes>"

    def content(self, media: str) -> Content:
        """What names these bytes."""
        return Content(self.digest, self.size, media)

    def pieces(self) -> Iterator[bytes]:
        """The bytes from the beginning, a mebibyte at a time."""
        if self._file is None:
            for start in range(0, self.size, PIECE):
                yield self._held[start : start + PIECE]
            return
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def start(self, size: int) -> bytes:
        """The first bytes."""
        if self._file is None:
            return self._held[:size]
        self._file.seek(0)
        return self._file.read(size)

    def mapped(self) -> bytes | mmap.mmap:
        """The bytes to look into, without holding a large document in memory."""
        if self._file is None:
            return self._held
        self._file.flush()
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)


class Collector:
    """Takes the bytes of a document as they come. `abandon` it unless `finish` is reached."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._digest = hashlib.sha256()
        self._held = bytearray()
        self._file: BinaryIO | None = None
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take the next bytes. Raises BodyError for more than `most` in all."""
        self._size += len(piece)
        if self._size > self._most:
            raise BodyError("size")
        self._digest.update(piece)
        if self._file is None and self._size > IN_MEMORY:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the Body, or abandoned
            self._file.write(self._held)
            self._held.clear()
        if self._file is None:
            self._held += piece
        else:
            self._file.write(piece)

    def finish(self) -> Body:
        """The document. Raises BodyError when nothing came."""
        if not self._size:
            raise BodyError("empty")
        return Body(bytes(self._held), self._file, self._size, self._digest.hexdigest())

    def abandon(self) -> None:
        """Free what was kept."""
        if self._file is not None:
            self._file.close()


def collect(pieces: Iterable[bytes], most: int) -> Body:
    """Keep bytes as they come. Raises BodyError for more than `most` of them, or none."""
    taken = Collector(most)
    try:
        for piece in pieces:
            taken.add(piece)
        return taken.finish()
    except BaseException:
        taken.abandon()
        raise


def decode(encoded: bytes | memoryview, most: int) -> Body:
    """Decode base64 as it stands in a message, ends of lines (escaped or not) included.

    Raises BodyError for what is not base64 from end to end: half a document is not a document. Padding alone may lack,
    as in published examples: `Body.unpadded` tells.
    """
    if len(encoded) // 4 * 3 > most + PIECE:
        raise BodyError("size")
    lacking: list[bytes] = []
    body = collect(_decoded(encoded, lacking), most)
    body.unpadded = bool(lacking)
    return body


def _decoded(encoded: bytes | memoryview, lacking: list[bytes]) -> Iterator[bytes]:
    """The bytes, in pieces. A last group without its padding is put in `lacking`."""
    if _escaped(encoded):
        encoded = _ESCAPES.sub(b"", bytes(encoded))
    left, ended = b"", False
    for start in range(0, len(encoded), _ENCODED):
        text = left + bytes(encoded[start : start + _ENCODED]).translate(None, _BLANKS)
        whole, left = text[: len(text) // 4 * 4], text[len(text) // 4 * 4 :]
        if (ended and text) or (b"=" in whole and (left or b"=" in whole.rstrip(b"="))):
            raise BodyError("base64")
        ended = ended or whole.endswith(b"=")
        try:
            yield binascii.a2b_base64(whole, strict_mode=True)
        except binascii.Error:
            raise BodyError("base64") from None
    if left:
        last = left.rstrip(b"=")
        if len(last) < _LEAST or b"=" in last:
            raise BodyError("base64")
        lacking.append(last)
        try:
            yield binascii.a2b_base64(last.ljust(4, b"="), strict_mode=True)
        except binascii.Error:
            raise BodyError("base64") from None


def _escaped(encoded: bytes | memoryview) -> bool:
    pieces = (encoded[start : start + _ENCODED] for start in range(0, len(encoded), _ENCODED))
    return any(b"\\" in bytes(piece) for piece in pieces)
