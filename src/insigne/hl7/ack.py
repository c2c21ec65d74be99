"""Acknowledgements, original and enhanced mode: MSH, MSA and ERR (HL7 v2.5 §2.9, §2.15.5, §2.15.8).

An answer is built from the bytes of the message and nothing else, so that a message that cannot be read gets one too.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from insigne.hl7.charset import CODECS, CharsetPolicy
from insigne.hl7.delimiters import STANDARD, Delimiters
from insigne.hl7.errors import CONDITIONS, Hl7Error
from insigne.hl7.header import header_line, split_header, unwrap
from insigne.hl7.location import Location
from insigne.hl7.message import Message, delimiters_in
from insigne.hl7.segment import Segment

#: HL7 table 0008 (HL7 v2.5): AA, AE, AR answer for the application; CA, CE, CR only for the reception.
ACK_CODES: Final = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})

_FRAME_BYTES: Final = b"\x0b\x1c"
_HEADER_SIZE: Final = 20  # up to MSH-19
#: Versions whose ERR has only ERR-1 (HL7 v2.5 §2.15.5.1 keeps it for them).
_ELD_VERSIONS: Final = ("2.1", "2.2", "2.3", "2.4")


@dataclass(frozen=True, slots=True)
class AckError:
    """One ERR segment.

    condition: code of table 0357 (ERR-3). severity: E, W or I (ERR-4). location: ERR-2. text: for the user of the
    peer, without field content (ERR-8). application_code: the rule that was broken, in our own terms (ERR-5), with its
    text and its table where the code is of one.
    """

    condition: str
    severity: str = "E"
    location: Location | None = None
    text: str = ""
    application_code: str = ""
    application_text: str = ""
    application_table: str = ""

    @classmethod
    def of(cls, error: Hl7Error) -> Self:
        """Return the ERR segment that reports a message that cannot be read."""
        return cls(error.condition, location=error.location, text=error.text)


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement received: MSA-1, MSA-2, MSA-3 (or ""), its errors, and its own MSH-10."""

    code: str
    control_id: str
    text: str
    errors: list[AckError]
    message_control_id: str


def build_ack(
    raw: bytes,
    code: str,
    *,
    time: str,
    control_id: str,
    errors: Sequence[AckError] = (),
    text: str = "",
    accept: str = "",
) -> bytes:
    """Return the acknowledgement of `raw`, in its own delimiters and character set, each segment ended by CR.

    code: MSA-1, of table 0008. time: MSH-7, as YYYYMMDDHHMMSS+ZZZZ. control_id: MSH-10 of the answer. text: MSA-3.
    accept: MSH-15, when the answer is to be acknowledged in its turn (table 0155; MSH-16 is then NE).

    MSH-3 to MSH-6 are swapped; MSH-11, MSH-12, MSH-17 and MSH-19 copied; MSH-18 copied when that character set is
    supported, else left out and the texts written in ASCII. Never raises on any `raw`: when its header cannot be
    used, the answer has the recommended delimiters and an empty MSA-2.
    """
    header, delimiters, declared, codec = _read_header(raw)
    separator = delimiters.field
    if codec is None:
        text = _ascii(text)
    component = delimiters.component
    trigger = header[9].partition(component)[2].partition(component)[0]
    kind = f"ACK{component}{trigger}{component}ACK" if trigger.isalnum() else "ACK"
    msh = [
        "MSH",
        delimiters.encoding_characters,
        header[5],
        header[6],
        header[3],
        header[4],
        time,
        "",
        kind,
        delimiters.escape(control_id),
        header[11] or "P",
        header[12] or "2.5",
    ]
    country, language = header[17], header[19]
    if country or declared or language or accept:
        msh += ("", "", accept, "NE" if accept else "", country, declared, language)
        while not msh[-1]:
            msh.pop()
    msa = ["MSA", code, header[10]]
    if text:
        msa.append(delimiters.escape(text))
    lines = [separator.join(msh), separator.join(msa)]
    if errors:
        has_only_eld = header[12].startswith(_ELD_VERSIONS)
        for error in errors:
            line = error_segment(error, delimiters, with_eld=has_only_eld)
            lines.append(_ascii(line) if codec is None else line)
    lines.append("")
    return "\r".join(lines).encode(codec or "latin-1", "replace")


