"""Mails that carry documents: subject, bodies, attachments, receipts asked for; and whom they may go to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from insigne.dmp.addresses import is_patient_address
from insigne.dmp.model import Sending
from insigne.dmp.settings_mss import MssSettings

SUBJECT: Final = "XDM/1.0/DDM+"
"""What the subject of a mail with an archive starts with (IHE ITI TF-2 §3.32, Zip over Email)."""
ARCHIVE: Final = "IHE_XDM.zip"
POLICY: Final = SMTP.clone(cte_type="7bit")
"""Every line fits any server: what is not ASCII is encoded."""
_LONGEST: Final = 200
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_OURS: Final = re.compile(r"<?insigne\.([A-Za-z0-9-]{1,64})@[^<>\s]+>?")
_UNFIT: Final = re.compile(r"[^\w .-]+")


class MailError(ValueError):
    """A mail that may not be sent, whenever it is tried. `code` is kept with the sending; the text names no patient."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail about one document. `sending` is the id that receipts come back with; `date` is aware.

    `patient` is what the subject says of them, "" for nothing. `no_reply`: the patient may not answer it.
    `receipt`: ask to be told when it is read.
    """

    sending: str
    sender: str
    recipient: str
    date: datetime
    title: str
    body: str = field(repr=False)
    archive: bytes = field(repr=False)
    pdf: bytes | None = field(default=None, repr=False)
    patient: str = field(default="", repr=False)
    reply_to: str = ""
    no_reply: bool = False
    receipt: bool = False


def message_id(sending: str, sender: str) -> str:
    """Return the Message-ID of a sending: always the same, so that a mail sent twice is known for one."""
    return f"<insigne.{sending}@{sender.rpartition('@')[2]}>"


def sending_of(message_id: str) -> str:
    """Return the sending that a Message-ID, or an envelope id, is of; "" when it is not one of ours."""
    found = _OURS.fullmatch(message_id.strip())
    return found[1] if found else ""


def compose(letter: Letter) -> bytes:
    """Write a mail; the same letter gives the same bytes. Raises MailError for an address that is none."""
    mail = EmailMessage(POLICY)
    mail["Message-ID"] = message_id(letter.sending, letter.sender)
    mail["Date"] = format_datetime(letter.date)
    mail["From"] = checked(letter.sender)
    mail["To"] = checked(letter.recipient)
    if letter.reply_to:
        mail["Reply-To"] = checked(letter.reply_to)
    mail["Subject"] = subject(letter.title, letter.patient)
    if letter.no_reply:
        mail["X-MSS-MES"] = "FIN"
    if letter.receipt:
        mail["Disposition-Notification-To"] = letter.sender
    mail.set_content(letter.body)
    mail.add_attachment(letter.archive, maintype="application", subtype="zip", filename=ARCHIVE)
    if letter.pdf is not None:
        name = file_name(letter.title)
        mail.add_attachment(letter.pdf, maintype="application", subtype="pdf", filename=name)
    mail.set_boundary(f"=_insigne_{letter.sending}")
    return mail.as_bytes()


def header_of(mail: Message, name: str) -> str:
    """Return a header of a mail received, on one line; "" when it is not there, or cannot be read."""
    try:
        return " ".join(str(mail.get(name, "")).split())
    except (ValueError, LookupError, TypeError, AttributeError):  # what the parser of the standard library lets out
        return ""


def subject(title: str, patient: str = "") -> str:
    """Return the subject: the mark of XDM, the title, what is said of the patient."""
    text = " ".join(f"{title} {patient}".split()) or "Document"
    return SUBJECT + "".join(character for character in text if character.isprintable())[:_LONGEST]


def file_name(title: str) -> str:
    """Return the name of the PDF, from the title of the document."""
    return f"{' '.join(_UNFIT.sub(' ', title).split())[:80].strip(' .') or 'Document'}.pdf"


def checked(address: str) -> str:
    """Return the address. Raises MailError unless it is one and nothing else."""
    if not _ADDRESS.fullmatch(address):
        raise MailError("mail-address", "a mail address is not of the form name@domain: correct it at its source")
    return address


def to_professional(recipient: str, settings: MssSettings) -> str:
    """Return the box of a professional. Raises MailError for one outside MSSanté, and for a patient's."""
    if is_patient_address(recipient, settings.patient_domain):
        raise MailError(
            "mail-patient-box", "the box named for a professional is a patient's: DESTMSSANTEPAT sends there"
        )
    return _trusted(recipient, settings)


def to_patient(matricule: str, recipients: Sequence[str], settings: MssSettings) -> str:
    """Return the box of the patient, which the qualified INS gives. `recipients` are those that the message names.

    Raises MailError when one of them is the box of somebody else: message and patient contradict each other.
    """
    named = [one for one in recipients if is_patient_address(one, settings.patient_domain)]
    if any(one.rpartition("@")[0].casefold() != matricule.casefold() for one in named):
        raise MailError("mail-other-patient", "the message names the box of a patient who is not the one it is about")
    return _trusted(_box(matricule, settings), settings)


def box_of(sending: Sending, settings: MssSettings) -> str:
    """Return the box that a sending was mailed to, "" once that is not known any more."""
    if sending.channel == "mss-ps":
        return sending.recipient
    _, _, matricule = sending.ins.partition("|")
    return _box(matricule, settings) if matricule else ""


def _box(matricule: str, settings: MssSettings) -> str:
    return f"{matricule}@{settings.patient_domain}"


def _trusted(address: str, settings: MssSettings) -> str:
    domain = checked(address).rpartition("@")[2].casefold()
    if not any(domain == one.casefold() or domain.endswith("." + one.casefold()) for one in settings.domains):
        raise MailError(
            "mail-outside", f"the domain {domain} is not of MSSanté (dmp.mss.domains): nothing is sent there"
        )
    return address
