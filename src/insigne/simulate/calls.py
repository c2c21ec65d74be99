"""The calls received, for whoever asserts that one was made, once, and how it was answered. No trait is kept."""

from collections import deque
from hashlib import sha256

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One call.

    `criteria` is `criteria_hash` of what was asked, "" when it could not be read. `code` is what was answered: a code
    of the service or of a fault, `http_503`…, or "" when nothing was. `effects` names what was made wrong on purpose.
    """

    number: int
    seconds: float
    client: str
    operation: str
    criteria: str
    code: str
    effects: tuple[str, ...] = ()


class CallLog:
    """The last calls, up to `keep`, and how many there were."""

    def __init__(self, keep: int = 100_000) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self.count = 0

    def add(self, call: Call) -> None:
        """Record a call."""
        self._calls.append(call)

    def clear(self) -> None:
        """Forget the calls and count again from 1."""
        self._calls.clear()
        self.count = 0

    def matching(self, criteria: str = "", operation: str = "") -> list[Call]:
        """Return the calls kept, oldest first, those with these criteria or operation only when given."""
        return [call for call in self._calls if criteria in ("", call.criteria) and operation in ("", call.operation)]


def criteria_hash(*values: str) -> str:
    """Return what stands for criteria in the log: SHA-256 of the values joined by |, 16 hexadecimal digits."""
    return sha256("|".join(values).encode()).hexdigest()[:16]
