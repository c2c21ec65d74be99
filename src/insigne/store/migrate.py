"""Making and upgrading the tables. Slow to import (SQLAlchemy, alembic): what only opens a base leaves it alone."""

import sqlite3
import uuid
from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from insigne.exchange.errors import StoreError
from insigne.store import sqlite, statements
from insigne.store.errors import SchemaMissing, SchemaTooOld
from insigne.store.moments import utc_now
from insigne.store.opening import REVISIONS, backend_module, check_revision, is_sqlite
from insigne.store.schema import installation, metadata


def upgrade(url: str, only: Collection[str] | None = None) -> tuple[str | None, str]:
    """Make the tables, or bring them up to date, in one transaction; does nothing when they are.

    `only` names the tables that count, all if None: others of ours are left from a base replaced by an older one, and
    are dropped before what makes them again. Returns the revision before (None: no tables) and after. The caller holds
    the lock of the data folder (`lock`). Raises WrongUrl, SchemaTooNew, StoreError.
    """
    engine = engine_of(url)
    try:
        with engine.begin() as connection:
            if not is_sqlite(url):
                # Two nodes upgrading at once: the second waits, then finds nothing to do.
                connection.execute(text(f"SELECT pg_advisory_xact_lock({statements.WRITE_LOCK})"))
            before = revision_of(connection)
            try:
                check_revision(before)
            except (SchemaMissing, SchemaTooOld):
                if only is not None:
                    metadata.drop_all(connection, [table for table in metadata.sorted_tables if table.name not in only])
                _migrate(connection)
    except SQLAlchemyError as error:
        raise StoreError(f"upgrade: {type(error).__name__}: {error.__cause__}") from error
    finally:
        engine.dispose()
    return before, REVISIONS[-1]


def engine_of(url: str) -> Engine:
    """A SQLAlchemy engine for schema work, on a file made if need be. Raises WrongUrl."""
    backend_module(url)
    if not is_sqlite(url):
        return create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    sqlite.path_of(url).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _migrate(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    command.upgrade(config, "head")
    if connection.execute(select(installation.c.id)).first() is None:
        connection.execute(insert(installation).values(id=str(uuid.uuid4()), created=utc_now()))


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None when there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text(statements.SCHEMA_REVISION)).scalar()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would commit before each change of a table: the transaction is ours (see _begin_sqlite).
    connection.isolation_level = None


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
