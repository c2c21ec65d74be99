"""Another process that may serve connections of the MLLP listener: the port, and none."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from insigne.transport.mllp_connection import MllpCounters


class Elsewhere(Protocol):
    """Another process that serves connections."""

    @property
    def ready(self) -> bool:
        """Whether it can take connections now."""
        ...

    @property
    def counters(self) -> MllpCounters:
        """What it has seen of the connections it took."""
        ...

    def started(self) -> asyncio.Future[None] | None:
        """Start it if it is not there; what to wait for before it can take connections, or cannot. None: nothing."""
        ...

    def take(self, descriptor: int, freed: Callable[[], None]) -> bool:
        """Whether it serves a connection from now on, over a copy of its socket; `freed` is called once it has ended.

        `freed` is never called before this returns.
        """
        ...

    async def stop(self) -> None:
        """Have it answer what is in hand within `drain_seconds`, and end."""
        ...


class Nowhere:
    """No other process."""

    ready = False
    counters = MllpCounters()

    def started(self) -> None:
        """See `Elsewhere.started`."""

    def take(self, descriptor: int, freed: Callable[[], None]) -> bool:
        """See `Elsewhere.take`."""
        return False

    async def stop(self) -> None:
        """See `Elsewhere.stop`."""
