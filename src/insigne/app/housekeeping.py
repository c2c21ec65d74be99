"""What the server does by itself from time to time: erase what has served, start the periodic verification."""

import threading
from datetime import UTC, datetime

import structlog

from insigne.app.base import Base
from insigne.exchange.errors import StoreBusy, StoreError
from insigne.insi.automation import AUTHOR
from insigne.insi.campaigns import moment, periodic_campaign
from insigne.store.audit import AuditEntry
from insigne.store.purge import purge

_log = structlog.get_logger("insigne.housekeeping")
_EVERY_SECONDS = 3600.0
_AGAIN_SECONDS = 60.0
_BUSY_SECONDS = 1.0
"""Before another try when others write: a base always at work has its moments too."""
_WAIT_SECONDS = 0.2
"""For the write lock. Others of this process wait meanwhile, so no longer."""


class Housekeeper:
    """A thread that keeps house over a base, at its start and then every hour, until told to stop."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="insigne-housekeeping", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand."""
        self._stop.set()
        self._thread.join(timeout=60)

    def keep(self, now: datetime) -> None:
        """Do what is due. Raises StoreError."""
        until = moment(now)
        with self._base.store.read() as view:
            expired = view.holds_expired(until)
        if expired:
            erased = purge(self._base.store, AUTHOR, copies_until=until, wait=_WAIT_SECONDS)["copies"]
            _log.info("proof.copies-erased", copies=erased)
        settings = self._base.config.insi
        if "ri" in self._base.config.roles and settings.endpoint and settings.verification.adapter != "none":
            self._verify_again(now)

    def _verify_again(self, now: datetime) -> None:
        """Start the periodic verification when it is due; two servers that look at once start one."""
        verification = self._base.config.insi.verification
        with self._base.store.begin(_WAIT_SECONDS) as transaction:
            campaign = periodic_campaign(transaction, verification, now, self._base.new_id)
            if campaign is None:
                return
            details = {"older_than": campaign.older_than}
            transaction.record(AuditEntry(AUTHOR, "insi-campaign-started", campaign.id, campaign.created, details))
            transaction.commit()
        _log.info(
            "insi.periodic-verification", campaign=campaign.id, total=campaign.total, a_minute=campaign.per_minute
        )

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = _EVERY_SECONDS
            try:
                self.keep(datetime.now(UTC))
            except StoreBusy:
                pause = _BUSY_SECONDS
            except StoreError as error:
                _log.error("housekeeping.failed", reason=str(error))
                pause = _AGAIN_SECONDS
            except Exception as error:  # a defect of ours must not end the thread: copies would never be erased
                _log.error("housekeeping.defect", error=type(error).__name__)
