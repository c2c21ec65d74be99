"""Documents looked at again because something happened to their patients: a page at a time, in small transactions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from insigne.dmp.ledger import Ledger
from insigne.dmp.ports import DocumentStorage
from insigne.dmp.site import Site
from insigne.exchange.errors import StoreError

_log = structlog.get_logger("insigne.dmp")
_WRITE_WAIT = 5.0
_SWEEP: Final = timedelta(minutes=10)
"""How often documents that wait to be told whose they are are looked at: nothing else may tell of what settles it."""


class Reviewer:
    """Looks again at what was asked to be. One thread calls it."""

    def __init__(self, storage: DocumentStorage, site: Site, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._site = site
        self._clock = clock
        self._sweep = clock()

    def look_again(self) -> int:
        """Evaluate again a page of documents; how many, 0 when none was asked for. Raises StoreError.

        When a defect of ours comes up they are taken one after the other, and the one it is about is stepped over: it
        is as it was, the others go on.
        """
        page = self._site.settings.queue.reviews
        try:
            return self._looked_at(page)
        except StoreError:
            raise
        except Exception:  # told once it is known about which
            looked = 0
            while looked < page and (one := self._looked_at_alone()):
                looked += one
            return looked

    def _looked_at_alone(self) -> int:
        try:
            return self._looked_at(1)
        except StoreError:
            raise
        except Exception as error:
            self._step_over(type(error).__name__)
            return 1

    def _looked_at(self, left: int) -> int:
        """Evaluate again so many documents at most, in one transaction."""
        asked_for = left
        now = self._clock()
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            ledger = Ledger(transaction, self._site)
            if now >= self._sweep:
                transaction.ask_review_of_unsettled(ledger.now)
                self._sweep = now + _SWEEP
            asked = transaction.reviews(left)
            if not asked:
                return 0
            for identity, cursor in asked:
                page = transaction.live_sendings(identity, cursor, left)
                ledger.foresee(page)
                for sending in page:
                    ledger.look_again(ledger.latest(sending))
                left -= len(page)
                transaction.move_review(identity, page[-1].id if left <= 0 else "")
                if left <= 0:
                    break
            ledger.close()
            transaction.commit()
        finally:
            transaction.rollback()
        return max(asked_for - left, 1)

    def _step_over(self, defect: str) -> None:
        """Go past the first document to look at again, as it is."""
        transaction = self._storage.begin(_WRITE_WAIT)
        try:
            for identity, cursor in transaction.reviews(1):
                page = transaction.live_sendings(identity, cursor, 1)
                _log.error("dmp.review-defect", sending=page[-1].id if page else "", error=defect)
                transaction.move_review(identity, page[-1].id if page else "")
            transaction.commit()
        finally:
            transaction.rollback()
