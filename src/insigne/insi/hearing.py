"""What calls tell of the service itself: how many of each outcome, outages, a clock that disagrees with ours."""

import time
from dataclasses import dataclass
from typing import Final

import structlog

from insigne.insi.client import Traced, evidence
from insigne.insi.settings import InsiSettings
from insigne.insi.wire.model import InsiFault
from insigne.net.breaker import BreakerState, Change, CircuitBreaker, Evidence

_log = structlog.get_logger("insigne.insi")
_NAMES: Final = {"00": "found", "01": "not_found", "02": "several"}


@dataclass(slots=True)
class InsiCounters:
    """Since the start: calls by outcome, outages."""

    found: int = 0
    not_found: int = 0
    several: int = 0
    faults: int = 0
    outages: int = 0


class Hearing:
    """Hears calls, and announces once what begins and what ends. Threads may share it."""

    def __init__(self, settings: InsiSettings) -> None:
        self.breaker = CircuitBreaker(settings.breaker.rule())
        self.counters = InsiCounters()
        self._most_skew = settings.clock_skew_seconds
        self._skewed = False

    @property
    def is_closed(self) -> bool:
        """Whether no outage is known."""
        return self.breaker.state(time.monotonic()) is BreakerState.CLOSED

    def search(self, call: Traced, subject: str) -> None:
        """Hear a search about this person."""
        result = call.result
        name = "faults" if isinstance(result, InsiFault) else _NAMES.get(result.code, "faults")
        setattr(self.counters, name, getattr(self.counters, name) + 1)
        if call.clock_skew is not None:
            self._clock(call.clock_skew)
        self.heard(evidence(result), subject, result.code)

    def heard(self, told: Evidence, subject: str, code: str) -> None:
        """Tell the breaker; announce an outage once at its start and once at its end."""
        change = self.breaker.record(told, subject, time.monotonic())
        if change is Change.OPENED:
            self.counters.outages += 1
            _log.error("insi.outage-started", code=code)
        elif change is Change.CLOSED:
            _log.warning("insi.outage-ended")

    def _clock(self, skew: float) -> None:
        """Announce a clock that is not ours, in seconds by which the service is ahead, and one that is again."""
        skewed = abs(skew) > self._most_skew
        if skewed and not self._skewed:
            _log.error("insi.clock-differs", seconds=round(skew), most=self._most_skew)
        elif self._skewed and not skewed:
            _log.warning("insi.clock-agrees")
        self._skewed = skewed
