"""What exchange needs from outside (storage), and what it offers to transports."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from insigne.exchange.model import Answer, MessageRecord, Peer, Received
from insigne.hl7 import Junk
from insigne.registry.ports import Key, View
from insigne.registry.workingset import WorkingSet


class Transaction(View, Protocol):
    """One write transaction of the store: reads see what is committed and what it has written so far."""

    def previous(self, keys: Collection[tuple[str, str]], since: str) -> dict[tuple[str, str], MessageRecord]:
        """Return the latest message accepted at or after `since` under each key (sender, control id) that has one.

        Duplicates are left out.
        """
        ...

    def prefetch(self, holders: Collection[Key], encounters: Collection[Key]) -> None:
        """Read at once what `holders` and `encounters` of these keys lead to; it changes no answer, only their cost."""
        ...

    def write(self, changes: WorkingSet, messages: Sequence[MessageRecord]) -> None:
        """Write the events, states and lookups of `changes`, and the rows of `messages`; may be called again."""
        ...

    def seal(self) -> None:
        """Write all there is to write and seal it: `commit` has only to make it durable. Nothing may follow."""
        ...

    def commit(self) -> None:
        """Seal, unless that was done, and commit; durable when it returns.

        Raises StoreError, then nothing of the transaction is kept.
        """
        ...

    def rollback(self) -> None:
        """Give up the transaction; does nothing once it has ended."""
        ...


class Storage(Protocol):
    """Where identities and messages are kept."""

    def begin(self) -> Transaction:
        """Open a write transaction.

        Raises StoreBusy when the write lock is not free within the wait given at opening (none by default), StoreLost
        when the server cannot be reached.
        """
        ...


class Follower(Protocol):
    """What is done because of events, in the transaction that makes them: jobs queued, messages sent onward."""

    def follow(self, changes: WorkingSet, transaction: Transaction) -> None:
        """Look at the events of `changes` and write what they call for; what it raises rolls everything back."""
        ...


class Sink(Protocol):
    """What a transport that serves many connections hands messages to."""

    def submit_nowait(self, received: Received, callback: Callable[[Answer], None]) -> None:
        """Process one message.

        `callback` is called exactly once, in the thread of the event loop, in order of submission, once what the
        answer says is durable; that may be before this returns. It never raises. An answer that is neither durable
        nor has a payload says that the message was not kept: the transport answers nothing, and the sender tries again.
        """
        ...

    def report_junk(self, junk: Junk, peer: Peer) -> None:
        """Make visible the bytes that framing refused."""
        ...


class Receiver(Sink, Protocol):
    """What a transport hands messages to."""

    async def submit(self, received: Received) -> Answer:
        """Process one message as `submit_nowait` does; the answer comes once what it says is durable."""
        ...


class ReadReceiver(Sink, Protocol):
    """A receiver of messages that another process may have read."""

    def submit_read(self, received: Received, written: bytes, callback: Callable[[Answer], None]) -> None:
        """Process one message as `submit_nowait` does; `written`: what was read of it (`exchange.elsewhere`)."""
        ...
