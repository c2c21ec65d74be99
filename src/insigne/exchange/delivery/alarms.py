"""Alarms: told once when they start and once when they end, whatever happens in between, restarts included."""

import threading
from collections.abc import Iterable, Sequence

import structlog
from msgspec.structs import replace

from insigne.exchange.delivery.model import Alarm

_log = structlog.get_logger("insigne.alarms")


class Alarms:
    """The alarms that are on. Threads may share it.

    `news` is set when something changed that is not kept yet: see `unsaved`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[tuple[str, str], Alarm] = {}
        self._unsaved: list[Alarm] = []
        self.news = threading.Event()

    def inherit(self, alarms: Iterable[Alarm]) -> None:
        """Those that were on when the service stopped: they are not told again; one told since is a new one."""
        with self._lock:
            for alarm in alarms:
                known = self._on.setdefault((alarm.kind, alarm.subject), alarm)
                if known is not alarm:
                    self._unsaved.append(replace(alarm, ended=known.since))

    def raised(self, kind: str, subject: str, now: str, text: str) -> None:
        """The alarm is on; told only if it was not. `text` holds nothing personal."""
        with self._lock:
            if (kind, subject) in self._on:
                return
            self._on[kind, subject] = alarm = Alarm(kind, subject, now, text)
            self._unsaved.append(alarm)
        self.news.set()
        _log.error("alarm.raised", kind=kind, subject=subject, text=text)

    def ended(self, kind: str, subject: str, now: str = "") -> None:
        """The alarm is off; told only if it was on. Without `now` it is taken as ended when that is kept."""
        with self._lock:
            alarm = self._on.pop((kind, subject), None)
            if alarm is None:
                return
            self._unsaved.append(replace(alarm, ended=now or "?"))
        self.news.set()
        _log.warning("alarm.ended", kind=kind, subject=subject, since=alarm.since)

    def on(self) -> list[Alarm]:
        """Those that are on, oldest first."""
        with self._lock:
            return sorted(self._on.values(), key=lambda alarm: alarm.since)

    def unsaved(self, now: str) -> list[Alarm]:
        """What changed and is not kept yet, in order."""
        with self._lock:
            self.news.clear()
            self._unsaved = [replace(one, ended=now) if one.ended == "?" else one for one in self._unsaved]
            return list(self._unsaved)

    def saved(self, alarms: Sequence[Alarm]) -> None:
        """These changes, the first ones, are kept now."""
        with self._lock:
            del self._unsaved[: len(alarms)]
