"""One document judged: what its header says against what comes with it, and against what the DMP refuses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from insigne.dmp.addresses import is_patient_address
from insigne.dmp.intake.body import Body
from insigne.dmp.intake.codes import Code, Fault, IntakeRefused, refused
from insigne.dmp.intake.header import Header, read_header
from insigne.dmp.intake.participants import Participants
from insigne.dmp.model import Channel, Flags, Intent
from insigne.documents.cda.check import Checks, check_header
from insigne.documents.cda.findings import Finding
from insigne.documents.cda.who import several_patients
from insigne.hl7 import Location
from insigne.registry.values import Ins

_DOCUMENT: Final = Location("OBX", field=5)
_MOST_RECIPIENTS: Final = 50
#: Rules of the CDA whose application code is not 906. Those of the patient are judged with the registry (`patient`).
_CODES: Final[Mapping[str, Code]] = {"C22": Code.OTHER_INS, "C23": Code.OTHER_INS, "C24": Code.OTHER_INS}
_JUDGED_ELSEWHERE: Final = frozenset({"C20", "C25"})
_ONLY_DMP: Final = frozenset({"C07"})
#: Of a deletion, only what says which document and which patient matters.
_OF_DELETIONS: Final = frozenset({"C01", "C02", "C22", "C23", "C24"})


def header_of(body: Body) -> Header:
    """The header of a CDA. Raises IntakeRefused: 906 for what is none, 904 for one of several patients."""
    header = read_header(body.mapped())
    if header is None:
        text = "OBX-5 is not a CDA R2: well-formed XML without DTD, whose root is ClinicalDocument"
        text_fr = "OBX-5 n’est pas un CDA R2 : XML bien formé sans DTD, de racine ClinicalDocument"
        raise refused(Code.OTHER, text, text_fr, _DOCUMENT, "C02")
    if several_patients(header.tree):
        text, text_fr = "the document has more than one patient", "le document porte plusieurs patients"
        raise refused(Code.OTHER_INS, text, text_fr, _DOCUMENT, "C24")
    if not header.unique_id:
        raise refused(Code.OTHER, "the document has no id", "le document n’a pas d’identifiant", _DOCUMENT, "C06")
    return header


def check_document(
    header: Header, intent: Intent, channels: tuple[Channel, ...], checks: Checks, faults_of: Literal["refuse", "warn"]
) -> tuple[Finding, ...]:
    """Refuse what the DMP would refuse; the findings that are only warnings otherwise. Raises IntakeRefused.

    With `warn`, faults of the header (906) are warnings too: only those of the identity refuse.
    """
    found = check_header(header.tree, checks)
    faults = [
        Fault(
            f"{one.message} ({one.location or 'document'}, rule {one.rule})",
            f"{one.message_fr} ({one.location or 'document'}, règle {one.rule})",
            _DOCUMENT,
            code=_CODES.get(one.rule, Code.OTHER),
            rule=one.rule,
        )
        for one in found
        if one.severity == "error" and _counts(one.rule, intent, channels)
    ]
    tolerated = faults_of == "warn"
    if any(fault.code != Code.OTHER for fault in faults) or (faults and not tolerated):
        raise IntakeRefused(*faults)
    return tuple(one for one in found if one.severity != "error" or (tolerated and one.rule not in _JUDGED_ELSEWHERE))


def _counts(rule: str, intent: Intent, channels: tuple[Channel, ...]) -> bool:
    if rule in _JUDGED_ELSEWHERE or (rule in _ONLY_DMP and "dmp" not in channels):
        return False
    return intent is not Intent.DELETE or rule in _OF_DELETIONS


def check_announced(header: Header, intent: Intent, type_code: str, unique_id: str, parent: str) -> str:
    """Compare a document with what its message says of it; return the unique id it replaces or deletes.

    Raises IntakeRefused: 906 when they contradict each other, 900 when a replacement replaces nothing.
    """
    if type_code and header.type_code and type_code != header.type_code:
        text = "the type of the document is not the one that OBX-3 says"
        text_fr = "le type du document n’est pas celui d’OBX-3"
        raise refused(Code.OTHER, text, text_fr, Location("OBX", field=3), "code")
    if unique_id and unique_id != header.unique_id:
        text, text_fr = "TXA-12 is not the id of the document", "TXA-12 n’est pas l’identifiant du document"
        raise refused(Code.OTHER, text, text_fr, Location("TXA", field=12), "unique-id")
    if intent is Intent.DELETE:
        return header.unique_id
    if intent is Intent.INITIAL:
        return ""
    if parent and header.parent and parent != header.parent:
        text = "TXA-13 is not the document that the CDA replaces"
        text_fr = "TXA-13 n’est pas le document que le CDA remplace"
        raise refused(Code.WRONG_VERSION, text, text_fr, Location("TXA", field=13), "parent")
    if not header.parent:
        text = "the document replaces none: name it in relatedDocument RPLC"
        text_fr = "le document n’en remplace aucun : le désigner par relatedDocument RPLC"
        raise refused(Code.WRONG_VERSION, text, text_fr, Location("TXA", field=13), "parent")
    return header.parent


def check_recipients(
    flags: Flags, channels: tuple[Channel, ...], who: Participants, ins: Ins | None, patient_domain: str
) -> None:
    """Check who is mailed. Raises IntakeRefused: nobody to mail to, or a box that is another patient's."""
    faults = list(_recipients(flags, channels, who, ins, patient_domain))
    if faults:
        raise IntakeRefused(*faults)


