"""The calls received, for whoever asserts that one was made, once, and how it was answered. No trait is kept."""

from collections import deque
from hashlib import sha256

import msgspec

from insigne.insi.wire import Request


class Call(msgspec.Struct, frozen=True):
    """One call.

    `criteria` is `criteria_hash` of what was asked, "" when it could not be read. `code` is 00, 01, 02, the code of a
    fault, `http_503`…, or "" when nothing was answered. `effects` names what was made wrong on purpose.
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
    """Return what stands for criteria in the log: SHA-256 of the values joined by |, 16 hexadecimal digits.

    WS_INS2: birth name, given name, sex, birth date, birthplace. WS_INS1: holder's number, beneficiary's number, birth
    name, birth date, rank. Absent values are empty.
    """
    return sha256("|".join(values).encode()).hexdigest()[:16]


def criteria_of(request: Request) -> str:
    """Return the hash of the criteria of a call."""
    traits, card = request.traits, request.vitale
    if traits is not None:
        return criteria_hash(traits.birth_name, traits.given_name, traits.sex, traits.birth_date, traits.birth_place)
    if card is not None:
        return criteria_hash(card.holder, card.individual, card.birth_name, card.birth_date, card.birth_rank)
    return ""
