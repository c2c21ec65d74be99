"""One notice as the message of one receiver."""

from collections.abc import Mapping

from insigne.hl7 import Message
from insigne.pam.encode.dialect import Dialect
from insigne.pam.encode.notice import Notice
from insigne.pam.encode.outcome import Outcome
from insigne.registry.evolve import State
from insigne.registry.state import Identity


def encode(
    notice: Notice,
    states: Mapping[tuple[str, str], State],
    current: Identity | None,
    dialect: Dialect,
    *,
    control_id: str,
    time: str,
    original: Message | None = None,
) -> Outcome:
    """Write a notice in the dialect of a receiver.

    `states` holds, by (stream, id), every state of `notice.refs` at its version. `current` is the subject today: its INS
    is withheld when it is no longer qualified, or None when it is gone. `control_id` is MSH-10 (at most 20 characters),
    `time` the moment of MSH-7 (RFC 3339 with zone). `original` is the message that caused the event, for the segments
    that the receiver wants relayed.

    The message is validated in the receiver's edition before it is returned: one with an error is withheld.
    """
    raise NotImplementedError
