"""Boxes read: reports become acknowledgements for who sent the documents, documents received go on to the DPI.

A mail, what it leads to and the place it was read at are one transaction: none is read twice, none is passed over. What
cannot be understood stays in the box, flagged, with a work item; the next mail is read all the same.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from msgspec.structs import replace

from insigne.dmp.answers import READ_IN_MSS, RECEIVED_BY_MSS, answer
from insigne.dmp.ledger import AUTHOR, Ledger
from insigne.dmp.mss import imap
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.mss.imap import Session
from insigne.dmp.mss.inbound import Received
from insigne.dmp.mss.mail import box_of
from insigne.dmp.mss.mails import WORK, Mail, MailStorage, MailTransaction, Place, State
from insigne.dmp.mss.mdm import Envelope, event_of, write_mdm
from insigne.dmp.mss.reading import Understood, understand
from insigne.dmp.mss.reports import Report
from insigne.dmp.settings_mss import MailboxSettings
from insigne.dmp.site import Site
from insigne.exchange.delivery.model import Bytes, Draft
from insigne.exchange.errors import StoreError
from insigne.registry.acts import RaiseDocument
from insigne.registry.source import Source

_log = structlog.get_logger("insigne.dmp.mss")
_WRITE_WAIT: Final = 5.0
_CONTROL_ID: Final = 20
_OTHER_RECIPIENT: Final = "mail-recipient"
"""Why a report waits for people: it is of the delivery to a box that the mail was not sent to."""


class MailboxReader:
    """Reads one box. One thread calls it."""

    def __init__(self, box: MailboxSettings, storage: MailStorage, site: Site, clock: Callable[[], datetime]) -> None:
        """`clock` gives aware datetimes in the local zone: messages are stamped with it."""
        self._box = box
        self._storage = storage
        self._site = site
        self._settings = site.settings.mss
        self._clock = clock

    def read(self) -> int:
        """Read what came since, a batch; how many mails. Raises MailFault and StoreError: the rest is read later."""
        with imap.opened(self._box) as session:
            place = self._place(session.validity)
            numbers = session.after(place.uid, self._box.batch)
            for uid in numbers:
                self._read_one(session, uid)
        return len(numbers)

    def _place(self, validity: int) -> Place:
        """How far the box was read. Numbers given anew mean that all is looked at again, and known for what it is."""
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            place = transaction.mail_place(self._box.name)
        finally:
            transaction.rollback()
        if place is not None and place.validity == validity:
            return place
        if place is not None:
            _log.warning("mss.numbered-anew", box=self._box.name)
        return Place(validity, 0)

    def _read_one(self, session: Session, uid: int) -> None:
        size = session.size(uid)
        too_large = size is not None and size > self._box.max_bytes
        raw = session.fetch(uid, self._box.max_bytes) if size is not None and not too_large else None
        found: Understood | None = None
        if too_large:
            key = hashlib.sha256(f"{session.validity}/{uid}".encode()).hexdigest()
            found = Understood(key, "unreadable", code="mail-size")
        elif raw is not None:
            found = understand(raw, self._settings)
        place = Place(session.validity, uid)
        try:
            state = self._record(found, place)
        except (StoreError, MailFault):
            raise
        except Exception as error:  # a defect of ours that this mail meets: it waits for people, and bars no other
            _log.error("mss.mail-defect", box=self._box.name, uid=uid, error=type(error).__name__)
            found = Understood(found.key if found is not None else "", "unreadable", code="mail-unreadable")
            state = self._record(found, place)
        if state is not None:
            session.mark(uid, for_people=state == "for-people" or bool(found and found.code))

    def _record(self, found: Understood | None, place: Place) -> State | None:
        """Write what a mail leads to, and that it was read; None when there is nothing new (known, or gone)."""
        transaction = self._storage.begin(_WRITE_WAIT)
        mail: Mail | None = None
        try:
            key = f"{self._box.name}/{found.key}" if found is not None else ""
            if found is not None and not transaction.has_mail(key):
                mail = self._follow(transaction, found, key, place)
            transaction.put_mail_place(self._box.name, place)
            transaction.commit()
        finally:
            transaction.rollback()
        if mail is None:
            return None
        _log.info("mss.read", box=mail.box, uid=mail.uid, kind=mail.kind, state=mail.state, code=mail.code)
        return mail.state

    def _follow(self, transaction: MailTransaction, found: Understood, key: str, place: Place) -> Mail:
        mail_id, now = self._site.new_id(), self._site.now()
        ledger = Ledger(transaction, self._site)
        state: State = "done"
        code = found.code
        if found.kind == "report":
            understood = [self._apply(ledger, report) for report in found.reports]
            if not all(understood):
                state, code = "for-people", _OTHER_RECIPIENT
        elif found.documents and self._box.destination:
            for received in found.documents:
                self._send_on(transaction, mail_id, received, found)
            state = "sent-on"
        elif found.code and found.kind == "documents" and (found.told.way or self._settings.failures_to):
            state = "to-answer"
        elif found.kind != "other" or not found.automatic:
            state = "for-people"
        if state == "for-people" or code:
            self._raise(transaction, mail_id, code or f"mail-{found.kind}")
        mail = Mail(
            id=mail_id, box=self._box.name, validity=place.validity, uid=place.uid, key=key,
            message_id=found.message_id, received=now, kind=found.kind, state=state, code=code,
            text=found.text, address=found.told.address, way=found.told.way,
        )  # fmt: skip
        transaction.put_mail(mail)
        ledger.close()
        return mail

    def _raise(self, transaction: MailTransaction, mail_id: str, cause: str) -> None:
        source = Source(self._site.now(), AUTHOR, "dmp", "", local=True)
        self._site.registrar.act_within(transaction, [(RaiseDocument("", WORK, mail_id, cause), source)])

    # --- reports

    def _apply(self, ledger: Ledger, report: Report) -> bool:
        """Tell the sender of a document what became of its mail; one that never arrived is refused after all.

        False when the report is of the delivery to somebody whom that mail was not sent to: it changes nothing.
        """
        sending = ledger.transaction.sending(report.sending)
        document = ledger.transaction.document(sending.document) if sending is not None else None
        if sending is None or document is None or sending.channel == "dmp":
            _log.warning("mss.report-unknown", box=self._box.name, kind=report.kind)
            return True
        mailed = box_of(sending, self._settings) if report.kind == "dsn" else ""
        if mailed and report.fate != "delayed" and not report.names(mailed):
            _log.warning("mss.report-of-another", box=self._box.name, sending=sending.id, fate=report.fate)
            return False
        recipient = mailed or report.recipient or sending.recipient
        if report.fate == "failed":
            if sending.state in ("fed", "deleted"):
                nowhere = sending if sending.action == "delete" else replace(sending, ins="")
                ledger.end(document, nowhere, "refused", "refused", report.code or "mail-failed", report.text)
            return True
        kind = RECEIVED_BY_MSS if report.kind == "dsn" else READ_IN_MSS
        accepted = report.fate in ("delivered", "read", "processed")
        if accepted or report.fate in ("not-read", "not-taken"):
            code = "" if accepted else report.code or report.fate
            answer(
                ledger.transaction, self._site, document, kind,
                accepted=accepted, code=code, text=report.text, recipient=recipient,
            )  # fmt: skip
        return True

    # --- documents

    def _send_on(self, transaction: MailTransaction, mail_id: str, received: Received, found: Understood) -> None:
        """Queue a document for the DPI; those of one patient go in order."""
        control_id, now = self._site.new_id()[:_CONTROL_ID], self._site.now()
        raw = write_mdm(received, self._envelope(control_id, found))
        event = event_of(received)
        transaction.put_bytes([Bytes(control_id, event, now, raw)])
        draft = Draft(
            destination=self._box.destination,
            kind="answer",
            event=event.rpartition("^")[0],
            subject=_holder(transaction, received),
            keys=_lane(received),
            cause=mail_id,
            notice=b"",
            created=now,
            control_id=control_id,
        )
        transaction.queue([draft])

    def _envelope(self, control_id: str, found: Understood) -> Envelope:
        box = self._box
        return Envelope(
            control_id=control_id,
            time=self._clock().strftime("%Y%m%d%H%M%S%z"),
            processing="P" if self._site.environment == "production" else "T",
            profile=self._settings.mdm_profile,
            application=box.application,
            facility=box.facility,
            message_id=found.message_id,
            subject=found.subject,
            body=found.body,
            sender=found.sender,
            recipient=box.address or self._settings.address,
            reply_to=found.reply_to,
            unit=box.unit,
        )


def _holder(transaction: MailTransaction, received: Received) -> str:
    """The one identity that holds the INS of a document, "" for none or several: for people, it decides nothing."""
    ins = received.cda.patient.ins
    holders = transaction.holders(("INS", "", ins.matricule)) if ins is not None else ()
    return holders[0] if len(holders) == 1 else ""


def _lane(received: Received) -> str:
    """What documents of one patient have in common, and nobody can read."""
    ids = ["^".join(one) for one in received.cda.patient.ids] or [received.cda.unique_id]
    return "mss-" + hashlib.sha256(ids[0].encode()).hexdigest()[:24]
