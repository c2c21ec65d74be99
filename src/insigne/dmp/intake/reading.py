"""ORU^R01 (HL7 2.5) and MDM^T02, T10, T04 (HL7 2.6) that bring documents, read as what they ask."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from insigne.dmp.intake.codes import IntakeRefused, malformed
from insigne.dmp.intake.coherence import EVENTS, intent_of
from insigne.dmp.intake.embedded import Embedded, embedded
from insigne.dmp.intake.flags import Observation, is_flag, named, read_flags
from insigne.dmp.intake.participants import Participants, participants
from insigne.dmp.model import Flags, Intent, StayRef
from insigne.hl7 import Location, Message, Segment
from insigne.pam.decode import datatypes as dt
from insigne.pam.decode.patient import identifier_list
from insigne.registry.values import Identifier, Ins

_VERSIONS: Final = ("2.5", "2.6")
_LETTERS: Final = ("CORPSMAIL_PS", "CORPSMAIL_PATIENT")
_MOST_DOCUMENTS: Final = {"ORU": 2, "MDM": 1}
"""ORU may carry a document twice, at levels 1 and 3."""


class PatientSaid(Struct, frozen=True):
    """PID-3, and whether PID-32 says that the identity is validated."""

    identifiers: tuple[Identifier, ...]
    ins: tuple[Ins, ...] = ()
    validated: bool = False


class Request(Struct, frozen=True):
    """What a message asks of the PFI. `unique_id` and `parent` are TXA-12 and TXA-13, "" in an ORU."""

    intent: Intent
    flags: Flags
    patient: PatientSaid
    documents: tuple[Embedded, ...]
    participants: Participants
    type_code: str
    unique_id: str
    parent: str
    stay: StayRef
    letters: tuple[str, str]


def read_request(message: Message, raw: bytes, required: Literal["required", "optional"]) -> Request:
    """Read a message; `raw` is all of its bytes, `message` may lack the documents (`hl7.bulk`).

    Raises IntakeRefused, with the place and the code of table 0357.
    """
    _event(message)
    pid = message.segment("PID")
    if pid is None:
        raise malformed("100", Location("PID"), "the segment PID is missing", "le segment PID est absent")
    observations = list(_observations(message))
    documents = [one.obx for one in observations if not is_flag(one.obx) and one.obx.value(2).strip().upper() == "ED"]
    block = [one for one in observations if is_flag(one.obx)]
    intent = intent_of(message, documents)
    _counted(message, documents)
    txa = _txa(message)
    return Request(
        intent=intent,
        flags=read_flags(block, required),
        patient=_patient(pid),
        documents=tuple(embedded(obx, raw) for obx in documents),
        participants=participants(message),
        type_code=_type_code(message, documents, txa),
        unique_id=_entity(txa, 12),
        parent=_entity(txa, 13),
        stay=_stay(message, pid),
        letters=_letters(block, raw),
    )


def _event(message: Message) -> None:
    if (message.message_code, message.trigger) not in EVENTS:
        place = Location("MSH", field=9, component=2)
        text = "event not supported: documents come by ORU^R01 or MDM^T02, T10 and T04"
        raise _rejected("201", place, text, "évènement non pris en charge : ORU^R01, MDM^T02, T10 ou T04")
    if message.version and not message.version.startswith(_VERSIONS):
        place = Location("MSH", field=12)
        raise _rejected("203", place, "HL7 version not supported: 2.5 or 2.6", "version HL7 : 2.5 ou 2.6 attendue")


def _rejected(condition: str, place: Location, text: str, text_fr: str) -> IntakeRefused:
    return IntakeRefused(*malformed(condition, place, text, text_fr).faults, ack="AR")


def _observations(message: Message) -> Iterator[Observation]:
    """The OBX segments, each with the NTE segments between it and the next one."""
    obx: Segment | None = None
    notes: list[Segment] = []
    for segment in message.segments():
        if segment.name == "OBX":
            if obx is not None:
                yield Observation(obx, notes)
            obx, notes = segment, []
        elif segment.name == "NTE":
            notes.append(segment)
    if obx is not None:
        yield Observation(obx, notes)


def _counted(message: Message, documents: Sequence[Segment]) -> None:
    if not documents:
        text = "no document: an OBX of type ED holds it in OBX-5.5"
        raise malformed("100", Location("OBX"), text, "aucun document : un OBX de type ED le porte en OBX-5.5")
    most = _MOST_DOCUMENTS[message.message_code]
    if len(documents) > most:
        raise malformed(
            "198",
            documents[most].location(5),
            f"at most {most} document in {message.message_code}",
            f"au plus {most} document dans {message.message_code}",
        )


def _txa(message: Message) -> Segment | None:
    if message.message_code != "MDM":
        return None
    txa = message.segment("TXA")
    if txa is None:
        raise malformed("100", Location("TXA"), "the segment TXA is missing", "le segment TXA est absent")
    if not _entity(txa, 12):
        text = "TXA-12, the id of the document, is missing"
        raise malformed("101", Location("TXA", field=12), text, "TXA-12, l’identifiant du document, est absent")
    return txa


def _entity(segment: Segment | None, field: int) -> str:
    """The id of a document (EI): `58132^^1.2.250.1.7^ISO`, or a whole OID alone, as `Header` has ids."""
    if segment is None:
        return ""
    number, _, root = (segment.value(field, component).strip() for component in (1, 2, 3))
    return f"{root}^{number}" if root and number else number or root


def _type_code(message: Message, documents: Sequence[Segment], txa: Segment | None) -> str:
    """OBX-3 of the documents, which OBR-4 and TXA-2 repeat."""
    code = documents[0].value(3).strip()
    repeated = [(obx, 3) for obx in documents[1:]]
    if txa is not None and txa.value(2).strip():
        repeated.append((txa, 2))
    if (obr := message.segment("OBR")) is not None and obr.value(4).strip():
        repeated.append((obr, 4))
    for segment, field in repeated:
        if segment.value(field).strip() != code:
            text = "the type of document is not the same in OBX-3, OBR-4 and TXA-2"
            text_fr = "le type de document diffère entre OBX-3, OBR-4 et TXA-2"
            raise malformed("103", segment.location(field), text, text_fr)
    return code


def _patient(pid: Segment) -> PatientSaid:
    identifiers, ins, _ = identifier_list(pid, 3)
    if not identifiers and not ins:
        text = "PID-3 has no identifier of the patient"
        raise malformed("101", pid.location(3), text, "PID-3 ne porte aucun identifiant du patient")
    codes = {dt.text(repetition, 1).strip() for repetition in pid.decoded(32)}
    return PatientSaid(identifiers, tuple(dict.fromkeys(ins)), "VALI" in codes and not codes & {"DOUT", "FICT"})


def _stay(message: Message, pid: Segment) -> StayRef:
    """PV1 and PID-18, for indicators; identifiers are written "AUTHORITY|VALUE"."""
    pv1 = message.segment("PV1")
    account = _stay_number(pid, 18)
    if pv1 is None:
        return StayRef(account=account)
    return StayRef(
        visit=_stay_number(pv1, 19),
        account=account,
        patient_class=pv1.value(2).strip(),
        admitted=pv1.value(44).strip(),
        discharged=pv1.value(45).strip(),
    )


def _stay_number(segment: Segment, field: int) -> str:
    decoded = segment.decoded(field)
    found = dt.identifier(decoded[0], "AN") if decoded else None
    return f"{found.authority.key}|{found.value}" if found is not None else ""


def _letters(block: Sequence[Observation], raw: bytes) -> tuple[str, str]:
    """The texts proposed for the mails to professionals and to the patient, "" for none."""
    found = {named(one.obx): embedded(one.obx, raw).text() for one in block if named(one.obx) in _LETTERS}
    professionals, patient = (found.get(name, "") for name in _LETTERS)
    return professionals, patient
