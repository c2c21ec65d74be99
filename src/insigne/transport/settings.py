"""Settings of the transports."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from insigne.net.settings import ClientTlsSettings, Port, Seconds, TlsSettings

Count = Annotated[int, Meta(ge=1)]

FIELD = re.compile(r"\{([^{}]*)\}")
"""A field of a template of names."""
_FIELDS = frozenset({"ordinal", "control_id", "event", "time"})


class CertifiedSender(Struct, frozen=True, forbid_unknown_fields=True):
    """A system let in by its certificate, told by one of the two; `name` is what the message log shows."""

    name: str
    fingerprint: str = ""
    """SHA-256 of the certificate, in hexadecimal; colons and capitals as one likes."""
    certificate_name: str = ""
    """Common name of the certificate, or its first subject alternative name."""
    max_frame_bytes: Annotated[int, Meta(ge=0, le=200_000_000)] = 0
    """Largest message accepted from it; 0: as from any (`mllp.max_frame_bytes`)."""


class MllpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where HL7 messages are received over MLLP, and what a sender may use of us."""

    host: str = "127.0.0.1"
    port: Port = 2575
    max_frame_bytes: Count = 1_048_576
    """Largest message accepted. A larger one is recorded as refused and its connection is closed."""
    max_connections: Count = 256
    """Connections open at the same time; one more is closed at once."""
    connections_per_peer: Count = 128
    """Those of them that one address may have, so that others find a place. Senders behind one relay share its
    address."""
    idle_seconds: Seconds = 600
    """A connection on which nothing was received for so long is closed."""
    frame_seconds: Seconds = 30
    """Time to complete a message once its first byte came."""
    answer_seconds: Seconds = 30
    """Time a sender may leave its answers unread before its connection is cut."""
    handshake_seconds: Seconds = 10
    """Time to complete a TLS handshake."""
    in_flight: Count = 64
    """Messages of one connection being processed; reading pauses there until some are answered."""
    in_flight_bytes: Count = 4_194_304
    """The same limit in bytes; it never keeps one message alone from being processed."""
    junk_limit: Count = 16
    """Runs of bytes that are no message, in a row, after which a connection is closed."""
    close_on_oversized: bool = True
    drain_seconds: Seconds = 10
    """At a stop, time given to the messages in hand to be answered."""
    second_process: bool = True
    """Whether connections are served, and their messages read, by a second process as soon as there are two, where
    there is a processor for it. Whoever serves them, the answers are the same."""
    tls: TlsSettings | None = None
    senders: tuple[CertifiedSender, ...] = ()
    """Who may send, by certificate. Empty: any client the authority certified (with TLS), anyone (without)."""


class FolderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A watched folder. The other folders are under `path` unless absolute, on the same file system."""

    name: str
    """Shown in the message log as `folder:NAME`."""
    path: str
    pattern: str = "*.hl7"
    done: str = "archive"
    """Where a file goes once every message of it is answered."""
    failed: str = "error"
    """Where a file that cannot be read as messages goes, with a `.reason.txt` beside it."""
    acks: str = "acks"
    """Where the acknowledgements go: `FILE.0001.ack` answers the first message of FILE."""
    work: str = "work"
    """Where a file stands while it is processed; what is found there at the start is resumed."""
    semaphore: Literal["none", "suffix"] = "none"
    """How a sender says that a file is complete: `suffix`, a second file named `FILE.ok` (or `FILE` with its extension
    replaced); `none`, its size and date stay the same between two polls, and it is not empty (`empty_seconds`)."""
    semaphore_suffix: Annotated[str, Meta(min_length=1)] = ".ok"
    temporary_suffixes: tuple[str, ...] = (".tmp", ".part")
    """Files being written under these names are left alone, until the sender renames them."""
    poll_seconds: Seconds = 1.0
    max_file_bytes: Count = 67_108_864
    in_flight: Count = 64
    """Messages of a file processed together; they are answered in order."""
    empty_seconds: Seconds = 300
    """A file without semaphore that stays empty for so long is not about to be written: it goes to `failed`."""


class MllpDestination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver over MLLP."""

    host: str
    port: Port = 2575
    persistent: bool = True
    """Whether the connection stays open for the next message."""
    connect_seconds: Seconds = 10
    answer_seconds: Seconds = 30
    """Time the receiver has to acknowledge a message."""
    max_answer_bytes: Count = 1_048_576
    tls: ClientTlsSettings | None = None


class DepositSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a message becomes a file for a receiver, here or on another machine, and where its acknowledgement is found.

    The names may hold `{ordinal}` (twelve digits: names sort in the order of sending), `{control_id}`, `{event}`
    (`ADT_A28`), `{time}` (`20260301083000`) and, but in `file`, `{file}`. Paths are as the server sees them.
    """

    path: str
    """The folder files are put in; it exists already."""
    file: Annotated[str, Meta(min_length=1)] = "{ordinal}-{control_id}.hl7"
    temporary_suffix: Annotated[str, Meta(min_length=1)] = ".tmp"
    """Added to the name while a file is being written; it is then renamed, so that nobody reads half a message."""
    semaphore: str = ""
    """Name of an empty file made once the message is there (`{file}.ok`); empty: none."""
    acks: str = ""
    """The folder in which the receiver puts its acknowledgements; empty: it gives none."""
    ack_file: Annotated[str, Meta(min_length=1)] = "{file}.ack"
    acks_taken: str = "taken"
    """Where an acknowledgement that was read goes, under `acks` unless absolute."""
    max_ack_bytes: Count = 1_048_576

    def __post_init__(self) -> None:
        """Refuse a template that names nothing, or would give the same name to two messages."""
        for key, template in (("file", self.file), ("semaphore", self.semaphore), ("ack_file", self.ack_file)):
            allowed = _FIELDS if key == "file" else _FIELDS | {"file"}
            fields = set(FIELD.findall(template))
            if unknown := fields - allowed:
                raise ValueError(f"{key}: {{{min(unknown)}}} is no field; use {', '.join(sorted(allowed))}")
            if template and not fields & {"ordinal", "control_id", "file"}:
                raise ValueError(f"{key}: every message would have the same name; add {{ordinal}} or {{control_id}}")
            if "/" in template:
                raise ValueError(f"{key}: it is a name, folders are named by path and acks")


class SftpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server of SFTP. Its key must be known, and we prove who we are with a key or a password."""

    host: str
    port: Port = 22
    user: str
    known_hosts_file: str = ""
    """File of the keys of servers, as OpenSSH writes it (`ssh-keyscan -p PORT HOST`)."""
    host_key: str = ""
    """Instead of that file: the SHA-256 fingerprint of the server's key (`SHA256:…`, as `ssh-keygen -l` prints it)."""
    key_file: str = ""
    """Our private key."""
    key_password_file: str = ""
    password_file: str = ""
    """File that holds our password; a final end of line is ignored."""
    connect_seconds: Seconds = 20
    transfer_seconds: Seconds = 60
    """Time for one operation, a whole file included."""

    def __post_init__(self) -> None:
        """Refuse what would leave the server unverified, or us without a way in."""
        if bool(self.known_hosts_file) == bool(self.host_key):
            raise ValueError("give known_hosts_file or host_key, one of the two: an unknown server is never trusted")
        if not (self.key_file or self.password_file):
            raise ValueError("give key_file or password_file: the server must know who we are")


class FtpTlsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """TLS with a server of FTP (FTPS), for commands and files alike. Same files as in `ClientTlsSettings`."""

    implicit: bool = False
    """TLS from the first byte (port 990) instead of after AUTH TLS."""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    key_password_file: str = ""
    crl_file: str = ""


class FtpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server of FTP, in passive mode. Without `tls`, passwords and patients cross the network in clear."""

    host: str
    port: Port = 21
    user: str
    password_file: str
    """File that holds our password; a final end of line is ignored."""
    tls: FtpTlsSettings | None = None
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    """How the server writes the names of files."""
    connect_seconds: Seconds = 20
    transfer_seconds: Seconds = 60
    """Time for one operation, a whole file included."""


class FolderDestination(DepositSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that reads files in a folder of this machine."""


class SftpDestination(DepositSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that reads files on a server of SFTP."""

    server: SftpSettings


class FtpDestination(DepositSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that reads files on a server of FTP."""

    server: FtpSettings


class WebhookDestination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An application told of changes by HTTP POST, each signed with a secret it shares with us."""

    url: str
    secret_file: str
    """File that holds the secret, at least 32 characters; a final end of line is ignored."""
    connect_seconds: Seconds = 10
    answer_seconds: Seconds = 30
    tls: ClientTlsSettings | None = None
    """For `https` with an authority or a certificate of one's own; by default the authorities of the system."""

    def __post_init__(self) -> None:
        """Refuse an address that nothing can be posted to."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("url: write it like https://application.example/hooks/patients, without query nor user")


class RemoteFolderSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A folder of a server from which messages are fetched. Paths are as the server sees them; the folders exist.

    A file stays where it is until every message of it is committed here; it is then moved or removed.
    """

    name: str
    """Shown in the message log as `sftp:NAME` or `ftp:NAME`."""
    path: str
    sftp: SftpSettings | None = None
    ftp: FtpSettings | None = None
    """Where the folder is: one of the two."""
    pattern: str = "*.hl7"
    done: str = ""
    """Where a file goes once its messages are answered, under `path` unless absolute; empty: it is removed."""
    failed: str = "error"
    """Where a file that cannot be read as messages goes."""
    acks: str = ""
    """Where the acknowledgements go (`FILE.0001.ack` answers the first message of FILE); empty: none are written."""
    semaphore: Literal["none", "suffix"] = "none"
    """As in a watched folder; with `suffix`, the semaphore is removed with its file."""
    semaphore_suffix: Annotated[str, Meta(min_length=1)] = ".ok"
    temporary_suffixes: tuple[str, ...] = (".tmp", ".part")
    poll_seconds: Seconds = 30
    max_file_bytes: Count = 67_108_864
    in_flight: Count = 64
    empty_seconds: Seconds = 300
    """As in a watched folder."""

    def __post_init__(self) -> None:
        """Refuse a folder that is nowhere, or at two places, and one whose unreadable files would be lost."""
        if not self.failed:
            raise ValueError("failed: name a folder; a file that holds no message is never removed")
        if (self.sftp is None) == (self.ftp is None):
            raise ValueError("give sftp or ftp, one of the two: the server that has the folder")
