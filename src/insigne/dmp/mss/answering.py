"""What the DPI made of documents received by mail, told to who sent them.

A mail waits in the state `sent-on` for all its messages to end, then in `to-answer` for its answer to leave: an answer
interrupted is sent again under the same Message-ID. A failure that its sender cannot be told of waits for people.
"""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final, NamedTuple

import structlog
from msgspec.structs import replace

from insigne.dmp.ledger import AUTHOR
from insigne.dmp.mss import imap
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.mss.inbound import OTHER
from insigne.dmp.mss.mail import SUBJECT, MailError, header_of
from insigne.dmp.mss.mails import WORK, Mail, MailStorage, MailView, last_ack
from insigne.dmp.mss.reading import parse
from insigne.dmp.mss.refusal import Answer, write_mail, write_mdn
from insigne.dmp.mss.smtp import SmtpSender
from insigne.dmp.settings_mss import MailboxSettings
from insigne.dmp.site import Site
from insigne.exchange.delivery.model import Outgoing
from insigne.hl7 import Hl7Error, parse_ack
from insigne.registry.acts import RaiseDocument
from insigne.registry.source import Source

_log = structlog.get_logger("insigne.dmp.mss")
_WRITE_WAIT: Final = 5.0
_MOST: Final = 1000
_PATIENCE: Final = timedelta(days=5)
"""How long a box that puts an answer off is tried again, as long as mail servers usually do."""
_FATAL: Final = frozenset({"held", "dead", "skipped", "ignored"})
_REASONS: Final = {
    "900": "Version du document incorrecte lors d’une demande de remplacement ou de suppression",
    "901": "Auteur non autorisé à remplacer ou supprimer un document",
    "902": "Identifiant patient inconnu",
    "903": "INS non présente dans le document",
    "904": "L’INS transmise ne correspond pas exactement à celle du destinataire",
    "905": "L’INS transmise n’est pas complète",
    OTHER: "Le document n’a pas pu être intégré",
}
"""Table 0533 of the volet (ERR-5)."""


class Conclusion(NamedTuple):
    """What the DPI made of the documents of a mail; `code` is "" when it took them all."""

    code: str
    text: str


