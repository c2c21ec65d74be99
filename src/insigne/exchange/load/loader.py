"""Applying the rows of a table: a few in each transaction, so that live messages pass between, as fast as allowed.

A row is decided by the rules of a message. Whatever refuses one leaves the others. What was loaded is known by its
identifiers: loading the same table again, whole or from where it stopped, changes nothing more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from insigne.exchange.load.rows import LoadRow, RowFinding, RowReader
from insigne.exchange.load.table import TableRow
from insigne.exchange.ports import Follower, Storage
from insigne.registry.commands import RecordPatient
from insigne.registry.decide import decide
from insigne.registry.decision import Refused
from insigne.registry.ports import View
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import PERSON_TYPES
from insigne.registry.values import Identifier
from insigne.registry.workingset import WorkingSet

#: Findings listed one by one; the rest are counted.
MOST_LISTED = 1000
CAUSE_KIND = "import"


class LoadReport(msgspec.Struct):
    """What became of the rows: created, updated, unchanged by it, known already, or refused; and what was found."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    known: int = 0
    refused: int = 0
    by_rule: Counter[str] = msgspec.field(default_factory=Counter)
    listed: list[RowFinding] = msgspec.field(default_factory=list)

    def note(self, findings: Iterable[RowFinding]) -> None:
        """Count findings, and list the first."""
        for one in findings:
            self.by_rule[one.rule] += 1
            if len(self.listed) < MOST_LISTED:
                self.listed.append(one)


class Loader:
    """Loads one table. `source` is who says so, `time` gives RFC 3339 UTC, `update` whether known people change."""

    def __init__(
        self,
        storage: Storage,
        policy: Policy,
        reader: RowReader,
        *,
        source: str,
        cause: str,
        update: bool,
        time: Callable[[], str],
        new_id: Callable[[], str],
        followers: Sequence[Follower] = (),
    ) -> None:
        self._storage = storage
        self._policy = policy
        self._reader = reader
        self._source = source
        self._cause = cause
        self._update = update
        self._time = time
        self._new_id = new_id
        self._followers = tuple(followers)
        self._met: dict[int, int] = {}  # hash of the key of an identifier → its row
        self.report = LoadReport()

    def load(self, rows: Iterator[TableRow], batch: int) -> int:
        """Load the next rows, at most `batch`, in one transaction; how many there were. Raises StoreError."""
        read = [self._reader.read(row) for row in islice(rows, batch)]
        if not read:
            return 0
        transaction = self._storage.begin()
        try:
            working = WorkingSet(transaction)
            outcome = self._decided(working, read)
            for follower in self._followers:
                follower.follow(working, transaction)
            transaction.write(working, ())
            transaction.commit()
        finally:
            transaction.rollback()
        self._count(outcome)
        return len(read)

    def rehearse(self, view: View, rows: Iterator[TableRow], batch: int) -> int:
        """Decide on the next rows and write nothing; how many there were."""
        read = [self._reader.read(row) for row in islice(rows, batch)]
        self._count(self._decided(WorkingSet(view), read))
        return len(read)

    def _decided(self, working: WorkingSet, read: Sequence[LoadRow]) -> list[tuple[str, tuple[RowFinding, ...]]]:
        return [self._one(working, row) for row in read]

    def _one(self, working: WorkingSet, row: LoadRow) -> tuple[str, tuple[RowFinding, ...]]:
        """Decide on one row: what became of it, and what there is to say."""
        command = row.command
        if command is None:
            return "refused", row.findings
        twice = list(self._twice(row.number, command))
        findings = [*row.findings, *twice]
        known = bool(twice) or self._known(working, command.patient.identifiers)
        if known and not self._update:
            return "known", tuple(findings)
        child = WorkingSet(working)
        source = Source(self._time(), self._source, CAUSE_KIND, self._cause)
        try:
            decision = decide(command, child, source, self._policy, self._new_id)
        except Refused as refused:
            findings.append(RowFinding(row.number, f"refused-{refused.fault}", "error", "", refused.text, ""))
            return "refused", tuple(findings)
        working.absorb(child)
        findings += (
            RowFinding(row.number, notice.code, "warning", "", notice.text, notice.text_fr)
            for notice in decision.notices
        )
        if not known:
            return "created", tuple(findings)
        return "updated" if child.records else "unchanged", tuple(findings)

    def _known(self, working: WorkingSet, identifiers: Sequence[Identifier]) -> bool:
        universal = self._policy.universal
        for one in identifiers:
            key = one.authority.universal_id or universal.get(one.authority.namespace, one.authority.namespace)
            if one.type in PERSON_TYPES and working.holders((one.type, key, one.value)):
                return True
        return False

    def _twice(self, number: int, command: RecordPatient) -> Iterator[RowFinding]:
        """Tell that an identifier was met on an earlier row of the same table."""
        for one in command.patient.identifiers:
            first = self._met.setdefault(hash(one.key), number)
            if first != number:
                yield RowFinding(
                    number,
                    "identifier-twice",
                    "warning",
                    "",
                    f"an identifier is that of row {first} too",
                    f"un identifiant est aussi celui de la ligne {first}",
                )

    def _count(self, outcome: Iterable[tuple[str, tuple[RowFinding, ...]]]) -> None:
        report = self.report
        for became, findings in outcome:
            report.rows += 1
            setattr(report, became, getattr(report, became) + 1)
            report.note(findings)
