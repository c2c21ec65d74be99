"""A message as `insigne message` shows it: what was received, or sent, and its bytes as text."""

from typing import Any, Final

import msgspec

from insigne.exchange.model import MessageRecord
from insigne.hl7.charset import CODECS

LISTED: Final = ("id", "time", "direction", "peer", "control_id", "event", "disposition", "code")


def codec_of(record: MessageRecord) -> str:
    """The Python codec that a message was read by."""
    declared, _, effective = record.charset.partition(">")
    return effective or CODECS.get(declared, "ascii")


def message_document(record: MessageRecord) -> dict[str, Any]:
    """A message received as JSON has it."""
    codec = codec_of(record)
    findings: list[dict[str, Any]] = msgspec.json.decode(record.findings) if record.findings else []
    return {
        **{name: getattr(record, name) for name in LISTED},
        "sender": record.sender,
        "version": record.version,
        "subject": record.subject,
        "replay_of": record.replay_of,
        "digest": record.digest.hex(),
        "charset": {"declared": record.charset.partition(">")[0], "effective": codec},
        "raw": bytes_document(record.raw, codec),
        "ack": bytes_document(record.ack, codec),
        "findings": findings,
    }


def bytes_document(raw: bytes, codec: str) -> dict[str, Any]:
    """Bytes as text when that loses nothing, else in hexadecimal."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        text = None
    if text is None or text.encode(codec) != raw:
        return {"size": len(raw), "text": None, "hex": raw.hex()}
    return {"size": len(raw), "text": text, "hex": None}
