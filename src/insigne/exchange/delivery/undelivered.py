"""What a person is asked to do about a message that is held or was refused."""

from hashlib import sha256
from typing import Final

import msgspec

from insigne.exchange.delivery.model import Outgoing
from insigne.exchange.delivery.scribe import Kept
from insigne.pam.encode import Notice
from insigne.registry.acts import RaiseUndelivered

_DIGITS: Final = 24
_notice: Final = msgspec.json.Decoder(Notice)


def undelivered(row: Outgoing, kept: Kept) -> RaiseUndelivered:
    """The act that asks: for each message held, once for each destination that refuses messages.

    What is held again when it is told again is the same; so is what an initial load holds, however often it is run.
    """
    refused = row.state != "held"
    about = row.destination if refused else f"{row.destination}/{_what(row)}"
    cause = f"{row.destination}: message {row.id} ({row.event}): {kept.reason}"
    return RaiseUndelivered(row.subject, about, cause, kept.text_fr, refused)


def _what(row: Outgoing) -> str:
    """What the message tells, told again or not; of an initial load: an identity, or a movement of its stay."""
    if not row.notice:
        return str(row.id)
    if row.kind != "init":
        return sha256(row.notice).hexdigest()[:_DIGITS]
    notice = _notice.decode(row.notice)
    return "/".join(("init", notice.trigger, notice.subject, notice.encounter, notice.movement))
