"""Erasing what retention does not allow to keep: old bytes of messages, answers of INSi, payloads of events, copies.

Rows stay, emptied: the log still tells that a message came and how it was answered, the chain of seals still verifies
and tells how much was erased. Audit entries are never erased. On SQLite what is erased is overwritten in the file
and leaves the write-ahead log (at its next turn, when others are at work); PostgreSQL frees it at its next vacuum.
Backups taken before keep what they hold.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from insigne.registry.events import EncounterSnapshot, IdentitySnapshot, Recorded, Stream, WorkItemSnapshot
from insigne.registry.evolve import State
from insigne.registry.state import Encounter, Identity
from insigne.registry.workingset import WorkingSet
from insigne.store import copies, dmp_statements, mail, outbox_statements, statements
from insigne.store.audit import AuditEntry
from insigne.store.audit_verify import PURGED
from insigne.store.moments import utc_now
from insigne.store.report import Progress, silent
from insigne.store.store import Store
from insigne.store.transaction import UnitOfWork

#: Messages, or objects of the registry, of one transaction: writers wait that long at most.
BATCH: Final = 200


class Kept(NamedTuple):
    """Rows whose bytes are erased: what they are called, the text that finds old ones, those that empty one.

    `first` is less than any id.
    """

    name: str
    object: str
    old: str
    erase: tuple[str, ...]
    first: str | int = ""


_MESSAGES: Final = Kept(
    "messages", "message", statements.OLD_MESSAGES, (statements.ERASE_MESSAGE, statements.ERASE_MESSAGE_PARTS)
)
_TOLD: Final = Kept("told", "outbox", outbox_statements.OLD, outbox_statements.ERASE, first=0)
_COPIES: Final = Kept("copies", "document-copy", copies.EXPIRED, (copies.ERASE,))
_DOCUMENTS: Final = Kept("documents", "document", dmp_statements.OLD, dmp_statements.ERASE)
_MAILS: Final = Kept("mails", "mail", mail.OLD, (mail.ERASE,))
_CALLS: Final = Kept("calls", "insi-call", statements.OLD_CALLS, (statements.ERASE_CALL,))


def purge(
    store: Store,
    author: str,
    *,
    messages_before: str | None = None,
    payloads_before: str | None = None,
    calls_before: str | None = None,
    copies_until: str | None = None,
    documents_before: str | None = None,
    progress: Progress = silent,
    wait: float = 30.0,
    now: Callable[[], str] = utc_now,
) -> dict[str, int]:
    """Erase what is older than a moment: bytes of messages received and told, payloads of events, answers of calls.

    Copies of identity documents are erased once the moment is past that they were to be kept until. Documents for the
    DMP and MSSanté lose content and personal data once all that was to be done of them ended before that moment; a
    content that another one still needs stays. So do mails of MSSanté, all but that they came, once nothing is left to
    do of them. Moments are RFC 3339 UTC with milliseconds. Before the payloads of an object go, its state is written as
    a sealed snapshot event, from which it is rebuilt. Done in small transactions while others write; doing it again
    does nothing more. Returns how many messages, payloads, calls, copies, documents and mails were erased, and
    snapshots written. Raises StoreBusy after `wait` seconds.
    """
    work = _Purge(store, author, progress, wait, now)
    if messages_before is not None:
        work.bytes(_MESSAGES, messages_before)
        work.bytes(_TOLD, messages_before)
    if calls_before is not None:
        work.bytes(_CALLS, calls_before)
    if copies_until is not None:
        work.bytes(_COPIES, copies_until)
    if documents_before is not None:
        work.bytes(_DOCUMENTS, documents_before)
        work.bytes(_MAILS, documents_before)
    if payloads_before is not None:
        work.payloads(payloads_before)
    store.empty_log()
    return work.done


class _Purge:
    """One run."""

    def __init__(self, store: Store, author: str, progress: Progress, wait: float, now: Callable[[], str]) -> None:
        self._store = store
        self._author = author
        self._progress = progress
        self._wait = wait
        self._now = now
        kinds = ("messages", "told", "payloads", "snapshots", "calls", "copies", "documents", "mails")
        self.done = dict.fromkeys(kinds, 0)

    def bytes(self, kind: Kept, before: str) -> None:
        """Empty the rows of that kind written before that moment."""
        last = kind.first
        while True:
            with self._store.begin(self._wait) as transaction:
                found = transaction.select(kind.old, (before, last, BATCH))
                if not found:
                    return
                last = found[-1][0]
                transaction.execute_each([(text, found) for text in kind.erase])
                details = {kind.name: str(len(found)), "before": before}
                transaction.record(AuditEntry(self._author, f"{kind.name}-erased", kind.object, self._now(), details))
                transaction.commit()
            self._tell(kind.name, len(found))

    def payloads(self, before: str) -> None:
        """Empty the events that happened before that moment."""
        last = ("", "")
        while True:
            with self._store.begin(self._wait) as transaction:
                found = transaction.select(statements.OLD_OBJECTS, (before, *last, BATCH))
                if not found:
                    return
                last = (found[-1][0], found[-1][1])
                erased = sum(self._object(transaction, stream, stream_id) for stream, stream_id in found)
                details = {"payloads": str(erased), "before": before}
                transaction.record(AuditEntry(self._author, PURGED, "journal", self._now(), details))
                transaction.commit()
            self.done["snapshots"] += len(found)
            self._tell("payloads", erased)

    def _object(self, transaction: UnitOfWork, stream: Stream, stream_id: str) -> int:
        """Snapshot one object and empty the events before; how many."""
        state = _state(transaction, stream, stream_id)
        if state is None:
            return 0
        changes = WorkingSet(transaction)
        version = state.version + 1
        changes.add(
            Recorded(
                stream=stream,
                stream_id=stream_id,
                version=version,
                time=self._now(),
                author=self._author,
                cause_kind="purge",
                cause_id="",
                event=_snapshot(state),
            )
        )
        transaction.write(changes, ())
        old = transaction.select(statements.OLD_ENTRIES, (stream, stream_id, version))
        return transaction.execute_each([(statements.ERASE_ENTRY, old)])

    def _tell(self, kind: str, count: int) -> None:
        self.done[kind] += count
        done = sum(self.done.values()) - self.done["snapshots"]
        self._progress(done, done)


def _state(transaction: UnitOfWork, stream: Stream, stream_id: str) -> State | None:
    if stream == "identity":
        return transaction.identity(stream_id)
    if stream == "encounter":
        return transaction.encounter(stream_id)
    return transaction.work_item(stream_id)


def _snapshot(state: State) -> IdentitySnapshot | EncounterSnapshot | WorkItemSnapshot:
    if isinstance(state, Identity):
        return IdentitySnapshot(state)
    if isinstance(state, Encounter):
        return EncounterSnapshot(state)
    return WorkItemSnapshot(state)
