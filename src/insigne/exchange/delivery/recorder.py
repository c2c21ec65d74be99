"""What the dispatcher has to write, gathered over all destinations and committed together, in a thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import structlog

from insigne.exchange.delivery.ports import OutboxStorage, OutboxTransaction
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.net.backoff import Backoff

_log = structlog.get_logger("insigne.delivery")
_LOCK_WAIT: Final = 1.0
_RETRIES: Final = Backoff(first=0.05, limit=5.0)


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be written. `durable` is called once it is, in the event loop.

    `write` may run several times: of an attempt to commit that failed, nothing may have been kept, or all.
    """

    write: Callable[[OutboxTransaction], None]
    durable: Callable[[], None]


class Recorder:
    """Writes changes in the order they come. What cannot be written now is tried again, for ever: nothing is lost."""

    def __init__(self, storage: OutboxStorage, executor: Executor) -> None:
        """`executor` has one thread."""
        self._storage = storage
        self._executor = executor
        self._changes: list[Change] = []
        self._come = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.failing = ""

    def put(self, change: Change) -> None:
        """Have a change written with the next commit."""
        self._changes.append(change)
        self._idle.clear()
        self._come.set()

    async def drain(self) -> None:
        """Wait until everything put so far is durable."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write, until cancelled."""
        while True:
            await self._come.wait()
            self._come.clear()
            batch, self._changes = self._changes, []
            if batch:
                await self._written(batch)
            if not self._changes:
                self._idle.set()

    async def _written(self, batch: Sequence[Change]) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            try:
                await loop.run_in_executor(self._executor, self._commit, batch)
            except StoreBusy:
                await asyncio.sleep(0.005)
                continue
            except StoreError as error:
                self._failed(str(error))
            except Exception as error:  # a defect of ours must not end the task: nothing would be recorded any more
                self._failed(type(error).__name__)
            else:
                break
            failures += 1
            await asyncio.sleep(_RETRIES.delay(failures, 0.0))
        if self.failing:
            self.failing = ""
            _log.warning("delivery.base-written-again")
        for change in batch:
            change.durable()

    def _failed(self, reason: str) -> None:
        if not self.failing:
            _log.error("delivery.base-not-written", reason=reason)
        self.failing = reason

    def _commit(self, batch: Sequence[Change]) -> None:
        transaction = self._storage.begin(_LOCK_WAIT)
        try:
            for change in batch:
                change.write(transaction)
            transaction.commit()
        finally:
            transaction.rollback()
