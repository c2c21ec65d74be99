"""What storage may fail with, as seen by exchange.

    StoreError                 the transaction was rolled back; nothing of it is kept
    ├── StoreBusy      retry   another writer holds the write lock
    ├── StoreFull              no room left on the disk (or under the size limit of the base)
    ├── StoreLost      retry   the connection to the server was lost; whether the commit happened is not known
    └── StoreConflict  retry   deadlock or serialisation failure: replay the messages one by one

`retry` says whether the same transaction may succeed when it is tried again without anybody doing anything.
"""

from typing import ClassVar


class StoreError(Exception):
    """The base failed; the transaction was rolled back and the store may be used again.

    The text names the operation and the code of the database, never a value that was being written.
    """

    retry: ClassVar[bool] = False


class StoreBusy(StoreError):  # noqa: N818  # named for what happened
    """The write lock was not free within the wait given at opening."""

    retry = True


class StoreFull(StoreError):  # noqa: N818  # named for what happened
    """There is no room left to write; nothing half written stays."""


class StoreLost(StoreError):  # noqa: N818  # named for what happened
    """The connection to the database server was lost. The next `begin` connects again.

    A transaction whose commit was under way may have been committed: duplicates are told by their key (MSH-10).
    """

    retry = True


class StoreConflict(StoreError):  # noqa: N818  # named for what happened
    """A deadlock or a serialisation failure between writers."""

    retry = True
