"""The PFI, wired: what carries documents, the queue, and the threads that work through it and read boxes."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

import structlog

from insigne.app.base import Base
from insigne.app.clock import local_now, utc_now
from insigne.app.dmp_alarms import BOX_DOWN, DOWN, DocumentAlarms, FaultWatch, heard
from insigne.dmp.client import DmpClient
from insigne.dmp.feeding import DmpCarrier
from insigne.dmp.leaving import Leaving
from insigne.dmp.model import Channel
from insigne.dmp.mss.answering import Answering
from insigne.dmp.mss.carrier import MailCarrier
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.mss.mailbox import MailboxReader
from insigne.dmp.mss.smtp import SmtpSender
from insigne.dmp.ports import Carrier
from insigne.dmp.service import DmpService
from insigne.dmp.site import Site
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.ins.cog import bundled_cog

_log = structlog.get_logger("insigne.dmp")
_IDLE_SECONDS = 1.0
_FAILED_SECONDS = 10.0
_BREATH = 2.0
"""Pause after some work, in times of what it took, up to `_LONGEST_BREATH` seconds."""
_LONGEST_BREATH = 0.05
_LONGEST_WAY = 0.5
"""How long work on documents waits at most, in seconds, while messages wait: they go first, and documents go on."""
_LOOK_SECONDS = 0.005


def new_uuid() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def carriers_of(base: Base, site: Site) -> dict[Channel, Carrier]:
    """What carries documents on each channel that the site configured; the documents of another one wait.

    Raises `dmp.client.DmpUnusable` for settings that cannot be used, `net.tls.TlsError` for files that cannot.
    """
    settings = site.settings
    leaving = Leaving(site.environment, bundled_cog(), complete=settings.without_ins == "complete")
    carriers: dict[Channel, Carrier] = {}
    if settings.service.endpoint:
        carriers["dmp"] = DmpCarrier(
            DmpClient(settings.service, utc_now, new_uuid),
            settings.service,
            leaving,
            existence_seconds=settings.queue.existence_minutes * 60,
            clock=utc_now,
            new_uuid=new_uuid,
        )
    if settings.mss.smtp.host:
        mail = MailCarrier(settings.mss, settings.service, leaving, clock=local_now)
        carriers |= {"mss-ps": mail, "mss-patient": mail}
    return carriers


def dmp_service(base: Base, site: Site, carriers: Mapping[Channel, Carrier] | None = None) -> DmpService:
    """The queue of this site, by default with what it configured to carry documents. Raises as `carriers_of`."""
    return DmpService(
        base.store,
        site,
        carriers_of(base, site) if carriers is None else carriers,
        clock=utc_now,
        chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
    )


class DmpWorker:
    """Threads that look at documents again, have them carried, and read boxes, until told to stop."""

    def __init__(self, base: Base, site: Site, busy: Callable[[], bool] = lambda: False) -> None:
        """`busy` tells whether messages wait."""
        carriers = heard(carriers_of(base, site))
        self.service = dmp_service(base, site, carriers)
        self._stop = threading.Event()
        self._busy = busy
        self._threads = [_Loop("documents", self._work, _IDLE_SECONDS, self._stop)]
        mss = site.settings.mss
        watches = []
        for box in mss.mailboxes:
            reader = MailboxReader(box, base.store, site, local_now)
            answering = Answering(box, base.store, site, SmtpSender(mss.smtp), local_now)
            reading = FaultWatch((BOX_DOWN, box.name), reader.read, utc_now, proving=True)
            telling = FaultWatch((DOWN, "mss"), answering.answer, utc_now, proving=False)
            work = partial(_box, reading, answering, telling)
            watches += [reading, telling]
            self._threads.append(_Loop(f"box-{box.name}", work, box.poll_seconds, self._stop))
        after = timedelta(seconds=mss.alarm_seconds)
        self.alarms = DocumentAlarms(self.service.breakers, carriers, watches, after)

    def _work(self) -> int:
        """Work on documents once messages have passed; how many were worked on."""
        limit = time.monotonic() + _LONGEST_WAY
        while self._busy() and time.monotonic() < limit and not self._stop.wait(_LOOK_SECONDS):
            pass
        return self.service.work()

    def start(self) -> None:
        """Start working."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the calls in hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.service.close()


def _box(reading: FaultWatch, answering: Answering, telling: FaultWatch) -> int:
    """What is done with a box once."""
    return reading.work() + answering.conclude() + telling.work()


class _Loop:
    """A thread that does something again and again, without a pause while there is something to do."""

    def __init__(self, name: str, work: Callable[[], int], idle: float, stop: threading.Event) -> None:
        self._name, self._work, self._idle, self._stop = name, work, idle, stop
        self._thread = threading.Thread(target=self._run, name=f"insigne-{name}", daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while not self._stop.is_set():
            pause, started = self._idle, time.monotonic()
            try:
                if self._work():  # messages are taken in as long as documents are worked on
                    pause = min(_BREATH * (time.monotonic() - started), _LONGEST_BREATH)
            except StoreBusy:
                pause = 0.05
            except (StoreError, MailFault) as error:
                _log.error("dmp.loop-stopped", loop=self._name, reason=str(error))
                pause = max(pause, _FAILED_SECONDS)
            except Exception as error:  # a defect of ours must not end the thread: documents would stand still
                _log.error("dmp.loop-defect", loop=self._name, error=type(error).__name__)
                pause = max(pause, _FAILED_SECONDS)
            self._stop.wait(pause)
