"""What delivery needs from outside: a way to carry bytes to a receiver (`transport`), and the outbox (`store`)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from insigne.exchange.delivery.model import Attempt, Bytes, Destination, Draft, Outgoing
from insigne.exchange.model import MessageRecord
from insigne.exchange.ports import Transaction
from insigne.hl7 import AckError
from insigne.registry.evolve import State
from insigne.registry.ports import View
from insigne.registry.state import Encounter, Identity

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
    """The message is where the receiver takes it, under that name.

    `acknowledged_later`: its acknowledgement will come as a file too, and is waited for (`Acknowledging`).
    """

    name: str
    acknowledged_later: bool = False


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


@runtime_checkable
class Probing(Protocol):
    """A sender that can be tried without sending anything."""

    async def probe(self) -> None:
        """Reach the other end as far as delivering needs, leave nothing there, and close. Raises SendFailed."""
        ...


class OutboxView(View, Protocol):
    """The outbox at one moment, and the states its rows name."""

    def identities_of(self, identity_ids: Collection[str]) -> Mapping[str, Identity]:
        """The identities of these ids, those there are."""
        ...

    def waiting(self, destination: str, after: int, limit: int) -> Sequence[Outgoing]:
        """The rows of a destination that have not ended, after that id, in order, at most `limit`."""
        ...

    def outgoing_bytes(self, control_id: str) -> Bytes | None:
        """The message of that MSH-10."""
        ...

    def destinations(self) -> Sequence[Destination]:
        """What each destination is at; those nobody ever said anything of are not among them."""
        ...

    def state_at(self, stream: str, stream_id: str, version: int) -> State | None:
        """The state of an object as of one of its versions; None when there is none. Raises StoreError."""
        ...

    def message(self, message_id: str) -> MessageRecord | None:
        """The received message of that id."""
        ...

    def queues(self) -> Mapping[str, tuple[int, str]]:
        """How many rows wait at each destination that has any, and since when the oldest does."""
        ...


class OutboxTransaction(Transaction, Protocol):
    """A write transaction that also keeps the outbox; what is written is kept until `commit`, in order."""

    def queue(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """Add rows at the end; their ids."""
        ...

    def put_bytes(self, written: Iterable[Bytes]) -> None:
        """Keep messages; those whose MSH-10 is known are left as they are."""
        ...

    def put_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Keep attempts; those known are left as they are."""
        ...

    def encoded(self, row_id: int, control_id: str) -> None:
        """Say that the bytes of a row are kept; nothing when it ended meanwhile."""
        ...

    def written_anew(self, row_id: int, before: str, control_id: str) -> None:
        """Say that other bytes are to be sent, under another MSH-10 than `before`; nothing if those were sent."""
        ...

    def advance(self, row: Outgoing) -> None:
        """Write what became of a row, unless it ended, or was written anew, meanwhile.

        One that was accepted is over, though a person wrote it anew: what they wrote is not sent.
        """
        ...

    def settle(self, row_id: int, state: str, reason: str, ended: str | None) -> None:
        """Write what a person decided about a row."""
        ...

    def requeue(self, row_id: int) -> None:
        """Have a row that was held written anew, at its place."""
        ...

    def rewrite(self, row_id: int, written: Bytes) -> None:
        """Have a row that is still to be sent send other bytes, at its place."""
        ...

    def destination(self, name: str) -> Destination:
        """What that destination is at."""
        ...

    def put_destination(self, destination: Destination) -> None:
        """Write what a destination is at."""
        ...

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have something called once what is written is durable, in the thread that committed; it never raises."""
        ...

    def open_stays(self, identity_id: str) -> Sequence[Encounter]:
        """The stays of an identity that are planned or under way."""
        ...

    def identities_after(self, after: str, until: str, limit: int) -> Sequence[Identity]:
        """Living identities between two ids, the first excluded, in order, at most `limit`."""
        ...


class OutboxStorage(Protocol):
    """Where the outbox is kept."""

    def begin(self, wait: float | None = None) -> OutboxTransaction:
        """See `exchange.ports.Storage.begin`; waits `wait` seconds for the write lock."""
        ...

    def read(self) -> AbstractContextManager[OutboxView]:
        """A view of one moment. Raises StoreError."""
        ...
