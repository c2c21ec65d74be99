"""SQLite: one file, one writer, durable commits (WAL, synchronous=FULL)."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from insigne.exchange.errors import StoreBusy, StoreError, StoreFull
from insigne.store import dmp_statements, statements
from insigne.store.errors import SchemaMissing, WrongUrl
from insigne.store.session import Row, Session

_PREFIX: Final = "sqlite:///"
#: Memory for pages, in KiB, by kind of connection.
_WRITER_CACHE: Final = 64 * 1024
_READER_CACHE: Final = 8 * 1024
#: The same for the rest of a transaction that writes a large document.
_LEAN_CACHE: Final = 4 * 1024
#: Texts whose second value is the number of a part, of a mebibyte, and how many parts are many.
_PARTS: Final = frozenset({statements.INSERT_MESSAGE_PART, dmp_statements.PUT_PART})
_MANY_PARTS: Final = 4
#: Rows written between two checkpoints in the background; about 16 MB of write-ahead log, which a start after a crash
#: reads in a tenth of a second. A page that many commits change is copied once: rarer checkpoints copy less.
_CHECKPOINT_ROWS: Final = 4000
#: Pages in the write-ahead log from which the writer itself, once, makes it start again.
_LONG_LOG: Final = 16 * 1024
#: The write-ahead log is cut back to this many bytes when it starts again.
_LOG_LIMIT: Final = 64 * 1024 * 1024


def path_of(url: str) -> Path:
    """The file of an address `sqlite:///relative/path` or `sqlite:////absolute/path`. Raises WrongUrl."""
    prefix, rest = url[: len(_PREFIX)], url[len(_PREFIX) :]
    if prefix != _PREFIX or not rest or "?" in rest:
        raise WrongUrl(
            "store.url: write sqlite:/// followed by the path of the file (four slashes when it is absolute)"
        )
    return Path(rest)


def backend(url: str) -> "SqliteBackend":
    """The base at an address. Raises WrongUrl, SchemaMissing."""
    return SqliteBackend(path_of(url))


class SqliteSession:
    """One connection. A writer is used by one thread at a time; see `Session`."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        with _translated("open"):
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=0.0,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        self._data_version = -1
        self._wait = -1.0
        self._lean = False
        try:
            self._set_up(read_only=read_only)
        except StoreError:
            self._connection.close()
            raise

    def _set_up(self, *, read_only: bool) -> None:
        with _translated("open"):
            execute = self._connection.execute
            # Waiting here is for what lasts microseconds (recovery of the log by another process), not for a writer.
            execute("PRAGMA busy_timeout = 2000")
            execute("PRAGMA synchronous = FULL")
            execute("PRAGMA foreign_keys = ON")
            execute("PRAGMA temp_store = MEMORY")
            execute(f"PRAGMA cache_size = -{_READER_CACHE if read_only else _WRITER_CACHE}")
            if read_only:
                execute("PRAGMA query_only = ON")
                return
            execute("PRAGMA journal_mode = WAL")
            # Checkpoints are run by `SqliteBackend`, so that no message waits for one.
            execute("PRAGMA wal_autocheckpoint = 0")
            execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
            # What a purge or an update replaces is overwritten with zeros.
            execute("PRAGMA secure_delete = ON")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See `Session.query`."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise translate(error, "read") from error

    def kept(self, text: str) -> str:
        """See `Session.kept`."""
        return text

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """See `Session.stream`."""
        try:
            for row in self._connection.execute(sql, parameters):  # noqa: UP028  # closing early leaves the cursor be
                yield row
        except sqlite3.Error as error:
            raise translate(error, "read") from error

    def execute_each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> int:
        """See `Session.execute_each`."""
        try:
            if not self._lean and any(sql in _PARTS and rows and rows[-1][1] >= _MANY_PARTS for sql, rows in work):
                # Pages of a large document are not read again: they need not wait in memory for the commit.
                self._connection.execute(f"PRAGMA cache_size = -{_LEAN_CACHE}")
                self._lean = True
            return sum(self._connection.executemany(sql, rows).rowcount for sql, rows in work)
        except sqlite3.Error as error:
            raise translate(error, "write") from error

    def begin(self, wait: float) -> bool:
        """See `Session.begin`: the write lock is taken now, so that what is read is what will be changed."""
        execute = self._connection.execute
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
            if self._lean:
                execute(f"PRAGMA cache_size = -{_WRITER_CACHE}")
                self._lean = False
            if wait != self._wait:
                execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
                self._wait = wait
            execute("BEGIN IMMEDIATE")
            version: int = execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise translate(error, "begin") from error
        unchanged = version == self._data_version
        self._data_version = version
        return unchanged

    def snapshot(self) -> None:
        """See `Session.snapshot`."""
        try:
            self._connection.execute("BEGIN")
            # The moment is that of the first read, not of BEGIN.
            self._connection.execute(statements.SCHEMA_REVISION).fetchone()
        except sqlite3.Error as error:
            raise translate(error, "begin") from error

    def commit(self) -> None:
        """See `Session.commit`."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error, "commit") from error

    def rollback(self) -> None:
        """See `Session.rollback`."""
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        except sqlite3.Error:
            # The connection is of no use any more: `begin` will say so.
            self._data_version = -1

    def checkpoint(self, *, empty: bool = False) -> int:
        """Copy the write-ahead log into the base; the pages the log holds.

        Waits for nobody, but to `empty` the log: then for readers and writers, as long as `begin` last did.
        """
        return int(self.query(f"PRAGMA wal_checkpoint({'TRUNCATE' if empty else 'PASSIVE'})")[0][1])

    def backup(self, target: Path, pages: int, progress: Any) -> None:
        """Copy the base, as of one moment, into a new file, `pages` pages at a time; writers are not stopped."""
        with _translated("backup"):
            copy = sqlite3.connect(target)
            try:
                self._connection.backup(copy, pages=pages, progress=progress)
                # A copy is one file, readable from a medium that cannot be written.
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()

    def revision(self) -> str | None:
        """See `Session.revision`."""
        if not self.query("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
            return None
        found = self.query(statements.SCHEMA_REVISION)
        return found[0][0] if found else None

    def integrity(self) -> list[str]:
        """See `Session.integrity`."""
        return [line for (line,) in self.query("PRAGMA integrity_check") if line != "ok"]

    def close(self) -> None:
        """See `Session.close`."""
        self._connection.close()


class SqliteBackend:
    """A base in one file; checkpoints run in a thread of their own, started at the first need.

    The log starts again from its beginning when a writer finds all of it copied. Under a load without pause the thread
    is always a few pages behind, and the log would grow for ever: once it is long and the thread has just caught up,
    the writer copies these few pages itself.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            words = "the first start of `insigne serve` makes it, or `insigne db upgrade`; --data names another folder"
            raise SchemaMissing(f"there is no base at {path}: {words}")
        self.path = path
        self._rows = 0
        self._due = threading.Event()
        self._closing = False
        self._long = False
        self._thread: threading.Thread | None = None

    def connect(self, *, read_only: bool) -> SqliteSession:
        """See `Backend.connect`."""
        return SqliteSession(self.path, read_only=read_only)

    def committed(self, writer: Session, rows: int) -> None:
        """See `Backend.committed`."""
        if self._long:
            self._long = False
            writer.checkpoint()
        self._rows += rows
        if self._rows < _CHECKPOINT_ROWS:
            return
        self._rows = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._checkpoints, name="insigne-checkpoint", daemon=True)
            self._thread.start()
        self._due.set()

    def close(self) -> None:
        """See `Backend.close`."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _checkpoints(self) -> None:
        session = self.connect(read_only=False)
        try:
            while True:
                self._due.wait()
                self._due.clear()
                if self._closing:
                    return
                try:
                    self._long = session.checkpoint() >= _LONG_LOG
                except StoreError:
                    continue  # the log only grows a little more: the next commit asks again
        finally:
            session.close()


class _translated:  # noqa: N801  # reads as a word in a `with`
    """Errors of sqlite3 inside come out as StoreError."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise translate(error, self._operation) from error


def translate(error: sqlite3.Error, operation: str) -> StoreError:
    """The error of this program for one of sqlite3. The text of sqlite3 names tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    primary = code & 0xFF if code is not None else None
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"{operation}: another writer holds the base ({name})")
    if primary == sqlite3.SQLITE_FULL:
        return StoreFull(f"{operation}: no room left to write ({name}): free space on the disk of the data folder")
    return StoreError(f"{operation}: {error} ({name})")
