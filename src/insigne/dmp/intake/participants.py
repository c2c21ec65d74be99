"""Who sends a document and to whom: the PRT segments (HL7 v2.9, pre-adopted), with the variants met in the field."""

import re
from typing import Final

from msgspec import Struct

from insigne.dmp.model import Sender
from insigne.hl7 import Message, Segment
from insigne.pam.decode import datatypes as dt
from insigne.registry.values import Ward

_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_MAIL: Final = "X.400"
_TELECOM: Final = 15
_RPPS_LENGTH: Final = 11
_FINESS_LENGTH: Final = 9
_FINESS: Final = frozenset({"FINEG", "FINEJ"})


class Participants(Struct, frozen=True):
    """The sender, its geographic FINESS ("" unknown), the mail addresses of the recipients and of replies."""

    sender: Sender = Sender()
    facility: str = ""
    recipients: tuple[str, ...] = ()
    reply_to: str = ""
    unreadable: int = 0
    """Recipients without a mail address that can be used."""


def participants(message: Message) -> Participants:
    """Read the PRT segments, by PRT-4.1: SB, RCT, REPLY."""
    sender, facility, reply_to, unreadable = Sender(), "", "", 0
    recipients: list[str] = []
    for prt in message.segments("PRT"):
        match prt.value(4).strip().upper():
            case "SB":
                sender, facility = _sender(prt), _facility(prt)
            case "RCT":
                if address := _address(prt):
                    recipients.append(address)
                else:
                    unreadable += 1
            case "REPLY":
                reply_to = _address(prt)
    return Participants(sender, facility, tuple(dict.fromkeys(recipients)), reply_to, unreadable)


def is_address(text: str) -> bool:
    """Whether a text is a mail address."""
    return _ADDRESS.fullmatch(text) is not None


def _sender(prt: Segment) -> Sender:
    people, structures, devices = prt.decoded(5), prt.decoded(8), prt.decoded(10)
    person = dt.practitioner(people[0]) if people else None
    structure = dt.ward(structures[0]) if structures else Ward()
    number = structure.code.strip()
    finess = bool(structures) and dt.text(structures[0], 7).strip() in _FINESS and len(number) == _FINESS_LENGTH
    return Sender(
        person_id=_person_number(person.id, person.id_type) if person is not None else "",
        family=person.family if person is not None else "",
        given=person.given if person is not None else "",
        structure_id=f"1{number}" if finess else number,
        structure_name=structure.label,
        device=dt.text(devices[0], 1).strip() if devices else "",
    )


def _person_number(number: str, kind: str) -> str:
    """PS_IdNat: 8 before an RPPS that comes bare."""
    number = number.strip()
    return f"8{number}" if kind.strip() == "RPPS" and len(number) == _RPPS_LENGTH and number.isdecimal() else number


def _facility(prt: Segment) -> str:
    """The FINESS of PRT-8 when PRT-8.7 says that it is of a site (FINEG), without the 1 of Struct_IdNat."""
    decoded = prt.decoded(8)
    if not decoded or dt.text(decoded[0], 7).strip() != "FINEG":
        return ""
    number = dt.text(decoded[0], 10).strip()
    if len(number) == _FINESS_LENGTH + 1 and number.startswith("1"):
        number = number[1:]
    return number if len(number) == _FINESS_LENGTH and number.isalnum() else ""


def _address(prt: Segment) -> str:
    """The mail address: in PRT-15.4 or, where pipes are missing or in excess, in the field that says X.400."""
    fields = [_TELECOM, *(n for n in range(6, min(prt.field_count, 20) + 1) if n != _TELECOM)]
    for field in fields:
        for repetition in prt.decoded(field):
            mail = dt.text(repetition, 3).strip().upper() == _MAIL
            address = dt.text(repetition, 4).strip() or (dt.text(repetition, 1).strip() if field == _TELECOM else "")
            if (mail or field == _TELECOM) and _ADDRESS.fullmatch(address):
                return address
    return ""
