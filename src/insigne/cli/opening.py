"""Opening the base for a command, and saying plainly why it cannot be."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from insigne.cli.common import Context, Exit, fail
from insigne.config import ConfigError, store_url
from insigne.exchange.errors import StoreBusy, StoreError, StoreLost
from insigne.store import SchemaMissing, Store, open_store, upgrade
from insigne.store.errors import HistoryErased
from insigne.store.queries import ReadView

#: Seconds a command waits for the server, or another command, to finish its write.
PATIENCE = 10.0


@contextmanager
def plainly() -> Iterator[None]:
    """A failure of the base ends the command: exit 3 when it cannot be reached now, 2 when it must be seen to.

    So does a configuration found unusable once it is used.

    That a purge erased what was asked for is not such a failure: each command says what it means for it.
    """
    try:
        yield
    except HistoryErased:
        raise
    except (StoreBusy, StoreLost) as error:
        fail(Exit.UNREACHABLE, str(error))
    except (StoreError, ConfigError) as error:
        fail(Exit.USAGE, str(error))


@contextmanager
def existing(context: Context, *, read_only: bool = False) -> Iterator[Store]:
    """The base, which must be there, beside a server if there is one."""
    with plainly():
        store = open_store(store_url(context.loaded), wait=PATIENCE, read_only=read_only)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def reading(context: Context) -> Iterator[ReadView]:
    """A view of the base at one moment."""
    with existing(context, read_only=True) as store, store.read() as view:
        yield view


@contextmanager
def writing(context: Context) -> Iterator[Store]:
    """The base, as `existing`; one that does not exist yet is made."""
    url = store_url(context.loaded)
    with plainly():
        try:
            open_store(url).close()
        except SchemaMissing:
            upgrade(url)
    with existing(context) as store:
        yield store


def author() -> str:
    """Whom the audit trail names for what a command does: the user of the machine."""
    return f"cli:{getpass.getuser()}"
