"""One trace: from what came in, through the decision, to every onward message and every acknowledgement of it."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from insigne.exchange.delivery.model import Attempt, Bytes, Outgoing
from insigne.exchange.model import MessageRecord
from insigne.insi.jobs import CallTrace
from insigne.pam.encode import Notice
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import statements
from insigne.store.audit import STREAM, AuditEntry
from insigne.store.insi import CallFilter
from insigne.store.journal import JournalEntry, read_audit, read_entry
from insigne.store.outbox import OutboxFilter
from insigne.store.queries import MessageFilter, ReadView

_ENTRY: Final = statements.HISTORY.partition(" WHERE ")[0]
_BY_SEQ: Final = f"{_ENTRY} WHERE seq = ?"
_CAUSED: Final = (
    f"{_ENTRY} WHERE stream = ? AND stream_id = ? AND cause_kind = ? AND cause_id = ? ORDER BY version LIMIT 1"
)
#: The events of one decision stand together in the journal.
_TOGETHER: Final = (
    f"{_ENTRY} WHERE seq > ? AND seq < ? AND cause_kind = ? AND cause_id = ? AND time = ? AND stream <> 'audit'"
    " ORDER BY seq"
)
_AROUND: Final = 2000
_MOST_ROWS: Final = 1000
#: Merges one after the other that are followed from a stay to whom it is told of.
_MERGES: Final = 16
_notice: Final = msgspec.json.Decoder(Notice)
_EVENT: Final = "event:"


class Cause(msgspec.Struct, frozen=True):
    """What made it happen: a message, a user, a question to INSi…, with who said it and when (RFC 3339 UTC)."""

    kind: str
    id: str
    author: str
    time: str


class Onward(msgspec.Struct, frozen=True):
    """One message to one receiver: its row, its bytes unless none were written, each attempt, the acts of people."""

    row: Outgoing
    written: Bytes | None
    attempts: list[Attempt]
    acts: list[AuditEntry]


class Trace(msgspec.Struct, frozen=True):
    """What is known of one decision. `message` is what came in, unless a person or INSi made it happen.

    `replays` are the messages that replay it; `calls` those made to INSi, without their answers.
    """

    cause: Cause
    message: MessageRecord | None
    replays: list[str]
    calls: list[CallTrace]
    events: list[JournalEntry]
    onward: list[Onward]


def trace_of(view: ReadView, reference: str) -> Trace | None:
    """The trace that a reference is part of; None when nothing has that name.

    A reference is the id of a message received, of a question to INSi or of a call, the number of a row of the outbox,
    the MSH-10 of a message sent, or "event:" and the number of an event of the journal.
    """
    record = view.message(reference)
    if record is not None:
        return _of_message(view, record)
    if reference.startswith(_EVENT) and _is_number(reference.removeprefix(_EVENT)):
        found = view.select(_BY_SEQ, (int(reference.removeprefix(_EVENT)),))
        entries = [read_entry(row) for row in found if row[1] != STREAM]
        return _of_entry(view, entries[0]) if entries else None
    if _is_number(reference):
        row = view.outgoing(int(reference))
        return _of_row(view, row) if row is not None else None
    job = view.job(reference)
    if job is not None:
        return _of_hints(view, Cause("insi", job.id, job.author, job.created), [("identity", job.identity)])
    call = view.call(reference)
    if call is not None:
        return _of_hints(
            view, Cause("insi", call.job or call.id, call.author, call.time), _streams_of(view, call.identity)
        )
    sent = view.outbox(OutboxFilter(control_id=reference), limit=1)
    return _of_row(view, sent[0]) if sent else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _of_message(view: ReadView, record: MessageRecord) -> Trace:
    cause = Cause("message", record.id, record.sender, record.time)
    rows = view.outbox_of(record.id)
    hints = [(ref.stream, ref.id) for row in rows if (told := _read(row)) is not None for ref in told.refs]
    return Trace(
        cause=cause,
        message=record,
        replays=_replays(view, record),
        calls=[],
        events=_events(view, cause, [*dict.fromkeys(hints), *_streams_of(view, record.subject)]),
        onward=[_onward(view, row) for row in rows],
    )


def _of_row(view: ReadView, row: Outgoing) -> Trace:
    told = _read(row)
    record = view.message(row.cause)
    if record is not None:
        return _of_message(view, record)
    if told is None or not told.cause_kind:
        cause = Cause(row.kind, row.cause, "", row.created)
        return Trace(cause, None, [], [], [], [_onward(view, row)])
    cause = Cause(told.cause_kind, told.cause_id, told.author, told.time)
    return _of_hints(view, cause, [(ref.stream, ref.id) for ref in told.refs], exact=True)


def _of_entry(view: ReadView, entry: JournalEntry) -> Trace:
    record = view.message(entry.cause_id) if entry.cause_kind == "message" else None
    if record is not None:
        return _of_message(view, record)
    cause = Cause(entry.cause_kind, entry.cause_id, entry.author, entry.time)
    return _acted(view, cause, _together(view, entry))


def _of_hints(view: ReadView, cause: Cause, hints: Iterable[tuple[str, str]], *, exact: bool = False) -> Trace:
    """The trace of an act, found by an object it touched; with `exact`, at the moment of the cause."""
    for stream, stream_id in hints:
        for entry in map(read_entry, view.select(statements.HISTORY, (stream, stream_id))):
            same = (entry.cause_kind, entry.cause_id) == (cause.kind, cause.id)
            if same and (entry.time == cause.time or not exact):
                found = Cause(cause.kind, cause.id, entry.author, entry.time)
                return _acted(view, found, _together(view, entry))
    return _acted(view, cause, [])


def _acted(view: ReadView, cause: Cause, events: list[JournalEntry]) -> Trace:
    """The trace of what no message caused. The rows of one author are many: those of that moment are kept."""
    people = dict.fromkeys(person for entry in events for person in _people(view, entry))
    rows = {
        row.id: row
        for person in people
        for row in view.outbox(OutboxFilter(cause=cause.id, subject=person), limit=_MOST_ROWS)
        if (told := _read(row)) is not None and told.time == cause.time
    }
    calls = _calls(view, cause.id) if cause.kind == "insi" else []
    return Trace(cause, None, [], calls, events, [_onward(view, rows[row_id]) for row_id in sorted(rows)])


def _calls(view: ReadView, cause: str) -> list[CallTrace]:
    """The calls of a question of the queue; that one, when a person made it at once."""
    alone = view.call(cause)
    return [alone] if alone is not None else view.calls(CallFilter(job=cause))


def _people(view: ReadView, entry: JournalEntry) -> Iterator[str]:
    """The identities an event is about."""
    if entry.stream == "identity":
        yield entry.stream_id
    elif entry.stream == "encounter":
        stay = view.encounter(entry.stream_id)
        owner = view.identity(stay.identity) if stay is not None else None
        for _ in range(_MERGES):
            if owner is not None:
                yield owner.id
                owner = view.identity(owner.merged_into) if owner.merged_into else None


def _streams_of(view: ReadView, identity_id: str) -> Iterator[tuple[str, str]]:
    """The objects of an identity, itself first: a decision on a message about it touched one of them."""
    if not identity_id:
        return
    yield from (("identity", one) for one in view.with_absorbed(identity_id))
    yield from (("encounter", stay.id) for stay in view.encounters_of(identity_id))
    yield from (("work-item", item.id) for item in view.work_items(WorkFilter(subject=identity_id, state="")))


def _events(view: ReadView, cause: Cause, hints: Iterable[tuple[str, str]]) -> list[JournalEntry]:
    for stream, stream_id in hints:
        found = view.select(_CAUSED, (stream, stream_id, cause.kind, cause.id))
        if found:
            return _together(view, read_entry(found[0]))
    return []


def _together(view: ReadView, entry: JournalEntry) -> list[JournalEntry]:
    limits = (entry.seq - _AROUND, entry.seq + _AROUND)
    found = view.select(_TOGETHER, (*limits, entry.cause_kind, entry.cause_id, entry.time))
    return [read_entry(row) for row in found]


def _replays(view: ReadView, record: MessageRecord) -> list[str]:
    """A replay has the key of what it replays."""
    wanted = MessageFilter(sender=record.sender, control_id=record.control_id)
    return [one.id for one in view.messages(wanted, limit=_MOST_ROWS) if one.replay_of == record.id]


def _onward(view: ReadView, row: Outgoing) -> Onward:
    acts = [read_audit(found) for found in view.select(statements.HISTORY, (STREAM, f"outbox:{row.id}"))]
    written = view.outgoing_bytes(row.control_id) if row.control_id else None
    return Onward(row, written, view.attempts(row.id), acts)


def _read(row: Outgoing) -> Notice | None:
    """What a row tells; None when a purge erased it, or when it is sent as it stands."""
    return _notice.decode(row.notice) if row.notice else None
