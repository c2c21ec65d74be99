"""Writing what must not be lost: the outcome of a call made to somebody else, which would have to be made again."""

from collections.abc import Callable
from random import Random
from typing import Final, TypeVar

from insigne.exchange.errors import StoreError
from insigne.net.backoff import Backoff

T = TypeVar("T")

WRITE_WAIT: Final = 5.0
"""How long each writing waits for another writer of the base, in seconds."""
_DELAYS: Final = Backoff(first=0.05, limit=5.0)
_WRITINGS: Final = 16


def persistently(write: Callable[[], T], sleep: Callable[[float], None], chance: Random) -> T:
    """Write; a base that others hold, or that is full for a moment, gets it a little later.

    Given up after about two minutes, far less than the lease of the question. `write` may be called again after it has
    succeeded unseen (a connection lost during the commit): it must then change nothing. Raises StoreError.
    """
    for failures in range(1, _WRITINGS):
        try:
            return write()
        except StoreError:
            sleep(_DELAYS.delay(failures, chance.random()))
    return write()
