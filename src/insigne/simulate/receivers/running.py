"""A receiver that runs beside the program that uses it: an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from insigne.simulate.receivers.receiver import ReceiverSettings, ScriptedReceiver
from insigne.simulate.receivers.script import Script

Result = TypeVar("Result")

_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A receiver that listens."""

    receiver: ScriptedReceiver
    loop: asyncio.AbstractEventLoop

    def call(self, coroutine: Coroutine[None, None, Result]) -> Result:
        """Run something of the receiver in its own thread and wait for it: `call(receiver.go_down())`."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_PATIENCE)

    def follow(self, script: Script) -> None:
        """Go on with another script; its `down` does not count."""
        self.receiver.script = script


@contextmanager
def running(settings: ReceiverSettings) -> Iterator[Running]:
    """Run a receiver as long as the block. Raises what its `start` raises."""
    with asyncio.Runner() as runner:
        receiver = ScriptedReceiver(settings)
        runner.run(receiver.start())
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, name="receiver", daemon=True)
        thread.start()
        try:
            yield Running(receiver, loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE)
            runner.run(receiver.stop())
