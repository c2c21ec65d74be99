"""An open base: write transactions one at a time, reading views beside them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from insigne.exchange.errors import StoreBusy, StoreError, StoreLost
from insigne.store.cache import Caches
from insigne.store.moments import utc_now
from insigne.store.queries import ReadView
from insigne.store.session import Backend, Session
from insigne.store.transaction import Head, UnitOfWork

#: Idle connections kept for reading.
_IDLE_READERS: Final = 8
#: Seconds that `close` waits for a transaction under way.
_CLOSE_LIMIT: Final = 5.0


class Store:
    """Identities, messages and journal in one base (`exchange.ports.Storage`).

    `wait` is how many seconds `begin` waits for the write lock; `now` tells the time of seals. Threads may share a
    store: one writes at a time, each `read` has a connection of its own.
    """

    def __init__(
        self, backend: Backend, *, wait: float = 0.0, read_only: bool = False, now: Callable[[], str] = utc_now
    ) -> None:
        self.backend = backend
        self.read_only = read_only
        self._wait = wait
        self._now = now
        self._writer: Session | None = None
        self._writing = threading.Lock()
        self._caches = Caches()
        self._remembered: Head | None = None  # the seal up to which the caches are good
        self._idle: list[Session] = []

    def begin(self, wait: float | None = None) -> UnitOfWork:
        """See `exchange.ports.Storage.begin`. `wait` replaces, for this once, the wait given at opening."""
        if self.read_only:
            raise StoreError("begin: this store was opened for reading only")
        patience = self._wait if wait is None else wait
        if not self._writing.acquire(timeout=patience):
            raise StoreBusy("begin: another thread of this program is writing")
        try:
            if self._writer is None:
                self._writer = self.backend.connect(read_only=False)
            unchanged = self._writer.begin(patience)
            remembered, self._remembered = self._remembered, None  # whatever happens from here: `begin` tells once
            head = remembered if unchanged else None
            work = UnitOfWork(self._writer, self._caches, self._now, self._ended, head)
            if unchanged is False or work.head != remembered:
                self._caches.clear()
            elif unchanged is None:
                self._caches.documents = None  # they are put without a seal
        except BaseException:
            if self._writer is not None:
                self._writer.rollback()
            self._writing.release()
            raise
        return work

    def _ended(self, head: Head | None, rows: int) -> None:
        """A transaction ended, committed up to a seal, or not (None)."""
        self._remembered = head
        try:
            if rows and self._writer is not None:
                self.backend.committed(self._writer, rows)
        except StoreError:
            pass  # upkeep is tried again at the next commit; this one is durable
        finally:
            self._writing.release()

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        """A view of one moment: everything read inside is as committed when it began."""
        session = self._reader()
        try:
            yield ReadView(session)
        except StoreError:
            session.close()
            raise
        except BaseException:
            self._keep(session)
            raise
        self._keep(session)

    def _reader(self) -> Session:
        """A connection with a snapshot open; idle ones may have been lost since."""
        while (session := self._idle_reader()) is not None:
            try:
                session.snapshot()
            except StoreLost:
                session.close()
            else:
                return session
        session = self.backend.connect(read_only=True)
        try:
            session.snapshot()
        except StoreError:
            session.close()
            raise
        return session

    def _idle_reader(self) -> Session | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _keep(self, session: Session) -> None:
        """Take back a connection for the next reader."""
        session.rollback()
        if len(self._idle) < _IDLE_READERS:
            self._idle.append(session)
        else:
            session.close()

    def empty_log(self) -> None:
        """Leave nothing of erased rows in the write-ahead log, unless somebody else is at work."""
        with self._writing:
            if self._writer is not None:
                self._writer.checkpoint(empty=True)

    def forget(self) -> None:
        """Trust nothing remembered: the projections were made anew."""
        self._remembered = None

    def close(self) -> None:
        """Give up every connection; what was not committed is lost."""
        self.backend.close()
        while (session := self._idle_reader()) is not None:
            session.close()
        ended = self._writing.acquire(timeout=_CLOSE_LIMIT)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if ended:
            self._writing.release()
