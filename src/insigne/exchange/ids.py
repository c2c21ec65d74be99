"""Identifiers of messages, identities, stays and work items: ordered in time, unique across processes."""

import itertools
from collections.abc import Callable


class TimeOrderedIds:
    """Makes ids of 26 hexadecimal characters: 12 of time (ms), 6 of sequence, 8 that name the process.

    `clock` gives milliseconds since the epoch. Ids of one instance are strictly increasing even when the clock stands
    still or goes back: a base indexed by them grows at its end.
    """

    def __init__(self, clock: Callable[[], int], process: bytes) -> None:
        if len(process) != 4:
            raise ValueError("process: 4 random bytes are needed")
        self._clock = clock
        self._process = process.hex()
        self._last = 0
        self._sequence = itertools.count()

    def __call__(self) -> str:
        """The next id."""
        now = self._clock()
        if now > self._last:
            self._last = now
            self._sequence = itertools.count()
        sequence = next(self._sequence)
        if sequence > 0xFFFFFF:
            self._last += 1
            self._sequence = itertools.count(1)
            sequence = 0
        return f"{self._last:012x}{sequence:06x}{self._process}"
