"""How often a wrong secret may be tried: past some failures, a name is refused for longer and longer, then forgotten.

Counted by name, whether anybody has it or not, so that nobody learns which names exist. Pure: moments are given.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from msgspec import Struct

from insigne.access.settings import AccessSettings

FORGOTTEN_AFTER: Final = timedelta(days=1)


class Failures(Struct, frozen=True):
    """Wrong secrets given in a row under one name, and when the last one was."""

    count: int
    last: datetime


class FailureStore(Protocol):
    """Where failures are kept, by the key of a name."""

    def failures(self, key: str) -> Failures | None:
        """What is kept under this key."""

    def failed(self, key: str, at: datetime, name: str) -> None:
        """Count a failure (`one_more`) and write it in the audit trail; `name` is that of a user, "" if nobody's."""

    def succeeded(self, key: str) -> None:
        """Forget the failures under this key."""


def key_of(name: str) -> str:
    """What failures are kept under: a digest, for people type secrets where names go."""
    return sha256(b"insigne login" + name.lower().encode()).hexdigest()[:32]


def waits_until(failures: Failures | None, settings: AccessSettings) -> datetime | None:
    """Until when no secret is looked at, None when one may be given: twice as long after each failure too many."""
    if failures is None or failures.count < settings.attempts:
        return None
    doublings = min(failures.count - settings.attempts, 32)
    return failures.last + timedelta(seconds=min(settings.first_seconds * 2**doublings, settings.limit_seconds))


def one_more(failures: Failures | None, now: datetime) -> Failures:
    """The failures after another one now; those of days before count no more."""
    old = failures is None or failures.last < now - FORGOTTEN_AFTER
    return Failures(1 if failures is None or old else failures.count + 1, now)
