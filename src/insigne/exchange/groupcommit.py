"""Group commit: what arrived while the base was committing goes in the next commit, together.

What arrives is read at once, as far as it goes without the base, unless another process has read it already. A base at
hand (SQLite) is decided on in the event loop; when the disk is slow the commit is left to a thread, and the loop reads
the next messages meanwhile. A base across a network (PostgreSQL) is decided on in the thread too.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from insigne.exchange.arrival import Reading, Unframed
from insigne.exchange.errors import StoreBusy
from insigne.exchange.intake import Batch, Intake
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.settings import ExchangeSettings
from insigne.hl7 import Junk

_log = structlog.get_logger("insigne.exchange.groupcommit")
#: Another writer of this program, delivery, holds the base for a few milliseconds at a time.
_RETRY_SECONDS = 0.002
#: A shorter commit than this costs less than handing it to a thread and back.
_SLOW_COMMIT_SECONDS = 0.0025

Callback = Callable[[Answer], None]


@dataclass(slots=True)
class _Waiting:
    """What was submitted, what another process has `written` of it; `reading` once it was read."""

    item: Received | Unframed
    callback: Callback
    written: bytes = b""
    reading: Reading | None = None


class GroupCommit:
    """The `exchange.ports.Receiver` of the transports. Lives in one event loop."""

    def __init__(
        self,
        intake: Intake,
        settings: ExchangeSettings,
        *,
        clock: Callable[[], str],
        executor: Executor | None = None,
        remote: bool = False,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`executor`, of one thread, commits, and decides too when the base is `remote`; without, the loop does all.

        `clock` gives RFC 3339 UTC, `timer` seconds that only go forward.
        """
        self._intake = intake
        self._settings = settings
        self._clock = clock
        self._executor = executor
        self._remote = remote
        self._timer = timer
        self._slow = True  # the disk, until a commit shows otherwise
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._running = False
        self._busy_since: float | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many messages are not committed yet."""
        return len(self._waiting)

    async def submit(self, received: Received) -> Answer:
        """See `Receiver.submit`."""
        future: asyncio.Future[Answer] = self._loop.create_future()

        def answered(answer: Answer) -> None:
            if not future.cancelled():
                future.set_result(answer)

        self.submit_nowait(received, answered)
        return await future

    def submit_nowait(self, received: Received, callback: Callback) -> None:
        """See `Receiver.submit_nowait`."""
        self._put(received, callback)

    def submit_read(self, received: Received, written: bytes, callback: Callback) -> None:
        """See `ReadReceiver.submit_read`."""
        self._put(received, callback, written)

    def report_junk(self, junk: Junk, peer: Peer) -> None:
        """See `Receiver.report_junk`."""
        self._put(Unframed(junk, peer, self._clock()), _nobody)

    async def drain(self) -> None:
        """Wait until everything submitted is answered."""
        await self._idle.wait()

    def _put(self, item: Received | Unframed, callback: Callback, written: bytes = b"") -> None:
        if len(self._waiting) >= self._settings.queue:
            callback(self._intake.unavailable(item, "the intake queue is full"))
            return
        waiting = _Waiting(item, callback, written)
        if len(self._waiting) < self._settings.batch:  # those that the next batch may hold; more would only fill memory
            self._read(waiting)
        self._waiting.append(waiting)
        if not self._running:
            self._running = True
            self._idle.clear()
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._settings.batch))]
        intake, readings = self._intake, [self._read(one) for one in batch]
        if self._executor is not None and self._remote:
            self._collect_later(batch, lambda: intake.conclude(intake.decide(readings)))
            return
        try:
            decided = intake.decide(readings)
        except Exception as error:
            self._failed(batch, error)
            return
        if self._executor is not None and self._slow and len(batch) > 1:
            self._collect_later(batch, lambda: self._conclude(decided))
        else:
            self._collect(batch, lambda: self._conclude(decided))

    def _conclude(self, decided: Batch) -> Sequence[Answer]:
        start = self._timer()
        answers = self._intake.conclude(decided)
        self._slow = self._timer() - start > _SLOW_COMMIT_SECONDS
        return answers

    def _read(self, waiting: _Waiting) -> Reading:
        if waiting.reading is None:
            waiting.reading = self._intake.read(waiting.item, waiting.written)
        return waiting.reading

    def _collect_later(self, batch: Sequence[_Waiting], process: Callable[[], Sequence[Answer]]) -> None:
        future = self._loop.run_in_executor(self._executor, process)
        future.add_done_callback(lambda done: self._collect(batch, done.result))

    def _collect(self, batch: Sequence[_Waiting], result: Callable[[], Sequence[Answer]]) -> None:
        try:
            answers = result()
        except Exception as error:
            self._failed(batch, error)
        else:
            self._answer(batch, answers)

    def _failed(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """Whatever fails, the messages that wait are taken next: nothing may leave the queue stuck."""
        if isinstance(error, StoreBusy):
            self._again(batch, error)
            return
        # A defect of ours: this batch is to be sent again, the next one goes on.
        _log.error("batch not processed", defect=type(error).__name__)
        self._answer(batch, [self._intake.unavailable(one.item, "internal error") for one in batch])

    def _answer(self, batch: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
        self._busy_since = None
        for one, answer in zip(batch, answers, strict=True):
            _deliver(one.callback, answer)
        self._schedule()

    def _again(self, batch: Sequence[_Waiting], busy: StoreBusy) -> None:
        """Another writer holds the base: wait for it, without holding the loop, then give up with AR."""
        now = self._loop.time()
        if self._busy_since is None:
            self._busy_since = now
            _log.info("waiting for another writer of the base")
        if now - self._busy_since < self._settings.lock_wait_seconds:
            self._waiting.extendleft(reversed(batch))
            self._loop.call_later(_RETRY_SECONDS, self._next)
            return
        self._answer(batch, [self._intake.unavailable(one.item, str(busy)) for one in batch])

    def _schedule(self) -> None:
        if self._waiting:
            self._loop.call_soon(self._next)
        else:
            self._running = False
            self._idle.set()


def _deliver(callback: Callback, answer: Answer) -> None:
    """Hand an answer over; a transport that fails at it does not take the answers of its neighbours with it."""
    try:
        callback(answer)
    except Exception as error:
        _log.error("answer not handed over", message=answer.message_id, defect=type(error).__name__)


def _nobody(_: Answer) -> None:
    """Junk is answered to nobody."""