class Answering:
    """Concludes about the mails of one box, and answers them. One thread calls it."""

    def __init__(
        self,
        box: MailboxSettings,
        storage: MailStorage,
        site: Site,
        sender: SmtpSender,
        clock: Callable[[], datetime],
    ) -> None:
        """`clock` gives aware datetimes."""
        self._box = box
        self._settings = site.settings.mss
        self._storage = storage
        self._site = site
        self._sender = sender
        self._clock = clock
        self._tried = ""

    def conclude(self) -> int:
        """Note what became of the documents sent on; of how many mails. Raises StoreError."""
        concluded = []
        with self._storage.read() as view:
            for mail in view.mails_in(self._box.name, "sent-on", _MOST):
                found = conclusion(view, view.outbox_of(mail.id))
                if found is not None:
                    concluded.append(_concluded(mail, found))
        if concluded:
            self._put(concluded)
        return len(concluded)

    def answer(self) -> int:
        """Send the answers that wait, a batch; how many are settled. One that is put off stays, and bars none.

        Raises StoreError, and MailFault when none can leave now.
        """
        with self._storage.read() as view:
            waiting = view.mails_in(self._box.name, "to-answer", _MOST)
        if not waiting:
            return 0
        batch = self._batch(waiting)
        with imap.opened(self._box) as session:
            originals = [self._original(session, mail) for mail in batch]
        put_off: MailFault | None = None
        left = 0
        for mail, original in zip(batch, originals, strict=True):
            try:
                told = self._answer_one(mail, original)
            except MailFault as fault:
                if fault.kind != "busy":
                    raise
                put_off = fault
                if not self._is_old(mail):
                    continue
                _log.error("mss.answer-given-up", box=self._box.name, mail=mail.id, code=fault.code)
                told = False
            self._settle(mail, told=told)
            left += 1
        if put_off is not None and not left:
            raise put_off
        return left

    def _batch(self, waiting: Sequence[Mail]) -> list[Mail]:
        """The next ones: those that were tried last come last, so that all are tried."""
        turn = [*(mail for mail in waiting if mail.id > self._tried), *waiting]
        batch = list({mail.id: mail for mail in turn}.values())[: self._box.batch]
        self._tried = batch[-1].id
        return batch

    def _settle(self, mail: Mail, *, told: bool) -> None:
        """Note that an answer ended; a failure that nobody could be told of waits for a person."""
        if told or not mail.code:
            self._put([replace(mail, state="done")])
            return
        source = Source(self._site.now(), AUTHOR, "dmp", "", local=True)
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            self._site.registrar.act_within(transaction, [(RaiseDocument("", WORK, mail.id, "mail-answer"), source)])
            transaction.put_mail(replace(mail, state="for-people"))
            transaction.commit()
        finally:
            transaction.rollback()

    def _is_old(self, mail: Mail) -> bool:
        return self._clock() - datetime.fromisoformat(mail.received) > _PATIENCE

    def _original(self, session: imap.Session, mail: Mail) -> EmailMessage | None:
        """The mail as it came, None once it is not in the box any more."""
        uid = mail.uid if session.validity == mail.validity else session.named(mail.message_id)
        raw = session.fetch(uid, self._box.max_bytes) if uid is not None else None
        return parse(raw) if raw is not None else None

    def _answer_one(self, mail: Mail, original: EmailMessage | None) -> bool:
        """Send what is to be sent of a mail; whether its sender was told, if it is to be."""
        told = True
        if mail.way:
            told = self._send(mail, original, mail.id, mail.way, mail.address)
        if mail.code and self._settings.failures_to:
            self._send(mail, original, f"{mail.id}-copy", "mail", self._settings.failures_to)
        return told

    def _send(self, mail: Mail, original: EmailMessage | None, answer_id: str, way: str, address: str) -> bool:
        """Send an answer; False when it can never leave. Raises MailFault when it cannot now."""
        answer = Answer(
            id=answer_id,
            address=address,
            sender=self._box.address or self._settings.address,
            date=self._clock(),
            message_id=mail.message_id,
            subject=(header_of(original, "Subject") if original is not None else "") or SUBJECT,
            code=mail.code,
            text=mail.text,
            original=original,
        )
        try:
            written = _written(answer, way)
            self._sender.send(written, answer.sender, address, envelope=f"answer.{answer_id}")
        except MailError as error:
            _log.error("mss.answer-impossible", box=self._box.name, code=error.code)
            return False
        except MailFault as fault:
            if fault.kind != "refused":
                raise
            _log.error("mss.answer-refused", box=self._box.name, code=fault.code)
            return False
        return True

    def _put(self, mails: Sequence[Mail]) -> None:
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            for mail in mails:
                transaction.put_mail(mail)
            transaction.commit()
        finally:
            transaction.rollback()


def _written(answer: Answer, way: str) -> bytes:
    """Write an answer; without what came when that cannot be given back. Raises MailError."""
    write = write_mdn if way == "mdn" else write_mail
    try:
        return write(answer)
    except MailError:
        raise
    except Exception as error:  # what came may be anything, and must not bar the answers to others
        _log.warning("mss.not-given-back", error=type(error).__name__)
        return write(dataclasses.replace(answer, original=None))


def conclusion(view: MailView, rows: Sequence[Outgoing]) -> Conclusion | None:
    """Say what the DPI made of messages; None as long as one of them is on its way.

    One that a person sent again in the place of another counts instead of it.
    """
    replaced = {row.replaces for row in rows}
    last = [row for row in rows if row.id not in replaced]
    refused = next((row for row in last if row.state in _FATAL), None)
    if refused is not None:
        return _refusal(last_ack(view.attempts(refused.id)))
    if last and all(row.state == "delivered" for row in last):
        return Conclusion("", "")
    return None


def _refusal(ack: bytes) -> Conclusion:
    """The code of the DPI (ERR-5), in the words of its table."""
    try:
        errors = parse_ack(ack).errors if ack else []
    except Hl7Error:
        errors = []
    code = next((error.application_code for error in errors if error.application_code), OTHER)
    return Conclusion(code[:20], _REASONS.get(code, _REASONS[OTHER]))


def _concluded(mail: Mail, found: Conclusion) -> Mail:
    """A mail whose documents ended: who asked for an MDN is told in any case, others of a failure only."""
    way = mail.way if found.code or mail.way == "mdn" else ""
    state = "to-answer" if way or found.code else "done"
    return replace(mail, state=state, code=found.code, text=found.text, way=way)
