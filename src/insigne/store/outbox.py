"""The outbox (`exchange.delivery.storage`): rows to be sent, their bytes, each attempt, and the destinations."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from insigne.exchange.delivery.model import Attempt, Bytes, Destination, Draft, Outgoing
from insigne.registry.evolve import State
from insigne.registry.state import Encounter, Identity
from insigne.store import outbox_statements as sql
from insigne.store import rows, statements
from insigne.store.journal import fold, read_entry
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer


class OutboxFilter(msgspec.Struct, frozen=True):
    """Which rows to list: fields are those of `Outgoing`, "" means any; `first` (included) and `last` are ids.

    `unsettled`: only what was given up or waits for a person.
    """

    destination: str = ""
    state: str = ""
    event: str = ""
    subject: str = ""
    control_id: str = ""
    cause: str = ""
    first: int = 0
    last: int = 0
    unsettled: bool = False


_ANY: Final = OutboxFilter()


class OutboxReader(Reader):
    """The outbox, as both transactions and views read it."""

    def identities_of(self, identity_ids: Collection[str]) -> dict[str, Identity]:
        """See `OutboxView.identities_of`."""
        found = self.select_each(statements.IDENTITIES_EACH, [(one,) for one in identity_ids])
        return {identity_id: rows.read_identity(state) for identity_id, state in found}

    def waiting(self, destination: str, after: int, limit: int) -> list[Outgoing]:
        """See `OutboxView.waiting`."""
        return [_outgoing(row) for row in self.select(sql.WAITING, (destination, after, limit))]

    def outgoing(self, row_id: int) -> Outgoing | None:
        """The row of that id."""
        found = self.select(sql.ROW, (row_id,))
        return _outgoing(found[0]) if found else None

    def outgoing_bytes(self, control_id: str) -> Bytes | None:
        """See `OutboxView.outgoing_bytes`; None too once a purge erased them."""
        found = self.select(sql.BYTES, (control_id,))
        return Bytes(*found[0]) if found and found[0][3] is not None else None

    def destinations(self) -> list[Destination]:
        """See `OutboxView.destinations`."""
        return [Destination(*row) for row in self.select(sql.DESTINATIONS)]

    def destination(self, name: str) -> Destination:
        """What that destination is at; running if nobody said otherwise."""
        found = self.select(sql.DESTINATION, (name,))
        return Destination(*found[0]) if found else Destination(name)

    def state_at(self, stream: str, stream_id: str, version: int) -> State | None:
        """See `OutboxView.state_at`. Raises HistoryErased when a purge erased what made it."""
        state: State | None = None
        if stream == "identity":
            state = self.identity(stream_id)
        elif stream == "encounter":
            state = self.encounter(stream_id)
        if state is not None and state.version == version:
            return state
        entries = [read_entry(row) for row in self.select(statements.HISTORY, (stream, stream_id))]
        return fold(entry for entry in entries if entry.version <= version)

    def outbox_range(self, destination: str, first: int, last: int, limit: int, replays: int = 0) -> list[Outgoing]:
        """The rows of a destination between two ids, both included, oldest first.

        Of those that replay others, only what took the place of a row that failed or was not sent, up to id `replays`.
        """
        return [_outgoing(row) for row in self.select(sql.RANGE, (first, last, destination, replays, limit))]

    def identities_after(self, after: str, until: str, limit: int) -> list[Identity]:
        """See `OutboxTransaction.identities_after`."""
        return [rows.read_identity(row[0]) for row in self.select(sql.IDENTITIES_AFTER, (after, until, limit))]

    def open_stays(self, identity_id: str) -> list[Encounter]:
        """See `OutboxTransaction.open_stays`."""
        found = [rows.read_encounter(row[0]) for row in self.select(statements.ENCOUNTERS_OF, (identity_id,))]
        return [stay for stay in found if stay.movements and stay.status not in ("finished", "cancelled")]

    def last_identity(self) -> tuple[str, int]:
        """The last living identity there is, "" for none, and how many there are."""
        last, count = self.select(sql.LAST_IDENTITY)[0]
        return last or "", count


class OutboxWriter(OutboxReader, Writer):
    """What a write transaction adds."""

    _last_outgoing: int | None = None

    def queue(self, drafts: Sequence[Draft]) -> list[int]:
        """See `OutboxTransaction.queue`."""
        if self._last_outgoing is None:
            self._last_outgoing = self.peek(sql.LAST)[0][0] or 0
        first = self._last_outgoing + 1
        self._last_outgoing += len(drafts)
        self.gather(sql.INSERT, [_queued(first + place, draft) for place, draft in enumerate(drafts)])
        return list(range(first, self._last_outgoing + 1))

    def put_bytes(self, written: Iterable[Bytes]) -> None:
        """See `OutboxTransaction.put_bytes`."""
        self.gather(sql.PUT_BYTES, [msgspec.structs.astuple(one) for one in written])

    def put_attempts(self, attempts: Iterable[Attempt]) -> None:
        """See `OutboxTransaction.put_attempts`."""
        self.gather(sql.PUT_ATTEMPT, [msgspec.structs.astuple(one) for one in attempts])

    def encoded(self, row_id: int, control_id: str) -> None:
        """See `OutboxTransaction.encoded`."""
        self.gather(sql.ENCODED, [(control_id, row_id)])

    def written_anew(self, row_id: int, before: str, control_id: str) -> None:
        """See `OutboxTransaction.written_anew`."""
        self.gather(sql.WRITTEN_ANEW, [(control_id, row_id, before)])

    def advance(self, row: Outgoing) -> None:
        """See `OutboxTransaction.advance`."""
        if row.state == "delivered":
            self.gather(sql.DELIVERED, [_delivered(row)])
            return
        values = (row.state, row.attempts, row.due, row.code, row.reason, row.sent, row.ended, row.id, row.control_id)
        self.gather(sql.ADVANCE, [values])
        self.gather(sql.TRIED, [(row.attempts, row.id, row.attempts, row.control_id)])

    def settle(self, row_id: int, state: str, reason: str, ended: str | None) -> None:
        """See `OutboxTransaction.settle`."""
        self.gather(sql.SETTLE, [(state, reason, ended, row_id)])

    def requeue(self, row_id: int) -> None:
        """See `OutboxTransaction.requeue`."""
        self.gather(sql.REQUEUE, [(row_id,)])

    def rewrite(self, row_id: int, written: Bytes) -> None:
        """See `OutboxTransaction.rewrite`."""
        self.put_bytes((written,))
        self.gather(sql.REWRITE, [(written.control_id, row_id)])

    def change_destination(self, name: str, author: str, now: str, **changes: Any) -> Destination:
        """Write what a person decided about a destination, so that the dispatcher looks again; what it is at then."""
        known = self.destination(name)
        changed = msgspec.structs.replace(known, author=author, since=now, revision=known.revision + 1, **changes)
        self.put_destination(changed)
        return changed

    def touch_destination(self, name: str) -> None:
        """Have the dispatcher read the queue of a destination again: a row of it was changed by a person."""
        known = self.destination(name)
        self.put_destination(msgspec.structs.replace(known, revision=known.revision + 1))

    def put_destination(self, destination: Destination) -> None:
        """See `OutboxTransaction.put_destination`."""
        self.gather(sql.PUT_DESTINATION, [msgspec.structs.astuple(destination)])


class OutboxQueries(OutboxReader):
    """What people and interfaces ask."""

    def outbox(self, wanted: OutboxFilter = _ANY, *, limit: int = 100, before: int = 0) -> list[Outgoing]:
        """Rows, newest first, at most `limit`; `before` is the id of the last one of the page before."""
        text, parameters = sql.LIST, list[Any]()
        for name, condition in sql.FILTERS.items():
            if value := getattr(wanted, name):
                text += condition
                parameters.append(value)
        if wanted.unsettled:
            text += sql.UNSETTLED
        if before:
            text += sql.LIST_BEFORE
            parameters.append(before)
        return [_outgoing(row) for row in self.select(text + sql.LIST_ORDER, (*parameters, limit))]

    def outbox_of(self, cause: str) -> list[Outgoing]:
        """The rows that a message, or a person's act, made, oldest first."""
        return [_outgoing(row) for row in self.select(sql.BY_CAUSE, (cause,))]

    def attempts(self, row_id: int) -> list[Attempt]:
        """Each time a row was sent, oldest first; an acknowledgement that a purge erased is empty."""
        return [_attempt(row) for row in self.select(sql.ATTEMPTS, (row_id,))]

    def queues(self) -> dict[str, tuple[int, str]]:
        """How many rows wait at each destination that has any, and since when the oldest does."""
        found = self.select(sql.QUEUES)
        return {name: (count, self.select(sql.CREATED, (first,))[0][0]) for name, count, first in found}

    def failed(self) -> dict[tuple[str, str], int]:
        """How many rows are held or dead, by (destination, state)."""
        return {(name, state): count for name, state, count in self.select(sql.FAILED)}

    def first_since(self, time: str) -> int:
        """The id of the first row queued at that moment (RFC 3339 UTC) or later; one past the last when none was."""
        low, high = 1, (self.select(sql.LAST)[0][0] or 0) + 1
        while low < high:
            middle = (low + high) // 2
            found = self.select(sql.CREATED_FROM, (middle,))
            if found and found[0][1] < time:
                low = found[0][0] + 1
            else:
                high = middle
        return low

    def told_later(self, row: Outgoing, limit: int = 10_000) -> bool:
        """Whether something about the same patients was delivered there after that row, among the next `limit` ones."""
        keys = set(row.keys.split())
        found = self.select(sql.LATER_DELIVERED, (row.id, row.destination, limit))
        return any(not keys.isdisjoint(later.split()) for (later,) in found)


