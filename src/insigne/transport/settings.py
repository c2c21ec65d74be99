"""Settings of the transports."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.net.settings import Port, Seconds, TlsSettings

Count = Annotated[int, Meta(ge=1)]


class CertifiedSender(Struct, frozen=True, forbid_unknown_fields=True):
    """A system let in by its certificate, told by one of the two; `name` is what the message log shows."""

    name: str
    fingerprint: str = ""
    """SHA-256 of the certificate, in hexadecimal; colons and capitals as one likes."""
    certificate_name: str = ""
    """Common name of the certificate, or its first subject alternative name."""


class MllpSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where HL7 messages are received over MLLP, and what a sender may use of us."""

    host: str = "127.0.0.1"
    port: Port = 2575
    max_frame_bytes: Count = 1_048_576
    """Largest message accepted. A larger one is recorded as refused and its connection is closed."""
    max_connections: Count = 256
    """Connections open at the same time; one more is closed at once."""
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
    replaced); `none`, its size and date stay the same between two polls, and it is not empty."""
    semaphore_suffix: Annotated[str, Meta(min_length=1)] = ".ok"
    temporary_suffixes: tuple[str, ...] = (".tmp", ".part")
    """Files being written under these names are left alone, until the sender renames them."""
    poll_seconds: Seconds = 1.0
    max_file_bytes: Count = 67_108_864
    in_flight: Count = 64
    """Messages of a file processed together; they are answered in order."""
