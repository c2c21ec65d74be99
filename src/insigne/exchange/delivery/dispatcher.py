"""The dispatcher: reads the outbox, has it written, lets each destination work at its own pace. One event loop.

Nothing that one destination does delays another: each has its workers, its window and its breaker. What all of them
have to write goes to the base together (`recorder`).
"""

import asyncio
import time
from collections.abc import Sequence
from traceback import extract_tb
from typing import Final

import structlog

from insigne.exchange.delivery.channel import Channel
from insigne.exchange.delivery.initial import InitialLoad
from insigne.exchange.delivery.model import Destination
from insigne.exchange.delivery.ports import OutboxStorage, OutboxView
from insigne.exchange.delivery.recorder import Recorder
from insigne.exchange.delivery.states import Moment
from insigne.exchange.errors import StoreError

_log = structlog.get_logger("insigne.delivery")
#: Seconds between two looks at what other processes may have written.
_POLL: Final = 0.5
#: Seconds spent writing before the loop is given back to those who send.
_SLICE: Final = 0.006
_FAILED_SECONDS: Final = 1.0


class Dispatcher:
    """Serves destinations until told to stop. Made and run in one event loop; `wake` may be called from any thread."""

    def __init__(self, storage: OutboxStorage, recorder: Recorder) -> None:
        self._storage = storage
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._awake = asyncio.Event()
        self._news = True
        self._next_poll = 0.0
        self._failing = False
        self.channels: dict[str, Channel] = {}
        self._loads: tuple[InitialLoad, ...] = ()

    def wake(self) -> None:
        """Rows were committed; may be called from any thread."""
        self._news = True
        self._loop.call_soon_threadsafe(self._awake.set)

    def more(self) -> None:
        """A destination has room for more rows."""
        self._awake.set()

    async def run(
        self,
        channels: Sequence[Channel],
        loads: Sequence[InitialLoad],
        stopping: asyncio.Event,
        *,
        drain_seconds: float = 10.0,
    ) -> None:
        """Serve until `stopping` is set, then let what is in hand end, within `drain_seconds`, and record it."""
        self.channels = {channel.name: channel for channel in channels}
        self._loads = tuple(loads)
        recording = asyncio.create_task(self._recorder.run())
        reading = asyncio.create_task(self._fill())
        workers = [asyncio.create_task(channel.work(sender)) for channel in channels for sender in channel.senders]
        await stopping.wait()
        for channel in channels:
            channel.stop()
        await _ended(workers, drain_seconds)
        await _ended([reading], 0)
        await _ended([asyncio.create_task(self._recorder.drain())], drain_seconds)
        await _ended([recording], 0)
        for channel in channels:
            for sender in channel.senders:
                await sender.close()

    async def _fill(self) -> None:
        while True:
            self._awake.clear()
            try:
                busy = self._look()
                for load in self._loads:
                    load.step(time.monotonic())
                self._failing = False
            except StoreError as error:
                busy = await self._failed(str(error))
            except Exception as error:  # a defect of ours must not end the task: nothing would be sent any more
                frames = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
                busy = await self._failed(f"{type(error).__name__} at {frames[-1]}")
            if busy:
                await asyncio.sleep(0)
                continue
            try:
                async with asyncio.timeout(max(0.0, self._next_poll - time.monotonic())):
                    await self._awake.wait()
            except TimeoutError:
                self._news = True

    async def _failed(self, reason: str) -> bool:
        """Tell it once, and wait before looking again."""
        if not self._failing:
            _log.error("delivery.base-not-read", reason=reason)
        self._failing = True
        await asyncio.sleep(_FAILED_SECONDS)
        return False

    def _look(self) -> bool:
        """Read what there is to read, write for a while; whether there is more to write."""
        now = time.monotonic()
        channels = [channel for channel in self.channels.values() if channel.running]
        polling = now >= self._next_poll or any(channel.wants_look for channel in channels)
        if not (self._news or polling or any(channel.window.needs_base for channel in channels)):
            return False
        with self._storage.read() as view:
            if polling:
                self._poll(view)
                self._next_poll = now + _POLL
            if self._news:
                self._news = False
                for channel in self.channels.values():
                    channel.window.news()
            return self._write(view)

    def _poll(self, view: OutboxView) -> None:
        known = {destination.name: destination for destination in view.destinations()}
        for channel in self.channels.values():
            channel.apply(known.get(channel.name) or Destination(channel.name))

    def _write(self, view: OutboxView) -> bool:
        """Write rows for each destination in turn until the slice is over."""
        until = time.monotonic() + _SLICE
        channels = [channel for channel in self.channels.values() if channel.running]
        moment = Moment(view)
        for channel in channels:
            channel.window.read(view)
        moment.foresee({subject for channel in channels for subject in channel.window.next_subjects()})
        while True:
            wanting = [channel for channel in channels if channel.window.wants_writing]
            if not wanting:
                return False
            for channel in wanting:
                channel.window.write_one(moment)
                if time.monotonic() >= until:
                    return True


async def _ended(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Wait for tasks, then cancel them."""
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=seconds)
        for task in left:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
