"""Group commit: what arrived while the base was committing goes in the next commit, together.

Inline (SQLite): the batch is processed in the event loop itself; alone, a message is committed at once, and while a
commit runs the sockets fill. In a thread (PostgreSQL): the loop goes on while the server is waited for.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import structlog

from insigne.exchange.errors import StoreBusy
from insigne.exchange.intake import Intake, Unframed
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.settings import ExchangeSettings
from insigne.hl7 import Junk

_log = structlog.get_logger("insigne.exchange.groupcommit")
#: Another writer of this program, delivery, holds the base for a few milliseconds at a time.
_RETRY_SECONDS = 0.002

Callback = Callable[[Answer], None]
Item = tuple[Received | Unframed, Callback]


class GroupCommit:
    """The `exchange.ports.Receiver` of the transports. Lives in one event loop."""

    def __init__(
        self,
        intake: Intake,
        settings: ExchangeSettings,
        *,
        clock: Callable[[], str],
        executor: Executor | None = None,
    ) -> None:
        """`executor`, of one thread, processes the batches; without, the loop does. `clock` gives RFC 3339 UTC."""
        self._intake = intake
        self._settings = settings
        self._clock = clock
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Item] = deque()
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

    def report_junk(self, junk: Junk, peer: Peer) -> None:
        """See `Receiver.report_junk`."""
        self._put(Unframed(junk, peer, self._clock()), _nobody)

    async def drain(self) -> None:
        """Wait until everything submitted is answered."""
        await self._idle.wait()

    def _put(self, item: Received | Unframed, callback: Callback) -> None:
        if len(self._waiting) >= self._settings.queue:
            callback(self._intake.unavailable(item, "the intake queue is full"))
            return
        self._waiting.append((item, callback))
        if not self._running:
            self._running = True
            self._idle.clear()
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._settings.batch))]
        items = [item for item, _ in batch]
        if self._executor is None:
            self._collect(batch, lambda: self._intake.process(items))
            return
        future = self._loop.run_in_executor(self._executor, self._intake.process, items)
        future.add_done_callback(lambda done: self._collect(batch, done.result))

    def _collect(self, batch: Sequence[Item], result: Callable[[], Sequence[Answer]]) -> None:
        """Answer a batch. Whatever fails, the messages that wait are taken next: nothing may leave the queue stuck."""
        try:
            answers = result()
        except StoreBusy as busy:
            self._again(batch, busy)
            return
        except Exception as error:  # a defect of ours: this batch is to be sent again, the next one goes on
            _log.error("batch not processed", defect=type(error).__name__)
            answers = [self._intake.unavailable(item, "internal error") for item, _ in batch]
        self._busy_since = None
        for (_, callback), answer in zip(batch, answers, strict=True):
            _deliver(callback, answer)
        self._schedule()

    def _again(self, batch: Sequence[Item], busy: StoreBusy) -> None:
        """Another writer holds the base: wait for it, without holding the loop, then give up with AR."""
        now = self._loop.time()
        if self._busy_since is None:
            self._busy_since = now
            _log.info("waiting for another writer of the base")
        if now - self._busy_since < self._settings.lock_wait_seconds:
            self._waiting.extendleft(reversed(batch))
            self._loop.call_later(_RETRY_SECONDS, self._next)
            return
        self._busy_since = None
        for item, callback in batch:
            _deliver(callback, self._intake.unavailable(item, str(busy)))
        self._schedule()

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
