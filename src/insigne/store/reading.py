"""What is committed, as the registry asks for it (`registry.ports.View`), over one session."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from insigne.exchange.model import MessageRecord
from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.store import rows, statements
from insigne.store.session import Row, Session

_MOST_KEYS: Final = 64


def _size(count: int) -> int:
    """The next power of two."""
    return 1 << (count - 1).bit_length()


class Reader:
    """A `View` that remembers nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a text of `statements`; for this room."""
        return self._session.query(sql, parameters)

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """The same, for results that do not fit in memory."""
        return self._session.stream(sql, parameters)

    def integrity(self) -> list[str]:
        """What the database itself finds wrong with its structures."""
        return self._session.integrity()

    def identity(self, identity_id: str) -> Identity | None:
        """See `View.identity`."""
        found = self.select(statements.IDENTITY, (identity_id,))
        return rows.read_identity(found[0][0]) if found else None

    def holders(self, key: Key) -> tuple[str, ...]:
        """See `View.holders`."""
        return tuple(row[0] for row in self.select(statements.HOLDERS, (key[2], key[1], key[0])))

    def encounter(self, encounter_id: str) -> Encounter | None:
        """See `View.encounter`."""
        found = self.select(statements.ENCOUNTER, (encounter_id,))
        return rows.read_encounter(found[0][0]) if found else None

    def encounters(self, key: Key) -> tuple[str, ...]:
        """See `View.encounters`."""
        return tuple(row[0] for row in self.select(statements.ENCOUNTERS, (key[2], key[1], key[0])))

    def work_item(self, item_id: str) -> WorkItem | None:
        """See `View.work_item`."""
        found = self.select(statements.WORK_ITEM, (item_id,))
        return rows.read_work_item(found[0][0]) if found else None

    def open_work_item(self, key: str) -> str | None:
        """See `View.open_work_item`."""
        found = self.select(statements.OPEN_WORK_ITEM, (key,))
        return found[0][0] if found else None

    def previous(self, keys: Collection[tuple[str, str]], since: str) -> dict[tuple[str, str], MessageRecord]:
        """See `exchange.ports.Transaction.previous`."""
        found = [rows.read_message(row) for row in self.select_each(statements.PREVIOUS_MESSAGES, keys, (since,))]
        found.sort(key=lambda record: (record.time, record.id))
        latest = {(record.sender, record.control_id): record for record in found}
        kept = self._session.kept
        return {key: latest[one] for key in keys if (one := (kept(key[0]), kept(key[1]))) in latest}

    def select_each(self, sql: str, keys: Collection[Sequence[Any]], parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a text of `statements` with one `{rows}` where a list of keys of the same width goes first.

        Pages of keys have few sizes, filled with nulls, which nothing equals: few texts are prepared.
        """
        result: list[Row] = []
        listed = list(keys)
        while listed:
            page, listed = listed[:_MOST_KEYS], listed[_MOST_KEYS:]
            size, width = _size(len(page)), len(page[0])
            values = [value for key in page for value in key]
            values += [None] * (size * width - len(values))
            result += self.select(statements.with_rows(sql, size, width), (*values, *parameters))
        return result
