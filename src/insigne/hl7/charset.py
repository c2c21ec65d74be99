"""Which character set a message is in: what MSH-18 declares, what the bytes show, what the configuration says.

HL7 v2.5 table 0211 names many; PAM-FR uses four. The others are refused with a clear answer rather than read wrongly.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from insigne.hl7.errors import Hl7Error, Note
from insigne.hl7.location import Location

#: Names of table 0211 that are read and written, with their Python codec. Empty means ASCII (HL7 v2.5 §2.15.9.18).
CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "ascii",
        "ASCII": "ascii",
        "8859/1": "iso8859-1",
        "8859/15": "iso8859-15",
        "UNICODE UTF-8": "utf-8",
    }
)
BOM: Final = codecs.BOM_UTF8
MSH_18: Final = Location("MSH", field=18)
_C1_CONTROLS: Final = bytes(range(0x80, 0xA0))
_MOJIBAKE: Final = re.compile("[ÂÃ][\x80-\xbf]")


@dataclass(frozen=True, slots=True)
class CharsetPolicy:
    """What to do, for one sender, when MSH-18 is silent or wrong.

    fallback: Python codec tried when MSH-18 is empty and the bytes are not ASCII; Latin-1 when it fails.
    real: Python codec that this sender really uses, whatever MSH-18 says; None: believe MSH-18.

    Raises ValueError when one of them is not a character set that extends ASCII.
    """

    fallback: str = "utf-8"
    real: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "fallback", _extension_of_ascii(self.fallback))
        if self.real is not None:
            object.__setattr__(self, "real", _extension_of_ascii(self.real))


def _extension_of_ascii(name: str) -> str:
    try:
        canonical = codecs.lookup(name).name
        if "MSH|".encode(canonical) == b"MSH|":
            return canonical
    except (LookupError, UnicodeError):
        pass
    raise ValueError(f"{name!r} cannot be the character set of a message; use ascii, utf-8, iso8859-1 or iso8859-15")


DEFAULT: Final = CharsetPolicy()


def decode(body: bytes, declared: str, policy: CharsetPolicy, notes: list[Note]) -> tuple[str, str]:
    """Return the text of a message and the Python codec that gave it, adding to `notes` what was unusual.

    Raises Hl7Error AE 103 at MSH-18 for a character set that is not supported. Lets the UnicodeDecodeError of a wrong
    declaration through: the caller knows where in the message that byte is.
    """
    if policy.real is not None:
        return _decode_as_configured(body, declared, policy.real, notes)
    codec = CODECS.get(declared)
    if codec is None:
        raise Hl7Error(
            "AE",
            "103",
            "MSH-18 declares a character set that is not supported; use ASCII, 8859/1, 8859/15 or UNICODE UTF-8",
            location=MSH_18,
        )
    if body.isascii():
        return body.decode("ascii"), codec
    if not declared:
        return _decode_undeclared(body, policy.fallback, notes)
    text = body.decode(codec)
    if codec == "utf-8":
        if _is_mojibake(text):
            notes.append(Note("charset-suspect", "the text seems to have been encoded in UTF-8 twice"))
    else:
        _note_wrong_single_byte(body, notes)
    return text, codec


def _decode_as_configured(body: bytes, declared: str, real: str, notes: list[Note]) -> tuple[str, str]:
    text = body.decode(real)
    if CODECS.get(declared) != real and not (declared in CODECS and body.isascii()):
        notes.append(Note("charset-repaired", f"read as {real}, as configured for this sender, not as MSH-18 declares"))
    return text, real


def _decode_undeclared(body: bytes, fallback: str, notes: list[Note]) -> tuple[str, str]:
    try:
        text = body.decode(fallback)
    except UnicodeDecodeError:
        fallback = "iso8859-1"
        text = body.decode(fallback)
    notes.append(Note("charset-undeclared", f"MSH-18 is empty but the message is not ASCII; read as {fallback}"))
    return text, fallback


def _is_mojibake(text: str) -> bool:
    """Tell "Ã©" for "é": the lead byte of a UTF-8 sequence and its continuation, each read as a letter."""
    return ("Ã" in text or "Â" in text) and _MOJIBAKE.search(text) is not None


def _note_wrong_single_byte(body: bytes, notes: list[Note]) -> None:
    """Note what gives a wrong ISO 8859 declaration away: these sets never fail to decode."""
    has_c1 = len(body.translate(None, _C1_CONTROLS)) != len(body)
    if not has_c1 and b"\xc3" not in body:
        return
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        if has_c1:
            notes.append(Note("charset-suspect", "MSH-18 declares ISO 8859; control characters suggest Windows-1252"))
    else:
        notes.append(Note("charset-suspect", "MSH-18 declares ISO 8859 but the bytes are valid UTF-8"))
