"""ORU and MDM messages: an `exchange.handler.Handler`, from the segments to the reception."""

from typing import Final, cast

from msgspec import Struct

from insigne.dmp.addresses import is_patient_address
from insigne.dmp.intake.body import CDA, Body
from insigne.dmp.intake.codes import IntakeRefused, malformed
from insigne.dmp.intake.header import Header
from insigne.dmp.intake.judge import (
    check_announced,
    check_boxes,
    check_document,
    check_recipients,
    check_visibility,
    header_of,
)
from insigne.dmp.intake.matrix import channels
from insigne.dmp.intake.patient import identity_named, ins_said
from insigne.dmp.intake.reading import Request, read_request
from insigne.dmp.intake.settings import Intake
from insigne.dmp.intake.taking import Candidate, take
from insigne.dmp.model import Document, Intent
from insigne.dmp.ports import DocumentTransaction
from insigne.documents.cda.findings import Finding as CdaFinding
from insigne.exchange.errors import StoreConflict, StoreError
from insigne.exchange.handler import Delivery, Outcome, Prepared
from insigne.hl7 import Location, Message
from insigne.pam.findings import Finding
from insigne.registry.attach import joined, person_identifiers
from insigne.registry.index import ins_key
from insigne.registry.values import Identifier, Ins
from insigne.registry.workingset import WorkingSet

_EVERY_PROCESSING_ID: Final = ("P", "T", "D")
_REFERENCE: Final = "CISIS_CDA_HL7_V2 2.1"
_PLACE: Final = Location("OBX", field=5)


class _Asked(Struct, frozen=True):
    """A message read and judged as far as it can be without the registry."""

    candidates: tuple[Candidate, ...]
    identifiers: tuple[Identifier, ...]
    ins: Ins | None
    validated: bool
    boxes: tuple[str, ...]
    warnings: tuple[Finding, ...]


class DocumentHandler:
    """Takes the documents that messages bring. `processing_ids`: the MSH-11 accepted, by default as for ADT."""

    def __init__(self, intake: Intake, processing_ids: tuple[str, ...] = ()) -> None:
        self._intake = intake
        default = ("P",) if intake.site.environment == "production" else _EVERY_PROCESSING_ID
        self._processing_ids = processing_ids or default

    def prepare(self, delivery: Delivery, message: Message) -> Prepared | Outcome:
        """See `Handler.prepare`: the message, its flags, its documents."""
        try:
            asked = self._asked(delivery, message)
        except IntakeRefused as refusal:
            return refused_outcome(refusal)
        keys = [identifier.key for identifier in person_identifiers(asked.identifiers)]
        keys += [ins_key(one.matricule) for one in (asked.ins, *_document_ins(asked)) if one is not None]
        return Prepared(tuple(dict.fromkeys(keys)), (), asked)

    def handle(self, delivery: Delivery, prepared: Prepared, working: WorkingSet) -> Outcome:
        """See `Handler.handle`: the patient, the versions, the reception.

        Nothing is written before everything is decided; a failure in the middle of writing fails the transaction.
        """
        asked: _Asked = prepared.content
        transaction = cast("DocumentTransaction", working.base)
        try:
            identity = identity_named(working, asked.identifiers, asked.ins, validated=asked.validated)
            check_boxes(asked.boxes, identity.ins.ins if identity.recovered and identity.ins is not None else None)
            take(working, transaction, asked.candidates, identity, asked.identifiers, asked.ins, self._intake)
        except IntakeRefused as refusal:
            return refused_outcome(refusal, asked.warnings)
        except StoreError:
            raise
        except Exception as error:  # only the message it is about may suffer from it: the batch is replayed in parts
            raise StoreConflict("a document could not be kept") from error
        return Outcome("AA", findings=asked.warnings, subject=identity.id)

    def _asked(self, delivery: Delivery, message: Message) -> _Asked:
        intake, settings = self._intake, self._intake.settings
        if message.processing_id and message.processing_id not in self._processing_ids:
            accepted = ", ".join(self._processing_ids)
            place, text = Location("MSH", field=11), f"processing id not accepted here; accepted: {accepted}"
            faults = malformed("202", place, text, f"MSH-11 non admis ici ; admis : {accepted}").faults
            raise IntakeRefused(*faults, ack="AR")
        request = read_request(message, delivery.received.raw, settings.flags)
        ins = ins_said(request.patient, intake.site.environment)
        ways = channels(request.flags, settings.matrix)
        check_visibility(request.flags, ways, settings.masked_and_hidden)
        domain = intake.site.settings.mss.patient_domain
        check_recipients(request.flags, ways, request.participants, ins, domain)
        candidates: list[Candidate] = []
        alone = request.flags.confidentiality_only and request.intent is not Intent.REPLACE
        warnings = [_replaces_nothing()] if alone else []
        # Who proved who they are may send large documents; how large a message is, the endpoint bounds.
        most = settings.large_bytes if delivery.received.peer.fingerprint else settings.max_bytes
        for held in request.documents:
            body = held.body(most)
            if body.unpadded:
                warnings.append(_unpadded(held.place))
            header = header_of(body)
            parent = check_announced(header, request.intent, request.type_code, request.unique_id, request.parent)
            found = check_document(header, request.intent, ways, intake.checks, settings.faults)
            warnings += [_warning(one) for one in found]
            document = _document(delivery, request, header, body, parent, intake.site.new_id())
            candidates.append(Candidate(document, body, header))
        identifiers = joined(request.patient.identifiers, intake.site.policy)
        boxes = tuple(one for one in request.participants.recipients if is_patient_address(one, domain))
        return _Asked(tuple(candidates), identifiers, ins, request.patient.validated, boxes, tuple(warnings))


