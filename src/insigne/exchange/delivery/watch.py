"""Queues that grow, or whose oldest message waits for long: told once when it starts and once when it ends."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import Channel
from insigne.exchange.delivery.ports import OutboxStorage
from insigne.exchange.errors import StoreError

_log = structlog.get_logger("insigne.delivery")
LONG, LATE, ORPHANED = "queue-long", "queue-late", "queue-of-nobody"
#: Seconds between two counts; a queue of a million messages takes a tenth of a second to count.
_EVERY: Final = 5.0


class QueueWatch:
    """Counts what waits at each destination, in a thread of its own; `queued` is what it last found."""

    def __init__(
        self,
        storage: OutboxStorage,
        channels: Sequence[Channel],
        alarms: Alarms,
        *,
        now: Callable[[], str],
        every: float = _EVERY,
    ) -> None:
        self._storage = storage
        self._channels = tuple(channels)
        self._alarms = alarms
        self._now = now
        self._every = every
        self.queued: Mapping[str, tuple[int, str]] = {}

    async def run(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            try:
                self.queued = await asyncio.to_thread(self._counted)
                self._judge(self._now())
            except StoreError as error:
                _log.warning("delivery.queues-not-counted", reason=str(error))
            await asyncio.sleep(self._every)

    def _counted(self) -> Mapping[str, tuple[int, str]]:
        with self._storage.read() as view:
            return view.queues()

    def _judge(self, now: str) -> None:
        for channel in self._channels:
            count, oldest = self.queued.get(channel.name, (0, ""))
            settings = channel.settings
            text = f"{count} messages wait"
            self._tell(LONG, channel.name, now, text, on=count >= settings.queue_alarm)
            age = _seconds(now, oldest) if oldest else 0.0
            text = f"the oldest message waits since {oldest}"
            self._tell(LATE, channel.name, now, text, on=age >= settings.late_alarm_seconds)
        known = {channel.name for channel in self._channels}
        for name in self.queued.keys() - known:
            text = f"{self.queued[name][0]} messages wait for a destination that is not in the configuration"
            self._alarms.raised(ORPHANED, name, now, text)

    def _tell(self, kind: str, name: str, now: str, text: str, *, on: bool) -> None:
        if on:
            self._alarms.raised(kind, name, now, text)
        else:
            self._alarms.ended(kind, name, now)


def _seconds(now: str, then: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds()
