"""What the two processes say to each other over a socket of their own: frames of four bytes of length and content.

To the second: first `Site`, then the bytes of messages. Back: first the version of the program, once it is ready, then
for each message, in order, what it asks (`adt.Asked`), or nothing when the first process is to read it itself: refused,
ignored, or unreadable. The format is no contract: the two always run the same version.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from insigne.exchange.settings import SenderSettings
from insigne.registry.settings import Policy

_LENGTH: Final = 4
#: Said of a message that the first process is to read itself.
UNREAD: Final = b""


class Site(Struct, frozen=True):
    """What reading a message depends on beside the message."""

    policy: Policy
    processing_ids: tuple[str, ...]
    senders: tuple[SenderSettings, ...]


def frame(content: bytes) -> bytes:
    """Content with its length before it."""
    return len(content).to_bytes(_LENGTH, "big") + content


class Frames:
    """Frames out of a stream of bytes. Sizes are not bounded here: each end trusts the other, which bounds its own."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes."""
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
                yield bytes(buffer[begin:end])
        finally:
            del buffer[:start]
