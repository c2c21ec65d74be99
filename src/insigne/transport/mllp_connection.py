"""One MLLP connection: bytes from the socket to the receiver, answers back in the order of the messages.

The shell around `hl7.MllpDecoder`: it owns only order, limits, time and back-pressure. What it holds is bounded: what
one read brings, `in_flight` messages (or `in_flight_bytes`), and as many answers. It stops reading while a sender has
that much in hand, or does not read its answers.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol, cast

import structlog

from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.ports import Sink
from insigne.hl7 import Frame, Junk, MllpDecoder, frame
from insigne.transport.settings import MllpSettings

_log = structlog.get_logger("insigne.transport.mllp")


@dataclass(slots=True)
class MllpCounters:
    """What a listener has seen since it started; `open` is the number of connections open now."""

    open: int = 0
    connections: int = 0
    refused: int = 0
    """Connections closed at once: over the limit, or a certificate that is not of a known sender."""
    handshakes_failed: int = 0
    frames: int = 0
    answers: int = 0
    undelivered: int = 0
    """Answers whose sender had gone: they are in the message log, and given again when the message comes again."""
    junk: int = 0
    timeouts: int = 0
    """Connections closed for being idle, for an unfinished message, or for not reading their answers."""
    failures: int = 0
    """Connections closed because a message could not be processed nor kept."""

    def __add__(self, other: "MllpCounters") -> "MllpCounters":
        """What two listeners have seen."""
        return MllpCounters(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


class Listener(Protocol):
    """What a connection needs from its server."""

    settings: MllpSettings
    receiver: Sink
    counters: MllpCounters
    clock: Callable[[], str]

    @property
    def moving(self) -> bool:
        """Whether connections are to leave for another process, between two messages."""
        ...

    def move(self, connection: "MllpConnection", transport: asyncio.Transport) -> bool:
        """Whether another process serves that connection from now on, over a copy of its socket."""
        ...

    def admit(self, transport: asyncio.Transport) -> Peer | None:
        """Tell who has connected; None when it must be closed at once."""
        ...

    def frame_limit(self, peer: Peer) -> int:
        """The largest message accepted from a peer."""
        ...

    def forget(self, connection: "MllpConnection") -> None:
        """Take back the place of a connection that is closed."""
        ...


class _Slot:
    """The place of one message in the order of answers."""

    __slots__ = ("answer", "connection", "size")

    def __init__(self, connection: "MllpConnection", size: int) -> None:
        self.connection = connection
        self.size = size
        self.answer: Answer | None = None

    def settle(self, answer: Answer) -> None:
        """Take the answer; it is written once all those before it are."""
        self.answer = answer
        self.connection.settled(self)


class MllpConnection(asyncio.Protocol):
    """The server's side of one connection.

    Nothing raised by the receiver leaves this class: the connection is closed without an answer, so that the sender
    sends again, and the others go on.

    made: whether it has had a transport, that is, whether `connection_lost` will come or has come.
    """

    def __init__(self, listener: Listener, loop_time: Callable[[], float]) -> None:
        self.made = False
        self._listener = listener
        self._settings = listener.settings
        self._time = loop_time
        self._decoder = MllpDecoder(listener.settings.max_frame_bytes)
        self._transport: asyncio.Transport | None = None
        self._peer = Peer("", "mllp")
        self._slots: deque[_Slot] = deque()  # being processed, or answered after one that is not
        self._backlog: deque[Received] = deque()  # read, over the limits
        self._held = 0  # bytes of the messages in _slots
        self._junk_run = 0
        self._active_at = loop_time()
        self._partial_since: float | None = None
        self._stalled_since: float | None = None
        self._closing_since: float | None = None
        self._reading = True
        self._submitting = False
        self._draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find out who is there."""
        self.made = True
        # Every stream transport of a loop is one; the type only says so in its name.
        self._transport = cast("asyncio.Transport", transport)
        peer = self._listener.admit(self._transport)
        if peer is None:
            self._draining = True
            self._transport.abort()
        else:
            self._peer = peer
            self._decoder = MllpDecoder(self._listener.frame_limit(peer))

    def data_received(self, data: bytes) -> None:
        """Take what was read, submit the messages it completes."""
        if self._draining:
            return  # never accepted, so never answered: the sender will send it again
        self._active_at = now = self._time()
        items = self._decoder.receive(data)
        if items:
            self._take(items)
        if not self._decoder.pending:
            self._partial_since = None
        elif items or self._partial_since is None:
            self._partial_since = now

    def eof_received(self) -> bool:
        """Answer what a sender that has closed its side is still owed (over TCP; TLS has no half-closed state)."""
        self._take(self._decoder.end())
        self.drain()
        transport = self._transport
        return transport is not None and not transport.is_closing() and transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """Report what was begun and not ended."""
        self._transport = None
        self._draining = True
        # Messages that came whole are still submitted: their sender may well have gone on purpose.
        self._take(self._decoder.end())
        self._listener.forget(self)

    def pause_writing(self) -> None:
        """Stop reading from a sender that does not read."""
        self._stalled_since = self._time()
        self._regulate()

    def resume_writing(self) -> None:
        """Go on: the answers went out."""
        self._stalled_since = None
        self._submit()

    def drain(self) -> None:
        """Accept nothing more, answer what is in hand, then close."""
        self._draining = True
        self._close_when_done()

    def abort(self) -> None:
        """Close now."""
        self._draining = True
        if self._transport is not None:
            self._transport.abort()

    def check_time(self, now: float) -> None:
        """Close the connection if its peer has used up its time; `now` is the time of the loop."""
        settings = self._settings
        if self._stalled_since is not None:
            if now - self._stalled_since > settings.answer_seconds:
                self._time_out("answers-unread")
        elif self._closing_since is not None:
            if now - self._closing_since > settings.answer_seconds:
                self._time_out("answers-unread")
        elif self._slots or self._backlog:
            return  # the time is ours, not the peer's
        elif self._partial_since is not None:
            if now - self._partial_since > settings.frame_seconds:
                self._time_out("frame-unfinished")
        elif now - self._active_at > settings.idle_seconds:
            self._time_out("idle")

    def settled(self, slot: _Slot) -> None:
        """Write the answers whose turn it is. Never raises: the receiver has other connections to serve."""
        if slot is not self._slots[0]:
            return
        try:
            self._write_answers()
        except Exception as error:
            self._fail("answer", error)
        self._submit()
        if not self._slots and self._listener.moving:
            asyncio.get_running_loop().call_soon(self._leave)  # once the answer has left

    def _leave(self) -> None:
        """Go to another process, if nothing of what was read is unanswered, and nothing that was answered unsent."""
        transport = self._transport
        busy = self._draining or self._slots or self._backlog or not self._decoder.between_frames
        if busy or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return
        if self._listener.move(self, transport):
            self._draining = True
            transport.abort()  # it ends here only: the other process has a copy of the socket

    def _take(self, items: list[Frame | Junk]) -> None:
        listener = self._listener
        for item in items:
            if isinstance(item, Frame):
                self._junk_run = 0
                listener.counters.frames += 1
                self._backlog.append(Received(item.payload, self._peer, listener.clock()))
            else:
                self._refuse(item)
        self._submit()

    def _refuse(self, junk: Junk) -> None:
        listener = self._listener
        listener.counters.junk += 1
        self._junk_run += 1
        _log.warning("mllp.junk", peer=self._peer.name, reason=junk.reason, size=junk.size)
        try:
            listener.receiver.report_junk(junk, self._peer)
        except Exception as error:
            self._fail("report", error)
        if self._junk_run >= self._settings.junk_limit or (
            junk.reason == "oversized" and self._settings.close_on_oversized
        ):
            self.drain()

    def _submit(self) -> None:
        """Submit what the limits allow. An answer may come while its message is being submitted."""
        if self._submitting:
            return
        self._submitting = True
        slots, backlog, receiver = self._slots, self._backlog, self._listener.receiver
        try:
            while backlog and self._has_room():
                received = backlog.popleft()
                slot = _Slot(self, len(received.raw))
                self._held += slot.size
                slots.append(slot)
                receiver.submit_nowait(received, slot.settle)
        except Exception as error:
            self._fail("submit", error)
        finally:
            self._submitting = False
        self._regulate()
        self._close_when_done()

    def _has_room(self) -> bool:
        settings = self._settings
        return self._stalled_since is None and (
            not self._slots or (len(self._slots) < settings.in_flight and self._held < settings.in_flight_bytes)
        )

    def _regulate(self) -> None:
        """Read only while there is room for what comes."""
        wanted = not self._backlog and self._has_room()
        if wanted == self._reading or self._transport is None:
            return
        self._reading = wanted
        if wanted:
            if self._partial_since is not None:
                self._partial_since = self._time()
            self._active_at = self._time()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _write_answers(self) -> None:
        slots, counters = self._slots, self._listener.counters
        while slots and (answer := slots[0].answer) is not None:
            self._held -= slots.popleft().size
            if self._transport is None or self._transport.is_closing():
                counters.undelivered += 1
            elif answer.payload:
                self._transport.write(frame(answer.payload))  # one write a frame: some peers read it in one go
                counters.answers += 1
            elif not answer.durable:
                self._fail("not-stored", None)

    def _close_when_done(self) -> None:
        if self._draining and not self._slots and not self._backlog:
            self._close()

    def _close(self) -> None:
        """Close once the answers written have left."""
        if self._closing_since is None and self._transport is not None:
            self._closing_since = self._time()
            self._transport.close()

    def _fail(self, step: str, error: Exception | None) -> None:
        """Close without an answer. Only the kind of error is logged: its text may hold what the message held."""
        self._listener.counters.failures += 1
        _log.error("mllp.failure", peer=self._peer.name, step=step, error=type(error).__name__ if error else "")
        self._backlog.clear()
        self._draining = True
        self._close()

    def _time_out(self, reason: str) -> None:
        self._listener.counters.timeouts += 1
        _log.info("mllp.timeout", peer=self._peer.name, reason=reason)
        self.abort()
