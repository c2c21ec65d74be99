"""A limit on how often a service is called."""

from threading import Lock


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
