"""A circuit breaker: stop calling a service that is down for everybody, and notice when it is back.

Pure but for a lock: the caller passes the time (any clock that only goes forward, in seconds) and does the calls.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from insigne.net.backoff import Backoff


class Evidence(StrEnum):
    """What a call tells about the service."""

    ALIVE = "alive"
    """It did its work, whatever it answered."""
    AILING = "ailing"
    """It answered that it could not work for this subject. Said of some subjects only, it is no outage."""
    DOWN = "down"
    """It works for nobody: no connection, no answer in time, an error of what stands in front of it, our certificate
    refused."""


class BreakerState(StrEnum):
    """Closed: calls go. Open: they wait. Half-open: one call at a time is let through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Change(StrEnum):
    """What is to be announced, once at the start of an outage and once at its end."""

    OPENED = "opened"
    CLOSED = "closed"


_PROBES: Final = Backoff(first=15.0, limit=300.0, jitter=0.0)


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """What makes an outage, and how often to try during one.

    down: such calls in a row that open it.
    ailing_share: it opens too when this share of the subjects seen within `window` seconds got an ailing answer last,
    `subjects` different ones at least having been seen; a share above 1 never opens it.
    probe: delays before each try while it lasts.
    probe_seconds: a try whose outcome was never told is given up after that time.
    """

    down: int = 5
    ailing_share: float = 0.8
    subjects: int = 10
    window: float = 300.0
    probe: Backoff = _PROBES
    probe_seconds: float = 120.0


class CircuitBreaker:
    """The state of one service. Several threads may use it.

    For each call: ask `allows`; if it is, call, then `record` what it told, or `forgo` the call. Which calls wait, and
    in what order, is the caller's: during an outage the one let through should not always be about the same subject.
    """

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self.rule = rule or BreakerRule()
        self._lock = Lock()
        self._down = 0
        self._seen: OrderedDict[str, tuple[float, bool]] = OrderedDict()  # subject → when last, whether ailing
        self._ailing = 0  # how many of those seen are ailing
        self._opened_at: float | None = None
        self._failed_probes = 0
        self._next_probe = 0.0
        self._probing_until: float | None = None

    def state(self, now: float) -> BreakerState:
        """Return the state at this time."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if now >= self._next_probe else BreakerState.OPEN

    def open_since(self) -> float | None:
        """Return when the outage began, None when there is none."""
        return self._opened_at

    def wait(self, now: float) -> float:
        """Return the seconds before a call may be allowed again, 0 when one may now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._next_probe - now, (self._probing_until or now) - now)

    def allows(self, now: float) -> bool:
        """Tell whether a call may go; half-open, saying yes engages the one try, whose outcome must be recorded."""
        with self._lock:
            if self.wait(now) > 0:
                return False
            if self._opened_at is not None:
                self._probing_until = now + self.rule.probe_seconds
            return True

    def forgo(self) -> None:
        """Give back the try that `allows` engaged: no call was made, so another may go at once."""
        with self._lock:
            self._probing_until = None

    def record(self, evidence: Evidence, subject: str, now: float) -> Change | None:
        """Take what a call told. `subject`: whom it was about (an opaque id). Return what to announce, if anything."""
        with self._lock:
            self._down = self._down + 1 if evidence is Evidence.DOWN else 0
            if evidence is not Evidence.DOWN:
                self._remember(subject, now, ailing=evidence is Evidence.AILING)
            if self._opened_at is None:
                return self._open(now) if self._is_outage() else None
            if evidence is Evidence.ALIVE or (evidence is Evidence.AILING and not self._mostly_ailing()):
                return self._close()
            if self._probing_until is not None:  # else a call that was on its way when the outage began
                self._probing_until = None
                self._failed_probes += 1
                self._next_probe = now + self.rule.probe.delay(self._failed_probes, 0.0)
            return None

    def _is_outage(self) -> bool:
        return self._down >= self.rule.down or self._mostly_ailing()

    def _mostly_ailing(self) -> bool:
        return len(self._seen) >= self.rule.subjects and self._ailing >= self.rule.ailing_share * len(self._seen)

    def _remember(self, subject: str, now: float, *, ailing: bool) -> None:
        self._ailing += ailing - self._seen.get(subject, (now, False))[1]
        self._seen[subject] = (now, ailing)
        self._seen.move_to_end(subject)
        # During an outage few calls go: what was seen at its start stays the ground on which a try is judged.
        while self._opened_at is None and next(iter(self._seen.values()))[0] <= now - self.rule.window:
            self._ailing -= self._seen.popitem(last=False)[1][1]

    def _open(self, now: float) -> Change:
        self._opened_at, self._failed_probes = now, 1
        self._next_probe = now + self.rule.probe.delay(1, 0.0)
        return Change.OPENED

    def _close(self) -> Change:
        self._opened_at, self._probing_until, self._down = None, None, 0
        self._seen.clear()
        self._ailing = 0
        return Change.CLOSED
