"""The deciding process's end of the link to a front that runs."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import structlog
from msgspec import Struct, msgpack

from insigne.exchange.model import Answer, Received
from insigne.exchange.ports import ReadReceiver
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
#: Looks at a silent front before it is given up: one look alone may come right after this process was busy itself.
_LOOKS: Final = 6
#: The answer to a message that could not be submitted.
_NOT_KEPT: Final = Answer(b"", "", "", durable=False)

_decode = msgpack.Decoder(FromFront).decode
_encode = msgpack.Encoder().encode


class Patience(Struct, frozen=True):
    """Seconds that a front may take to start, may be silent (a message may take some), and is missing once lost."""

    start: float = 10.0
    silence: float = 30.0
    again: float = 60.0


class Link(asyncio.Protocol):
    """`ready` is done when the front takes connections, or (False) never will; `lost` when it is gone."""

    def __init__(
        self,
        setup: Setup,
        receiver: ReadReceiver,
        patience: Patience,
        *,
        undelivered: Callable[[], None],
        lost: Callable[["Link"], None],
    ) -> None:
        """`lost` is called when the front is gone, `undelivered` for each answer that comes after that.

        Raises ValueError when the settings cannot be written down.
        """
        self._setup = frame(_encode(setup))
        self._version = setup.version
        self._receiver = receiver
        self._patience = patience
        self._undelivered = undelivered
        self._when_lost = lost
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[bool] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.counters = MllpCounters()
        self._transport: asyncio.WriteTransport | None = None
        self._frames = Frames()
        self._number = 0
        self._connections: dict[int, Callable[[], None]] = {}
        self._unsent: list[bytes] = []
        self._looks = 0
        self._watch: asyncio.TimerHandle | None = None

    def hold(self, freed: Callable[[], None]) -> int:
        """A number for a connection that the front will have; `freed` is called once when it is over, or the front."""
        self._number += 1
        self._connections[self._number] = freed
        return self._number

    def release(self, number: int) -> None:
        """Take a number back: the front does not have that connection."""
        del self._connections[number]

    def stop(self) -> None:
        """Have the front answer what is in hand, and end."""
        self._say(Stop())

    def give_up(self, why: str) -> None:
        """Do without it."""
        _log.warning("mllp.front-given-up", why=why)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what it is to do."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is no subclass of it
        self._transport.write(self._setup)
        self._watch = self._loop.call_later(self._patience.start, self.give_up, "not ready in time")

    def data_received(self, data: bytes) -> None:
        """Pass messages on."""
        self._looks = 0
        for content in self._frames.receive(data):
            match _decode(content):
                case Submitted(number, received, written):
                    self._submit(number, received, written)
                case Closed(number):
                    self._free(number)
                case Counted(counters):
                    self.counters = counters
                case Reported(junk, peer):
                    self._receiver.report_junk(junk, peer)
                case Ready(version):
                    self._begin(version)

    def connection_lost(self, exc: Exception | None) -> None:
        """Its connections are gone with it; what it submitted is decided on all the same."""
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        if not self.ready.done():
            self.ready.set_result(False)
        self._when_lost(self)
        for number in tuple(self._connections):
            self._free(number)
        self.lost.set_result(None)

    def _submit(self, number: int, received: Received, written: bytes) -> None:
        """Whatever the receiver raises, the front hears of each message: it closes the connection of this one."""
        try:
            self._receiver.submit_read(received, written, partial(self._answered, number))
        except Exception as error:
            _log.error("mllp.failure", peer=received.peer.name, step="submit", error=type(error).__name__)
            self._answered(number, _NOT_KEPT)

    def _free(self, number: int) -> None:
        self._connections.pop(number)()

    def _begin(self, version: str) -> None:
        if version != self._version:
            self.give_up("another version")  # the program was replaced under the process that runs
            return
        if self._watch is not None:
            self._watch.cancel()
        self._look()
        self.ready.set_result(True)

    def _look(self) -> None:
        if self._looks >= _LOOKS:
            self.give_up("silent")
            return
        self._looks += 1
        self._watch = self._loop.call_later(self._patience.silence / _LOOKS, self._look)

    def _answered(self, number: int, answer: Answer) -> None:
        if self._transport is None:
            self._undelivered()
        else:
            self._say(Answered(number, answer))

    def _say(self, what: ToFront) -> None:
        """The answers of a batch leave together."""
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(frame(_encode(what)))

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))
