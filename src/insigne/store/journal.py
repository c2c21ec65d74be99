"""Entries of the journal as written and as read back, and the states they amount to."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, get_args

import msgspec

from insigne.registry.events import (
    AnyEvent,
    EncounterSnapshot,
    IdentitySnapshot,
    Recorded,
    Stream,
    WorkItemSnapshot,
    decode,
    encode,
)
from insigne.registry.evolve import State, evolve
from insigne.store.audit import STREAM, AuditEntry
from insigne.store.errors import Damaged, HistoryErased
from insigne.store.sealing import Header

_SNAPSHOTS: Final = (IdentitySnapshot, EncounterSnapshot, WorkItemSnapshot)
_details: Final = msgspec.json.Decoder(dict[str, str])
_encode_details: Final = msgspec.json.Encoder().encode


class JournalEntry(msgspec.Struct, frozen=True):
    """One event, where it is in the journal, and its seal. `event` is None once a purge erased it.

    `seq` is the one order of changes, without gaps; the other fields are those of `registry.events.Recorded`.
    """

    seq: int
    seal: int
    stream: Stream
    stream_id: str
    version: int
    type: str
    time: str
    author: str
    cause_kind: str
    cause_id: str
    event: AnyEvent | None

    @property
    def record(self) -> Recorded:
        """The event on its stream. Raises HistoryErased."""
        if self.event is None:
            raise HistoryErased(f"event {self.version} of {self.stream} {self.stream_id} was erased by a purge")
        return Recorded(
            stream=self.stream,
            stream_id=self.stream_id,
            version=self.version,
            time=self.time,
            author=self.author,
            cause_kind=self.cause_kind,
            cause_id=self.cause_id,
            event=self.event,
        )


def read_entry(row: Sequence[Any]) -> JournalEntry:
    """The entry of a whole `journal` row of a stream other than "audit". Raises Damaged."""
    payload = row[9]
    try:
        event = None if payload is None else decode(payload)
    except msgspec.DecodeError as error:
        raise Damaged(f"entry {row[0]} of the journal cannot be read") from error
    seq, stream, stream_id, version, kind, time, author, cause_kind, cause_id = row[:9]
    return JournalEntry(seq, row[12], stream, stream_id, version, kind, time, author, cause_kind, cause_id, event)


def read_audit(row: Sequence[Any]) -> AuditEntry:
    """The audit entry of a whole `journal` row of the stream "audit"."""
    details = {} if row[9] is None else _details.decode(row[9])
    return AuditEntry(author=row[6], act=row[4], object=row[2], time=row[5], details=details)


def fold(entries: Iterable[JournalEntry]) -> State | None:
    """The state that the entries of one object, in order, amount to; None when there are none.

    Erased entries are passed over: a snapshot follows them. Raises HistoryErased when none does, Damaged.
    """
    state: State | None = None
    erased = False
    for entry in entries:
        erased = entry.event is None
        if entry.event is None:
            state = None
            continue
        follows = entry.version == (state.version if state is not None else 0) + 1
        if not follows and not isinstance(entry.event, _SNAPSHOTS):
            raise HistoryErased(
                f"{entry.stream} {entry.stream_id}: what event {entry.version} applies to was erased by a purge"
            )
        try:
            state = evolve(state, entry.record)
        except (AttributeError, TypeError) as error:
            raise Damaged(f"event {entry.version} of {entry.stream} {entry.stream_id} does not apply to it") from error
    if erased:
        raise HistoryErased("what is known of that moment was erased by a purge")
    return state


def histories(entries: Iterable[JournalEntry]) -> Iterator[tuple[str, list[JournalEntry]]]:
    """The entries of each object with its id, from entries sorted by object."""
    for (_, stream_id), history in groupby(entries, key=lambda entry: (entry.stream, entry.stream_id)):
        yield stream_id, list(history)


def serialised(record: Recorded | AuditEntry, seq: int) -> tuple[Header, bytes]:
    """The header and the payload of an entry of the journal, as they are sealed and written."""
    if isinstance(record, AuditEntry):
        header = (seq, STREAM, record.object, seq, record.act, record.time, record.author, "", "")
        return header, _encode_details(record.details)
    return (
        seq,
        record.stream,
        record.stream_id,
        record.version,
        _TAGS[type(record.event)],
        record.time,
        record.author,
        record.cause_kind,
        record.cause_id,
    ), encode(record.event)


#: The tag of each type of event.
_TAGS: Final = {kind: str(kind.__struct_config__.tag) for kind in get_args(AnyEvent)}