def _document(
    delivery: Delivery, request: Request, header: Header, body: Body, parent: str, document_id: str
) -> Document:
    """What is kept of a document, all but its patient."""
    heading, peer, who = delivery.heading, delivery.received.peer, request.participants
    return Document(
        id=document_id,
        received=delivery.received.time,
        source=f"{peer.endpoint}:{peer.name}",
        message=delivery.message_id,
        control_id=heading.control_id,
        sending=heading.sender,
        intent=request.intent,
        unique_id=header.unique_id,
        set_id=header.set_id or header.unique_id,
        version=header.version,
        parent=parent,
        type_code=header.type_code,
        title=header.title,
        confidentiality=header.confidentiality,
        created=header.created,
        identity="",
        patient=b"",
        content=body.content(CDA),
        flags=request.flags,
        sender=who.sender,
        recipients=who.recipients,
        reply_to=who.reply_to,
        mail_professionals=request.letters[0],
        mail_patient=request.letters[1],
        stay=request.stay,
        facility=who.facility,
    )


def _document_ins(asked: _Asked) -> list[Ins | None]:
    return [one.header.patient.ins if one.header is not None else None for one in asked.candidates]


def refused_outcome(refusal: IntakeRefused, warnings: tuple[Finding, ...] = ()) -> Outcome:
    """The answer to a message that is refused; each fault is shown in English and French beside it."""
    findings = tuple(
        Finding(
            rule=fault.code or f"ERR-{fault.condition}",
            severity="error",
            location=fault.place,
            message=fault.text,
            message_fr=fault.text_fr,
            remedy="",
            remedy_fr="",
            reference=_REFERENCE,
            condition=fault.condition,
        )
        for fault in refusal.faults
    )
    errors = tuple(fault.error() for fault in refusal.faults if fault.code)
    errors += tuple(fault.error() for fault in refusal.faults if not fault.code)
    return Outcome(refusal.ack, errors, (*findings, *warnings))


def _replaces_nothing() -> Finding:
    return Finding(
        rule="modif-conf-code",
        severity="warning",
        location=Location("OBX", field=3),
        message="MODIF_CONF_CODE is Y although the document replaces none: taken as if it were N",
        message_fr="MODIF_CONF_CODE vaut Y alors que le document n’en remplace aucun : pris comme N",
        remedy="say N; or send it as the replacement (ORC-1 RO) of the version whose confidentiality changes",
        remedy_fr="indiquer N, ou l’envoyer en remplacement (ORC-1 RO) de la version dont la confidentialité change",
        reference=_REFERENCE,
        condition="207",
    )


def _unpadded(place: Location) -> Finding:
    return Finding(
        rule="base64-padding",
        severity="warning",
        location=place,
        message="the base64 of the document lacks its padding",
        message_fr="le base64 du document n’a pas son remplissage",
        remedy="end OBX-5.5 with one or two = so that it has groups of four characters",
        remedy_fr="terminer OBX-5.5 par un ou deux = pour former des groupes de quatre caractères",
        reference="RFC 4648, 3.2",
        condition="102",
    )


def _warning(found: CdaFinding) -> Finding:
    """What the checks of a CDA say without refusing."""
    return Finding(
        rule=f"CDA-{found.rule}",
        severity="warning",
        location=_PLACE,
        message=found.message,
        message_fr=found.message_fr,
        remedy="",
        remedy_fr="",
        reference=found.reference,
        condition="207",
    )
