"""Messages read before their batch: in this process, or in the second one while this one decides on others."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import structlog

from insigne.exchange.arrival import Arrivals, Read, Reading, Unframed, defect
from insigne.exchange.model import Received

_log = structlog.get_logger("insigne.exchange.reader")
#: Bytes from which a message takes so long to read that nothing else should wait for it.
_LONG: Final = 65_536


class Second(Protocol):
    """See `process.SecondReader`."""

    def offer(self, raw: bytes, told: Callable[[bytes], None]) -> bool:
        """Whether the message is taken; `told` then says, later, what it asks, or nothing."""
        ...


class ReadAhead:
    """Where a message is read is a matter of time alone: the reading is the same."""

    def __init__(self, arrivals: Arrivals, second: Second) -> None:
        self._arrivals = arrivals
        self._second = second

    def read(self, item: Received | Unframed, done: Callable[[], None], *, crowded: bool) -> tuple[Reading, bool]:
        """Begin to read a message; whether it is with the second process: `done` is called once it is read.

        `crowded`: so many are at hand that it is worth handing some over; a long one always is.
        """
        reading = self._arrivals.open(item)
        if not isinstance(reading, Read):
            return reading, False
        raw = reading.item.raw
        worth = (crowded or len(raw) > _LONG) and self._arrivals.is_portable(reading)
        if worth and self._second.offer(raw, partial(self._told, reading, done)):
            return reading, True
        self._arrivals.prepare(reading)
        return reading, False

    def _told(self, reading: Read, done: Callable[[], None], written: bytes) -> None:
        try:
            if written:
                self._arrivals.restore(reading, written)
            else:
                self._arrivals.prepare(reading)
        except Exception as error:  # a defect of ours, which must not keep `done` from being called
            _log.error("reading not understood", message=reading.delivery.message_id, **defect(error))
            self._arrivals.prepare(reading)
        done()
