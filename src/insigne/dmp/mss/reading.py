"""A mail understood: what its bytes say, before anything is looked up or written."""

import hashlib
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import structlog

from insigne.dmp.mss.inbound import NotTaken, Received, archive_of, carries_documents, documents_of, text_of
from insigne.dmp.mss.mails import Kind
from insigne.dmp.mss.refusal import Addressee, addressee
from insigne.dmp.mss.reports import Report, is_answer_lost, is_failure_notice, is_report, reports_of
from insigne.dmp.settings_mss import MssSettings

_log = structlog.get_logger("insigne.dmp.mss")
_NOBODY = Addressee("", "", "unreadable")


@dataclass(frozen=True, slots=True)
class Understood:
    """A mail. `code` and `text` say why its documents are not taken; `told` who is to be told so.

    `automatic`: no person wrote it.
    """

    key: str
    kind: Kind
    message_id: str = ""
    subject: str = field(default="", repr=False)
    body: str = field(default="", repr=False)
    sender: str = ""
    reply_to: str = ""
    automatic: bool = False
    reports: tuple[Report, ...] = ()
    documents: tuple[Received, ...] = ()
    code: str = ""
    text: str = ""
    told: Addressee = _NOBODY


def understand(raw: bytes, settings: MssSettings) -> Understood:
    """Read a mail. Whatever is wrong with it, it is one that cannot be read; nothing is raised."""
    key = key_of(raw)
    try:
        return _understood(key, parse(raw), settings)
    except Exception as error:  # the parser of the standard library lets many out on crafted mails
        _log.warning("mss.unreadable", error=type(error).__name__)
        return Understood(key, "unreadable", code="mail-unreadable")


def parse(raw: bytes) -> EmailMessage:
    """Parse a mail."""
    return message_from_bytes(raw, policy=default)


def key_of(raw: bytes) -> str:
    """Return what tells the same mail received twice: its Message-ID and its body, not the stamps of servers."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    named = next((line for line in head.split(b"\n") if line.lower().startswith(b"message-id:")), b"")
    return hashlib.sha256(named.strip() + b"\n" + hashlib.sha256(body.rstrip(b"\n")).digest()).hexdigest()


def _understood(key: str, mail: EmailMessage, settings: MssSettings) -> Understood:
    message_id = " ".join(str(mail.get("Message-ID", "")).split())[:998]
    automatic = str(mail.get("Auto-Submitted", "no")).strip().casefold() not in ("", "no")
    reports = tuple(reports_of(mail))
    if reports:
        return Understood(key, "report", message_id, automatic=True, reports=reports)
    if is_report(mail):  # of a mail that is not ours, or of an answer: an archive in it is what it returns
        return Understood(key, "other", message_id, automatic=not is_answer_lost(mail))
    if is_failure_notice(mail) or not carries_documents(mail):
        return Understood(key, "other", message_id, automatic=automatic)
    documents: tuple[Received, ...] = ()
    code = text = ""
    try:
        documents = tuple(documents_of(archive_of(mail), settings))
    except NotTaken as error:
        code, text = error.code, error.text
    return Understood(
        key,
        "documents",
        message_id,
        " ".join(str(mail.get("Subject", "")).split()),
        text_of(mail),
        parseaddr(str(mail.get("From", "")))[1],
        parseaddr(str(mail.get("Reply-To", "")))[1],
        automatic,
        documents=documents,
        code=code,
        text=text,
        told=addressee(mail, failed=True, ordinary=settings.answer_failures),
    )
