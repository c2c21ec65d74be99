"""The SQL adapter: where identities, messages and the journal are kept (SQLite, PostgreSQL).

`schema` holds the tables, `migrations` what changes them, `statements` every SQL text. `Store` gives write transactions
(`transaction`) and reading views; the operations on a base (`migrate`, `rebuild`, `verify`, `purge`, `backup`) are
modules of their own. Opening a base imports neither SQLAlchemy nor alembic.
"""

from insigne.store.audit import AuditEntry
from insigne.store.errors import SchemaError, SchemaMissing, SchemaTooNew, SchemaTooOld, WrongUrl
from insigne.store.opening import is_sqlite, open_store, upgrade
from insigne.store.store import Store

__all__ = [
    "AuditEntry",
    "SchemaError",
    "SchemaMissing",
    "SchemaTooNew",
    "SchemaTooOld",
    "Store",
    "WrongUrl",
    "is_sqlite",
    "open_store",
    "upgrade",
]