def _queued(row_id: int, draft: Draft) -> Row:
    """The row of `outbox_statements.INSERT`."""
    state = "encoded" if draft.control_id else "queued"
    return (
        row_id, draft.destination, draft.kind, state, draft.event, draft.subject, draft.keys, draft.cause, draft.notice,
        draft.background, draft.control_id, 0, "", "", "", draft.created, "", None, draft.replaces,
    )  # fmt: skip


def _delivered(row: Outgoing) -> Row:
    """The row of `outbox_statements.DELIVERED`."""
    return (
        row.control_id, row.reason, row.kind, row.state, row.control_id, row.attempts, row.due, row.code, row.sent,
        row.ended, row.id, row.control_id,
    )  # fmt: skip


def _outgoing(row: Sequence[Any]) -> Outgoing:
    """The row of an `outbox` row; a notice that a purge erased is empty."""
    values = list(row)
    values[_NOTICE] = values[_NOTICE] or b""
    values[_BACKGROUND] = bool(values[_BACKGROUND])
    return Outgoing(*values)


def _attempt(row: Sequence[Any]) -> Attempt:
    values: list[Any] = [b"" if value is None else value for value in row]
    return Attempt(*values)


_FIELDS: Final = [field.name for field in msgspec.structs.fields(Outgoing)]
_NOTICE: Final = _FIELDS.index("notice")
_BACKGROUND: Final = _FIELDS.index("background")
