"""What the parts of a write transaction build upon: reading, and running a text of `statements`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from insigne.store.reading import Reader


class Writer(Reader, ABC):
    """A transaction that writes; `transaction.UnitOfWork` puts its parts together."""

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a text of `statements` on tables other than the journal; the number of rows touched. For this room."""
