"""From an address to an open store."""

from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from insigne.store.errors import SchemaMissing, SchemaTooNew, SchemaTooOld, WrongUrl
from insigne.store.session import Backend
from insigne.store.store import Store

#: The revisions of `migrations`, oldest first; the last one is what this program works with.
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012")

#: The module of each kind of base; loaded when first named: the PostgreSQL driver takes half a second to import.
_BACKENDS: Final = {"sqlite": "insigne.store.sqlite", "postgresql": "insigne.store.postgres"}


class _BackendModule(Protocol):
    def backend(self, url: str) -> Backend: ...


class _MigrateModule(Protocol):
    def upgrade(self, url: str, only: Collection[str] | None = None) -> tuple[str | None, str]: ...


def backend_module(url: str) -> _BackendModule:
    """The module that serves such an address. Raises WrongUrl."""
    scheme = urlsplit(url).scheme
    name = _BACKENDS.get(scheme)
    if name is None:
        raise WrongUrl(
            f"store.url begins with {scheme or 'no scheme'}: write sqlite:/// followed by the path of the file"
            " (four slashes when it is absolute), or postgresql:// followed by user@host/database"
        )
    return cast("_BackendModule", import_module(name))


def is_sqlite(url: str) -> bool:
    """Whether the address is that of a SQLite file."""
    return urlsplit(url).scheme == "sqlite"


def check_url(url: str) -> None:
    """Raise WrongUrl for an address no base can have; whether there is one is not asked."""
    with suppress(SchemaMissing):
        backend_module(url).backend(url).close()


def upgrade(url: str, only: Collection[str] | None = None) -> tuple[str | None, str]:
    """See `migrate.upgrade`; the tools it needs take a second to import, so they are loaded at the first call."""
    migrate = cast("_MigrateModule", import_module("insigne.store.migrate"))
    return migrate.upgrade(url, only)


def open_store(url: str, *, wait: float = 0.0, read_only: bool = False, older: bool = False) -> Store:
    """Open the base at `url` (`sqlite:///path`, four slashes when absolute, or `postgresql://…`).

    `wait` is how many seconds `Store.begin` waits for the write lock. With `older` the base may also be of an earlier
    revision: only its journal and its seals, which no migration has changed, may then be read and added to. Raises
    WrongUrl; SchemaMissing, SchemaTooOld or SchemaTooNew, which say what to do; StoreLost when the server cannot be
    reached.
    """
    store = Store(backend_module(url).backend(url), wait=wait, read_only=read_only)
    try:
        session = store.backend.connect(read_only=True)
        try:
            check_revision(session.revision(), older=older)
        finally:
            session.close()
    except BaseException:
        store.close()
        raise
    return store


def check_revision(found: str | None, *, older: bool = False) -> None:
    """Raise SchemaMissing, SchemaTooOld (not with `older`) or SchemaTooNew unless the tables are those we work with."""
    remedy = "run `insigne db upgrade` (take a `insigne backup` first)"
    if found is None:
        raise SchemaMissing("the base is empty: make it with `insigne db upgrade`")
    if found == REVISIONS[-1] or (older and found in REVISIONS):
        return
    if found in REVISIONS:
        raise SchemaTooOld(
            f"the base has tables of revision {found}, this program works with {REVISIONS[-1]}: {remedy}"
        )
    raise SchemaTooNew(
        f"the base has tables of revision {found}, which this program does not know (it works with {REVISIONS[-1]}): "
        "install the release that made it, or restore a backup"
    )
