"""Opening the base for a command, and saying plainly why it cannot be."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from insigne.app.base import store_url
from insigne.cli.common import Context, Exit, fail
from insigne.exchange.errors import StoreBusy, StoreError, StoreLost
from insigne.store import SchemaMissing, Store, open_store
from insigne.store.queries import ReadView

#: Seconds a command waits for the server, or another command, to finish its write.
PATIENCE = 10.0


@contextmanager
def plainly() -> Iterator[None]:
    """A failure of the base ends the command: exit 3 when it cannot be reached now, 2 when it must be seen to."""
    try:
        yield
    except (StoreBusy, StoreLost) as error:
        fail(Exit.UNREACHABLE, str(error))
    except StoreError as error:
        fail(Exit.USAGE, str(error))


@contextmanager
def reading(context: Context) -> Iterator[ReadView]:
    """A view of the base at one moment."""
    with plainly():
        store = open_store(store_url(context.loaded), read_only=True)
        try:
            with store.read() as view:
                yield view
        finally:
            store.close()


@contextmanager
def writing(context: Context) -> Iterator[Store]:
    """The base, open for writing, beside a server if there is one. A base that does not exist yet is made."""
    url = store_url(context.loaded)
    with plainly():
        try:
            store = open_store(url, wait=PATIENCE)
        except SchemaMissing:
            # The tools that make tables take long to import, for something done once.
            import_module("insigne.store.migrate").upgrade(url)
            store = open_store(url, wait=PATIENCE)
        try:
            yield store
        finally:
            store.close()


def author() -> str:
    """Whom the audit trail names for what a command does: the user of the machine."""
    return f"cli:{getpass.getuser()}"
