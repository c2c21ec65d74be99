"""The second process: `python -m insigne.exchange.reader.child`, its socket as standard input. Ends with the first."""

import gc
import socket
from collections.abc import Callable
from typing import Final

from msgspec import msgpack

from insigne import __version__
from insigne.exchange.adt_reader import AdtReader
from insigne.exchange.handler import Outcome
from insigne.exchange.reader.wire import UNREAD, Frames, Site, frame
from insigne.exchange.reading import read
from insigne.pam.editions import EDITIONS, NEWEST
from insigne.pam.validate import warm

_CHUNK: Final = 262_144
#: Answers sent at once: each sending wakes the first process up, which has better to do.
_TOGETHER: Final = 4


def reader_of(site: Site) -> Callable[[bytes], bytes]:
    """What reads a message for the first process: what it asks, written down, or nothing. Never raises."""
    reader, encode = AdtReader(site.policy, site.processing_ids), msgpack.Encoder().encode

    def answer(raw: bytes) -> bytes:
        try:
            asked = reader.asked(*read(raw, site.senders))
            return UNREAD if isinstance(asked, Outcome) else encode(asked)
        except Exception:  # the first process meets the same, and knows what to do about it
            return UNREAD

    return answer


def serve(connection: socket.socket) -> None:
    """Read what comes until the first process closes its end, or is gone."""
    frames, answer = Frames(), None
    while data := connection.recv(_CHUNK):
        told: list[bytes] = []
        for content in frames.receive(data):
            if answer is None:
                answer = reader_of(msgpack.decode(content, type=Site))
                warm(EDITIONS[NEWEST])
                gc.freeze()  # what was made so far stays: not to be looked through for garbage again and again
                told.append(frame(__version__.encode()))
            else:
                told.append(frame(answer(content)))
            if len(told) == _TOGETHER:
                connection.sendall(b"".join(told))
                told.clear()
        if told:
            connection.sendall(b"".join(told))


def main() -> None:
    """Serve the socket that is the standard input."""
    with socket.socket(fileno=0) as connection:
        try:
            serve(connection)
        except ConnectionError:
            return  # the first process is gone: nobody waits for an answer


if __name__ == "__main__":
    main()
