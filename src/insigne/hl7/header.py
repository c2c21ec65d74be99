"""The bytes before anything is decoded: where the message starts, its MSH segment, the character set it declares."""

import re
from typing import Final

from insigne.hl7.charset import BOM, CODECS, MSH_18
from insigne.hl7.errors import Hl7Error, Note
from insigne.hl7.location import Location

_SEGMENT_END: Final = re.compile(rb"[\r\n]+")
_LEADER: Final = re.compile(rb"(?:\xef\xbb\xbf|[\s\x00])*")  # \s holds the MLLP start byte too
_TRAILER: Final = re.compile(rb"\x1c[\r\n]*\Z")
_SEGMENT_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{2}")
_UTF_16: Final = ("MSH".encode("utf-16-be"), "MSH".encode("utf-16-le"))
#: Segments whose first field is the separator itself: fields are numbered one higher than they are split.
HEADER_SEGMENTS: Final = frozenset({"MSH", "BHS", "FHS"})


def unwrap(raw: bytes, notes: list[Note]) -> tuple[int, int]:
    """Return where the message proper starts and ends in `raw`, adding to `notes` what surrounds it.

    Raises Hl7Error AR 100 when there is no MSH segment, AE 103 for a UTF-16 message.
    """
    leader = _LEADER.match(raw)
    start = leader.end() if leader else 0
    if raw[start : start + 3] != b"MSH":
        raise _not_a_message(raw, start)
    before = raw[:start]
    if b"\x0b" in before:
        notes.append(Note("frame-bytes", "the MLLP start byte before MSH was left out"))
    if BOM in before:
        notes.append(Note("bom", "a UTF-8 byte order mark before MSH was left out"))
    if before.replace(BOM, b"").strip(b"\x0b"):
        notes.append(Note("leading-space", "white space before MSH was left out"))
    end = len(raw)
    trailer = _TRAILER.search(raw, start)
    if trailer:
        notes.append(Note("frame-bytes", "the MLLP end bytes after the last segment were left out"))
        end = trailer.start()
    return start, end


def _not_a_message(raw: bytes, start: int) -> Hl7Error:
    if any(name in raw[:16] for name in _UTF_16):
        text = "the message is encoded in UTF-16, which is not supported; use UNICODE UTF-8"
        return Hl7Error("AE", "103", text, location=MSH_18, offset=0)
    if start >= len(raw):
        return Hl7Error("AR", "100", "the message is empty", location=Location("MSH"), offset=0)
    return Hl7Error("AR", "100", "the message does not start with MSH", location=Location("MSH"), offset=start)


def header_line(body: bytes) -> bytes:
    """Return the first segment of `body`, without its end."""
    end = body.find(b"\r")
    line = body[:end] if end >= 0 else body
    return line if b"\n" not in line else line[: line.index(b"\n")]


def split_header(line: bytes) -> tuple[list[str] | None, str]:
    """Return the fields of an MSH segment, in HL7 numbering, and the first repetition of MSH-18 ("" when absent).

    The fields are None when the segment is not all ASCII: they can only be decoded by someone who knows how.
    """
    if not line.isascii():
        return None, _declared_outside_ascii(line)
    text = line.decode("ascii")
    separator = text[3:4]
    if not separator:
        return [text], ""
    fields = text.split(separator)
    fields.insert(1, separator)
    declared = fields[18] if len(fields) > 18 else ""
    if declared not in CODECS and fields[2][1:2]:
        declared = declared.partition(fields[2][1])[0]
    return fields, declared


def _declared_outside_ascii(line: bytes) -> str:
    separator = line[3:4]
    if not separator.isascii():
        separator = _wide_separator(line)
    fields = line.split(separator, 18)
    if len(fields) < 18:
        return ""
    repetition = fields[1][1:2]
    declared = fields[17].partition(repetition)[0] if repetition.isascii() and repetition else fields[17]
    return declared.decode("latin-1")


def _wide_separator(header: bytes) -> bytes:
    """A separator outside ASCII is several bytes in UTF-8, one elsewhere; MSH-18 cannot be read before it is known."""
    try:
        return header.decode("utf-8")[3].encode("utf-8")
    except UnicodeDecodeError:
        return header[3:4]


def location_at(body: bytes, offset: int) -> Location | None:
    """Return the segment and field that hold the byte at `offset`; None when they have no proper name."""
    separator = body[3:4]
    lines = _SEGMENT_END.split(body[:offset])
    name, *fields = lines[-1].split(separator)
    if not _SEGMENT_NAME.fullmatch(name):
        return None
    occurrence = sum(line.startswith(name + separator) for line in lines)
    segment = name.decode("ascii")
    field = len(fields) + (segment in HEADER_SEGMENTS)
    return Location(segment, occurrence, field) if fields else Location(segment, occurrence + 1)
