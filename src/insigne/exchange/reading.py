"""Reading what came in as far as it takes to know who sent it, in which character set, and if it was seen before."""

import hashlib
from collections.abc import Sequence

from insigne.exchange.settings import SenderSettings
from insigne.hl7 import CharsetPolicy, Hl7Error, Message
from insigne.hl7.bulk import lighten

#: Of a sender without settings.
ANY = SenderSettings()
_HEAD = 65_536
"""Bytes among which MSH-7 is looked for first."""


def read(raw: bytes, senders: Sequence[SenderSettings]) -> tuple[Message, SenderSettings]:
    """Parse a message and find its sender's settings.

    The sender's character set counts only once the sender is known, hence a second reading for those that have one.
    A very large value (a document) is not in the message returned: `hl7.bulk` says where it stands in the bytes.
    Raises Hl7Error.
    """
    raw = lighten(raw).raw
    if not senders:
        return Message.parse(raw), ANY
    failure: Hl7Error | None = None
    try:
        message = Message.parse(raw)
    except Hl7Error as error:
        failure = error
        found = header_of(raw)
        if found is None:
            raise
        message = found
    sender = next((s for s in senders if _matches(s, message)), ANY)
    if sender.charset or sender.fallback_charset != ANY.fallback_charset:
        return Message.parse(raw, CharsetPolicy(sender.fallback_charset, sender.charset or None)), sender
    if failure is not None:
        raise failure
    return message, sender


def header_of(raw: bytes) -> Message | None:
    """The message read as Latin-1, which never fails, to know who sent what cannot be decoded; None without MSH."""
    try:
        return Message.parse(raw, CharsetPolicy(real="latin-1"))
    except Hl7Error:
        return None


def _matches(sender: SenderSettings, message: Message) -> bool:
    return sender.application in {"", message.sending_application} and sender.facility in {
        "",
        message.sending_facility,
    }


def content_digest(raw: bytes) -> bytes:
    """SHA-256 of a message without MSH-7, which a sender may renew when it sends the same message again."""
    start = raw.find(b"MSH")  # what may precede it: a byte order mark, blanks
    separator = raw[start + 3 : start + 4]
    if start < 0 or not separator:
        return hashlib.sha256(raw).digest()
    fields = raw[:_HEAD].split(separator, 7)
    if len(fields) < 8 and len(raw) > _HEAD:  # an odd message
        fields = raw.split(separator, 7)
        rest = memoryview(b"")
    else:
        rest = memoryview(raw)[_HEAD:]  # where a document is: not copied
    if len(fields) == 8:
        del fields[6]
    digest = hashlib.sha256(b"\x00".join(fields))
    digest.update(rest)
    return digest.digest()