def _recipients(
    flags: Flags, channels: tuple[Channel, ...], who: Participants, ins: Ins | None, patient_domain: str
) -> Iterator[Fault]:
    place = Location("PRT", field=15)
    patients = [address for address in who.recipients if is_patient_address(address, patient_domain)]
    others = len(who.recipients) - len(patients)
    if patients and not flags.to_patient:
        text = "an address of the patient is among the recipients although DESTMSSANTEPAT is N"
        text_fr = "une adresse du patient figure parmi les destinataires alors que DESTMSSANTEPAT vaut N"
        yield Fault(text, text_fr, place, code=Code.OTHER, rule="recipients")
    yield from _boxes(patients, ins)
    if "mss-ps" in channels and not others:
        text = "no address to mail to: give it in PRT-15.4 of a PRT whose PRT-4 is RCT"
        text_fr = "aucune adresse de destinataire : la donner en PRT-15.4 d’un PRT dont PRT-4 vaut RCT"
        yield Fault(text, text_fr, place, "101")
    if len(who.recipients) > _MOST_RECIPIENTS:
        text = f"more than {_MOST_RECIPIENTS} recipients: send the document several times, to some of them each"
        text_fr = f"plus de {_MOST_RECIPIENTS} destinataires : les répartir entre plusieurs messages"
        yield Fault(text, text_fr, place, code=Code.OTHER, rule="recipients")
    if who.unreadable:
        text, text_fr = "a recipient has no mail address in PRT-15", "un destinataire n’a pas d’adresse en PRT-15"
        yield Fault(text, text_fr, place, "101")


def check_boxes(boxes: Sequence[str], ins: Ins | None) -> None:
    """Check that the boxes of patients are of this one. Raises IntakeRefused (904)."""
    faults = list(_boxes(boxes, ins))
    if faults:
        raise IntakeRefused(*faults)


def _boxes(boxes: Sequence[str], ins: Ins | None) -> Iterator[Fault]:
    if ins is not None and any(box.split("@")[0] != ins.matricule for box in boxes):
        text = "the address of the patient is not that of the patient's INS"
        text_fr = "l’adresse du patient n’est pas celle de l’INS du patient"
        yield Fault(text, text_fr, Location("PRT", field=15), code=Code.OTHER_INS, rule="recipients")


def check_visibility(flags: Flags, channels: tuple[Channel, ...], allowed: str) -> None:
    """Masked to professionals and hidden from the patient: nobody would see it. Raises IntakeRefused (906)."""
    if allowed == "refuse" and "dmp" in channels and flags.masked_professionals and flags.hidden_patient:
        text = "masked to professionals and hidden from the patient together: the DMP refuses it"
        text_fr = "masqué aux professionnels et invisible au patient à la fois : le DMP le refuse"
        raise refused(Code.OTHER, text, text_fr, Location("OBX", field=5), "masked-and-hidden")
