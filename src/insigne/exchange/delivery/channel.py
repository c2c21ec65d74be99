"""One destination at work: its window on the outbox, its breaker, and what each attempt brings."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import structlog
from msgspec.structs import replace

from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.model import Attempt, Bytes, Destination, Outgoing
from insigne.exchange.delivery.policy import Verdict, judge
from insigne.exchange.delivery.ports import (
    Acknowledged,
    Acknowledging,
    DeliveryName,
    Deposited,
    OutboxTransaction,
    Result,
    Sender,
    SendFailed,
)
from insigne.exchange.delivery.recorder import Recorder
from insigne.exchange.delivery.scribe import Kept, Writer
from insigne.exchange.delivery.settings import DeliverySettings
from insigne.exchange.delivery.window import UNRECORDED, Told, Window
from insigne.net.breaker import BreakerRule, Change, CircuitBreaker, Evidence

_log = structlog.get_logger("insigne.delivery")
_FILE_ACK_POLL: Final = 2.0
#: A try of a receiver that was down is told of in the end, whatever it takes.
_TRY_SECONDS: Final = 86_400.0

#: Messages the breaker tells apart: it remembers what it heard of each for minutes.
_SUBJECTS: Final = 256

#: Seconds for which what the base says of a destination is taken for true by what is sent once more.
_FRESH: Final = 0.05

DOWN, REFUSING, STOPPED = "destination-down", "destination-refuses", "destination-stopped"


@dataclass(slots=True)
class ChannelCounters:
    """Since the start: messages delivered and set aside (dead), attempts refused (AE or AR) and unanswered, outages.

    `failures` are the attempts that failed, by kind: AE, AR, or a `SendFailure`.
    """

    delivered: int = 0
    dead: int = 0
    refused: int = 0
    unanswered: int = 0
    outages: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the channels of one dispatcher share.

    `now` gives RFC 3339 UTC; `told` writes a work item about a row that is held or dead; `more` asks the dispatcher to
    read and write ahead.
    """

    recorder: Recorder
    alarms: Alarms
    now: Callable[[], str]
    chance: Random
    told: Told
    more: Callable[[], None]


