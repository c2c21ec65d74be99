"""From a row of the outbox to the bytes one receiver gets: the states its notice names, written in its dialect."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from traceback import extract_tb
from typing import Final, Protocol

import msgspec
import structlog
from msgspec.structs import replace

from insigne.exchange.delivery.model import Bytes, Outgoing
from insigne.exchange.delivery.states import Moment, RecentStates, states_of
from insigne.exchange.errors import StoreError
from insigne.hl7 import Hl7Error, Message
from insigne.pam.encode import Dialect, Encoded, Nothing, Notice, SubscriptionSettings, Withheld, encode
from insigne.pam.encode.again import told_again
from insigne.pam.encode.ins import may_carry
from insigne.registry.state import Identity

_log = structlog.get_logger("insigne.delivery")
_notice: Final = msgspec.json.Decoder(Notice)
#: Characters of MSH-10 (HL7 v2.5 §2.15.9.10).
_CONTROL_ID: Final = 20
_SHARED_SIZE: Final = 512


@dataclass(frozen=True, slots=True)
class Kept:
    """Nothing is sent, and why; `held`: a person must act, and with `blocking` its patients wait meanwhile.

    `text_fr` says what the users of the receiver must do by hand.
    """

    reason: str
    held: bool = False
    blocking: bool = False
    text_fr: str = ""


class Shared:
    """What was just written in one dialect: receivers that differ by MSH-5 and MSH-6 only get it under their header.

    A message is known by its notice and by the version of its subject that day, which decides whether an INS leaves.
    """

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[bytes, int], Bytes] = OrderedDict()

    def get(self, notice: bytes, version: int) -> Bytes | None:
        """The message written of that notice."""
        return self._written.get((notice, version))

    def put(self, notice: bytes, version: int, written: Bytes) -> None:
        """Remember a message; the oldest is forgotten."""
        self._written[notice, version] = written
        if len(self._written) > _SHARED_SIZE:
            self._written.popitem(last=False)


def family(settings: SubscriptionSettings) -> bytes:
    """What subscriptions whose messages differ by MSH-5, MSH-6 and MSH-10 only have in common; b"" for none."""
    if any(rule.path.startswith("MSH") or rule.action == "rename-authority" for rule in settings.rules):
        return b""
    return msgspec.json.encode(replace(settings, application="", facility=""))


class Writer(Protocol):
    """Writes for one receiver, whatever it is told in."""

    def write(self, row: Outgoing, moment: Moment) -> Bytes | Kept:
        """The bytes of a row, under an id of their own. Raises StoreError when the base cannot be read now."""
        ...

    def outdated(self, row: Outgoing, written: Bytes, moment: Moment) -> bool:
        """Whether what was written of a row, and not sent, may not leave as it is. Raises StoreError."""
        ...


class Scribe:
    """Writes messages for one receiver."""

    def __init__(
        self,
        dialect: Dialect,
        recent: RecentStates,
        shared: Shared | None = None,
        *,
        now: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        """`shared` is that of all receivers of the same `family`.

        `now` gives RFC 3339 with zone, `new_id` ids whose first 20 characters are unique.
        """
        self._dialect = dialect
        self._relays = bool(dialect.settings.relay_segments)
        self._recent = recent
        self._shared = shared
        self._proven = False  # its own header was validated once
        self._now = now
        self._new_id = new_id

    def write(self, row: Outgoing, moment: Moment) -> Bytes | Kept:
        """The message of a row, with a MSH-10 of its own. Raises StoreError when the base cannot be read now."""
        try:
            return self._written(row, moment)
        except StoreError as error:
            if error.retry:
                raise
            return Kept(str(error), held=True)
        except Exception as error:  # a defect of ours: this message waits for a person, the next ones go on
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
            _log.error("delivery.not-encoded", row=row.id, error=type(error).__name__, frames=frames)
            return Kept("internal error: the message could not be written", held=True)

    def outdated(self, row: Outgoing, written: Bytes, moment: Moment) -> bool:
        """Whether the message holds an INS that is not, or not qualified, that of its patient today."""
        return not may_carry(written.raw, moment.identity(row.subject))

    def _written(self, row: Outgoing, moment: Moment) -> Bytes | Kept:
        if not row.notice:
            return Kept("its content was erased by a purge", held=True)
        notice = _notice.decode(row.notice)
        shared = self._shared
        if row.kind == "replay":
            again = told_again(notice, moment.identity(notice.subject))
            if isinstance(again, Nothing):
                return Kept(again.reason_code)
            notice, shared = again, None
        today = self._today(notice, moment)
        version = today.version if today is not None else 0
        control_id = self._new_id()[:_CONTROL_ID]
        known = shared.get(row.notice, version) if shared is not None and self._proven else None
        if known is not None:
            return self._under_own_header(known, control_id)
        time = self._now()
        outcome = encode(
            notice,
            states_of(notice, self._recent, moment.view),
            today,
            self._dialect,
            control_id=control_id,
            time=time,
            original=self._original(notice, moment),
        )
        match outcome:
            case Encoded():
                written = Bytes(control_id, outcome.event, time, outcome.raw, " ".join(outcome.left_out))
                self._proven = True
                if shared is not None:
                    shared.put(row.notice, version, written)
                return written
            case Withheld():
                reason = f"{outcome.reason_code}: {outcome.text}"
                return Kept(reason, held=True, blocking=outcome.blocking, text_fr=outcome.text_fr)
            case Nothing():
                return Kept(outcome.reason_code)

    def _today(self, notice: Notice, moment: Moment) -> Identity | None:
        """The subject as it is now, for its INS; one that had none as of the event shows none, whatever it has now."""
        then = self._recent.get(notice.refs[0])
        if isinstance(then, Identity) and then.ins is None:
            return then
        return moment.identity(notice.subject)

    def _under_own_header(self, known: Bytes, control_id: str) -> Bytes:
        """The same message to this receiver."""
        header = self._dialect.header(known.event.split("^")[1], control_id, known.time)
        raw = header.encode(self._dialect.codec) + known.raw[known.raw.index(b"\r") :]
        return replace(known, control_id=control_id, raw=raw)

    def _original(self, notice: Notice, moment: Moment) -> Message | None:
        """The message received that caused the notice, when this receiver wants parts of it."""
        if not self._relays or notice.cause_kind != "message":
            return None
        record = moment.view.message(notice.cause_id)
        if record is None or not record.raw:
            return None
        try:
            return Message.parse(record.raw)
        except Hl7Error:
            return None
