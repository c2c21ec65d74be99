"""What the PFI keeps: documents as they were received, and what becomes of each on each channel.

A `Document` is one version of one document and never changes. A `Sending` is that version on one channel; it is what
has a state. Times are RFC 3339 UTC of the width of the base (milliseconds), so that they sort as texts; "" is no time.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Intent(StrEnum):
    """What a sender wants of a document (trigger, ORC-1 and OBX-11 agree on it)."""

    INITIAL = "initial"
    REPLACE = "replace"
    DELETE = "delete"


Channel = Literal["dmp", "mss-ps", "mss-patient"]
"""The DMP; the MSSanté boxes of professionals; the patient's own box."""
Action = Literal["feed", "replace", "delete"]
State = Literal[
    "waiting-ins",
    "waiting-identity",
    "waiting-consent",
    "waiting-predecessor",
    "ready",
    "calling",
    "to-confirm",
    "refused",
    "fed",
    "replaced",
    "deleted",
    "cancelled",
]
"""What becomes of a sending. On the channels of MSSanté, `fed` means mailed."""


class Flags(Struct, frozen=True):
    """The MetaDMPMSS block: who may see the document, where it goes, what the sender wants to be told."""

    masked_professionals: bool = False
    hidden_patient: bool = False
    hidden_representatives: bool = False
    secret_connection: bool = False
    confidentiality_only: bool = False
    to_dmp: bool = True
    to_professionals: bool = False
    to_patient: bool = False
    ack_reception: bool = False
    ack_read: bool = False
    no_reply: bool = False


class Sender(Struct, frozen=True):
    """Who sends (PRT, SB): the person (XCN), the organisation (XON) with their national identifiers, the device."""

    person_id: str = ""
    family: str = ""
    given: str = ""
    structure_id: str = ""
    structure_name: str = ""
    device: str = ""


class StayRef(Struct, frozen=True):
    """The stay a document belongs to (PV1, PID-18); `visit` and `account` are "AUTHORITY|NUMBER", "" for none."""

    visit: str = ""
    account: str = ""
    patient_class: str = ""
    admitted: str = ""
    discharged: str = ""


def stay_number(text: str) -> str:
    """The number of `StayRef.visit` or `StayRef.account`, without its authority."""
    return text.partition("|")[2]


class Content(Struct, frozen=True):
    """The bytes of a document, kept once whoever sent them: SHA-256 in hexadecimal, bytes, `text/xml` (a CDA) or
    `application/pdf`.
    """

    digest: str
    size: int
    media: str


class Document(Struct, frozen=True):
    """One version of one document, as received.

    `source` is "mllp:NAME", "folder:NAME", "http:TOKEN" or "cli"; `message` its id in the message log, `sending` is
    "MSH-3|MSH-4". `unique_id` is an OID, `parent` the unique id of what this one replaces or deletes. `created` is the
    time of production (RFC 3339). `identity` is the registry's id at reception; `patient` the JSON of the PID-3
    identifiers received. `content` is None for a deletion without a body; `description` the JSON of the
    `documents.cda` description when the CDA is built here. `mail_professionals` and `mail_patient` are the
    bodies of mails that the sender wrote (CORPSMAIL). `facility` is the geographic FINESS. `erased`: a purge emptied
    it, its content and what it says of people; its ids, its digest and its codes remain.
    """

    id: str
    received: str
    source: str
    message: str
    control_id: str
    sending: str
    intent: Intent
    unique_id: str
    set_id: str
    version: int
    parent: str
    type_code: str
    title: str
    confidentiality: str
    created: str
    identity: str
    patient: bytes
    content: Content | None = None
    description: bytes = b""
    flags: Flags = Flags()
    sender: Sender = Sender()
    recipients: tuple[str, ...] = ()
    reply_to: str = ""
    mail_professionals: str = ""
    mail_patient: str = ""
    stay: StayRef = StayRef()
    facility: str = ""
    erased: bool = False


class Sending(Struct, frozen=True):
    """One document version on one channel: the row that has a state.

    `reason` is a code of `states.REASONS`; `since` when this state began, `due` when it may be tried, `lease` until
    when a claim holds. `ins` is "OID|MATRICULE", the INS it was fed under. `code` and `text` are those of the last
    answer, `entry` the identifier the DMP knows it by, `recipient` the address mailed to, `author` the person of the
    last act.
    """

    id: str
    document: str
    channel: Channel
    action: Action
    identity: str
    state: State
    reason: str
    since: str
    due: str
    attempts: int = 0
    lease: str = ""
    ins: str = ""
    code: str = ""
    text: str = ""
    entry: str = ""
    sent: str = ""
    ended: str = ""
    recipient: str = ""
    author: str = ""
