"""A simulator that runs beside the program that uses it: an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

_START_SECONDS: Final = 30.0


class Service(Protocol):
    """What can be run so. `ready` tells what a client needs, as the ready file shows it."""

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Close."""

    def ready(self) -> dict[str, Any]:
        """Return what a client needs."""


Simulator = TypeVar("Simulator", bound=Service)


@dataclass(frozen=True, slots=True)
class Running(Generic[Simulator]):
    """A simulator that listens. `ready` is what the ready file shows."""

    simulator: Simulator
    ready: dict[str, Any]
    loop: asyncio.AbstractEventLoop

    def call(self, change: Callable[[], object]) -> None:
        """Run a change of the simulator in its own thread, and wait for it."""

        async def changed() -> None:
            change()

        asyncio.run_coroutine_threadsafe(changed(), self.loop).result(_START_SECONDS)


@contextmanager
def running_beside(name: str, make: Callable[[], Simulator]) -> Iterator[Running[Simulator]]:
    """Run what `make` makes as long as the block; `name` is that of the thread. Raises what it and its start raise."""
    with asyncio.Runner() as runner:
        simulator = make()
        runner.run(simulator.start())
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
        thread.start()
        try:
            yield Running(simulator, simulator.ready(), loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_START_SECONDS)
            runner.run(simulator.stop())