class Channel:
    """The dispatcher's part for one destination. Lives in its event loop."""

    def __init__(
        self, name: str, settings: DeliverySettings, scribe: Writer, senders: Sequence[Sender], around: Surroundings
    ) -> None:
        """`senders`: one for each lane."""
        self.name = name
        self.settings = settings
        self.destination = Destination(name)
        self.counters = ChannelCounters()
        self.senders = tuple(senders)
        self._around = around
        self._backoff = settings.backoff()
        rule = BreakerRule(down=settings.outage_after, probe=self._backoff, probe_seconds=_TRY_SECONDS)
        self.breaker = CircuitBreaker(rule)
        self._turn = asyncio.Event()
        self._timers: set[asyncio.TimerHandle] = set()
        self._turn_timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._rereading = False
        self._stop_unrecorded = False
        self._refused_in_a_row = 0
        self._looked = -math.inf
        self._after_look: list[Callable[[], None]] = []
        self.window = Window(
            name,
            len(self.senders),
            scribe,
            around.recorder,
            now=around.now,
            told=around.told,
            turn=self._turn.set,
        )

    @property
    def running(self) -> bool:
        """Whether anything may be read, written and sent."""
        return self.destination.state == "running" and not (self._rereading or self._stopping)

    @property
    def wants_look(self) -> bool:
        """Whether something waits for what the base says of the destination now."""
        return bool(self._after_look)

    def apply(self, destination: Destination) -> None:
        """Take over what the base says of the destination; after an act of a person, everything is read again."""
        self._looked = time.monotonic()
        self._take_over(destination)
        calls, self._after_look = self._after_look, []
        if self.running:
            for call in calls:
                call()

    def _take_over(self, destination: Destination) -> None:
        if destination.revision != self.destination.revision:
            self._rereading = True
        elif self._stop_unrecorded:
            return  # what we have to say of it is on its way to the base
        self.destination = destination
        if self._rereading and self.window.idle:
            self.window.reset()
            self._rereading = False
        if destination.state != "stopped":
            self._around.alarms.ended(STOPPED, self.name)
        self._turn.set()

    def stop(self) -> None:
        """Take nothing more; the workers end after what they have in hand."""
        self._stopping = True
        for timer in self._timers:
            timer.cancel()
        self._turn.set()

    def wake(self) -> None:
        """Have the dispatcher look at the outbox for this destination."""
        self._around.more()

    # --- sending

    async def work(self, sender: Sender) -> None:
        """Send one message after the other, until `stop`."""
        while not self._stopping:
            self._turn.clear()
            taken = self._next()
            if taken is None:
                await self._turn.wait()
            else:
                await self._send(*taken, sender)

    def _next(self) -> tuple[Outgoing, Bytes] | None:
        if not self.running or self.window.unrecorded >= UNRECORDED:
            return None
        now = time.monotonic()
        if self.breaker.open_since() is not None and now - self._looked > _FRESH:
            self._once_looked(self._turn.set)
            return None
        if not self.breaker.allows(now):
            self._turn_later(self.breaker.wait(now))
            self.window.starving = False
            return None
        if self.breaker.open_since() is not None:
            self.window.retry_unanswered()
        taken = self.window.take()
        if taken is None:
            self.breaker.forgo()
        if self.window.wants_writing or taken is None:
            self._around.more()
        return taken

    async def _send(self, row: Outgoing, written: Bytes, sender: Sender) -> None:
        moment, started = self._around.now(), time.perf_counter()
        name = DeliveryName(written.control_id, written.event, row.id, written.time)
        result = await self._carried(sender, row, written.raw, name)
        milliseconds = round((time.perf_counter() - started) * 1000)
        verdict = judge(result, row.attempts + 1, self.settings)
        self._heard(verdict, row)
        row = replace(row, code=verdict.code, reason=verdict.reason, due="")
        attempt = None
        if verdict.sent:
            row = replace(row, attempts=row.attempts + 1, sent=row.sent or moment)
            attempt = Attempt(
                outbox=row.id,
                number=row.attempts,
                time=moment,
                control_id=row.control_id,
                outcome=verdict.outcome,
                code=verdict.code if isinstance(result, Acknowledged) else "",
                text=verdict.reason,
                ack=b"" if isinstance(result, Deposited) else result.raw_ack,
                milliseconds=milliseconds,
            )
        self._conclude(row, verdict, attempt)

    async def _carried(self, sender: Sender, row: Outgoing, raw: bytes, name: DeliveryName) -> Result | SendFailed:
        try:
            if row.sent and isinstance(sender, Acknowledging):
                known = await sender.acknowledgement(name)
                if known is not None:
                    return known
            result = await sender.deliver(raw, name)
            if isinstance(result, Deposited) and result.acknowledged_later and isinstance(sender, Acknowledging):
                return await self._collected(sender, name)
        except SendFailed as failed:
            return failed
        except Exception as error:  # a defect of ours must not end the worker: the destination would stand still
            _log.error("delivery.defect", destination=self.name, row=row.id, error=type(error).__name__)
            return SendFailed("closed", f"internal error ({type(error).__name__})")
        return result

    async def _collected(self, sender: Acknowledging, name: DeliveryName) -> Result:
        """The acknowledgement that the receiver leaves as a file. Raises SendFailed."""
        limit = time.monotonic() + self.settings.file_ack_seconds
        while time.monotonic() < limit:
            found = await sender.acknowledgement(name)
            if found is not None:
                return found
            await asyncio.sleep(min(_FILE_ACK_POLL, self.settings.file_ack_seconds))
        raise SendFailed("timeout", f"no file acknowledges it within {self.settings.file_ack_seconds:g} s")

    # --- what an attempt brings

    def _conclude(self, row: Outgoing, verdict: Verdict, attempt: Attempt | None) -> None:
        attempts = () if attempt is None else (attempt,)
        match verdict.fate:
            case "delivered" | "dead":
                self._end(replace(row, state=verdict.fate, ended=self._around.now()), attempts)
            case "retry":
                delay = self._backoff.delay(max(row.attempts, 1), self._around.chance.random())
                self._again(row, attempts, unanswered=verdict.evidence is Evidence.DOWN)
                self._later(delay, lambda: self._once_looked(lambda: self.window.retry(row.id)))
            case "stop":
                self._again(row, attempts, unanswered=False)
                self._stop_destination(row)

    def _end(self, row: Outgoing, attempts: Sequence[Attempt]) -> None:
        if row.state == "dead":
            self.counters.dead += 1
        else:
            self.counters.delivered += 1

        def write(transaction: OutboxTransaction) -> None:
            transaction.put_attempts(attempts)
            transaction.advance(row)
            if row.state == "dead":
                self._around.told(transaction, row, Kept(row.reason, held=True))

        self.window.ended(row, write)

    def _again(self, row: Outgoing, attempts: Sequence[Attempt], *, unanswered: bool) -> None:
        self.window.put_back(row, unanswered=unanswered)

        def write(transaction: OutboxTransaction) -> None:
            transaction.put_attempts(attempts)
            transaction.advance(row)

        self.window.record(write, self._turn.set)

    def _stop_destination(self, row: Outgoing) -> None:
        """Send nothing more until a person decides about this message."""
        now = self._around.now()
        reason = f"message {row.id}: {row.reason}"
        self.destination = replace(self.destination, state="stopped", reason=reason, author="insigne", since=now)
        text = f"{reason}: skip it, edit it or resume to try again"
        self._around.alarms.raised(STOPPED, self.name, now, text)

        def write(transaction: OutboxTransaction) -> None:
            known = transaction.destination(self.name)
            transaction.put_destination(replace(known, state="stopped", reason=reason, author="insigne", since=now))
            self._around.told(transaction, row, Kept(row.reason, held=True))

        def durable() -> None:
            self._stop_unrecorded = False

        self._stop_unrecorded = True
        self.window.record(write, durable)

    def _heard(self, verdict: Verdict, row: Outgoing) -> None:
        """Tell the breaker and the alarms; each outage is announced once at its start and once at its end."""
        alarms, now = self._around.alarms, self._around.now()
        if verdict.outcome not in ("delivered", "deposited"):
            self.counters.failures[verdict.code] += 1
        if verdict.outcome == "refused":
            self.counters.refused += 1
            self._refused_in_a_row += 1
            if self._refused_in_a_row >= self.settings.refusal_alarm:
                alarms.raised(REFUSING, self.name, now, f"{self._refused_in_a_row} messages in a row: {verdict.reason}")
        elif verdict.evidence is Evidence.DOWN:
            self.counters.unanswered += 1
        else:
            self._refused_in_a_row = 0
            alarms.ended(REFUSING, self.name)
        change = self.breaker.record(verdict.evidence, str(row.id % _SUBJECTS), time.monotonic())
        if change is Change.OPENED:
            self.counters.outages += 1
            alarms.raised(DOWN, self.name, now, verdict.reason)
        elif change is Change.CLOSED:
            alarms.ended(DOWN, self.name)
            self._once_looked(self.window.retry_unanswered)

    def _once_looked(self, call: Callable[[], None]) -> None:
        """Do something once the base was looked at: a person may have paused the destination or edited a message.

        What is sent once more never is for want of having looked.
        """
        self._after_look.append(call)
        self._around.more()

    def _turn_later(self, seconds: float) -> None:
        """Wake the workers then; one timer is enough, however often they find that they have to wait."""
        if self._turn_timer is not None:
            self._turn_timer.cancel()
            self._timers.discard(self._turn_timer)
        self._turn_timer = self._later(seconds, self._turn.set)

    def _later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        def due() -> None:
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)
        return timer
