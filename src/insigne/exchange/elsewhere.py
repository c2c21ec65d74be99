"""What another process than the one that decides can read of a message: where connections are served, for instance.

It is written down for the process that decides (`Arrivals.read`), which reads by itself what came without. The format
is no contract: both processes always run the same version of the program.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Raw, Struct, msgpack

from insigne.exchange.adt_reader import AdtReader
from insigne.exchange.handler import Outcome
from insigne.exchange.heading import Heading, heading_of
from insigne.exchange.reading import content_digest, read
from insigne.exchange.settings import SenderSettings
from insigne.registry.settings import Policy

#: Written of a message that the deciding process is to read itself: refused, ignored, unreadable, or no ADT.
UNREAD: Final = b""


class Site(Struct, frozen=True):
    """What reading a message depends on beside the message."""

    policy: Policy
    processing_ids: tuple[str, ...]
    senders: tuple[SenderSettings, ...]


class Written(Struct, frozen=True, array_like=True):
    """What is written of a message: its heading, the place of its sender in `Site.senders` (None: not among them).

    digest: `reading.content_digest`. asked: what its handler restores (`handler.Portable`).
    """

    heading: Heading
    sender: int | None
    digest: bytes
    asked: Raw


def reader_of(site: Site) -> Callable[[bytes], bytes]:
    """What reads the bytes of a message and writes down a `Written` of what it asks, or `UNREAD`. Never raises."""
    reader, encode = AdtReader(site.policy, site.processing_ids), msgpack.Encoder().encode
    places = {id(sender): place for place, sender in enumerate(site.senders)}

    def written(raw: bytes) -> bytes:
        try:
            message, sender = read(raw, site.senders)
            asked = reader.asked(message, sender) if message.message_code == "ADT" else None
            if asked is None or isinstance(asked, Outcome):
                return UNREAD
            place = places.get(id(sender))
            return encode(Written(heading_of(message), place, content_digest(raw), Raw(encode(asked))))
        except Exception:  # the deciding process meets the same, and knows what to do about it
            return UNREAD

    return written
