"""Business acknowledgements, ZAM^Z01, Z02 and Z03 (HL7 2.6, structure ZAM_Z01): what the sender of a document is told.

Source: ANS, volet « Transmission de documents CDA-R2 en HL7v2 » 2.1. Written strictly as it says; read with the
variants of the ANS's own samples (ERR-5 of table `DMPERRORCODE`, ERR-3 of table `HL70357`, `AckMétierZAM`).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from insigne.dmp.intake.codes import TEXTS, Code
from insigne.dmp.model import Document
from insigne.hl7 import Hl7Error, Location, Message, Segment
from insigne.hl7.delimiters import STANDARD

Kind = Literal["Z01", "Z02", "Z03"]
PROFILE: Final = "2.1^CISIS_CDA_HL7_V2"
_STRUCTURE: Final = "ZAM_Z01"
_SYSTEM: Final = "AckMetierZAM"
_YES_NO: Final = "expandedYes-NoIndicator"
_CONDITION: Final = "207^Application error^messageErrorCondition"


class _Form(NamedTuple):
    """How a kind is written: OBX-3 of its verdict, of the person it is about (none for the DMP), table of ERR-5."""

    verdict: tuple[str, str]
    person: tuple[str, str] | None
    table: str


_FORMS: Final[Mapping[str, _Form]] = MappingProxyType(
    {
        "Z01": _Form(("ACK_RECEPTION_DMP", "Accusé de réception DMP"), None, "DMP_ERROR_CODE"),
        "Z02": _Form(
            ("ACK_RECEPTION_MSS", "Accusé de réception MSSanté"),
            ("DESTINATAIRE_MSS", "Destinataire MSSanté"),
            "SMTPERRORCODE",
        ),
        "Z03": _Form(
            ("ACK_LECTURE_MSS", "Accusé de lecture"),
            ("LECTEUR_MSS", "Lecteur du courriel MSSanté"),
            "applicationErrorCondition",
        ),
    }
)


class Zam(Struct, frozen=True):
    """A business acknowledgement. `original` is MSH-10 of the message that brought the document (OBX-4).

    `sender` and `receiver` are (application, facility); `time` is that of MSH-7, as received. `code` and `text` are
    those of ERR-5, "" when accepted; `recipient` the mail address, "" for the DMP.
    """

    kind: str
    control_id: str
    original: str
    accepted: bool
    sender: tuple[str, str]
    receiver: tuple[str, str]
    time: str
    code: str = ""
    text: str = ""
    recipient: str = ""


def zam(
    kind: str,
    original: Document,
    *,
    accepted: bool,
    code: str,
    text: str,
    control_id: str,
    time: str,
    recipient: str = "",
    sender: tuple[str, str] = ("INSIGNE", ""),
    processing_id: str = "P",
) -> bytes:
    """Write a business acknowledgement about a document that came by message; `time` is RFC 3339.

    `sender` is MSH-3 and MSH-4. A refusal without a code says 906. Raises ValueError for a kind other than Z01, Z02
    and Z03.
    """
    form = _FORMS.get(kind)
    if form is None:
        raise ValueError(f"{kind!r} is no business acknowledgement: Z01, Z02 or Z03")
    code = code or str(Code.OTHER)
    moment = datetime.fromisoformat(time).strftime("%Y%m%d%H%M%S%z")
    application, _, facility = original.sending.partition("|")
    escape = STANDARD.escape
    addresses = "|".join(map(escape, (*sender, application, facility)))
    header = f"MSH|^~\\&|{addresses}|{moment}||ZAM^{kind}^{_STRUCTURE}|{escape(control_id)}|{processing_id}|2.6"
    verdict = f"OBX|1|CWE|{'^'.join(form.verdict)}^{_SYSTEM}|{escape(original.control_id)}"
    lines = [
        f"{header}|||||FRA|UNICODE UTF-8|||{PROFILE}",
        f"EVN||{moment}",
        f"{verdict}|{'Y' if accepted else 'N'}^^{_YES_NO}||||||F",
    ]
    if form.person is not None:
        lines.append(f"OBX|2|XTN|{'^'.join(form.person)}^{_SYSTEM}||^^X.400^{escape(recipient)}||||||F")
    if not accepted:
        lines.append(f"ERR|||{_CONDITION}|E|{escape(code)}^{escape(text or _known(code))}^{form.table}")
    return "".join(f"{line}\r" for line in lines).encode("utf-8")


def read_zam(message: Message) -> Zam:
    """Read a business acknowledgement. Raises Hl7Error (AE) for one that does not say what it must."""
    kind = message.trigger
    form = _FORMS.get(kind)
    if message.message_code != "ZAM" or form is None:
        place = Location("MSH", field=9, component=2)
        raise Hl7Error("AR", "201", "a business acknowledgement is ZAM^Z01, Z02 or Z03", location=place)
    observations = {obx.value(3).strip().upper(): obx for obx in message.segments("OBX")}
    verdict = observations.get(form.verdict[0])
    if verdict is None:
        raise Hl7Error("AE", "100", f"the OBX {form.verdict[0]} is missing", location=Location("OBX"))
    said = verdict.value(5).strip().upper()
    if said not in ("Y", "N"):
        raise Hl7Error("AE", "103", "OBX-5 is neither Y nor N", location=verdict.location(5))
    if not verdict.value(4).strip():
        raise Hl7Error("AE", "101", "OBX-4, the message acknowledged, is missing", location=verdict.location(4))
    err = message.segment("ERR")
    if said == "N" and err is None:
        raise Hl7Error("AE", "100", "OBX-5 is N and the segment ERR is missing", location=Location("ERR"))
    person = observations.get(form.person[0]) if form.person is not None else None
    return Zam(
        kind=kind,
        control_id=message.control_id,
        original=verdict.value(4).strip(),
        accepted=said == "Y",
        sender=(message.sending_application, message.sending_facility),
        receiver=(message.receiving_application, message.receiving_facility),
        time=message.header_field(7),
        code=_value(err, 5),
        text=_value(err, 5, 2),
        recipient=_value(person, 5, 4),
    )


def _value(segment: Segment | None, field: int, component: int = 1) -> str:
    return segment.value(field, component) if segment is not None else ""


def _known(code: str) -> str:
    """The text of an application code; others come with theirs."""
    return TEXTS[Code(code)][1] if code in set(Code) else ""
