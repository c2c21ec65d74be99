"""States to be written, gathered so that each row is written once a flush whatever the number of messages."""

from collections.abc import Iterator, Sequence

from insigne.insi.jobs import CallTrace, Job
from insigne.registry.index import encounter_keys, identity_keys
from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.store import rows, statements
from insigne.store.insi import call_row, job_row
from insigne.store.session import Row

Work = list[tuple[str, list[Row]]]


class Pending:
    """Projections that changed: for each object, what the base holds of it and what it becomes.

    `jobs` by id; `calls` in their order; `open_items`: the open work item of a key, None when it was closed. `others`:
    rows of other tables, by statement.
    """

    def __init__(self) -> None:
        self._identities: dict[str, tuple[Identity | None, Identity]] = {}
        self._encounters: dict[str, tuple[Encounter | None, Encounter]] = {}
        self._work_items: dict[str, WorkItem] = {}
        self.open_items: dict[str, str | None] = {}
        self.jobs: dict[str, Job] = {}
        self.calls: list[CallTrace] = []
        self.others: dict[str, list[Row]] = {}

    def __bool__(self) -> bool:
        return bool(self._identities or self._encounters or self._work_items or self.jobs or self.calls or self.others)

    def identity(self, before: Identity | None, after: Identity) -> frozenset[Key]:
        """Take a changed identity; return the keys whose holders change. `before` is its state so far, None if new."""
        base = self._identities[after.id][0] if after.id in self._identities else before
        self._identities[after.id] = (base, after)
        if before is None:
            return identity_keys(after)
        if before.identifiers is after.identifiers and before.ins is after.ins:
            return frozenset()
        return identity_keys(before) | identity_keys(after)

    def encounter(self, before: Encounter | None, after: Encounter) -> frozenset[Key]:
        """Take a changed stay; return the keys whose stays change. `before` is its state so far, None if new."""
        base = self._encounters[after.id][0] if after.id in self._encounters else before
        self._encounters[after.id] = (base, after)
        if before is None:
            return encounter_keys(after)
        return encounter_keys(before) ^ encounter_keys(after)

    def work_item(self, item: WorkItem) -> None:
        """Take a changed work item."""
        self._work_items[item.id] = item
        self.open_items[item.key] = None if item.closed else item.id

    def known_identity(self, identity_id: str) -> Identity | None:
        """The pending state of an identity."""
        found = self._identities.get(identity_id)
        return None if found is None else found[1]

    def known_encounter(self, encounter_id: str) -> Encounter | None:
        """The pending state of a stay."""
        found = self._encounters.get(encounter_id)
        return None if found is None else found[1]

    def known_work_item(self, item_id: str) -> WorkItem | None:
        """The pending state of a work item."""
        return self._work_items.get(item_id)

    def take(self) -> Work:
        """The rows to write, by statement; nothing is pending afterwards."""
        work = [*self._identity_work(), *self._encounter_work()]
        if self._work_items:
            items = self._work_items.values()
            work.append((statements.PUT_WORK_ITEM, [rows.work_item_row(item) for item in items]))
            if subjects := [row for item in items for row in rows.subject_rows(item)]:
                work.append((statements.PUT_WORK_ITEM_SUBJECT, subjects))
        if self.jobs:
            work.append((statements.PUT_JOB, [job_row(job) for job in self.jobs.values()]))
        if self.calls:
            work.append((statements.INSERT_CALL, [call_row(call) for call in self.calls]))
        work += self.others.items()
        self._identities, self._encounters, self._work_items, self.open_items = {}, {}, {}, {}
        self.jobs, self.calls, self.others = {}, [], {}
        return work

    def other(self, sql: str, rows: Sequence[Row]) -> None:
        """Take rows of another table; those of one statement are written together."""
        if rows:
            self.others.setdefault(sql, []).extend(rows)

    def _identity_work(self) -> Iterator[tuple[str, list[Row]]]:
        if not self._identities:
            return
        states: list[Row] = []
        changes: list[Row] = []
        put: list[Row] = []
        gone: list[Row] = []
        for before, after in self._identities.values():
            if before is not None and rows.is_found_alike(before, after):
                changes.append(rows.identity_change(after))
            else:
                states.append(rows.identity_row(after))
            if before is None:
                put += rows.identifier_rows(after).values()
            elif (
                before.identifiers is not after.identifiers
                or before.ins is not after.ins
                or before.ins_history is not after.ins_history
            ):
                _difference(rows.identifier_rows(before), rows.identifier_rows(after), put, gone)
        if states:
            yield statements.PUT_IDENTITY, states
        if changes:
            yield statements.CHANGE_IDENTITY, changes
        if gone:
            yield statements.DELETE_IDENTIFIER, gone
        if put:
            yield statements.PUT_IDENTIFIER, put

    def _encounter_work(self) -> Iterator[tuple[str, list[Row]]]:
        if not self._encounters:
            return
        states: list[Row] = []
        changes: list[Row] = []
        put: list[Row] = []
        gone: list[Row] = []
        for before, after in self._encounters.values():
            if before is not None and before.identity == after.identity:
                changes.append(rows.encounter_change(after))
            else:
                states.append(rows.encounter_row(after))
            if before is None:
                put += rows.encounter_key_rows(after).values()
            elif before.visit is not after.visit or before.account is not after.account:
                _difference(rows.encounter_key_rows(before), rows.encounter_key_rows(after), put, gone)
        if states:
            yield statements.PUT_ENCOUNTER, states
        if changes:
            yield statements.CHANGE_ENCOUNTER, changes
        if gone:
            yield statements.DELETE_ENCOUNTER_KEY, gone
        if put:
            yield statements.PUT_ENCOUNTER_KEY, put


def _difference(before: dict[Key, Row], after: dict[Key, Row], put: list[Row], gone: list[Row]) -> None:
    """Add to `put` the rows that are new or changed, to `gone` the first four columns (the key) of those to delete."""
    put += (row for key, row in after.items() if before.get(key) != row)
    gone += (row[:4] for key, row in before.items() if key not in after)
