"""A message that arrived, read as far as it goes without the base: while another batch commits, for instance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from traceback import extract_tb
from typing import Final

import structlog
from msgspec import msgpack

from insigne.exchange.elsewhere import Written
from insigne.exchange.handler import Delivery, Handler, Outcome, Portable, Prepared
from insigne.exchange.heading import UNKNOWN, Heading, heading_of
from insigne.exchange.model import Peer, Received
from insigne.exchange.reading import ANY, content_digest, header_of, read
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import AckError, Hl7Error, Junk, Location, Message

_log = structlog.get_logger("insigne.exchange.intake")
_NOTHING: Final = Prepared()
#: MSH-9.1 of what changes nothing.
_QUESTIONS: Final = frozenset({"QBP", "QCN"})
#: An acknowledgement that arrives as a message: recorded, never answered.
ACKNOWLEDGED: Final = Outcome("", ignored=True)

_written: Final = msgpack.Decoder(Written)


@dataclass(frozen=True, slots=True)
class Unframed:
    """Bytes that framing refused, to be recorded: every byte run refused is a visible event."""

    junk: Junk
    peer: Peer
    time: str


@dataclass(slots=True)
class Read:
    """A message, read as far as it says by itself; `outcome` once there is nothing left to decide.

    `key`: sender and control id, under which it is applied once (design: settled 6); no control id for a question.
    """

    item: Received
    delivery: Delivery
    key: tuple[str, str]
    digest: bytes
    prepared: Prepared = _NOTHING
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """What is not for a handler: bytes that framing refused, a message that cannot be read, an acknowledgement."""

    item: Received | Unframed
    message_id: str
    heading: Heading
    outcome: Outcome


Reading = Read | Unread


class Arrivals:
    """Reads what arrives, and has its handler prepare it. Pure but for ids and the log; never raises."""

    def __init__(
        self, handlers: Mapping[str, Handler], senders: Sequence[SenderSettings], new_id: Callable[[], str]
    ) -> None:
        self._handlers = handlers
        self._portable = {code: one for code, one in handlers.items() if isinstance(one, Portable)}
        self._senders = tuple(senders)
        self._new_id = new_id

    def read(self, item: Received | Unframed, written: bytes = b"") -> Reading:
        """Everything that can be known of a message without the base.

        `written`: what another process read of it, if one did (`exchange.elsewhere`); the reading is the same.
        """
        message_id = self._new_id()
        if isinstance(item, Unframed):
            return Unread(item, message_id, UNKNOWN, Outcome(""))
        try:
            return self._restored(item, message_id, written) or self._opened(item, message_id)
        except Hl7Error as error:
            header = header_of(item.raw)
            refusal = Outcome(error.ack, (AckError.of(error),))
            outcome = ACKNOWLEDGED if _is_ack(header) else refusal
            return Unread(item, message_id, heading_of(header, readable=False), outcome)
        except Exception as error:
            return Unread(item, message_id, UNKNOWN, defective(message_id, error))

    def _restored(self, item: Received, message_id: str, written: bytes) -> Read | None:
        """A message as another process read it; None when it is to be read here."""
        if not written:
            return None
        try:
            known = _written.decode(written)
            sender = ANY if known.sender is None else self._senders[known.sender]
            delivery = Delivery(known.heading, message_id, item, sender)
            handler = self._portable.get(known.heading.code)
            if handler is None or not _may_send(delivery):
                return None
            key = (known.heading.sender, known.heading.control_id)
            return Read(item, delivery, key, known.digest, handler.restore(known.asked))
        except Exception as error:  # a defect of ours; it is read here instead
            _log.error("reading not understood", message=message_id, **defect(error))
            return None

    def _opened(self, item: Received, message_id: str) -> Reading:
        message, sender = read(item.raw, self._senders)
        if _is_ack(message):
            return Unread(item, message_id, heading_of(message, readable=False), ACKNOWLEDGED)
        heading = heading_of(message)
        # A question is answered anew each time: what was true when it was first asked may no longer be.
        key = (heading.sender, "" if heading.code in _QUESTIONS else heading.control_id)
        one = Read(item, Delivery(heading, message_id, item, sender), key, content_digest(item.raw))
        self._prepare(one, message)
        return one

    def _prepare(self, one: Read, message: Message) -> None:
        """Have its handler read it."""
        delivery = one.delivery
        handler = self._handlers.get(delivery.heading.code)
        if handler is None:
            place = Location("MSH", field=9, component=1)
            one.outcome = Outcome("AR", (AckError("200", "E", place, "message type not supported"),))
        elif not _may_send(delivery):
            place = Location("MSH", field=3)
            one.outcome = Outcome("AR", (AckError("207", "E", place, "this certificate may not send as this system"),))
        else:
            try:
                prepared = handler.prepare(delivery, message)
            except Hl7Error as error:
                one.outcome = Outcome(error.ack, (AckError.of(error),))
            except Exception as error:
                one.outcome = defective(delivery.message_id, error)
            else:
                if isinstance(prepared, Outcome):
                    one.outcome = prepared
                else:
                    one.prepared = prepared


def defective(message_id: str, error: Exception) -> Outcome:
    """A defect of ours: this message is refused, its neighbours are not."""
    _log.error("message not processed", message=message_id, **defect(error))
    return Outcome("AR", (AckError("207", "E", text="internal error, nothing was done"),))


def defect(error: Exception) -> dict[str, object]:
    """What a log may hold of an unexpected exception: its type and where it came from, never its text.

    The text may quote the message it failed on.
    """
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    return {"error": type(error).__name__, "frames": frames}


def _is_ack(message: Message | None) -> bool:
    return message is not None and message.message_code == "ACK"


def _may_send(delivery: Delivery) -> bool:
    """Whether the client certificate is one this sender may use; without a list, any is."""
    allowed = delivery.sender.certificates
    peer = delivery.received.peer
    return not allowed or peer.fingerprint in allowed or peer.certificate_name in allowed
