"""Health: is the program alive, is it ready to serve, and what an operator should look at.

A check that fails makes the program not ready (503). One that is degraded leaves it ready, and says what to do.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from insigne.exchange.delivery.model import Alarm
from insigne.exchange.errors import StoreError
from insigne.net.tls import TlsError, days_left


class Status(StrEnum):
    """State of one check, worst last."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


class Check(Struct, frozen=True):
    """What one check found. `detail` is for an operator: no personal data, and the remedy when there is one."""

    name: str
    status: Status
    detail: str = ""


Probe = Callable[[], Check]

#: An answer of the checks is told again for so long (seconds): health is open to anybody, the base is not.
REUSED_FOR: Final = 1.0
#: Seconds to wait for the checks another caller is running; beyond, they count as failing.
PATIENCE: Final = 5.0
_MOST_ALARMS: Final = 20


class Health:
    """The checks of this program, by name.

    They run one after the other, one caller at a time: a check that is stuck holds one thread and no more.
    """

    def __init__(self, probes: Mapping[str, Probe], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._probes = probes
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._known: tuple[float, list[Check]] | None = None

    def report(self) -> tuple[bool, dict[str, Any]]:
        """Whether we are ready, and the document that says it.

        The document is `{"status": "ready|degraded|failing", "checks": [{"name", "status", "detail"}]}`.
        """
        checks = self._checks()
        worst = max((list(Status).index(check.status) for check in checks), default=0)
        status = ("ready", "degraded", "failing")[worst]
        found = [{"name": check.name, "status": check.status.value, "detail": check.detail} for check in checks]
        return status != "failing", {"status": status, "checks": found}

    def _checks(self) -> list[Check]:
        if not self._one_at_a_time.acquire(timeout=PATIENCE):
            return [Check("checks", Status.FAILING, f"a check has not answered for {PATIENCE:g} s")]
        try:
            if self._known is None or self._clock() - self._known[0] >= REUSED_FOR:
                checks = [_run(name, probe) for name, probe in self._probes.items()]
                self._known = (self._clock(), checks)
            return self._known[1]
        finally:
            self._one_at_a_time.release()


def _run(name: str, probe: Probe) -> Check:
    try:
        return probe()
    except Exception as error:  # a check that breaks is a finding like another
        return Check(name, Status.FAILING, type(error).__name__)


def store_probe(read: Callable[[], AbstractContextManager[object]]) -> Probe:
    """The base can be read."""

    def probe() -> Check:
        try:
            with read():
                return Check("store", Status.OK)
        except StoreError as error:
            return Check("store", Status.FAILING, str(error))

    return probe


def alive_probe(name: str, alive: Callable[[], bool]) -> Probe:
    """A part of the program runs: the writer, a listener."""

    def probe() -> Check:
        return Check(name, Status.OK) if alive() else Check(name, Status.FAILING, "stopped: restart the service")

    return probe


def alarm_probe(on: Callable[[], Iterable[Alarm]]) -> Probe:
    """No alarm is on. Only kinds and subjects are told, since health is open to anybody."""

    def probe() -> Check:
        told = [f"{alarm.kind} {alarm.subject} since {alarm.since}" for alarm in on()]
        if not told:
            return Check("alarms", Status.OK)
        more = f"; and {len(told) - _MOST_ALARMS} more" if len(told) > _MOST_ALARMS else ""
        return Check("alarms", Status.DEGRADED, "; ".join(told[:_MOST_ALARMS]) + more + ": see insigne alarm list")

    return probe


def disk_probe(folder: Path, *, low: int = 1_073_741_824, least: int = 134_217_728) -> Probe:
    """There is room in the data folder: at least `least` bytes to go on, `low` not to worry anybody."""

    def probe() -> Check:
        free = shutil.disk_usage(folder).free
        detail = f"{free // 1_048_576} MiB free in the data folder"
        if free < least:
            return Check("disk", Status.FAILING, f"{detail}: free some now, messages will soon be refused")
        return Check("disk", Status.DEGRADED if free < low else Status.OK, detail)

    return probe


def certificate_probe(
    name: str, cert_file: str, now: Callable[[], datetime], *, password_file: str = "", warn_days: int = 30
) -> Probe:
    """A certificate of ours is valid for a while yet. An expired one is an alarm, not a failure: peers decide."""

    def probe() -> Check:
        try:
            days = days_left(cert_file, now(), password_file)
        except TlsError as error:
            return Check(name, Status.DEGRADED, str(error))
        if days < 0:
            return Check(name, Status.DEGRADED, "expired: install a new certificate now")
        detail = f"expires in {days} days"
        return Check(name, Status.DEGRADED if days < warn_days else Status.OK, detail)

    return probe


def backlog_probe(name: str, waiting: Callable[[], int], *, many: int) -> Probe:
    """Something that is worked through does not pile up: entries to be sealed, messages to be processed."""

    def probe() -> Check:
        count = waiting()
        return Check(name, Status.DEGRADED if count > many else Status.OK, f"{count} waiting")

    return probe
