"""What the two processes say to each other over a socket of their own: frames of four bytes of length and MessagePack.

Over another one, connections are handed to the front, each with its number in eight bytes. The formats are no contract:
the two always run the same version of the program, which `Setup` and `Ready` make sure of.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from insigne.exchange.elsewhere import Site
from insigne.exchange.model import Answer, Peer, Received
from insigne.hl7 import Junk
from insigne.transport.mllp_connection import MllpCounters
from insigne.transport.settings import MllpSettings

_LENGTH: Final = 4
#: Bytes of the number of a connection that is handed over.
HANDED: Final = 8


class _Said(Struct, frozen=True, array_like=True, tag=True):
    """One thing said, known by its name."""


class Setup(_Said, frozen=True):
    """The first thing said to the front; `hand` is the number of the socket by which it is handed connections."""

    version: str
    settings: MllpSettings
    site: Site
    hand: int
    log_level: int


class Answered(_Said, frozen=True):
    """The answer to the message of that number."""

    number: int
    answer: Answer


class Stop(_Said, frozen=True):
    """Accept nothing more, answer what is in hand, and end."""


class Ready(_Said, frozen=True):
    """The first thing the front says: it takes connections."""

    version: str


class Submitted(_Said, frozen=True):
    """A message as it came, and what was read of it (`exchange.elsewhere`). Numbers count from 1."""

    number: int
    received: Received
    written: bytes


class Reported(_Said, frozen=True):
    """Bytes that framing refused."""

    junk: Junk
    peer: Peer


class Closed(_Said, frozen=True):
    """The connection of that number has ended."""

    number: int


class Counted(_Said, frozen=True):
    """What the listener has seen so far; said a few times a second, so that silence means that it hangs."""

    counters: MllpCounters


ToFront = Setup | Answered | Stop
FromFront = Ready | Submitted | Reported | Closed | Counted


def frame(content: bytes) -> bytes:
    """Content with its length before it."""
    return len(content).to_bytes(_LENGTH, "big") + content


class Frames:
    """Frames out of a stream of bytes. Sizes are not bounded here: each end trusts the other, which bounds its own."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[bytearray]:
        """The contents that `data` completes."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _LENGTH:
                begin = start + _LENGTH
                end = begin + int.from_bytes(buffer[start:begin], "big")
                if len(buffer) < end:
                    break
                start = end
                yield buffer[begin:end]
        finally:
            del buffer[:start]
