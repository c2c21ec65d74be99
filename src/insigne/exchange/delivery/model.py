"""The rows of the outbox: what is to be told to whom, how it is told, each attempt, and what each destination is at."""

from typing import Final, Literal

import msgspec

Kind = Literal["live", "init", "replay", "edited", "answer"]
State = Literal["queued", "encoded", "delivered", "held", "dead", "skipped", "ignored"]
DestinationState = Literal["running", "paused", "stopped"]

#: States in which a row may still be sent without anybody doing anything.
OPEN: Final[frozenset[State]] = frozenset({"queued", "encoded"})


class Draft(msgspec.Struct, frozen=True):
    """A row about to be queued.

    `keys` are the lanes it takes: ids of identities, separated by spaces. `notice` is the JSON of a
    `pam.encode.Notice`, b"" for what is sent as it stands (`control_id` then names its bytes). `background`: what is
    live goes first. `cause` is the id of the message, or the name of the person, that made it happen.
    """

    destination: str
    kind: Kind
    event: str
    subject: str
    keys: str
    cause: str
    notice: bytes
    created: str
    background: bool = False
    control_id: str = ""
    replaces: int = 0


class Outgoing(msgspec.Struct, frozen=True):
    """A row of the outbox; `id` is the one order in which it was queued.

    `state`: queued (no bytes yet), encoded (bytes kept, being sent), delivered, held (a person must act), dead (given
    up), skipped (by a person), ignored (nothing to tell this receiver). `code` is the last MSA-1 or kind of failure,
    `reason` what made it held, dead or late. `ended` is None as long as later messages about the same patients wait for
    it: a held row may be one that ended and one that did not. Times are RFC 3339 UTC, "" until they happen.
    """

    id: int
    destination: str
    kind: Kind
    state: State
    event: str
    subject: str
    keys: str
    cause: str
    notice: bytes
    background: bool
    control_id: str
    attempts: int
    due: str
    code: str
    reason: str
    created: str
    sent: str
    ended: str | None
    replaces: int


class Bytes(msgspec.Struct, frozen=True):
    """A message as written, by its MSH-10: never changed once it may have been sent. `event` is MSH-9.

    `left_out` names the fields whose content the receiver's edition refuses, as in "PID-29 PV1-44".
    """

    control_id: str
    event: str
    time: str
    raw: bytes
    left_out: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """One time a row was sent.

    `outcome` is delivered, deposited, refused, or the kind of failure (`ports.SendFailure`); `code` is MSA-1, `text`
    what we may say of it, `ack` the acknowledgement as received, unframed.
    """

    outbox: int
    number: int
    time: str
    control_id: str
    outcome: str
    code: str
    text: str
    ack: bytes
    milliseconds: int


class Destination(msgspec.Struct, frozen=True):
    """What one destination is at. `revision` grows at each act of a person, so that the dispatcher looks again.

    `init_*`: the initial load. `init_cursor` is the last identity queued, `init_until` the last one there was when it
    was asked for, `init_rate` identities a second; `init_state` is "", running or done.
    """

    name: str
    state: DestinationState = "running"
    reason: str = ""
    author: str = ""
    since: str = ""
    revision: int = 0
    init_state: str = ""
    init_cursor: str = ""
    init_until: str = ""
    init_rate: float = 0.0
    init_total: int = 0
    init_done: int = 0


class Alarm(msgspec.Struct, frozen=True):
    """Something an operator must see: what kind, about what, since when (RFC 3339 UTC), and in words.

    `text` holds nothing personal. `ended` is "" while it is on.
    """

    kind: str
    subject: str
    since: str
    text: str
    ended: str = ""
