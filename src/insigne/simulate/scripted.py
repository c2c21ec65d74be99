"""A simulated service on a port: its clock, and the hours at which its script closes the port."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic

from insigne.simulate.https import HttpServer
from insigne.simulate.timeline import Effect, Step, next_change, refused


class ScriptedService(Generic[Effect]):
    """Listens until `stop`, but when `steps` say that nobody does. `clock` gives seconds that only go forward."""

    def __init__(
        self,
        server: HttpServer,
        host: str,
        port: int,
        steps: Iterable[Step[Effect]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self._host = host
        self._port = port
        self._steps = tuple(steps)
        self._clock = clock
        self._origin = clock()
        self._clock_set = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return the seconds since the start, as scripts count them."""
        return self._clock() - self._origin

    def set_clock(self, seconds: float) -> None:
        """Make it so many seconds since the start."""
        self._origin = self._clock() - seconds
        self._clock_set.set()

    async def start(self) -> None:
        """Listen. The script's time begins now. Raises OSError."""
        self._origin = self._clock()
        await self.server.start(self._host, self._port)
        self._watching = asyncio.create_task(self._follow_script())

    async def stop(self) -> None:
        """Answer what has been asked, and close."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await self.server.stop()

    async def _follow_script(self) -> None:
        """Close and open the port as the script says."""
        while True:
            if refused(self._steps, self.now()):
                await self.server.refuse()
            else:
                await self.server.start(self._host, self.server.address[1])
            moment = next_change(self._steps, self.now())
            wait = None if moment is None else max(0.0, moment - self.now())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._clock_set.wait(), wait)
            self._clock_set.clear()
