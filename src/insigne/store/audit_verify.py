"""Whether the past was left alone: every seal, every entry, every payload.

What is found: an entry changed, added, removed or moved; a payload changed, or erased by anything but a purge; a seal
changed, missing or out of order. What cannot be found from inside: the last seals removed together with their entries,
or the whole chain written anew by somebody who has the base in hands. The head (number and digest of the last seal) is
part of the report for that reason: kept elsewhere (printed, mailed, signed), it makes both visible, by `anchor`.
"""

from collections.abc import Iterator
from typing import Any

from insigne.store import audit, statements
from insigne.store.journal import read_audit
from insigne.store.report import STRIDE, Progress, Report, silent
from insigne.store.sealing import GENESIS, Header, Seal, Sealing, payload_digest
from insigne.store.session import Row
from insigne.store.store import Store

#: The act by which a purge tells, in the chain, how many payloads it erased.
PURGED = "payloads-erased"


def audit_verify(store: Store, progress: Progress = silent, *, anchor: tuple[int, str] | None = None) -> Report:
    """Check the chain of seals over the whole journal, of one moment.

    `anchor` is the (number, digest in hexadecimal) of a seal kept elsewhere: that seal must still be there. The report
    counts seals, entries and erased payloads, and gives the head to keep.
    """
    with store.read() as view:
        head = view.head()
        total = head.last_seq if head is not None else 0
        checker = _Checker(view.stream(statements.ALL_ENTRIES), anchor)
        for row in view.stream(statements.ALL_SEALS):
            checker.seal(Seal(*row))
            if checker.seals % STRIDE == 0:
                progress(checker.entries, total)
        checker.rest()
    progress(total, total)
    return checker.report(head)


class _Checker:
    """The chain so far."""

    def __init__(self, entries: Iterator[Row], anchor: tuple[int, str] | None) -> None:
        self._following = entries
        self._next = next(entries, None)
        self._report = Report()
        self._anchor = anchor
        self._anchored = anchor is None
        self._number = 0
        self._seq = 0
        self._digest = GENESIS
        self.entries = 0
        self.seals = 0
        self._erased = 0
        self._purged = 0

    def seal(self, seal: Seal) -> None:
        """Check one seal with the entries it covers."""
        self.seals += 1
        problem = self._report.problem
        if seal.number != self._number + 1:
            problem(f"seal {seal.number} follows seal {self._number}: what was between is missing")
        if seal.previous != self._digest:
            problem(f"seal {seal.number} does not continue the seal before it")
        if seal.first_seq != self._seq + 1 or seal.count != seal.last_seq - seal.first_seq + 1:
            problem(f"seal {seal.number} does not cover the entries that follow entry {self._seq}")
        sealing = Sealing(seal.previous, seal.number, seal.time)
        while self._next is not None and self._next[0] <= seal.last_seq:
            row = self._next
            self._entry(row, seal.number)
            sealing.add(_header(row), row[11])
            self._next = next(self._following, None)
        if self._seq != seal.last_seq:
            problem(f"seal {seal.number}: the entries after {self._seq} are missing")
            self._seq = seal.last_seq
        if sealing.digest() != seal.digest:
            problem(f"seal {seal.number}: entries {seal.first_seq} to {seal.last_seq} are not as they were sealed")
        self._number, self._digest = seal.number, seal.digest
        if self._anchor == (seal.number, seal.digest.hex()):
            self._anchored = True

    def _entry(self, row: Row, number: int) -> None:
        seq, payload, salt, digest = row[0], row[9], row[10], row[11]
        self.entries += 1
        if seq != self._seq + 1:
            self._report.problem(f"entry {seq} follows entry {self._seq}: what was between is missing")
        if row[12] != number:
            self._report.problem(f"entry {seq} says it is under seal {row[12]}, it is under seal {number}")
        self._seq = seq
        if payload is None and salt is None:
            self._erased += 1
        elif not (isinstance(payload, bytes) and isinstance(salt, bytes) and payload_digest(salt, payload) == digest):
            self._report.problem(f"entry {seq}: its content was changed")
        elif row[1] == audit.STREAM and row[4] == PURGED:
            self._purged += int(read_audit(row).details["payloads"])

    def rest(self) -> None:
        """Check that nothing follows the last seal."""
        if self._next is not None:
            self._report.problem(f"the entries from {self._next[0]} on are not sealed")

    def report(self, head: Seal | None) -> Report:
        """What was found."""
        report = self._report
        if self._erased != self._purged:
            report.problem(f"{self._erased} payloads are erased, but purges tell of {self._purged}")
        if not self._anchored:
            report.problem("the seal kept elsewhere is not in the chain: the past was cut off or written anew")
        checked: dict[str, Any] = {"seals": self.seals, "entries": self.entries, "erased": self._erased}
        if head is not None:
            checked |= {"head": head.number, "head_digest": head.digest.hex(), "head_time": head.time}
        report.checked = checked
        return report


def _header(row: Row) -> Header:
    seq, stream, stream_id, version, kind, time, author, cause_kind, cause_id = row[:9]
    return seq, stream, stream_id, version, kind, time, author, cause_kind, cause_id
