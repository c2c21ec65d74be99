"""What another process than the one that decides can read of a message: where connections are served, for instance.

It is written down for the process that decides (`Arrivals.read`), which reads by itself what came without. The format
is no contract: both processes always run the same version of the program.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct, msgpack

from insigne.exchange.adt_reader import AdtReader
from insigne.exchange.handler import Outcome
from insigne.exchange.reading import read
from insigne.exchange.settings import SenderSettings
from insigne.registry.settings import Policy

#: Written of a message that the deciding process is to read itself: refused, ignored, unreadable, or no ADT.
UNREAD: Final = b""


class Site(Struct, frozen=True):
    """What reading a message depends on beside the message."""

    policy: Policy
    processing_ids: tuple[str, ...]
    senders: tuple[SenderSettings, ...]


def reader_of(site: Site) -> Callable[[bytes], bytes]:
    """What reads the bytes of a message: what it asks (`adt_reader.Asked`), written down, or `UNREAD`. Never raises."""
    reader, encode = AdtReader(site.policy, site.processing_ids), msgpack.Encoder().encode

    def written(raw: bytes) -> bytes:
        try:
            message, sender = read(raw, site.senders)
            asked = reader.asked(message, sender) if message.message_code == "ADT" else None
            return UNREAD if asked is None or isinstance(asked, Outcome) else encode(asked)
        except Exception:  # the deciding process meets the same, and knows what to do about it
            return UNREAD

    return written
