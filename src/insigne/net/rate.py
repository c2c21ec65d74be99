"""Limits: on how often we call a service, and on how often others call us."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import Final

#: Visitors remembered; beyond, the one seen longest ago is forgotten.
REMEMBERED: Final = 10_000

_UNKNOWN: Final = "unknown"


class TokenBucket:
    """`burst` calls at once, then `rate` a second. Several threads may share it; the caller passes the time."""

    def __init__(self, rate: float, burst: int = 1) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate limit needs a rate above 0 and a burst of 1 or more")
        self._interval = 1 / rate
        self._slack = (burst - 1) * self._interval
        self._free_at = float("-inf")  # when the next call would go if calls were evenly spaced
        self._lock = Lock()

    def reserve(self, now: float) -> float:
        """Take the next turn and return the seconds to wait before using it; 0 when it may be used at once."""
        with self._lock:
            due = max(self._free_at, now - self._slack)
            self._free_at = due + self._interval
            return max(0.0, due - now)


class Limiter:
    """For each key, `burst` requests at once, then `rate` a second; what is refused does not count."""

    def __init__(self, rate: float, burst: int, remembered: int = REMEMBERED) -> None:
        self._interval = 1 / rate
        self._slack = (burst - 1) * self._interval
        self._remembered = remembered
        self._due: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, key: str, now: float) -> float:
        """Count a request at `now` (seconds of a clock that never goes back); 0, or the seconds to wait if refused."""
        with self._lock:
            # Taken out and put back: the dictionary stays in the order in which visitors were last seen.
            due = max(self._due.pop(key, float("-inf")), now - self._slack)
            refused = due > now
            self._due[key] = due if refused else due + self._interval
            if len(self._due) > self._remembered:
                del self._due[next(iter(self._due))]
            return due - now if refused else 0.0


def address_key(address: str) -> str:
    """What an address is known by: itself, of IPv6 its /64, which is what one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return _UNKNOWN
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
