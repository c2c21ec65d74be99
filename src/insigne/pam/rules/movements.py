"""What only several messages together show: a movement identifier (ZBE-1) used again in another stay."""

from typing import Final, NamedTuple

from insigne.hl7 import Message
from insigne.pam.findings import Finding, Report
from insigne.pam.profile import Edition

#: Movements remembered; beyond, the oldest are forgotten. About 500 bytes each.
MOST_MOVEMENTS: Final = 500_000


class _Stay(NamedTuple):
    """How a message names its stay; "" for what it does not say."""

    visit: str
    account: str

    def differs(self, other: "_Stay") -> bool:
        """Whether these are surely two stays: by the visit number when both give it, else by the account."""
        if self.visit and other.visit:
            return self.visit != other.visit
        return bool(self.account and other.account) and self.account != other.account


class MovementMemory:
    """The movements of the messages seen, in the order they are given."""

    def __init__(self, most: int = MOST_MOVEMENTS) -> None:
        self._most = most
        self._seen: dict[tuple[str, str], tuple[_Stay, str]] = {}

    def check(self, message: Message, edition: Edition, place: str) -> list[Finding]:
        """Return what the message departs from, the earlier ones being known (X-movement), and remember its movement.

        `place` tells a person where the message is; it is shown with later findings.
        """
        report = Report(edition)
        movement = message.segment("ZBE")
        action = movement.value(4) if movement is not None else ""
        if movement is None or action not in ("INSERT", "UPDATE"):
            return []
        stay = _stay(message)
        for index, raw in enumerate(movement.repetitions(1), 1):
            identifier, *authority = movement.delimiters.components(raw)
            if not identifier:
                continue
            # Without an authority, each sender numbers its own movements.
            scope = "^".join(authority).strip("^") or f"{message.value('MSH-3')}|{message.value('MSH-4')}"
            known = self._seen.setdefault((scope, identifier), (stay, place))
            if action == "INSERT" and stay.differs(known[0]):
                report.add("X-movement.other-stay", movement.location(1, index), earlier=known[1])
        while len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return report.findings


def _stay(message: Message) -> _Stay:
    return _Stay(message.value("PV1-19"), message.value("PID-18"))
