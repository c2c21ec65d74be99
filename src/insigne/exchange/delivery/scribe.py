"""From a row of the outbox to the bytes one receiver gets: the states its notice names, written in its dialect."""

from collections.abc import Callable
from dataclasses import dataclass
from traceback import extract_tb
from typing import Final

import msgspec
import structlog

from insigne.exchange.delivery.model import Bytes, Outgoing
from insigne.exchange.delivery.ports import OutboxView
from insigne.exchange.delivery.states import RecentStates, states_of
from insigne.exchange.errors import StoreError
from insigne.hl7 import Hl7Error, Message
from insigne.pam.encode import Dialect, Encoded, Nothing, Notice, Withheld, encode

_log = structlog.get_logger("insigne.delivery")
_notice: Final = msgspec.json.Decoder(Notice)
#: Characters of MSH-10 (HL7 v2.5 §2.15.9.10).
_CONTROL_ID: Final = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """Nothing is sent, and why; `held`: a person must act, and with `blocking` its patients wait meanwhile."""

    reason: str
    held: bool = False
    blocking: bool = False
    text_fr: str = ""


class Scribe:
    """Writes for one receiver."""

    def __init__(
        self, dialect: Dialect, recent: RecentStates, *, now: Callable[[], str], new_id: Callable[[], str]
    ) -> None:
        """`now` gives RFC 3339 with zone, `new_id` ids whose first 20 characters are unique."""
        self._dialect = dialect
        self._relays = bool(dialect.settings.relay_segments)
        self._recent = recent
        self._now = now
        self._new_id = new_id

    def write(self, row: Outgoing, view: OutboxView) -> Bytes | Kept:
        """The message of a row, with a MSH-10 of its own. Raises StoreError when the base cannot be read now."""
        try:
            return self._written(row, view)
        except StoreError as error:
            if error.retry:
                raise
            return Kept(str(error), held=True)
        except Exception as error:  # a defect of ours: this message waits for a person, the next ones go on
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
            _log.error("delivery.not-encoded", row=row.id, error=type(error).__name__, frames=frames)
            return Kept("internal error: the message could not be written", held=True)

    def _written(self, row: Outgoing, view: OutboxView) -> Bytes | Kept:
        if not row.notice:
            return Kept("its content was erased by a purge", held=True)
        notice = _notice.decode(row.notice)
        states = states_of(notice, self._recent, view)
        control_id, time = self._new_id()[:_CONTROL_ID], self._now()
        outcome = encode(
            notice,
            states,
            view.identity(notice.subject),
            self._dialect,
            control_id=control_id,
            time=time,
            original=self._original(notice, view),
        )
        match outcome:
            case Encoded():
                return Bytes(control_id, outcome.event, time, outcome.raw)
            case Withheld():
                reason = f"{outcome.reason_code}: {outcome.text}"
                return Kept(reason, held=True, blocking=outcome.blocking, text_fr=outcome.text_fr)
            case Nothing():
                return Kept(outcome.reason_code)

    def _original(self, notice: Notice, view: OutboxView) -> Message | None:
        """The message received that caused the notice, when this receiver wants parts of it."""
        if not self._relays or notice.cause_kind != "message":
            return None
        record = view.message(notice.cause_id)
        if record is None or not record.raw:
            return None
        try:
            return Message.parse(record.raw)
        except Hl7Error:
            return None
