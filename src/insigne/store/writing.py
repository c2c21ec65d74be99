"""What the parts of a write transaction build upon: reading, and running a text of `statements`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from insigne.store.reading import Reader
from insigne.store.session import Row


class Writer(Reader, ABC):
    """A transaction that writes; `transaction.UnitOfWork` puts its parts together."""

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a text of `statements` on tables other than the journal; the number of rows touched. For this room."""

    @abstractmethod
    def peek(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a text of `statements` that what is gathered cannot change. For this room."""

    @abstractmethod
    def gather(self, sql: str, rows: Sequence[Row]) -> None:
        """Keep rows of a text of `statements`, to be written with the next flush, those of one text together."""
