"""Original and enhanced mode: what a message is answered at once, and what is told its sender later (HL7 v2.5 §2.9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from insigne.exchange.delivery.follower import Bell
from insigne.exchange.delivery.model import Bytes, Draft
from insigne.exchange.delivery.ports import OutboxTransaction
from insigne.exchange.handler import Delivery, Outcome
from insigne.exchange.heading import Heading
from insigne.exchange.ports import Transaction
from insigne.hl7 import build_ack

#: Application codes and their counterpart in enhanced mode.
_ENHANCED: Final = {"AA": "CA", "AE": "CE", "AR": "CR"}
_CONTROL_ID: Final = 20


def is_enhanced(heading: Heading) -> bool:
    """Whether a message asks for the enhanced mode: as soon as MSH-15 or MSH-16 is valued (HL7 v2.5 §2.9.2)."""
    return bool(heading.accept or heading.application)


def in_its_mode(heading: Heading, code: str) -> tuple[str, bool]:
    """MSA-1 in the acknowledgement mode a message asks for, and whether its sender wants to be answered at once."""
    if not is_enhanced(heading):
        return code, True
    return _ENHANCED[code], _wanted(heading.accept or "AL", good=code == "AA")


def _wanted(condition: str, *, good: bool) -> bool:
    """Whether an acknowledgement is wanted: always, never, on error or on success (table 0155)."""
    match condition:
        case "NE":
            return False
        case "ER":
            return not good
        case "SU":
            return good
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Later:
    """A message of the enhanced mode whose sender is told apart what became of it; `ack` is None when it is not."""

    draft: Draft
    ack: Bytes | None


class ApplicationAnswers:
    """Application acknowledgements of the enhanced mode, sent to the destination that the site names for a sender.

    They are queued in the transaction of the message they answer, like every message that leaves. `bell` is rung once
    they may leave.
    """

    def __init__(self, bell: Bell | None = None) -> None:
        self._bell = bell or Bell()

    def later(self, delivery: Delivery, outcome: Outcome, now: str, new_id: Callable[[], str]) -> Later | None:
        """What is told later of a message; None when everything is said at once (original mode, or no destination).

        `now` is the time of the acknowledgement, YYYYMMDDHHMMSS+ZZZZ. MSH-16 says whether one is wanted; empty beside
        a valued MSH-15, it is not.
        """
        heading, destination = delivery.heading, delivery.sender.application_answers
        if not destination or outcome.reply or not is_enhanced(heading):
            return None
        control_id = new_id()[:_CONTROL_ID]
        time = delivery.received.time
        event = f"ACK^{heading.trigger}"
        draft = Draft(
            destination=destination,
            kind="answer",
            event=event,
            subject=outcome.subject,
            keys=delivery.message_id,
            cause=delivery.message_id,
            notice=b"",
            created=time,
            control_id=control_id,
        )
        if not _wanted(heading.application or "NE", good=outcome.code == "AA"):
            return Later(draft, None)
        # MSH-15 of the answer: its receiver says that it has it, so that none is lost.
        raw = build_ack(
            delivery.received.raw, outcome.code, time=now, control_id=control_id, errors=outcome.errors, accept="AL"
        )
        return Later(draft, Bytes(control_id, f"{event}^ACK", time, raw))

    def queue(self, answers: Sequence[Later], transaction: Transaction) -> None:
        """Queue those that are wanted."""
        wanted = [(one.draft, one.ack) for one in answers if one.ack is not None]
        if not wanted:
            return
        base = cast("OutboxTransaction", transaction)
        base.put_bytes([ack for _, ack in wanted])
        base.queue([draft for draft, _ in wanted])
        base.after_commit(self._bell.ring)
