"""A document received by mail, as the DPI takes it: MDM^T02, T10 or T04 of HL7 2.6.

Source: ANS, volet « Transmission au LPS de documents CDA provenant d’un courriel MSSanté » 1.1.3.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from insigne.dmp.mss.inbound import Received
from insigne.documents.cda import terms
from insigne.hl7.delimiters import STANDARD
from insigne.ins.matricule import NAMESPACES, nature_of

EVENTS: Final = {"": "T02", "C": "T10", "D": "T04"}
_ORDER: Final = {"": "NW", "C": "RO", "D": "CA"}
_STATUS: Final = {"": "F", "C": "C", "D": "D"}
_MASKS: Final = (
    ("MASQUE_PS", "MASQUE_PS", "Masqué aux professionnels de Santé"),
    ("INVISIBLE_PATIENT", "INVISIBLE_PATIENT", "Document Non Visible par le patient"),
    ("INVISIBLE_REP_LEGAUX", "INVISIBLE_REPRESENTANTS_LEGAUX", "Non visible par les représentants Légaux du patient"),
)
"""OBX-3.1, the confidentialityCode that makes it Y, its label; in the order the volet imposes."""
_GENDERS: Final = {"UN": "U"}
_escape = STANDARD.escape


@dataclass(frozen=True, slots=True)
class Envelope:
    """The mail that brought a document, and the message about to carry it on.

    `application` and `facility` are MSH-5, and MSH-4 with MSH-6; `processing` is MSH-11; `time` is of HL7.
    `unit` is PRT-8 of the recipient, as configured.
    """

    control_id: str
    time: str
    processing: str
    profile: str
    application: str
    facility: str
    message_id: str
    subject: str = field(repr=False)
    body: str = field(repr=False)
    sender: str = ""
    recipient: str = ""
    reply_to: str = ""
    unit: str = ""


def event_of(received: Received) -> str:
    """Return MSH-9 of the message that a document goes by."""
    return f"MDM^{EVENTS[received.action]}^MDM_T02"


def write_mdm(received: Received, envelope: Envelope) -> bytes:
    """Write the message, in UTF-8, each segment ended by CR."""
    action, coded = received.action, _code(received)
    lines = [
        _header(received, envelope),
        f"EVN||{envelope.time}",
        _patient(received),
        "PV1|1|N",
        f"ORC|{_ORDER[action]}",
        f"OBR|1|||{coded}",
        _document_header(received),
        f"OBX|1|ED|{coded}||^text^XML^Base64^{base64.b64encode(received.content).decode()}||||||{_STATUS[action]}",
        *_participants(received, envelope),
        _mail(envelope),
        *_flags(received),
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def _header(received: Received, envelope: Envelope) -> str:
    facility = _escape(envelope.facility)
    fields = (
        *("MSH", STANDARD.encoding_characters, "INSIGNE", facility, _escape(envelope.application), facility),
        *(envelope.time, "", event_of(received), _escape(envelope.control_id), envelope.processing, "2.6"),
        *("", "", "", "", "FRA", "UNICODE UTF-8", "", "", envelope.profile),
    )
    return "|".join(fields)


def _patient(received: Received) -> str:
    """PID: exactly the identifiers of the document, and the traits it states."""
    cda, patient = received.cda, received.cda.patient
    identifiers = []
    for oid, value in patient.ids:
        if value:
            national = nature_of(oid) is not None
            authority = f"{NAMESPACES.get(oid, '')}&{_escape(oid)}&ISO"
            identifiers.append(f"{_escape(value)}^^^{authority}^{'INS' if national else 'PI'}")
    births = (
        patient.birth_name,
        patient.first_given_name or patient.given_names.partition(" ")[0],
        patient.given_names,
    )
    names = ["^".join(map(_escape, births)) + "^^^^L"]
    if cda.family_used or cda.given_used:
        names.append(f"{_escape(cda.family_used or patient.birth_name)}^{_escape(cda.given_used)}^^^^^D")
    fields = [""] * 12
    fields[0], fields[3], fields[5] = "PID", "~".join(identifiers), "~".join(names)
    fields[7], fields[8] = _escape(patient.birth_date[:8]), _GENDERS.get(patient.sex, _escape(patient.sex))
    fields[11] = f"^^^^^^BDL^^{_escape(patient.birth_place)}" if patient.birth_place else ""
    return "|".join(fields).rstrip("|")


def _document_header(received: Received) -> str:
    fields = [""] * 18
    fields[0], fields[1], fields[2], fields[3] = "TXA", "1", _escape(received.cda.code[0]), "TEXT"
    fields[12], fields[17] = _ei(received.cda.id), "AU"
    if received.action == "C":
        fields[13] = _ei(received.cda.parent)
    return "|".join(fields)


def _ei(identifier: tuple[str, str]) -> str:
    """An id of a CDA: its extension under its root, or the whole OID alone."""
    root, extension = map(_escape, identifier)
    return f"{extension}^^{root}^ISO" if extension else root


def _code(received: Received) -> str:
    code, label, system = received.cda.code
    known = terms.DOCUMENT_TYPES.get(code)
    label = label or (known.name if known else received.cda.title)
    return f"{_escape(code)}^{_escape(label)}^{'LN' if system == terms.LOINC else 'TRE_A05'}"


def _participants(received: Received, envelope: Envelope) -> Iterator[str]:
    """PRT: who sent it (as the metadata say, written there as here), to which box, where to answer."""
    person, structure = (" ".join(text.replace("|", " ").split()) for text in received.entry.author)
    yield _prt("SB^Send by^participation", envelope.sender, person=person, structure=structure)
    yield _prt("RCT^Result Copies To^participation", envelope.recipient, structure=envelope.unit)
    if envelope.reply_to:
        yield _prt("REPLY^Reply To^participation", envelope.reply_to)


def _prt(role: str, address: str, *, person: str = "", structure: str = "") -> str:
    fields = [""] * 16
    fields[0], fields[2], fields[4] = "PRT", "UC", role
    fields[5], fields[8] = person, structure
    fields[15] = f"^^X.400^{_escape(address)}"
    return "|".join(fields)


def _mail(envelope: Envelope) -> str:
    body = base64.b64encode(envelope.body.encode()).decode()
    named = f"{_escape(envelope.message_id)}^{_escape(envelope.subject)}"
    return f"OBX|2|ED|{named}||^text^^Base64^{body}||||||F"


def _flags(received: Received) -> Iterator[str]:
    """The flags that the metadata carry. A new version that changes nothing else cannot be told from another one."""
    for number, (name, code, label) in enumerate(_MASKS, 3):
        yield _flag(number, name, label, "Y" if code in received.entry.confidentiality else "N")
    yield _flag(6, "MODIF_CONF_CODE", "Modification Confidentiality Code", "N")


def _flag(number: int, name: str, label: str, value: str) -> str:
    return f"OBX|{number}|CWE|{name}^{label}^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F"
