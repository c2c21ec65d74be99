"""What delivery needs from outside: a way to carry bytes to a receiver. Implemented by `transport`, chosen in `app`."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from insigne.hl7 import AckError

SendFailure: TypeAlias = Literal[
    "unreachable", "timeout", "closed", "foreign-ack", "malformed-ack", "refused-credentials", "refused-tls", "full"
]
"""Why no acknowledgement came. `unreachable`, `refused-credentials`, `refused-tls` and `full` (no room at the other
end): the message was certainly not taken. After the others it may have been: it is sent again with the same MSH-10."""

NOT_TAKEN: frozenset[SendFailure] = frozenset({"unreachable", "refused-credentials", "refused-tls", "full"})


class SendFailed(Exception):  # noqa: N818  # named for what happened
    """A message that was not acknowledged. The text names the peer and the reason, never content.

    `raw_ack` is what came instead of the acknowledgement, if anything did.
    """

    def __init__(self, kind: SendFailure, text: str, raw_ack: bytes = b"") -> None:
        super().__init__(text)
        self.kind = kind
        self.raw_ack = raw_ack


@dataclass(frozen=True, slots=True)
class DeliveryName:
    """What a transport may name a file by.

    `ordinal` grows with each message of the outbox. `event` is "ADT^A28^ADT_A05". `time` is when it is first sent, RFC
    3339 UTC. The same message sent again has the same name.
    """

    control_id: str
    event: str
    ordinal: int
    time: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The receiver answered: MSA-1, MSA-3 (or ""), its errors, and the acknowledgement as received, unframed."""

    code: str
    text: str
    errors: tuple[AckError, ...]
    raw_ack: bytes


@dataclass(frozen=True, slots=True)
class Deposited:
    """The message is where the receiver takes it, under that name; it acknowledges later, or never."""

    name: str


Result: TypeAlias = Acknowledged | Deposited


class Sender(Protocol):
    """One way to one receiver. A message is delivered at a time; two lanes have two senders."""

    async def deliver(self, raw: bytes, name: DeliveryName) -> Result:
        """Carry one message, without framing, to the receiver.

        When it returns `Deposited`, what was put there is whole and durable as far as the other end allows. Doing it
        again for the same name replaces what was there. Raises SendFailed.
        """
        ...

    async def close(self) -> None:
        """Close the connection, if any; the sender may be used again."""
        ...


@runtime_checkable
class Acknowledging(Protocol):
    """A sender of files whose receiver acknowledges with files."""

    async def acknowledgement(self, name: DeliveryName) -> Acknowledged | None:
        """Take the acknowledgement of a message deposited earlier; None when it is not there yet. Raises SendFailed."""
        ...
