"""The unit of work: what one commit holds, from the first read under the write lock to the seal."""

import os
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any

from insigne.dmp.model import Sending
from insigne.exchange.errors import StoreError
from insigne.exchange.model import MessageRecord
from insigne.insi.jobs import CallTrace, Job
from insigne.registry.events import Recorded
from insigne.registry.index import overlay_key
from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.registry.workingset import WorkingSet
from insigne.store import rows, statements
from insigne.store.alarms import AlarmWriter
from insigne.store.audit import AuditEntry
from insigne.store.cache import Caches, Recent
from insigne.store.copies import CopyWriter
from insigne.store.counters import CounterWriter
from insigne.store.dmp import DocumentWriter
from insigne.store.dmp_past import PastWriter
from insigne.store.insi import InsiWriter, is_open
from insigne.store.invitations import InvitationWriter
from insigne.store.journal import serialised
from insigne.store.mail import MailWriter
from insigne.store.outbox import OutboxWriter
from insigne.store.pending import Pending, Work
from insigne.store.sealing import GENESIS, SALT_BYTES, Sealing, payload_digest
from insigne.store.session import Row, Session
from insigne.store.users import UserWriter

#: The last seal: its number, the seq of the last entry it covers, its digest.
Head = tuple[int, int, bytes]


class UnitOfWork(
    InsiWriter,
    UserWriter,
    InvitationWriter,
    CounterWriter,
    OutboxWriter,
    CopyWriter,
    AlarmWriter,
    DocumentWriter,
    PastWriter,
    MailWriter,
):
    """One write transaction: `exchange.ports.Transaction`, and those of `insi.ports` and `dmp.ports`.

    `write`, `record`, `put_job` and `put_call` only gather; rows go to the base before the next read that needs them,
    and at `commit`. After an error of the base the transaction is over: nothing of it is kept.
    """

    def __init__(
        self,
        session: Session,
        caches: Caches,
        now: Callable[[], str],
        ended: Callable[[Head | None, int], None],
        head: Head | None = None,
    ) -> None:
        """`head`: the last seal, when it is known. `ended` is told the one committed, or None, and the rows written."""
        super().__init__(session)
        self._caches = caches
        self._now = now
        self._ended = ended
        self._open = True
        self._pending = Pending()
        self._records: list[Recorded | AuditEntry] = []
        self._messages: list[MessageRecord] = []
        self.head = head or _head(session)
        last_seal, self._last_seq, self._previous = self.head
        self._seal_number = last_seal + 1
        self._first_seq = self._last_seq + 1
        self._sealing: Sealing | None = None
        self._seal_time = ""
        self._sealed = False
        self._written = 0
        self._committed: list[Callable[[], None]] = []

    def __enter__(self) -> "UnitOfWork":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rollback()

    # --- reading: what this transaction wrote, then the caches, then the base

    def identity(self, identity_id: str) -> Identity | None:
        """See `View.identity`."""
        cache = self._caches.identities
        found = cache.get(identity_id)
        if found is None:
            found = super().identity(identity_id)
            if found is not None:
                cache.put(identity_id, found)
        return found

    def encounter(self, encounter_id: str) -> Encounter | None:
        """See `View.encounter`."""
        cache = self._caches.encounters
        found = cache.get(encounter_id)
        if found is None:
            found = super().encounter(encounter_id)
            if found is not None:
                cache.put(encounter_id, found)
        return found

    def holders(self, key: Key) -> tuple[str, ...]:
        """See `View.holders`."""
        found = self._caches.holders.get(key)
        if found is None:
            found = super().holders(key)
            self._caches.holders.put(key, found)
        return found

    def encounters(self, key: Key) -> tuple[str, ...]:
        """See `View.encounters`."""
        found = self._caches.stays.get(key)
        if found is None:
            found = super().encounters(key)
            self._caches.stays.put(key, found)
        return found

    def prefetch(self, holders: Collection[Key], encounters: Collection[Key]) -> None:
        """See `exchange.ports.Transaction.prefetch`: what the caches lack is read into them."""
        caches = self._caches
        found = self._looked_up(caches.holders, holders, statements.HOLDERS_EACH)
        unknown = [(one,) for one in found if caches.identities.get(one) is None]
        for one, state, item in self.select_each(statements.IDENTITIES_AND_WORK_EACH, unknown, (overlay_key(""),)):
            caches.identities.put(one, rows.read_identity(state))
            caches.open_items.put(overlay_key(one), item or "")
        found = self._looked_up(caches.stays, encounters, statements.ENCOUNTERS_EACH)
        unknown = [(one,) for one in found if caches.encounters.get(one) is None]
        for one, state in self.select_each(statements.STAYS_EACH, unknown):
            caches.encounters.put(one, rows.read_encounter(state))

    def _looked_up(self, cache: Recent[Key, tuple[str, ...]], keys: Collection[Key], sql: str) -> set[str]:
        unknown: dict[Key, list[str]] = {key: [] for key in keys if cache.get(key) is None}
        if unknown:
            wanted = [(value, authority, kind) for kind, authority, value in unknown]
            kept = self._session.kept
            asked = {(kept(key[0]), kept(key[1]), kept(key[2])): ids for key, ids in unknown.items()}
            for kind, authority, value, found in self.select_each(sql, wanted):
                asked[kind, authority, value].append(found)
            for key, ids in unknown.items():
                cache.put(key, tuple(ids))
        return {one for ids in unknown.values() for one in ids}

    def holds_documents(self) -> bool:
        """See `DocumentTransaction.holds_documents`."""
        if self._caches.documents is None:
            self._caches.documents = super().holds_documents()
        return self._caches.documents

    def put_sending(self, sending: Sending) -> None:
        """See `DocumentTransaction.put_sending`."""
        self._caches.documents = None
        super().put_sending(sending)

    def job(self, job_id: str) -> Job | None:
        """See `InsiTransaction.job`."""
        found = self._pending.jobs.get(job_id)
        if found is None:
            stored = self._query(statements.JOB, (job_id,))
            found = Job(*stored[0]) if stored else None
        return found

    def open_job(self, identity: str, kind: str) -> Job | None:
        """See `InsiTransaction.open_job`. Asked for every new identity: what is gathered stays gathered."""
        pending = self._pending.jobs
        found = [Job(*row) for row in self._query(statements.OPEN_JOBS, (identity, kind))]
        found = [job for job in found if job.id not in pending]
        found += (job for job in pending.values() if is_open(job, identity, kind))
        return found[0] if found else None

    def work_item(self, item_id: str) -> WorkItem | None:
        """See `View.work_item`; what is gathered stays gathered."""
        found = self._pending.known_work_item(item_id)
        if found is None:
            stored = self._query(statements.WORK_ITEM, (item_id,))
            found = rows.read_work_item(stored[0][0]) if stored else None
        return found

    def open_work_item(self, key: str) -> str | None:
        """See `View.open_work_item`; what is gathered stays gathered."""
        if key in self._pending.open_items:
            return self._pending.open_items[key]
        found = self._caches.open_items.get(key)
        if found is None:
            stored = self._query(statements.OPEN_WORK_ITEM, (key,))
            found = stored[0][0] if stored else ""
            self._caches.open_items.put(key, found)
        return found or None

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See `Reader.select`; sees what this transaction wrote."""
        return self._query(sql, parameters, flush=True)

    # --- writing

    def write(self, changes: WorkingSet, messages: Sequence[MessageRecord]) -> None:
        """See `exchange.ports.Transaction.write`. A working set is written once."""
        self._check_open()
        created = {record.stream_id for record in changes.records if record.version == 1}
        for identity in changes.identities.values():
            before = None if identity.id in created else self._identity_before(identity.id)
            for key in self._pending.identity(before, identity):
                self._caches.holders.forget(key)
            self._caches.identities.put(identity.id, identity)
            if identity.id in created:
                self._caches.open_items.put(overlay_key(identity.id), "")
        for encounter in changes.encounter_states.values():
            known = None if encounter.id in created else self._encounter_before(encounter.id)
            for key in self._pending.encounter(known, encounter):
                self._caches.stays.forget(key)
            self._caches.encounters.put(encounter.id, encounter)
        self._remember_lookups(changes)
        for item in changes.work_items.values():
            self._pending.work_item(item)
            if not item.closed:
                self._caches.open_items.put(item.key, item.id)
            elif self._caches.open_items.get(item.key) == item.id:  # one closed long ago may be written again
                self._caches.open_items.put(item.key, "")
        self._records += changes.records
        self._messages += messages

    def _remember_lookups(self, changes: WorkingSet) -> None:
        """Who is found by the keys that changed. Several come in an order of the base's: they are read again."""
        for cache, changed in (
            (self._caches.holders, changes.changed_holders),
            (self._caches.stays, changes.changed_encounters),
        ):
            for key, found in changed.items():
                if len(found) < 2:
                    cache.put(key, found)

    def put_job(self, job: Job) -> None:
        """See `InsiTransaction.put_job`."""
        self._check_open()
        self._pending.jobs[job.id] = job

    def put_call(self, call: CallTrace) -> None:
        """See `InsiTransaction.put_call`."""
        self._check_open()
        self._pending.calls.append(call)

    def record(self, entry: AuditEntry) -> None:
        """Write an audit entry, sealed with the rest of the transaction."""
        self._check_open()
        self._records.append(entry)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a text of `statements` on tables other than the journal; the number of rows touched. For this room."""
        return self.execute_each([(sql, [tuple(parameters)])])

    def execute_each(self, work: Work) -> int:
        """Run each text once for each of its rows; the number of rows touched. For this room."""
        self._check_open()
        try:
            self._flush()
            touched = self._session.execute_each(work)
        except StoreError:
            self.rollback()
            raise
        self._written += touched
        return touched

    def peek(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See `Writer.peek`."""
        return self._query(sql, parameters)

    def gather(self, sql: str, rows: Sequence[Row]) -> None:
        """See `Writer.gather`."""
        self._check_open()
        self._pending.other(sql, rows)

    def after_commit(self, call: Callable[[], None]) -> None:
        """See `OutboxTransaction.after_commit`."""
        self._committed.append(call)

    def seal(self) -> None:
        """See `exchange.ports.Transaction.seal`."""
        self._check_open()
        if self._sealed:
            return
        try:
            self._flush()
            self._write_seal()
        except StoreError:
            self.rollback()
            raise
        self._sealed = True

    def commit(self) -> None:
        """See `exchange.ports.Transaction.commit`."""
        self.seal()
        try:
            self._session.commit()
        except StoreError:
            self.rollback()
            raise
        self._open = False
        self._ended(self.head, self._written)
        for call in self._committed:
            call()

    def rollback(self) -> None:
        """See `exchange.ports.Transaction.rollback`."""
        if not self._open:
            return
        self._open = False
        self._session.rollback()
        self._caches.clear()
        self._ended(None, 0)

    # --- inside

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("this transaction has ended")

    def _query(self, sql: str, parameters: Sequence[Any], *, flush: bool = False) -> list[Row]:
        self._check_open()
        try:
            if flush:
                self._flush()
            return self._session.query(sql, parameters)
        except StoreError:
            self.rollback()
            raise

    def _identity_before(self, identity_id: str) -> Identity | None:
        return self._pending.known_identity(identity_id) or self.identity(identity_id)

    def _encounter_before(self, encounter_id: str) -> Encounter | None:
        return self._pending.known_encounter(encounter_id) or self.encounter(encounter_id)

    def _flush(self) -> None:
        if not (self._records or self._messages or self._pending):
            return
        work = self._pending.take()
        if self._records:
            work.append((statements.INSERT_ENTRY, self._entry_rows()))
        if self._messages:
            work.append((statements.INSERT_MESSAGE, [rows.message_row(message) for message in self._messages]))
            parts = [part for message in self._messages for part in rows.message_parts(message)]
            if parts:
                work.append((statements.INSERT_MESSAGE_PART, parts))
        self._records, self._messages = [], []
        self._written += self._session.execute_each(work)

    def _entry_rows(self) -> list[Row]:
        """Number, salt and digest the gathered entries, under the seal to come."""
        if self._sealing is None:
            self._seal_time = self._now()
            self._sealing = Sealing(self._previous, self._seal_number, self._seal_time)
        salts = os.urandom(SALT_BYTES * len(self._records))
        number, add = self._seal_number, self._sealing.add
        entries: list[Row] = []
        for offset, record in enumerate(self._records):
            self._last_seq += 1
            header, payload = serialised(record, self._last_seq)
            salt = salts[offset * SALT_BYTES : (offset + 1) * SALT_BYTES]
            digest = payload_digest(salt, payload)
            add(header, digest)
            entries.append((*header, payload, salt, digest, number))
        return entries

    def _write_seal(self) -> None:
        if self._sealing is None:
            return
        number, first, last, digest = self._seal_number, self._first_seq, self._last_seq, self._sealing.digest()
        row = (number, first, last, last - first + 1, self._previous, digest, self._seal_time)
        self._session.execute_each([(statements.INSERT_SEAL, [row])])
        self.head = (number, last, digest)


def _head(session: Session) -> Head:
    """The last seal there is."""
    found = session.query(statements.LAST_SEAL)
    number, seq, digest = found[0] if found else (0, 0, GENESIS)
    return number, seq, digest
