"""MTOM (XOP in multipart/related): written as pieces, the document passing through; read strictly, without a copy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from insigne.dmp.wire.model import WireError

_PIECE: Final = 256 << 10
_ROOT: Final = "root@insigne"
_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - the word of RFC 2045
_PARAMETER: Final = re.compile(rf';\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_AS_IT_IS: Final = frozenset({"", "7bit", "8bit", "binary"})
_MOST_PARTS: Final = 16
_MOST_HEADER: Final = 8192


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the envelope: bytes, or a stream of so many from its start."""

    cid: str
    media: str
    content: bytes | BinaryIO = field(repr=False)
    size: int

    def pieces(self) -> Iterator[bytes]:
        """Give its bytes, exactly as many as it has. Raises WireError for a stream of another size."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        self.content.seek(0)
        left = self.size
        while left:
            piece = self.content.read(min(_PIECE, left))
            if not piece:
                raise WireError("the document is shorter than when it was measured")
            left -= len(piece)
            yield piece
        if self.content.read(1):
            raise WireError("the document is longer than when it was measured")


@dataclass(frozen=True, slots=True)
class Multipart:
    """A message to send: its pieces as often as it is asked for, and how many bytes they are."""

    boundary: str
    action: str
    envelope: bytes = field(repr=False)
    attachments: Sequence[Attachment]

    @property
    def content_type(self) -> str:
        """The Content-Type of the whole."""
        return (
            f'multipart/related; boundary="{self.boundary}"; type="application/xop+xml"; start="<{_ROOT}>"; '
            f'start-info="application/soap+xml"; action="{self.action}"'
        )

    @property
    def length(self) -> int:
        """Bytes in all."""
        heads = sum(len(head) for head in self._heads())
        contents = len(self.envelope) + sum(one.size for one in self.attachments)
        return heads + contents + len(self._end())

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes, in pieces."""
        envelope_head, *heads = self._heads()
        yield envelope_head + self.envelope
        for head, attachment in zip(heads, self.attachments, strict=True):
            yield head
            yield from attachment.pieces()
        yield self._end()

    def _heads(self) -> Iterator[bytes]:
        media = f'application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="{self.action}"'
        yield self._head(media, _ROOT)[2:]  # nothing stands before the first boundary, not even an end of line
        for attachment in self.attachments:
            yield self._head(attachment.media, attachment.cid)

    def _head(self, media: str, cid: str) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{cid}>\r\n\r\n"
        ).encode()

    def _end(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Received:
    """A message received: the envelope, the other parts by content id (without brackets), views of one buffer."""

    envelope: bytes = field(repr=False)
    parts: Mapping[str, memoryview] = field(repr=False)


def is_multipart(content_type: str) -> bool:
    """Tell whether a message is said to have parts."""
    return content_type.partition(";")[0].strip().lower() == "multipart/related"


def read_multipart(content_type: str, body: bytes) -> Received:
    """Read a message whole.

    Raises WireError for a boundary that is missing or wrong, parts without an id or with the same one, more than
    sixteen of them, one that is encoded, a root that is not there, or a message that does not end.
    """
    if not is_multipart(content_type):
        raise WireError("not a multipart/related message")
    parameters = _parameters(content_type)
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise WireError("a multipart message without a boundary")
    found: dict[str, memoryview] = {}
    first = ""
    for headers, content in _parts(body, boundary.encode()):
        cid = headers.get("content-id", "").strip().removeprefix("<").removesuffix(">")
        if not cid and found:
            raise WireError("a part without a Content-ID")
        if cid in found:
            raise WireError("two parts of the same Content-ID")
        if headers.get("content-transfer-encoding", "").strip().lower() not in _AS_IT_IS:
            raise WireError("a part that is encoded: only binary, 8bit and 7bit are read")
        first = first if found else cid
        found[cid] = content
    start = parameters.get("start", "").removeprefix("<").removesuffix(">") or first
    if start not in found:
        raise WireError("the root part (start) is not there")
    return Received(bytes(found.pop(start)), found)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[Mapping[str, str], memoryview]]:
    """Give headers and content of each part; what stands before the first boundary or after the last is passed over."""
    view = memoryview(body)
    delimiter = b"\r\n--" + boundary
    position = 0 if body.startswith(delimiter[2:]) else body.find(delimiter) + 2
    if position == 1:  # not found
        raise WireError("the boundary is nowhere in the message")
    position += len(delimiter) - 2
    for _ in range(_MOST_PARTS + 1):
        if body[position : position + 2] == b"--":
            return
        if body[position : position + 2] != b"\r\n":
            raise WireError("a boundary is followed by neither an end of line nor the end of the message")
        blank = body.find(b"\r\n\r\n", position, position + _MOST_HEADER)
        if blank < 0:
            raise WireError("the headers of a part do not end, or are too long")
        end = body.find(delimiter, blank + 2)
        if end < 0:
            raise WireError("a part does not end")
        yield _headers(body[position + 2 : blank]), view[min(blank + 4, end) : end]
        position = end + len(delimiter)
    raise WireError(f"more than {_MOST_PARTS} parts")


def _headers(head: bytes) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name.isascii() or name != name.strip():
            raise WireError("a line of a part that is no header")
        key = name.decode().lower()
        if key in found:
            raise WireError("a header of a part given twice")
        found[key] = value.strip().decode("latin-1")
    return found


def _parameters(content_type: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(content_type):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
    return found
