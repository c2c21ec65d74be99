"""What the sender of a document is told: taken or not, by an MDN if it asked for one, else by an ordinary mail.

Sources: RFC 8098; ANS, volet « Transmission au LPS de documents CDA » 1.1.3, structure of the MDN and of the ordinary
mail. What was sent goes back with it, as the volet wants.
"""

from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any, Final

from insigne.dmp.mss.cda import PDF
from insigne.dmp.mss.inbound import archive_of, text_of
from insigne.dmp.mss.mail import ARCHIVE, POLICY, checked, file_name, header_of

_FAILED: Final = "[KO Intégration système !]"
_TAKEN: Final = "Le document reçu par ce courriel a été intégré."
_NOT_TAKEN: Final = (
    "Le message ci-dessous n’a pas pu être intégré automatiquement dans le DPI pour la raison suivante :"
)
_COPIED: Final = ("Message-ID", "Date", "From", "To", "Subject")
_REPORTS: Final = frozenset({"multipart/report", "message/disposition-notification", "message/delivery-status"})


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is told, and how. `way`: "mdn", "mail" (an ordinary one) or "", with the reason in `why`."""

    way: str
    address: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a mail received. `code` is "" when its documents were taken; `original` is None once it is lost."""

    id: str
    address: str
    sender: str
    date: datetime
    message_id: str
    subject: str
    code: str = ""
    text: str = field(default="", repr=False)
    original: EmailMessage | None = field(default=None, repr=False)


def addressee(mail: EmailMessage, *, failed: bool, ordinary: bool) -> Addressee:
    """Say who is told of what became of a mail.

    Nobody is for a report or an automatic answer (no loops). An MDN goes only to who sent the mail: to another address
    a person would have to agree (RFC 8098 §2.1), so that an ordinary mail says what failed, `ordinary` permitting.
    """
    automatic = str(mail.get("Auto-Submitted", "no")).strip().casefold() not in ("", "no")
    sender = parseaddr(str(mail.get("From", "")))[1]
    envelope = str(mail.get("Return-Path", sender)).strip()
    if automatic or mail.get_content_type() in _REPORTS or envelope == "<>" or not sender:
        return Addressee("", "", "automatic")
    asked = [address for _, address in getaddresses([str(mail.get("Disposition-Notification-To", ""))]) if address]
    path = parseaddr(envelope)[1] or sender
    if len(asked) == 1 and asked[0].casefold() == path.casefold():
        return Addressee("mdn", asked[0])
    if failed and ordinary:
        return Addressee("mail", sender)
    return Addressee("", "", "another address" if asked else "not asked")


def write_mdn(answer: Answer) -> bytes:
    """Write an MDN. Raises MailError for an address that is none."""
    mail = _mail(answer)
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_type("multipart/report")
    mail.set_param("report-type", "disposition-notification")
    mail.attach(_part(_words(answer)))
    fields = EmailMessage(POLICY)
    fields["Reporting-UA"] = "insigne; Insigne"
    fields["Original-Recipient"] = f"rfc822;{answer.sender}"
    fields["Final-Recipient"] = f"rfc822;{answer.sender}"
    if answer.message_id:
        fields["Original-Message-ID"] = answer.message_id
    modifier = f"/Error: {answer.code}^{_ascii(answer.text)}" if answer.code else ""
    fields["Disposition"] = f"automatic-action/MDN-sent-automatically; processed{modifier}"
    report = EmailMessage(POLICY)
    report["Content-Type"] = "message/disposition-notification"
    report.set_payload([fields])
    mail.attach(report)
    _return(mail, answer.original)
    mail.set_boundary(f"=_insigne_{answer.id}")
    return mail.as_bytes()


def write_mail(answer: Answer) -> bytes:
    """Write an ordinary mail that tells a failure. Raises MailError for an address that is none."""
    mail = _mail(answer)
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_type("multipart/mixed")
    mail.attach(_part(_words(answer)))
    _return(mail, answer.original)
    mail.set_boundary(f"=_insigne_{answer.id}")
    return mail.as_bytes()


def _mail(answer: Answer) -> EmailMessage:
    mail = EmailMessage(POLICY)
    mail["Message-ID"] = f"<insigne.answer.{answer.id}@{answer.sender.rpartition('@')[2]}>"
    mail["Date"] = format_datetime(answer.date)
    mail["From"] = checked(answer.sender)
    mail["To"] = checked(answer.address)
    if answer.message_id:
        mail["In-Reply-To"] = answer.message_id
    mark = f"{_FAILED}[{answer.code}] " if answer.code else ""
    mail["Subject"] = mark + " ".join(answer.subject.split())[:300]
    mail["MIME-Version"] = "1.0"
    return mail


def _words(answer: Answer) -> str:
    return f"{_NOT_TAKEN}\n{answer.code} {answer.text}\n" if answer.code else f"{_TAKEN}\n"


def _part(content: Any, **how: Any) -> EmailMessage:  # Any: what `set_content` takes
    part = EmailMessage(POLICY)
    part.set_content(content, **how)
    del part["MIME-Version"]
    return part


def _return(mail: EmailMessage, original: EmailMessage | None) -> None:
    """Give back what came: the mail with its text, then what was attached to it."""
    if original is None:
        return
    copy = EmailMessage(POLICY)
    for name in _COPIED:
        if text := header_of(original, name):
            copy[name] = text
    copy.set_content(text_of(original))
    mail.attach(_part(copy, disposition="attachment", filename="message_original.eml"))
    archive = archive_of(original)
    if archive is not None:
        mail.attach(_attached(archive, "zip", ARCHIVE))
    for part in original.walk():
        content = part.get_payload(decode=True) if part.get_content_type() == PDF else None
        if isinstance(content, bytes):
            mail.attach(_attached(content, "pdf", file_name((part.get_filename() or "Document").removesuffix(".pdf"))))


def _attached(content: bytes, kind: str, name: str) -> EmailMessage:
    return _part(content, maintype="application", subtype=kind, disposition="attachment", filename=name)


def _ascii(text: str) -> str:
    """A field of a report is ASCII on one line."""
    return " ".join(text.encode("ascii", "replace").decode().split())
