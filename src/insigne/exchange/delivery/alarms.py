"""Alarms: told once when they start and once when they end, whatever happens in between."""

import threading
from dataclasses import dataclass

import structlog

_log = structlog.get_logger("insigne.alarms")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something an operator must see: what kind, about what, since when (RFC 3339 UTC), and in words."""

    kind: str
    subject: str
    since: str
    text: str


class Alarms:
    """The alarms that are on. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[tuple[str, str], Alarm] = {}

    def raised(self, kind: str, subject: str, now: str, text: str) -> None:
        """The alarm is on; told only if it was not. `text` holds nothing personal."""
        with self._lock:
            if (kind, subject) in self._on:
                return
            self._on[kind, subject] = Alarm(kind, subject, now, text)
        _log.error("alarm.raised", kind=kind, subject=subject, text=text)

    def ended(self, kind: str, subject: str) -> None:
        """The alarm is off; told only if it was on."""
        with self._lock:
            ended = self._on.pop((kind, subject), None)
        if ended is not None:
            _log.warning("alarm.ended", kind=kind, subject=subject, since=ended.since)

    def on(self) -> list[Alarm]:
        """Those that are on, oldest first."""
        with self._lock:
            return sorted(self._on.values(), key=lambda alarm: alarm.since)
