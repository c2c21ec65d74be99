"""What exchange passes around: a message as received, the row kept of it, the answer."""

import msgspec


class MessageRecord(msgspec.Struct, frozen=True):
    """One row of the message log: the bytes as received, the exact bytes answered, and what was decided.

    `id` is a ULID, so that ids sort by reception. `time` is the reception, RFC 3339 UTC. `direction` is "in" or "out".
    `peer` is "mllp:NAME" (or the address), "folder:NAME", "cli:replay". `sender` is ``MSH-3.1|MSH-4.1``, the part of
    the duplicate key that goes with `control_id` (MSH-10 as received); "" when unreadable. `event` is "ADT^A28".
    `charset` is declared, or "declared>effective". `disposition` is accepted, answered (a query), rejected, duplicate,
    unframed or ignored. `code` is MSA-1, "" when nothing is answered. `digest` is the SHA-256 of the content without
    MSH-7. `ack` is unframed. `findings` is a JSON list. `subject` is the identity touched, "" if none. `replay_of` is
    the id of the message that this one replays.
    """

    id: str
    time: str
    direction: str
    peer: str
    sender: str
    control_id: str
    event: str
    version: str
    charset: str
    disposition: str
    code: str
    digest: bytes
    raw: bytes
    ack: bytes
    findings: bytes
    subject: str
    replay_of: str = ""


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end: configured name or address, endpoint ("mllp", "folder"), and its client certificate.

    `fingerprint` is the SHA-256 of the certificate in hexadecimal and `certificate_name` its CN or first SAN; both are
    "" without mutual TLS.
    """

    name: str
    endpoint: str
    fingerprint: str = ""
    certificate_name: str = ""


class Received(msgspec.Struct, frozen=True):
    """One message as it came: unframed bytes, peer, and reception time (RFC 3339 UTC).

    `replay_of` is the id of the message of the log that is being replayed: its control id is then no duplicate.
    """

    raw: bytes
    peer: Peer
    time: str
    replay_of: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What to send back: unframed HL7 bytes (b"" = nothing), MSA-1, the id in the log; `durable`: it is committed."""

    payload: bytes
    code: str
    message_id: str
    durable: bool
