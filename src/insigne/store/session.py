"""One connection to a base, as the rest of this room uses it. Implemented by `sqlite` and `postgres`."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Session(Protocol):
    """A connection. Errors of the driver come out as those of `exchange.errors`."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a text of `statements`."""
        ...

    def kept(self, text: str) -> str:
        """A text as it comes back once it was written."""
        ...

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows one by one, for results that do not fit in memory; other texts may run meanwhile."""
        ...

    def execute_each(self, work: Sequence[tuple[str, Sequence[Row]]]) -> int:
        """Run each text once for each of its rows, in order; the number of rows touched."""
        ...

    def begin(self, wait: float) -> bool | None:
        """Open a write transaction within `wait` seconds; whether nobody else wrote since the last one here.

        None when this cannot tell: seals say who changed identities, and nothing says who changed other tables.
        Raises StoreBusy, StoreLost.
        """
        ...

    def snapshot(self) -> None:
        """Open a read transaction: all that is read until `rollback` is of one moment."""
        ...

    def commit(self) -> None:
        """End the write transaction; durable when it returns."""
        ...

    def rollback(self) -> None:
        """End the transaction, if there is one, and never raise."""
        ...

    def checkpoint(self, *, empty: bool = False) -> int:
        """Copy what is logged into the base, if there is such a thing, and `empty` the log; how much it holds."""
        ...

    def revision(self) -> str | None:
        """The revision of the tables; None when there are none."""
        ...

    def integrity(self) -> list[str]:
        """What the database finds wrong with its own structures, with what it offers for that."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class Backend(Protocol):
    """A kind of base: how to connect to it, and what it needs in the background."""

    def connect(self, *, read_only: bool) -> Session:
        """Open a connection. Raises StoreError."""
        ...

    def committed(self, writer: Session, rows: int) -> None:
        """Be told, after each transaction of that session, how many rows it wrote."""
        ...

    def close(self) -> None:
        """Stop what runs in the background."""
        ...