def _read_header(raw: bytes) -> tuple[list[str], Delimiters, str, str | None]:
    """Return what an answer needs of the message: the fields of MSH in HL7 numbering, delimiters, MSH-18 and codec.

    The fields are raw, without MLLP frame bytes: those could end the frame of the answer. The codec is None when
    only ASCII may be written; the header is then read as Latin-1, which gives its bytes back.
    """
    try:
        body = raw if raw.startswith(b"MSH") else raw[unwrap(raw, [])[0] :]
        line = header_line(body)
        if b"\x1c" in line or b"\x0b" in line:
            line = line.translate(None, _FRAME_BYTES)
        fields, declared = split_header(line)
        codec = CODECS.get(declared)
        if codec is None:
            declared = ""
        elif codec == "ascii":
            codec = None
        if fields is None:
            try:
                header = line.decode(codec or "latin-1")
            except UnicodeDecodeError:
                codec = None
                header = line.decode("latin-1")
            delimiters = delimiters_in(header)
            fields = header.split(delimiters.field)
            fields.insert(1, delimiters.field)
        elif line.startswith(b"|^~\\&|", 3):
            delimiters = STANDARD
        else:
            delimiters = delimiters_in(line.decode("ascii"))
    except Hl7Error:
        return [""] * _HEADER_SIZE, STANDARD, "", None
    if len(fields) < _HEADER_SIZE:
        fields += [""] * (_HEADER_SIZE - len(fields))
    return fields, delimiters, declared, codec


def error_segment(error: AckError, delimiters: Delimiters = STANDARD, *, with_eld: bool = False) -> str:
    """Return the ERR segment of an error; `with_eld`: with ERR-1, for versions that have only that."""
    component = delimiters.component
    condition = (error.condition, CONDITIONS.get(error.condition, ""), "HL70357")
    eld = location = ""
    if error.location is not None:
        location = error.location.erl(component)
    if with_eld:
        eld = _eld(error.location, condition, delimiters)
    fields = (
        "ERR",
        eld,
        location,
        component.join(condition),
        error.severity,
        _application(error, delimiters),
        "",
        "",
        delimiters.escape(error.text),
    )
    return delimiters.field.join(fields).rstrip(delimiters.field)


def _application(error: AckError, delimiters: Delimiters) -> str:
    """Write ERR-5 (CWE): the code, with its text and table where it has them."""
    code = delimiters.escape(error.application_code)
    if not (error.application_table and delimiters.component):
        return code
    named = (delimiters.escape(error.application_text), delimiters.escape(error.application_table))
    return delimiters.component.join((code, *named))


def _eld(location: Location | None, condition: tuple[str, ...], delimiters: Delimiters) -> str:
    """Write ERR-1 (data type ELD): segment, sequence, field, and the condition in sub-components."""
    where = ["", "", ""]
    if location is not None:
        where = [location.segment, str(location.occurrence), str(location.field or "")]
    code = delimiters.subcomponent.join(condition) if delimiters.subcomponent else condition[0]
    return delimiters.component.join((*where, code))


def _ascii(text: str) -> str:
    """Write a text in ASCII: letters without their accents, "?" for the rest."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", text.replace("’", "'"))
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


def parse_ack(raw: bytes) -> Ack:
    """Read an acknowledgement, whatever its delimiters; a wrong character set does not hide its code.

    Raises Hl7Error when it cannot be read, has no MSA, or MSA-1 is not a code of table 0008.
    """
    try:
        message = Message.parse(raw)
    except Hl7Error as error:
        if error.condition not in ("102", "103") or error.ack != "AE":
            raise
        message = Message.parse(raw, CharsetPolicy(real="latin-1"))
    msa = message.segment("MSA")
    if msa is None:
        raise Hl7Error("AR", "100", "the message is not an acknowledgement: it has no MSA", location=Location("MSA"))
    code = msa.value(1).strip()
    if code not in ACK_CODES:
        place = msa.location(1)
        raise Hl7Error("AE", "103", "MSA-1 must be one of AA, AE, AR, CA, CE, CR", location=place)
    errors = [error for err in message.segments("ERR") for error in _read_err(err)]
    return Ack(code, msa.value(2), msa.value(3), errors, message.control_id)


def _read_err(err: Segment) -> list[AckError]:
    """Return one error for each place the segment names, one when it names none."""
    if not err.field(2) and not err.field(3):
        return [_read_eld(err, repetition) for repetition in range(1, len(err.repetitions(1)) + 1)]
    condition, severity, rule = err.value(3), err.value(4) or "E", err.value(5)
    text = err.value(8) or err.value(7) or err.value(3, 2)
    places: list[Location | None] = [
        _read_location([component[0] for component in repetition]) for repetition in err.decoded(2)
    ]
    return [AckError(condition, severity, place, text, rule) for place in places or [None]]


def _read_eld(err: Segment, repetition: int) -> AckError:
    place = _read_location([err.value(1, component, repetition=repetition) for component in (1, 2, 3)])
    condition = err.value(1, 4, repetition=repetition)
    return AckError(condition, location=place, text=err.value(1, 4, 2, repetition=repetition))


def _read_location(parts: list[str]) -> Location | None:
    """Read the components of an ERL or ELD; None when they do not name a segment."""
    segment = parts[0].strip()
    if len(segment) != 3 or not segment.isascii() or not segment.isalnum():
        return None
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 7 else 0 for part in parts[1:6]]
    numbers += [0] * (5 - len(numbers))
    field, repetition, component, subcomponent = (number or None for number in numbers[1:])
    return Location(segment, numbers[0] or 1, field, repetition, component, subcomponent)
