"""PostgreSQL: the same unit of work. One writer at a time in the whole base, whatever the number of nodes.

The write lock is an advisory lock of the transaction: seals must be numbered in the order of commits, so writers could
not overlap anyway; committing messages in groups gives the throughput.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import uuid4

import psycopg
from psycopg.abc import Buffer
from psycopg.types.string import StrDumper

from insigne.exchange.errors import StoreBusy, StoreConflict, StoreError, StoreFull, StoreLost
from insigne.store import statements
from insigne.store.session import Row, Session

T = TypeVar("T")

#: Seconds to reach the server.
_CONNECT_LIMIT: Final = 5
#: Milliseconds a statement may last, and bytes may stay unacknowledged on the network.
_STATEMENT_LIMIT: Final = 60_000
_NETWORK_LIMIT: Final = 30_000
#: Rows fetched at once by `stream`.
_FETCH: Final = 2000

_SETTINGS: Final = (
    f"SET statement_timeout = {_STATEMENT_LIMIT}",
    "SET timezone = 'UTC'",
    # Durable commits, even on a server whose default is not; a stricter default (remote_apply…) stays.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class _TextDumper(StrDumper):
    """PostgreSQL has no NUL in its texts: U+FFFD takes its place, when writing and when looking up alike."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(_kept(obj))


def _kept(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=256)
def _written(sql: str) -> bytes:
    """A text of `statements` with the driver's own parameter marks."""
    return sql.replace("?", "%s").encode()


class PostgresSession:
    """One connection; see `Session`. A writer connects again, at `begin`, once the connection was lost."""

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._url = url
        self._read_only = read_only
        self._connection = self._connected()

    def _connected(self) -> "psycopg.Connection[Row]":
        def connect() -> "psycopg.Connection[Row]":
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=2,
                connect_timeout=_CONNECT_LIMIT,
                tcp_user_timeout=_NETWORK_LIMIT,
                application_name="insigne",
            )
            connection.adapters.register_dumper(str, _TextDumper)
            for setting in _SETTINGS:
                connection.execute(setting.encode())
            if self._read_only:
                connection.execute(b"SET default_transaction_read_only = on")
            return connection

        return _translated(connect, "connect")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See `Session.query`."""
        return _translated(lambda: self._connection.execute(_written(sql), parameters).fetchall(), "read")

    def kept(self, text: str) -> str:
        """See `Session.kept`."""
        return _kept(text)

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """See `Session.stream`."""
        try:
            with self._connection.cursor(name=f"insigne_{uuid4().hex}") as cursor:
                cursor.itersize = _FETCH
                cursor.execute(_written(sql), parameters)
                yield from cursor
        except psycopg.Error as error:
            raise translate(error, "read") from error

    def execute_each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> int:
        """See `Session.execute_each`: one exchange with the server for all of it."""

        def run() -> int:
            cursors = []
            with self._connection.pipeline():
                for sql, rows in work:
                    cursor = self._connection.cursor()
                    cursor.executemany(_written(sql), rows)
                    cursors.append(cursor)
            return sum(max(cursor.rowcount, 0) for cursor in cursors)

        return _translated(run, "write")

    def begin(self, wait: float) -> None:
        """See `Session.begin`: this cannot tell who wrote."""
        if self._connection.closed:
            self._connection = self._connected()
        try:
            locked = self._lock(wait)
        except psycopg.Error as error:
            self.rollback()
            raise translate(error, "begin") from error
        if not locked:
            self.rollback()
            raise StoreBusy("begin: another writer holds the base")

    def _lock(self, wait: float) -> bool:
        execute = self._connection.execute
        execute(b"BEGIN")
        if wait <= 0:
            return execute(b"SELECT pg_try_advisory_xact_lock(%s)", (statements.WRITE_LOCK,)).fetchone() == (True,)
        execute(f"SET LOCAL lock_timeout = {max(1, round(wait * 1000))}".encode())
        execute(b"SELECT pg_advisory_xact_lock(%s)", (statements.WRITE_LOCK,))
        return True

    def snapshot(self) -> None:
        """See `Session.snapshot`."""

        def begin() -> None:
            with self._connection.pipeline():
                self._connection.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                # The moment is that of the first statement, not of BEGIN.
                self._connection.execute(b"SELECT 1")

        _translated(begin, "begin")

    def commit(self) -> None:
        """See `Session.commit`."""
        _translated(lambda: self._connection.execute(b"COMMIT"), "commit")

    def rollback(self) -> None:
        """See `Session.rollback`."""
        try:
            if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self._connection.execute(b"ROLLBACK")
        except psycopg.Error:
            self._connection.close()  # `begin` connects again

    def checkpoint(self, *, empty: bool = False) -> int:
        """See `Session.checkpoint`: the server looks after its own log."""
        return 0

    def revision(self) -> str | None:
        """See `Session.revision`."""
        if self.query("SELECT to_regclass('alembic_version')") == [(None,)]:
            return None
        found = self.query(statements.SCHEMA_REVISION)
        return found[0][0] if found else None

    def integrity(self) -> list[str]:
        """See `Session.integrity`: the server checks its pages as it reads them; `pg_amcheck` does more."""
        return []

    def close(self) -> None:
        """See `Session.close`."""
        self._connection.close()


class PostgresBackend:
    """A base on a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self, *, read_only: bool) -> PostgresSession:
        """See `Backend.connect`."""
        return PostgresSession(self._url, read_only=read_only)

    def committed(self, writer: Session, rows: int) -> None:
        """See `Backend.committed`: the server looks after itself."""

    def close(self) -> None:
        """See `Backend.close`."""


def backend(url: str) -> PostgresBackend:
    """The base at an address."""
    return PostgresBackend(url)


def _translated(run: Callable[[], T], operation: str) -> T:
    try:
        return run()
    except psycopg.Error as error:
        raise translate(error, operation) from error


#: By SQLSTATE: serialization failure, deadlock; disk full; lock not available.
_ERRORS: Final[dict[str, type[StoreError]]] = {
    "40001": StoreConflict,
    "40P01": StoreConflict,
    "53100": StoreFull,
    "55P03": StoreBusy,
}


def translate(error: psycopg.Error, operation: str) -> StoreError:
    """The error of this program for one of psycopg. Only codes and names of the server's are told, never values."""
    state = error.sqlstate
    if state is None or state.startswith(("08", "57P")):
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return StoreLost(
                f"{operation}: the server cannot be reached, or closed the connection ({state or 'network'})"
            )
        return StoreError(f"{operation}: {type(error).__name__}")
    kind = _ERRORS.get(state, StoreError)
    return kind(f"{operation}: {type(error).__name__} (SQLSTATE {state})")
