"""What is watched beside the queues, and what is kept of every alarm: messages held, feeds that fell silent."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from insigne.app.base import Base
from insigne.app.clock import rfc3339_now, utc_now
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import DOWN, REFUSING, STOPPED, Channel
from insigne.exchange.delivery.watch import LATE, LONG, ORPHANED
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.exchange.silence import hour_key, silent
from insigne.store.moments import rfc3339

_log = structlog.get_logger("insigne.alarms")
HELD, DEAD, SILENT, REUSED = "messages-held", "messages-dead", "feed-silent", "control-id-reused"
_ABOUT_DESTINATIONS: Final = frozenset({DOWN, REFUSING, STOPPED, LONG, LATE, HELD, DEAD})
#: How much of the message log is counted at once, so that a long one is caught up with bit by bit.
_SLICE: Final = timedelta(days=1)
#: How long ended alarms are kept.
_KEPT: Final = timedelta(days=365)
#: How long it is told that a sender used a control id again, since the last time it did.
_REUSE: Final = timedelta(days=1)
_WRITE_WAIT: Final = 5.0
#: Seconds between two tries, or between a change and its keeping, so that several are kept together.
_PAUSE: Final = 1.0
#: How many times in a row another writer may keep the base from us before that is an error.
_PATIENCE: Final = 10


class AlarmWatch:
    """A thread that looks from time to time, and keeps each change of an alarm as it comes, until told to stop."""

    def __init__(
        self,
        base: Base,
        alarms: Alarms,
        channels: Callable[[], Sequence[Channel]] = tuple,
        also: Callable[[Alarms, datetime], None] = lambda _alarms, _now: None,
    ) -> None:
        """`channels` gives the destinations being served; `also` looks at what is watched elsewhere."""
        self._base = base
        self._settings = base.config.alarms
        self._zone = _zone(self._settings.time_zone)
        self._alarms = alarms
        self._channels = channels
        self._also = also
        self._counted_to: datetime | None = None
        self._inherited = False
        self._failures = 0
        """Tries in a row that did not end well."""
        self._told: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="insigne-alarms", daemon=True)

    def inherit(self) -> None:
        """Take over the alarms that were on at the last stop, before anything raises one. Raises StoreError."""
        with self._base.store.read() as view:
            self._alarms.inherit(view.alarms())
        self._inherited = True

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """End, and keep what changed."""
        self._stop.set()
        self._alarms.news.set()
        self._thread.join(timeout=30)

    def look(self, now: datetime) -> None:
        """Look once: raise, end and keep alarms. Raises StoreError."""
        if not self._inherited:
            self.inherit()
        self._unsettled(rfc3339(now))
        self._recovered(rfc3339(now))
        self._reused(now)
        self._also(self._alarms, now)
        if self._settings.silence:
            self._count_feeds(now)
            self._silences(now)
        self.keep()

    def keep(self) -> None:
        """Write what changed. Raises StoreError."""
        changed = self._alarms.unsaved(rfc3339_now())
        if changed:
            with self._base.store.begin(_WRITE_WAIT) as transaction:
                transaction.put_alarms(changed)
                transaction.commit()
            self._alarms.saved(changed)

    def _unsettled(self, now: str) -> None:
        """Messages that wait for a person; destinations and queues that are no more."""
        with self._base.store.read() as view:
            failed, queues = view.failed(), view.queues()
        configured = {one.name for one in self._base.config.destinations}
        for name in configured:
            for kind, state in ((HELD, "held"), (DEAD, "dead")):
                count = failed.get((name, state), 0)
                if count:
                    text = f"{count} messages wait for a person: insigne outbox list --destination {name} --unsettled"
                    self._alarms.raised(kind, name, now, text)
                else:
                    self._alarms.ended(kind, name, now)
        for alarm in self._alarms.on():
            gone = alarm.kind in _ABOUT_DESTINATIONS and alarm.subject not in configured
            emptied = alarm.kind == ORPHANED and (alarm.subject not in queues or alarm.subject in configured)
            if gone or emptied:
                self._alarms.ended(alarm.kind, alarm.subject, now)

    def _recovered(self, now: str) -> None:
        """A destination that was down or refused when the service stopped, and takes messages since it started."""
        for channel in self._channels():
            if channel.counters.delivered and channel.breaker.open_since() is None:
                self._alarms.ended(DOWN, channel.name, now)

    def _reused(self, now: datetime) -> None:
        """Senders who gave a control id to two messages: the second was refused, and may be lost for them."""
        last = dict(self._base.intake.counters.reused)
        for sender, time in last.items():
            if now - datetime.fromisoformat(time) < _REUSE:
                text = "a message refused (AE 205) had the MSH-10 of another one: insigne message list --code AE"
                self._alarms.raised(REUSED, sender, rfc3339(now), text)
        for alarm in self._alarms.on():
            since = last.get(alarm.subject, alarm.since)
            if alarm.kind == REUSED and now - datetime.fromisoformat(since) >= _REUSE:
                self._alarms.ended(REUSED, alarm.subject, rfc3339(now))

    # --- feeds

    def _count_feeds(self, now: datetime) -> None:
        """Count what the message log says since the last time, a day at most; hours are counted whole, again."""
        first = now - self._looked_at()
        with self._base.store.read() as view:
            if self._counted_to is None:
                last = view.last_feed_hour()
                known = datetime.fromisoformat(f"{last}:00:00+00:00") if last else first
                self._counted_to = max(known, first)
            since = self._counted_to.replace(minute=0, second=0, microsecond=0)
            until = min(since + _SLICE, now)
            hours = view.count_feeds(rfc3339(since), rfc3339(until))
        if hours:
            with self._base.store.begin(_WRITE_WAIT) as transaction:
                transaction.put_feed_hours(hours)
                transaction.forget_watched(hour_key(first), rfc3339(now - _KEPT))
                transaction.commit()
        self._counted_to = until

    def _silences(self, now: datetime) -> None:
        if self._counted_to is None or self._counted_to < now:
            return  # the log is still being caught up with
        with self._base.store.read() as view:
            hours = view.feed_hours(hour_key(now - self._looked_at()))
        found = {one.feed: one for one in silent(hours, now, self._settings, self._zone)}
        for feed, one in found.items():
            text = f"no message since {one.last}; {one.expected:g} or more should have come by now"
            self._alarms.raised(SILENT, feed, rfc3339(now), text)
        for alarm in self._alarms.on():
            if alarm.kind == SILENT and alarm.subject not in found:
                self._alarms.ended(SILENT, alarm.subject, rfc3339(now))

    def _looked_at(self) -> timedelta:
        """A feed silent for as long as it was learned from is still missed."""
        return timedelta(weeks=2 * self._settings.silence_weeks)

    # --- the thread

    def _run(self) -> None:
        while not self._stop.is_set():
            self._attempt(lambda: self.look(utc_now()))
            behind = self._counted_to is not None and utc_now() - self._counted_to > _SLICE
            if self._alarms.news.wait(1.0 if behind else self._settings.check_seconds):
                self._stop.wait(_PAUSE)  # several changes that come together are kept together
                self._attempt(self.keep)

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreError as error:
            self._tell(error)
            self._stop.wait(_PAUSE)
        except Exception as error:  # a defect of ours must not end the thread: nothing would be watched any more
            _log.error("alarms.defect", error=type(error).__name__)
            self._stop.wait(_PAUSE)
        else:
            if self._told:
                _log.info("alarms.kept-again", failures=self._failures)
            self._failures = 0
            self._told.clear()

    def _tell(self, error: StoreError) -> None:
        """Say once that what changed is only delayed, when another writer has the base, or that it cannot be kept."""
        self._failures += 1
        if isinstance(error, StoreBusy) and self._failures < _PATIENCE and not self._stop.is_set():
            if not self._told:
                _log.info("alarms.delayed", reason=str(error), remedy="none: they are kept at one of the next tries")
            self._told.add("delayed")
        elif "not-kept" not in self._told:
            _log.error("alarms.not-kept", reason=str(error))
            self._told.add("not-kept")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _log.warning("alarms.time-zone-unknown", name=name, remedy="hours are counted in UTC; correct alarms.time_zone")
        return UTC
