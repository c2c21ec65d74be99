"""One second process that runs, as the event loop of the first sees it: messages out, what they ask back."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

import structlog
from msgspec import Struct, msgpack

from insigne import __version__
from insigne.exchange.reader.wire import UNREAD, Frames, Site, frame

_log = structlog.get_logger("insigne.exchange.reader")
#: The most that may be in the hands of the second process: more would only wait there instead of here.
_MOST_MESSAGES: Final = 64
_MOST_BYTES: Final = 4_000_000

#: Told what a message asks, as `wire` says; `UNREAD` when it is to be read here.
Told = Callable[[bytes], None]


class Patience(Struct, frozen=True):
    """How long the second process is waited for, in seconds, and how long it is done without after a failure.

    A message takes it a fraction of a millisecond, the worst that a peer may send some seconds.
    """

    start: float = 60.0
    answer: float = 15.0
    again: float = 60.0


class Link(asyncio.Protocol):
    """Every message taken is told once, in order, whatever becomes of the process.

    `ready` is done when it may be offered messages, or (False) never will be.
    """

    def __init__(self, site: Site, patience: Patience, lost: Callable[[], None]) -> None:
        """`lost` is called when the connection ends, before what was in hand is told unread."""
        self._site = site
        self._patience = patience
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[bool] = self._loop.create_future()
        self._transport: asyncio.WriteTransport | None = None
        self._frames = Frames()
        self._taken: deque[tuple[int, Told]] = deque()
        self._bytes = 0
        self._unsent: list[bytes] = []
        self._late: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        """Whether what is offered will be seen by anybody."""
        return self._transport is not None

    def offer(self, raw: bytes, told: Told) -> bool:
        """Have a message read; whether it is taken. `told` is called from the event loop, never before this returns."""
        full = len(self._taken) >= _MOST_MESSAGES or (self._taken and self._bytes + len(raw) > _MOST_BYTES)
        if full or not self.alive:
            return False
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(frame(raw))
        self._taken.append((len(raw), told))
        self._bytes += len(raw)
        if self._late is None:
            self._expect(self._patience.answer)
        return True

    def _send(self) -> None:
        """What came in one turn of the loop goes out at once: a call of the system costs more than a message."""
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what site it reads for."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is no subclass of it
        self._transport.write(frame(msgpack.encode(self._site)))
        self._expect(self._patience.start)

    def data_received(self, data: bytes) -> None:
        """Tell what was read."""
        for content in self._frames.receive(data):
            if self.ready.done():
                size, told = self._taken.popleft()
                self._bytes -= size
                told(content)
            elif content == __version__.encode():
                self.ready.set_result(True)
                _log.info("second reader ready")
            else:  # the program was replaced under the process that runs
                self._fail("another version")
                return
        self._expect(self._patience.answer if self._taken else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """What it had in hand is to be read here."""
        self._transport = None
        if not self.ready.done():
            self.ready.set_result(False)
        self._expect(None)
        self._lost()
        while self._taken:
            self._taken.popleft()[1](UNREAD)

    def _expect(self, seconds: float | None) -> None:
        """Wait so many seconds for something to come; None: for nothing."""
        if self._late is not None:
            self._late.cancel()
        self._late = None if seconds is None else self._loop.call_later(seconds, self._fail, "no answer")

    def _fail(self, why: str) -> None:
        _log.warning("second reader given up", why=why)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection, whatever waits to be sent: a process that is stopped would never take it."""
        if self._transport is not None:
            self._transport.abort()
