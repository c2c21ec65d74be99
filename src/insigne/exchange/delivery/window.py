"""The part of the outbox that a destination has in memory: read in order, written in its dialect, put in its lanes.

A row enters the lanes once its bytes are durable, in order of id; it leaves memory once its end is.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from msgspec.structs import replace

from insigne.exchange.delivery.lanes import Lanes
from insigne.exchange.delivery.model import Bytes, Outgoing
from insigne.exchange.delivery.ports import OutboxTransaction, OutboxView
from insigne.exchange.delivery.recorder import Change, Recorder
from insigne.exchange.delivery.scribe import Kept, Writer
from insigne.exchange.delivery.states import Moment

#: Rows of a destination in memory; about 3 kB each once written.
SIZE: Final = 1000
#: Rows whose identities are read together, before they are written.
_FORESEEN: Final = 16
#: Rows written ahead of their sending, by lane, while all goes well.
_AHEAD: Final = 48
#: Changes that may wait to be durable before no more is sent or written.
UNRECORDED: Final = 256
#: Seconds after which bytes that were never sent are looked at again: whether the INS may leave is judged when it does.
STALE_SECONDS: Final = 60.0

#: What a person wrote is not written anew.
_EDITED: Final = Kept(
    "it holds an INS that is no longer that of the patient, or no longer qualified: skip it, or edit it again",
    held=True,
    blocking=True,
    text_fr="le message corrigé porte une INS qui n’est plus celle du patient, ou plus qualifiée",
)

Told = Callable[[OutboxTransaction, Outgoing, Kept], None]


@dataclass(slots=True)
class _Entry:
    """A row on its way to the lanes; `ready` once its bytes are durable. `held`: it waits for a person there."""

    row_id: int
    held: bool = False
    ready: bool = False


class Window:
    """The rows of one destination between the base and its workers. Lives in the event loop of the dispatcher."""

    def __init__(
        self,
        name: str,
        width: int,
        scribe: Writer,
        recorder: Recorder,
        *,
        now: Callable[[], str],
        told: Told,
        turn: Callable[[], None],
    ) -> None:
        """`turn` is called when a worker may find something to do. `background` counts the rows of an initial load."""
        self.name = name
        self._width = width
        self._scribe = scribe
        self._recorder = recorder
        self._now = now
        self._told = told
        self._turn = turn
        self.unrecorded = 0
        self.starving = True
        self.held = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything: what is in the base is read again. To be done when nothing is under way."""
        self._lanes = Lanes(self._width, strict=self._width == 1)
        self._rows: dict[int, Outgoing] = {}
        self._bytes: dict[int, Bytes] = {}
        self._to_write: deque[Outgoing] = deque()
        self._entering: deque[_Entry] = deque()
        self._unanswered: set[int] = set()
        self._never_sent: dict[int, float] = {}  # row → when what its bytes say was last known to be so
        self._stale: deque[int] = deque()
        self.background = 0
        self._read_to = 0
        self._all_read = False

    @property
    def idle(self) -> bool:
        """Whether nothing is being sent or recorded."""
        return not (self._lanes.under_way or self.unrecorded)

    def __len__(self) -> int:
        return len(self._rows) + len(self._to_write)

    # --- from the base

    def news(self) -> None:
        """There may be more rows than were read."""
        self._all_read = False

    def read(self, view: OutboxView) -> None:
        """Fill the window."""
        if self._all_read or len(self) > SIZE // 2:
            return
        room = SIZE - len(self)
        found = view.waiting(self.name, self._read_to, room)
        self._all_read = len(found) < room
        if found:
            self._read_to = found[-1].id
            self._to_write += found
            self.background += sum(row.background for row in found)

    @property
    def needs_base(self) -> bool:
        """Whether there is something to read or to write now."""
        return self.wants_writing or not (self._all_read or len(self) > SIZE // 2)

    @property
    def wants_writing(self) -> bool:
        """Whether a row should be written now: a few ahead, more when all of those wait for something."""
        if self.unrecorded >= UNRECORDED or not (self._to_write or self._stale):
            return False
        if self._stale:
            return True
        return self.starving or len(self._rows) < _AHEAD * self._width

    def next_subjects(self) -> list[str]:
        """The identities that the next rows to be written are about."""
        return [row.subject for row in islice(self._to_write, _FORESEEN) if not row.control_id]

    def write_one(self, moment: Moment) -> None:
        """Write the next row in the dialect of the receiver and have its bytes committed. Raises StoreError."""
        if self._stale:
            self._look_again(self._rows[self._stale[0]], moment)
            return
        row = self._to_write[0]
        if row.state == "held":
            self._to_write.popleft()
            self._rows[row.id] = row
            self._enter(_Entry(row.id, held=True, ready=True))
            return
        written: Bytes | Kept | None
        if row.control_id:
            written = moment.view.outgoing_bytes(row.control_id) or Kept("its content was erased by a purge", held=True)
        else:
            written = self._scribe.write(row, moment)
        self._to_write.popleft()
        if isinstance(written, Kept):
            self._set_aside(row, written)
        else:
            self._queue(row, written)

    def _queue(self, row: Outgoing, written: Bytes) -> None:
        self._rows[row.id] = replace(row, state="encoded", control_id=written.control_id)
        self._bytes[row.id] = written
        entry = _Entry(row.id, ready=bool(row.control_id))
        if not row.sent and row.notice:  # made before a pause or a stop, nobody knows how long ago: looked at again
            self._never_sent[row.id] = -math.inf if entry.ready else time.monotonic()
        if entry.ready:
            self._enter(entry)
            return
        self._entering.append(entry)

        def write(transaction: OutboxTransaction) -> None:
            transaction.put_bytes((written,))
            transaction.encoded(row.id, written.control_id)

        self.record(write, lambda: self._durable(entry))

    def _look_again(self, row: Outgoing, moment: Moment) -> None:
        """A row that waited for long, and was not sent as far as is known: written anew if it may not leave so."""
        if not self._scribe.outdated(row, self._bytes[row.id], moment):
            self._stale.popleft()
            self.retry(row.id)
            return
        if row.kind == "edited":
            self._stale.popleft()
            self._set_aside_late(row, _EDITED)
            return
        written = self._scribe.write(row, moment)
        self._stale.popleft()
        if isinstance(written, Kept):
            self._set_aside_late(row, written)
            return

        def write(transaction: OutboxTransaction) -> None:
            transaction.put_bytes((written,))
            transaction.written_anew(row.id, row.control_id, written.control_id)

        def durable() -> None:
            self._rows[row.id] = replace(row, control_id=written.control_id)
            self._bytes[row.id] = written
            self.retry(row.id)

        self.record(write, durable)

    def _set_aside_late(self, row: Outgoing, kept: Kept) -> None:
        """What could be said when it was written cannot any more."""
        after, write = self._aside(row, kept)
        if kept.blocking:
            self._rows[row.id] = after
            self._lanes.hold(row.id)
            self.record(write, self._turn)
        else:
            self.ended(after, write)

    def _set_aside(self, row: Outgoing, kept: Kept) -> None:
        """Nothing is sent: the row ends, or waits for a person with its patients."""
        after, write = self._aside(row, kept)
        self._rows[row.id] = after
        entry = _Entry(row.id, held=True)
        if kept.blocking:
            self._entering.append(entry)
        self.record(write, lambda: self._durable(entry) if kept.blocking else self._forget(row.id))

    def _aside(self, row: Outgoing, kept: Kept) -> tuple[Outgoing, Callable[[OutboxTransaction], None]]:
        """The row as it is once nothing is sent, and what writes that."""
        self.held += kept.held
        ended = None if kept.blocking else self._now()
        after = replace(row, state="held" if kept.held else "ignored", reason=kept.reason, ended=ended)

        def write(transaction: OutboxTransaction) -> None:
            transaction.advance(after)
            if kept.held:
                self._told(transaction, after, kept)

        return after, write

    def record(self, write: Callable[[OutboxTransaction], None], durable: Callable[[], None]) -> None:
        """Have something committed; `durable` is called once it is."""
        self.unrecorded += 1

        def recorded() -> None:
            self.unrecorded -= 1
            durable()
            self._turn()

        self._recorder.put(Change(write, recorded))

    # --- to the lanes

    def _enter(self, entry: _Entry) -> None:
        self._entering.append(entry)
        self._let_in()

    def _durable(self, entry: _Entry) -> None:
        entry.ready = True
        self._let_in()

    def _let_in(self) -> None:
        """Put in the lanes what is ready, in order of id."""
        while self._entering and self._entering[0].ready:
            entry = self._entering.popleft()
            row = self._rows[entry.row_id]
            self._lanes.add(row.id, row.keys.split(), background=row.background)
            if entry.held:
                self._lanes.hold(row.id)
        self._turn()

    def take(self) -> tuple[Outgoing, Bytes] | None:
        """The next row to send, which is then under way, and its bytes."""
        while (row_id := self._lanes.take()) is not None and self._is_stale(row_id):
            self._lanes.put_back(row_id)
            self._stale.append(row_id)
        # A strict destination that waits to try its first row again has no use for more.
        self.starving = row_id is None and not (self._width == 1 and self._lanes.put_back_count)
        if row_id is None:
            return None
        return self._rows[row_id], self._bytes[row_id]

    def _is_stale(self, row_id: int) -> bool:
        made = self._never_sent.get(row_id)
        if made is None or time.monotonic() - made <= STALE_SECONDS:
            return False
        del self._never_sent[row_id]
        return True

    def put_back(self, row: Outgoing, *, unanswered: bool) -> None:
        """The row keeps its place and waits for `retry`, or for `retry_unanswered`."""
        self._rows[row.id] = row
        self._lanes.put_back(row.id)
        if row.sent:
            self._never_sent.pop(row.id, None)
        elif row.notice:
            self._never_sent.setdefault(row.id, time.monotonic())
        if unanswered:
            self._unanswered.add(row.id)

    def retry(self, row_id: int) -> None:
        """A row that was put back may be sent again."""
        self._unanswered.discard(row_id)
        self._lanes.retry(row_id)
        self._turn()

    def retry_unanswered(self) -> None:
        """So may all those that got no answer: the receiver is to be tried, or is back."""
        for row_id in list(self._unanswered):
            self.retry(row_id)

    def ended(self, row: Outgoing, write: Callable[[OutboxTransaction], None]) -> None:
        """The row needs nothing more of the receiver; its patients wait until `write` is durable."""
        self._rows[row.id] = row
        self._lanes.answered(row.id)

        def durable() -> None:
            self._lanes.done(row.id)
            self._forget(row.id)

        self.record(write, durable)

    def _forget(self, row_id: int) -> None:
        row = self._rows.pop(row_id)
        self._never_sent.pop(row_id, None)
        self.background -= row.background
        self._bytes.pop(row_id, None)
