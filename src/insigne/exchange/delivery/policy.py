"""What becomes of a message once it was tried: pure, a table in words."""

from dataclasses import dataclass
from typing import Final, Literal

from insigne.exchange.delivery.ports import NOT_TAKEN, Acknowledged, Deposited, Result, SendFailed
from insigne.exchange.delivery.settings import DeliverySettings
from insigne.net.breaker import Evidence

#: Table 0357: unsupported message type, event, processing id, version. The same bytes will be refused for ever.
HEADER_FAULTS: Final = frozenset({"200", "201", "202", "203"})

Fate = Literal["delivered", "retry", "dead", "stop"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt amounts to.

    `sent`: it counts as an attempt, the receiver may have the message. `outcome`, `code` and `reason` are what is kept
    of it; `evidence` what it says of the receiver.
    """

    fate: Fate
    evidence: Evidence
    outcome: str
    code: str
    reason: str
    sent: bool = True


def judge(result: Result | SendFailed, attempts: int, settings: DeliverySettings) -> Verdict:
    """What becomes of a message; `attempts` counts this one if it was sent."""
    if isinstance(result, Deposited):
        return Verdict("delivered", Evidence.ALIVE, "deposited", "", "")
    if isinstance(result, SendFailed):
        return _unanswered(result, attempts, settings)
    kind = result.code[1]
    if kind == "A":
        return Verdict("delivered", Evidence.ALIVE, "delivered", result.code, "")
    conditions = {error.condition for error in result.errors}
    told = ", ".join(sorted(conditions - {""}))
    reason = f"refused with {result.code}" + (f" (condition {told})" if told else "")
    if kind == "E":
        fate = _until(settings.error_attempts, attempts, settings)
        return Verdict(fate, Evidence.ALIVE, "refused", result.code, reason)
    if conditions & HEADER_FAULTS:
        return Verdict("dead", Evidence.ALIVE, "refused", result.code, f"{reason}: a fault in MSH")
    fate = _until(settings.reject_attempts, attempts, settings)
    return Verdict(fate, Evidence.AILING, "refused", result.code, reason)


def _unanswered(failed: SendFailed, attempts: int, settings: DeliverySettings) -> Verdict:
    if failed.kind in NOT_TAKEN:
        return Verdict("retry", Evidence.DOWN, failed.kind, failed.kind, str(failed), sent=False)
    fate = _until(settings.unanswered_attempts, attempts, settings)
    return Verdict(fate, Evidence.DOWN, failed.kind, failed.kind, str(failed))


def _until(limit: int, attempts: int, settings: DeliverySettings) -> Fate:
    """Try again until the limit; 0 is none."""
    if limit == 0 or attempts < limit:
        return "retry"
    return settings.on_refusal


def is_answer(result: Result | SendFailed) -> bool:
    """Whether the receiver said something about the message itself."""
    return isinstance(result, Acknowledged)
