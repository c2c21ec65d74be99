"""What a receiver would be told under another subscription: recent events, written both ways, nothing queued."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from insigne.exchange.delivery.ports import OutboxView
from insigne.exchange.delivery.states import RecentStates, states_of
from insigne.exchange.errors import StoreError
from insigne.hl7 import Hl7Error, Message
from insigne.pam.encode import Dialect, Encoded, Notice, Withheld, encode, notices
from insigne.pam.findings import Finding
from insigne.registry.events import Recorded
from insigne.registry.state import Identity

_CONTROL_ID: Final = "PREVIEW"
_NO_STATES: Final = RecentStates(0)


@dataclass(frozen=True, slots=True)
class Told:
    """What would become of one event: sent, held for a person, or nothing to tell; lost when a purge erased it.

    `event` is MSH-9 and `text` the message, decoded; `reason` why nothing is sent, `explained` in words (English and
    French); `left_out` the fields that the edition refuses, `findings` what the validator says against it.
    """

    fate: Literal["sent", "held", "nothing", "lost"]
    event: str = ""
    raw: bytes = b""
    text: str = ""
    reason: str = ""
    explained: tuple[str, str] = ("", "")
    left_out: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same both ways; "" where it is absent."""

    path: str
    today: str
    planned: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One event told both ways."""

    notice: Notice
    today: Told
    planned: Told
    differences: tuple[Difference, ...]

    @property
    def change(self) -> str:
        """`same`, `different`, or what it was and would be: `sent to held`."""
        if self.today.fate != self.planned.fate:
            return f"{self.today.fate} to {self.planned.fate}"
        same = (self.today.raw, self.today.reason) == (self.planned.raw, self.planned.reason)
        return "same" if same else "different"


def recent_notices(records: Sequence[Recorded], view: OutboxView, count: int) -> list[Notice]:
    """The last notices, at most `count`, of the last events of the journal, whole decisions of them, in order.

    `view` is the state after the last of the events.
    """
    # One person may decide several things in a row: the moment tells them apart.
    apart = [
        record if record.cause_kind == "message" else replace(record, cause_id=f"{record.cause_id} {record.time}")
        for record in records
    ]
    return notices(apart, view)[-count:]


def compare(notice: Notice, view: OutboxView, today: Dialect | None, planned: Dialect) -> Compared:
    """Tell one event under two subscriptions; `today` is None for a receiver that does not exist yet."""
    before = _told(notice, view, today) if today is not None else Told("nothing", reason="not-configured")
    after = _told(notice, view, planned)
    differences = tuple(_differences(before, after)) if before.fate == after.fate == "sent" else ()
    return Compared(notice, before, after, differences)


def _told(notice: Notice, view: OutboxView, dialect: Dialect) -> Told:
    """What becomes of an event for one receiver, as of the event: an INS that was lost since is shown."""
    try:
        states = states_of(notice, _NO_STATES, view)
    except StoreError as error:
        return Told("lost", reason=str(error))
    subject = states.get(("identity", notice.subject))
    current = subject if isinstance(subject, Identity) else None
    original = _original(notice, view) if dialect.settings.relay_segments else None
    try:
        outcome = encode(notice, states, current, dialect, control_id=_CONTROL_ID, time=notice.time, original=original)
    except LookupError:
        return Told("lost", reason="a state of it is not known any more")
    match outcome:
        case Encoded():
            text = outcome.raw.decode(dialect.codec)
            return Told("sent", outcome.event, outcome.raw, text, left_out=outcome.left_out)
        case Withheld():
            words = (outcome.text, outcome.text_fr)
            return Told("held", reason=outcome.reason_code, explained=words, findings=outcome.findings)
        case nothing:
            return Told("nothing", reason=nothing.reason_code)


def _original(notice: Notice, view: OutboxView) -> Message | None:
    record = view.message(notice.cause_id) if notice.cause_kind == "message" else None
    try:
        return Message.parse(record.raw) if record is not None and record.raw else None
    except Hl7Error:
        return None


def _differences(today: Told, planned: Told) -> Iterator[Difference]:
    before, after = _fields(today.text), _fields(planned.text)
    for path in sorted(before.keys() | after.keys(), key=lambda path: (before | after)[path][0]):
        old, new = before.get(path, (0, ""))[1], after.get(path, (0, ""))[1]
        if old != new:
            yield Difference(path, old, new)


def _fields(text: str) -> dict[str, tuple[int, str]]:
    """The fields of a message by their place, each with its rank."""
    found: dict[str, tuple[int, str]] = {}
    counts: dict[str, int] = {}
    for line in text.split("\r"):
        name, *fields = line.split("|")
        counts[name] = counts.get(name, 0) + 1
        occurrence = f"({counts[name]})" if counts[name] > 1 else ""
        for number, value in enumerate(fields, 2 if name == "MSH" else 1):
            if value:
                found[f"{name}{occurrence}-{number}"] = (len(found), value)
    return found
