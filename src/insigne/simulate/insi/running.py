"""A simulator that runs beside the program that uses it: an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from insigne.simulate.insi.simulator import InsiSimulator, SimulatorSettings

_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that listens. `ready` is what the ready file shows."""

    simulator: InsiSimulator
    ready: dict[str, Any]
    loop: asyncio.AbstractEventLoop

    def call(self, change: Callable[[], object]) -> None:
        """Run a change of the simulator in its own thread, and wait for it."""

        async def changed() -> None:
            change()

        asyncio.run_coroutine_threadsafe(changed(), self.loop).result(_START_SECONDS)


@contextmanager
def running(settings: SimulatorSettings) -> Iterator[Running]:
    """Run a simulator as long as the block. Raises what `InsiSimulator` and its `start` raise."""
    with asyncio.Runner() as runner:
        simulator = InsiSimulator(settings)
        runner.run(simulator.start())
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, name="insi-simulator", daemon=True)
        thread.start()
        try:
            yield Running(simulator, simulator.ready(), loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_START_SECONDS)
            runner.run(simulator.stop())
