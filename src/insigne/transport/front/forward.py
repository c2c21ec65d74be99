"""The front's end of the link: messages and what was read of them go to the process that decides, answers come back."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import structlog
from msgspec import msgpack

from insigne.exchange.model import Answer, Peer, Received
from insigne.hl7 import Junk
from insigne.transport.front.wire import (
    Answered,
    Closed,
    Counted,
    Frames,
    FromFront,
    Ready,
    Reported,
    Setup,
    Stop,
    Submitted,
    ToFront,
    frame,
)
from insigne.transport.mllp_connection import MllpCounters

_log = structlog.get_logger("insigne.transport.mllp")
#: Messages sent at once: each sending wakes the other process up, which has better to do.
_TOGETHER: Final = 4
#: How often the counters are said, in seconds: as they change, and at least every so many times.
_BEAT: Final = 0.25
_BEATS: Final = 4

_decode = msgpack.Decoder(ToFront).decode
_encode = msgpack.Encoder().encode


class Forwarder(asyncio.Protocol):
    """The `exchange.ports.Sink` of the listener of this process.

    `setup` is what it is to do, None when the other process is gone before it said so; `stop` is done when it is to
    stop, `lost` when the other process is gone.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.setup: asyncio.Future[Setup | None] = self._loop.create_future()
        self.stop: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.WriteTransport | None = None
        self._read: Callable[[bytes], bytes] | None = None
        self._frames = Frames()
        self._number = 0
        self._callbacks: dict[int, Callable[[Answer], None]] = {}
        self._unsent: list[bytes] = []
        self._counted = b""
        self._silent = 0

    def begin(self, read: Callable[[bytes], bytes], counters: MllpCounters, version: str) -> None:
        """Say that connections are taken, and from now on what was counted; `read` is `elsewhere.reader_of`'s."""
        self._read = read
        self._say(Ready(version))
        self._beat(counters)

    def submit_nowait(self, received: Received, callback: Callable[[Answer], None]) -> None:
        """See `Sink.submit_nowait`. Once the other process is gone nothing is answered: the connection ends too."""
        self._number += 1
        self._callbacks[self._number] = callback
        written = self._read(received.raw) if self._read is not None else b""
        self._say(Submitted(self._number, received, written))

    def report_junk(self, junk: Junk, peer: Peer) -> None:
        """See `Sink.report_junk`."""
        self._say(Reported(junk, peer))

    def say_closed(self, number: int) -> None:
        """Say that a connection has ended."""
        self._say(Closed(number))

    def close(self) -> None:
        """End the link once what was said has left; `lost` is done then."""
        self._send()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have somebody to speak to."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Hand out answers; take orders."""
        for content in self._frames.receive(data):
            match _decode(content):
                case Answered(number, answer):
                    self._hand_out(number, answer)
                case Setup() as setup:
                    self.setup.set_result(setup)
                case Stop() if not self.stop.done():
                    self.stop.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other process is gone, or we are."""
        self._transport = None
        if not self.setup.done():
            self.setup.set_result(None)
        self.lost.set_result(None)

    def _hand_out(self, number: int, answer: Answer) -> None:
        """A connection that fails at its answer does not take those of the others with it."""
        try:
            self._callbacks.pop(number)(answer)
        except Exception as error:
            _log.error("mllp.failure", step="answer", error=type(error).__name__)

    def _say(self, what: FromFront) -> None:
        """What is said in one turn of the loop leaves together, but not too much of it: the other one may be idle."""
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(frame(_encode(what)))
        if len(self._unsent) >= _TOGETHER:
            self._send()

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and self._transport is not None:
            self._transport.write(b"".join(unsent))

    def _beat(self, counters: MllpCounters) -> None:
        counted = _encode(Counted(counters))
        self._silent += 1
        if counted != self._counted or self._silent >= _BEATS:
            self._counted, self._silent = counted, 0
            self._unsent.append(frame(counted))
            self._send()
        self._loop.call_later(_BEAT, self._beat, counters)
