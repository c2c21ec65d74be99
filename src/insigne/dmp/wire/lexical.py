"""Lexical forms of the metadata: CX, XCN, XON of HL7 v2, instants, dates in UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from insigne.dmp.wire.model import Coded, Ins, Person, Structure, WireError
from insigne.documents.cda import terms

_CX: Final = re.compile(r"([0-9A-Z]{1,30})\^\^\^&([0-9.]{5,64})&ISO\^NH(?:\^\^[0-9]{8,14})?")
_MOMENT: Final = re.compile(r"([0-9]{4}(?:[0-9]{2}){0,2})((?:[0-9]{2}){0,3})(?:\.[0-9]+)?([+-][0-9]{4})?")
_MARKS: Final = str.maketrans({"^": " ", "&": " ", "|": " ", "~": " ", "\\": " ", "\r": " ", "\n": " "})


def cx(ins: Ins) -> str:
    """Return the INS of a patient as patientId and VIHF write it (`…^^^&OID&ISO^NH`)."""
    return f"{ins.matricule}^^^&{ins.oid}&ISO^NH"


def read_cx(text: str) -> Ins | None:
    """Read a patientId, None for what is not the CX of an INS. The optional effective date (CX-7) is passed over."""
    found = _CX.fullmatch(text.strip())
    return Ins(found[1], found[2]) if found else None


def local_cx(identifier: str, oid: str) -> str:
    """Return a local patient identifier (IPP) as sourcePatientId writes it."""
    return f"{plain(identifier)}^^^&{plain(oid)}&ISO^PI"


def xcn(person: Person) -> str:
    """Return a professional: identifier, names, authority, `IDNPS`."""
    return f"{plain(person.id)}^{plain(person.family)}^{plain(person.given)}^^^^^^&{terms.PERSONS}&ISO^D^^^IDNPS"


def xon(structure: Structure) -> str:
    """Return a structure: name, authority, `IDNST`, identifier."""
    return f"{plain(structure.name)}^^^^^&{terms.STRUCTURES}&ISO^IDNST^^^{plain(structure.id)}"


def code_string(code: Coded) -> str:
    """Return a code in one text, as authorSpecialty has it: code^label^system."""
    return f"{plain(code.code)}^{plain(code.label)}^{plain(code.system)}"


def plain(text: str) -> str:
    """Return a text with the delimiters of HL7 v2 replaced by spaces: metadata have no escape for them."""
    return " ".join(text.translate(_MARKS).split())


def instant(moment: datetime) -> str:
    """Return an aware moment as XML Schema writes it, UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """Return an aware moment as XDS writes it: YYYYMMDDhhmmss, UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def utc(text: str) -> str:
    """Convert a local time of a CDA to what XDS has: UTC, at the same precision from the minute on.

    A date without an hour has no zone and stays as it is. An hour alone is given its minutes. Raises WireError for what
    is no time of HL7 v3, and for an hour without a zone, which cannot be converted.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise WireError("a time is not written YYYYMMDDhhmmss+ZZZZ")
    day, hour, zone = found.groups()
    if not hour:
        return day
    if zone is None or len(day) != 8:
        raise WireError("a time with an hour has no zone, or no day: it cannot be converted to UTC")
    try:
        moment = datetime.strptime(f"{day}{hour:0<6}{zone}", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise WireError("a time is not one of the calendar") from None
    return stamp(moment)[: 12 if len(hour) < 6 else 14]
