"""Settings of MSSanté. What no public source confirms stands here with the value recalled."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.dmp.addresses import PATIENT_DOMAIN
from insigne.net.settings import ClientTlsSettings, Port, Seconds

Count = Annotated[int, Meta(ge=1)]
Name = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Address = Annotated[str, Meta(pattern=r"^$|^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$")]
Encryption = Literal["starttls", "tls", "none"]
"""TLS after STARTTLS, from the first byte, or never: `none` is for a server of this machine."""


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server of the site's MSSanté operator. Without `host` it is not used."""

    host: str = ""
    port: Port = 0
    """0: the usual one for what it is and for `encryption`."""
    encryption: Encryption = "tls"
    tls: ClientTlsSettings = ClientTlsSettings()
    """The authorities believed, and our certificate where the operator asks for one."""
    user: str = ""
    """Empty: no login; our certificate says who we are."""
    password_file: str = ""
    timeout_seconds: Seconds = 60

    def __post_init__(self) -> None:
        """Refuse a login without a secret, and one that anybody could read."""
        if self.user and not self.password_file:
            raise ValueError("user is given without password_file: name the file that holds the password")
        if self.encryption == "none" and self.host not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError(f"encryption = none sends {self.host} health data in clear: use starttls or tls")


class XdmSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an archive received may hold at most."""

    max_entries: Count = 200
    max_bytes: Count = 104_857_600
    """All files together, once decompressed."""
    max_ratio: Count = 200
    """Most that one file may grow by when decompressed, beyond its first megabyte."""


class MailboxSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A box read by IMAP: answers to what was mailed, and documents for the DPI."""

    name: Name
    """Its place of reading is kept under that name."""
    address: Address = ""
    """Its own address: recipient told to the DPI, author of what answers; by default `dmp.mss.address`."""
    imap: ServerSettings = ServerSettings()
    folder: str = "INBOX"
    poll_seconds: Seconds = 60
    batch: Count = 20
    """Mails read in one connection."""
    max_bytes: Count = 41_943_040
    """Largest mail read."""
    destination: str = ""
    """Destination (`destinations.name`) that documents received go to, as MDM; empty: they wait for a person."""
    application: str = "DPI"
    """MSH-5 of those messages."""
    facility: str = ""
    """MSH-6 and MSH-4 of those messages."""
    unit: str = ""
    """PRT-8 of the recipient, `Name^^^^^AUTHORITY^UF^^^CODE`, where a box stands for a unit."""


class MssSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How documents are mailed, and boxes read."""

    address: Address = ""
    """Our box: sender of mails, to which receipts come back."""
    addresses: dict[str, str] = {}
    """Box of some senders: "MSH-3|MSH-4" → address."""
    domains: tuple[str, ...] = ("mssante.fr",)
    """Domains, with those under them, that mail may go to: all others are outside the trusted space."""
    patient_domain: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")] = PATIENT_DOMAIN
    """Domain of patients' own boxes, whose name is the matricule: by it, as by the national one, they are told from
    those of professionals, in messages received too. That of an operator's test space may be another one."""
    smtp: ServerSettings = ServerSettings(encryption="starttls")
    mailboxes: tuple[MailboxSettings, ...] = ()
    max_bytes: Count = 26_214_400
    """Largest mail sent, as it goes (base64 included). Recalled: what operators take has no public figure here."""
    name_in_subject: bool = False
    """Whether the subject names the patient and their birth date after the title, as the ANS examples do."""
    action_slot: str = "action"
    """Slot of METADATA.XML that says C (replaces) or D (deletes)."""
    answer_failures: bool = True
    """Whether the sender of a document that could not be taken is told by an ordinary mail when it asked no MDN."""
    failures_to: Address = ""
    """Box told of each failure as well."""
    alarm_seconds: Annotated[float, Meta(ge=0)] = 300
    """How long a box cannot be read before an operator is told (alarm `mailbox-down`)."""
    mdm_profile: str = "1.1^CISIS_CDA_HL7_LPS"
    """MSH-21 of the messages that carry documents received."""
    xdm: XdmSettings = XdmSettings()

    def __post_init__(self) -> None:
        """Refuse two boxes of one name: they would share a place of reading."""
        names = [box.name for box in self.mailboxes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"mailboxes: {', '.join(twice)} is there twice: give each a name of its own")
