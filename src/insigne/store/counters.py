"""Counters: numbers given once, in order, for local identifiers."""

from insigne.store import statements
from insigne.store.writing import Writer


class CounterWriter(Writer):
    """What a write transaction gives of counters."""

    def next_number(self, counter: str) -> int:
        """The next number of that counter, from 1; given again only if the transaction is not committed."""
        self.execute(statements.COUNT_ON, (counter,))
        return int(self.select(statements.COUNTER, (counter,))[0][0])
