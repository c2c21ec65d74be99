"""What changed about whom: the feed of an application that keeps our patients up to date.

One item for each person a decision changed: the messages, acts and answers that change identities may write several
events about one of them. Items are in the order of the journal; the cursor of an item is the number of its last event.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, Protocol

import msgspec

from insigne.fhir.lookup import patient_of
from insigne.fhir.resources import Resource
from insigne.ins.cog import Cog
from insigne.registry.headers import EventHeader
from insigne.registry.state import Identity

#: Events that change nothing an application sees.
_INTERNAL: Final = frozenset(
    {
        *("prior-search-made", "candidate-read", "candidate-dropped", "national-answer-refused", "trust-raised"),
        "identity-snapshot",
    }
)
#: What an item is called when a decision wrote several events: the first of these, else its first event.
_TELLING: Final = (
    "identity-created",
    "identity-merged",
    "identity-absorbed",
    "merge-undone",
    "absorbed-released",
    "identity-linked",
    "identity-unlinked",
)
#: Events that one decision may write, all people together: far more than any does.
_LONGEST_DECISION: Final = 500


class ChangeReader(Protocol):
    """What is needed of the store; every list is of committed and sealed events about identities."""

    def identity(self, identity_id: str) -> Identity | None:
        """The identity of that id, merged ones included."""
        ...

    def changes_after(self, seq: int, limit: int) -> list[EventHeader]:
        """Those that follow that number, in order."""
        ...

    def changes_until(self, seq: int, limit: int) -> list[EventHeader]:
        """Those up to that number, the last first."""
        ...

    def changes_of(self, identity_id: str, version: int, limit: int) -> list[EventHeader]:
        """Those that made an identity what it was at that version, the last first."""
        ...


class Change(msgspec.Struct, frozen=True):
    """What one decision did to one person: the number of its last event, and the names of its events, in order."""

    seq: int
    identity: str
    time: str
    events: tuple[str, ...]

    @property
    def event(self) -> str:
        """The one that tells most."""
        return next((name for name in _TELLING if name in self.events), self.events[0])


def changes_after(reader: ChangeReader, seq: int, limit: int) -> list[Change]:
    """The changes that follow that number, in order, at most `limit`."""
    found: list[Change] = []
    after = seq
    while len(found) < limit:
        entries = reader.changes_after(after, _LONGEST_DECISION)
        if not entries:
            break
        whole = _whole(entries)
        before = reader.changes_until(entries[0].seq - 1, _LONGEST_DECISION)
        started = [one for one in before if _cause(one) == _cause(entries[0])][::-1]
        found += [change for change in _changes([*started, *whole]) if change.seq > seq]
        after = whole[-1].seq
    return found[:limit]


def change_at(reader: ChangeReader, identity_id: str, version: int) -> Change | None:
    """The change that brought an identity to that version; None when it is not in the journal or shows nothing."""
    entries = reader.changes_of(identity_id, version, _LONGEST_DECISION)
    same = [one for one in entries if _cause(one) == _cause(entries[0])][::-1]
    return next(iter(_changes(same)), None)


def change_item(reader: ChangeReader, change: Change, cog: Cog | None = None) -> Resource:
    """A change as it is told: cursor, time, event, events, and the person as they are now, survivors of merges."""
    identity = reader.identity(change.identity)
    return {
        "cursor": str(change.seq),
        "time": change.time,
        "event": change.event,
        "events": list(change.events),
        "patient": patient_of(reader.identity, identity, cog) if identity is not None else None,
    }


def _whole(entries: Sequence[EventHeader]) -> Sequence[EventHeader]:
    """Entries without the last decision, which may go on after them, unless it is the only one or they are the last."""
    if len(entries) < _LONGEST_DECISION:
        return entries
    last = _cause(entries[-1])
    whole = [one for one in entries if _cause(one) != last]
    return whole or entries


def _changes(entries: Iterable[EventHeader]) -> list[Change]:
    """Entries as changes: one for each decision and person, in the order in which they end."""
    found: list[Change] = []
    for _, decision in groupby(entries, key=_cause):
        people: dict[str, list[EventHeader]] = {}
        for entry in decision:
            if entry.type not in _INTERNAL:
                people.setdefault(entry.identity, []).append(entry)
        block = [
            Change(of[-1].seq, identity, of[-1].time, tuple(dict.fromkeys(one.type for one in of)))
            for identity, of in people.items()
        ]
        found += sorted(block, key=lambda change: change.seq)
    return found


def _cause(entry: EventHeader) -> tuple[str, str, str]:
    """What the entries of one decision have in common."""
    return entry.cause_kind, entry.cause_id, entry.time
