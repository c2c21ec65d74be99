"""How long to wait before trying again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with jitter, in seconds.

    first: delay after the first failure.
    limit: longest delay, jitter included.
    factor: from one delay to the next.
    jitter: part of the delay that chance may take away, from 0 (none) to 1, so that many clients do not come back at
        the same instant.
    """

    first: float = 0.5
    limit: float = 60.0
    factor: float = 2.0
    jitter: float = 0.25

    def delay(self, failures: int, chance: float) -> float:
        """Return the delay after so many failures in a row (1 or more); `chance` is drawn by the caller in [0, 1)."""
        if failures < 1:
            raise ValueError("a delay follows at least one failure")
        # The exponent is bounded: a peer may stay down for weeks, and a float overflows at 2 ** 1024.
        whole = min(self.limit, self.first * self.factor ** min(failures - 1, 64))
        return whole * (1 - self.jitter * chance)
