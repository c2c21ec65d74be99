"""Carries documents by mail: to professionals, to the patient's own box. One errand, one mail, one recipient."""

import io
import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import BinaryIO, Final

from msgspec.structs import replace

from insigne.dmp.lots import feeding
from insigne.dmp.model import Action
from insigne.dmp.mss.cda import Cda, CdaError, pdf_of, read_cda
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.mss.inbound import OTHER
from insigne.dmp.mss.mail import Letter, MailError, compose, message_id, to_patient, to_professional
from insigne.dmp.mss.metadata import Act, Placed, write_metadata
from insigne.dmp.mss.smtp import SmtpSender
from insigne.dmp.mss.xdm import Part, write
from insigne.dmp.ports import Arrived, Declined, Errand, Failed, Outcome
from insigne.dmp.settings_mss import MssSettings
from insigne.dmp.settings_wire import ServiceSettings
from insigne.dmp.wire.iti41 import build_provide, read_provide
from insigne.dmp.wire.model import WireError
from insigne.documents.errors import DocumentError

_ACTS: Final[dict[Action, Act]] = {"feed": "", "replace": "C", "delete": "D"}
_FILE: Final = "DOC0001.XML"
_SPACE: Final = uuid.UUID("c0f2b1de-3c7b-4f0e-9d0a-6a0e5c2c9a41")
"""Of the ids of lots that are mailed."""
_ELSEWHERE: Final = "urn:uuid:00000000-0000-0000-0000-000000000000"
"""Stands for the entry of a version replaced, which only a registry knows: it does not leave by mail."""
_BODIES: Final = {
    "feed": "Bonjour,\n\nVeuillez trouver ci-joint le document « {title} ».\n",
    "replace": "Bonjour,\n\nLe document « {title} » ci-joint remplace la version qui vous a été adressée avant.\n",
    "delete": (
        "Bonjour,\n\nLe document « {title} » qui vous a été adressé (identifiant {id}) doit être supprimé : merci de "
        "ne plus en tenir compte.\n"
    ),
}


class MailCarrier:
    """Carries on `mss-ps` and `mss-patient`. Threads may share it."""

    def __init__(
        self,
        settings: MssSettings,
        service: ServiceSettings,
        leaving: Callable[[Errand], BinaryIO],
        *,
        clock: Callable[[], datetime],
        sender: SmtpSender | None = None,
    ) -> None:
        """`leaving` gives the CDA of an errand in its last form; it raises WireError or DocumentError for none.

        `service` says what the lot takes from the settings, as for the DMP.
        """
        self._settings = settings
        self._service = service
        self._leaving = leaving
        self._clock = clock
        self._sender = sender or SmtpSender(settings.smtp)

    def carry(self, errand: Errand) -> Outcome:
        """See `ports.Carrier.carry`. A mail sent twice has one Message-ID: it is one mail."""
        document, sending = errand.document, errand.sending
        try:
            self._check_size(document.content.size if document.content is not None else 0)
            letter = self._letter(errand)
            mail = compose(letter)
            self._check_size(len(mail))
        except MailError as error:
            return Declined(error.code, error.text)
        except DocumentError as error:
            return Declined(error.rule, str(error), "content")
        except (WireError, CdaError) as error:
            return Declined(OTHER, str(error), "content")
        try:
            receipts = self._sender.send(
                mail,
                letter.sender,
                letter.recipient,
                envelope=message_id(sending.id, letter.sender)[1:-1],
                success=document.flags.ack_reception,
            )
        except MailFault as fault:
            return _failed(fault)
        return Arrived(text="" if receipts else "the server reports no delivery (it has no DSN)")

    def close(self) -> None:
        """See `ports.Carrier.close`: each mail has a connection of its own."""

    def _check_size(self, size: int) -> None:
        most = self._settings.max_bytes
        if size > most:
            raise MailError(
                "mail-size", f"the mail has {size} bytes or more, {most} at most are sent (dmp.mss.max_bytes)"
            )

    def _letter(self, errand: Errand) -> Letter:
        settings, document = self._settings, errand.document
        sender = settings.addresses.get(document.sending, settings.address)
        if not sender:
            raise MailError("mail-sender", "no box to send from: give dmp.mss.address")
        to_patient_box = errand.sending.channel == "mss-patient"
        if to_patient_box:
            recipient = to_patient(errand.ins.matricule, document.recipients, settings)
        else:
            recipient = to_professional(errand.sending.recipient, settings)
        with self._leaving(errand) as document_file:
            content = document_file.read()
        cda = read_cda(content)
        if cda.patient.ins != errand.ins:
            raise MailError(
                "mail-other-ins", "the document does not bear the INS it would leave under: nothing is sent"
            )
        title = cda.title or document.title
        written = document.mail_patient if to_patient_box else document.mail_professionals
        standard = _BODIES[errand.action].format(title=title, id=cda.unique_id)
        return Letter(
            sending=errand.sending.id,
            sender=sender,
            recipient=recipient,
            date=self._clock(),
            title=title,
            body=f"{standard}\n{written}" if written and errand.action == "delete" else written or standard,
            archive=self._archive(content, cda, errand),
            pdf=None if errand.action == "delete" else pdf_of(cda),
            patient=_named(cda) if settings.name_in_subject else "",
            reply_to=document.reply_to,
            no_reply=to_patient_box and document.flags.no_reply,
            receipt=document.flags.ack_read,
        )

    def _archive(self, content: bytes, cda: Cda, errand: Errand) -> bytes:
        """The archive; the same for an errand run twice at one moment, its ids being made from the sending's."""
        numbers = count()
        fed = feeding(
            replace(errand.document, unique_id=cda.unique_id),
            io.BytesIO(content),
            errand.ins,
            self._service,
            now=self._clock(),
            new_uuid=lambda: str(uuid.uuid5(_SPACE, f"{errand.sending.id}/{next(numbers)}")),
            replaces=_ELSEWHERE if cda.parent[0] else "",
        )
        part = Part(_FILE, cda.title or errand.document.title, content)
        place = Placed(cda.unique_id, _FILE, part.sha1, len(content))
        objects = read_provide(build_provide(fed.lot, "document", "signature")).objects
        metadata = write_metadata(objects, [place], _ACTS[errand.action], self._settings.action_slot)
        target = io.BytesIO()
        structure = errand.document.sender.structure_name or self._service.caller.structure_name
        write(target, metadata, [part], title=part.title, structure=structure, product="Insigne")
        return target.getvalue()


def _named(cda: Cda) -> str:
    """The patient as the examples of the ANS name them in a subject: names, birth date."""
    patient, date = cda.patient, cda.patient.birth_date
    return f"{patient.birth_name} {patient.first_given_name} {date[6:8]}/{date[4:6]}/{date[:4]}"


def _failed(fault: MailFault) -> Outcome:
    """What a conversation that failed means for this mail, and for the others."""
    if fault.kind == "refused":
        return Declined(fault.code or "mail-refused", fault.text)
    alive = fault.kind == "busy"
    return Failed(fault.code or fault.kind, fault.text, sent=fault.sent, evidence="alive" if alive else "down")
