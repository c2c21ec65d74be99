"""How often a visitor may ask, and who they are to us: their address."""

from collections.abc import Collection
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import Final

from starlette.requests import HTTPConnection

#: Visitors remembered; beyond, the one seen longest ago is forgotten.
REMEMBERED: Final = 10_000

_UNKNOWN: Final = "unknown"


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


def visitor(connection: HTTPConnection, trusted_proxies: Collection[str]) -> str:
    """The address a request comes from; of IPv6 its /64, which is what one subscriber has.

    Behind a trusted proxy, the last address of `X-Forwarded-For` that is not one of them.
    """
    address = connection.client.host if connection.client is not None else ""
    if address in trusted_proxies:
        hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        told = (hop.strip() for hop in reversed(hops))
        address = next((hop for hop in told if hop and hop not in trusted_proxies), address)
    return _key(address)


def _key(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return _UNKNOWN
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
