"""The parts of a message with attachments (RFC 2387; SOAP MTOM, XOP), found in place: nothing large is copied."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from hashlib import new
from mmap import mmap
from typing import Final

Buffer = bytes | mmap

_HEAD: Final = 16_384
_PARTS: Final = 64
_PIECE: Final = 1 << 20


class MimeError(ValueError):
    """A body that is not made as its Content-Type says. The text tells what is wrong."""


@dataclass(frozen=True, slots=True)
class Content:
    """A stretch of a buffer."""

    buffer: Buffer
    start: int
    end: int

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.end - self.start

    def pieces(self) -> Iterator[bytes]:
        """Yield it, 1 MiB at a time."""
        for start in range(self.start, self.end, _PIECE):
            yield self.buffer[start : min(start + _PIECE, self.end)]

    def whole(self) -> bytes:
        """Return it, copied."""
        return self.buffer[self.start : self.end]

    def digest(self, name: str) -> bytes:
        """Return its digest by an algorithm of hashlib."""
        digest = new(name)
        for piece in self.pieces():
            digest.update(piece)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Package:
    """A message: its root part, the other parts by Content-ID without brackets, parameters of its Content-Type."""

    root: Content
    parts: dict[str, Content]
    parameters: dict[str, str]


def parameters(content_type: str) -> dict[str, str]:
    """Return the parameters of a Content-Type; under "" the type itself, in lower case."""
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_params([]) if content_type else []
    return {name.lower(): value for name, value in found[1:]} | {"": message.get_content_type() if found else ""}


def read_package(buffer: Buffer, content_type: str) -> Package:
    """Find the parts of a body. One that is not multipart is a root alone. Raises MimeError."""
    given = parameters(content_type)
    if not given[""].startswith("multipart/"):
        return Package(Content(buffer, 0, len(buffer)), {}, given)
    boundary = given.get("boundary", "")
    if given[""] != "multipart/related" or not boundary:
        raise MimeError("le type de contenu n’est pas multipart/related avec un boundary")
    parts: dict[str, Content] = {}
    first = ""
    for content, headers in _parts(buffer, boundary.encode("latin-1")):
        identifier = headers.get("content-id", "").strip().strip("<>")
        if headers.get("content-transfer-encoding", "binary").strip().lower() not in ("binary", "8bit", "7bit"):
            raise MimeError("une partie n’est pas transmise telle quelle (Content-Transfer-Encoding: binary)")
        if identifier in parts:
            raise MimeError("deux parties ont le même Content-ID")
        first = first if parts else identifier
        parts[identifier] = content
    start = given.get("start", first).strip("<>")
    if start not in parts:
        raise MimeError("la partie racine annoncée par start n’existe pas")
    return Package(parts.pop(start), parts, given)


def _parts(buffer: Buffer, boundary: bytes) -> Iterator[tuple[Content, dict[str, str]]]:
    line = b"\r\n--" + boundary
    head = len(line) - 2 if buffer[: len(line) - 2] == line[2:] else -1
    if head < 0:
        found = buffer.find(line)
        if found < 0:
            raise MimeError("le boundary n’apparaît pas")
        head = found + len(line)
    for _ in range(_PARTS):
        if buffer[head : head + 2] == b"--":
            return
        begin = buffer.find(b"\r\n", head, head + _HEAD)
        blank = buffer.find(b"\r\n\r\n", begin, begin + _HEAD)
        end = buffer.find(line, blank + 2)
        if begin < 0 or blank < 0 or end < 0:
            raise MimeError("une partie n’a pas de fin, ou son en-tête est trop long")
        yield Content(buffer, blank + 4, end), _headers(buffer[begin:blank])
        head = end + len(line)
    raise MimeError(f"il y a plus de {_PARTS} parties")


def _headers(text: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text.decode("latin-1").replace("\r\n ", " ").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines if name}
