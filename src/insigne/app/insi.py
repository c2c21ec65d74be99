"""INSi, wired: the client of the site's certificate, the queue, and the thread that works through it."""

import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.insi.campaigns import CampaignPump
from insigne.insi.client import InsiClient
from insigne.insi.instance import installation_id
from insigne.insi.service import InsiService
from insigne.insi.verification import make_verifier

_log = structlog.get_logger("insigne.insi")
_IDLE_SECONDS = 1.0
_FAILED_SECONDS = 10.0


def insi_service(base: Base, *, automatic: bool) -> InsiService:
    """The service of this site. `automatic` takes the certificate of calls no user starts.

    Raises `insi.client.InsiUnusable` without an endpoint, `net.tls.TlsError` for files that cannot be used.
    """
    settings = base.config.insi
    client = InsiClient(settings, instance=installation_id(base.data_dir), clock=utc_now, automatic=automatic)
    return InsiService(
        base.store,
        base.registrar,
        client,
        make_verifier(settings, automatic=automatic),
        settings,
        base.policy,
        clock=utc_now,
        new_id=base.new_id,
        chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
    )


@dataclass
class InsiWorker:
    """A thread that works through the queue and feeds campaigns, until told to stop."""

    service: InsiService
    pump: CampaignPump

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="insigne-insi", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """End after the calls in hand."""
        self._stop.set()
        self._thread.join(timeout=60)
        self.service.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            pause = _IDLE_SECONDS
            try:
                self.pump.pump(datetime.now(UTC))
                if self.service.work():
                    pause = 0.0
            except StoreBusy:
                pause = 0.05
            except StoreError as error:
                _log.error("insi.queue-stopped", reason=str(error))
                pause = _FAILED_SECONDS
            except Exception as error:  # a defect of ours must not end the thread: the queue would stand still
                _log.error("insi.queue-defect", error=type(error).__name__)
                pause = _FAILED_SECONDS
            self._stop.wait(pause)
