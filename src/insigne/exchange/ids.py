"""Identifiers of messages, identities, stays and work items: ordered in time, unique across processes."""

from collections.abc import Callable
from threading import Lock
from typing import Final

_LAST_IN_SEQUENCE: Final = 0xFFFFFF


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
        self._sequence = 0
        self._lock = Lock()

    def __call__(self) -> str:
        """The next id. Threads may share an instance."""
        now = self._clock()
        with self._lock:
            if now > self._last:
                self._last, self._sequence = now, 0
            elif self._sequence < _LAST_IN_SEQUENCE:
                self._sequence += 1
            else:
                self._last, self._sequence = self._last + 1, 0
            return f"{self._last:012x}{self._sequence:06x}{self._process}"
