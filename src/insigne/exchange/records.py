"""Rows of the message log."""

from typing import Any

import msgspec

from insigne.exchange.handler import Outcome
from insigne.exchange.heading import Heading
from insigne.exchange.model import MessageRecord, Peer, Received
from insigne.hl7 import AckError, Junk
from insigne.pam.findings import Finding
from insigne.pam.replies import PLACES
from insigne.registry.decision import Subject
from insigne.registry.notices import Notice

_encoder = msgspec.json.Encoder()


def record_of(
    message_id: str,
    received: Received,
    heading: Heading,
    outcome: Outcome,
    ack: bytes,
    digest: bytes,
    *,
    code: str | None = None,
    disposition: str = "",
) -> MessageRecord:
    """The row of a received message; `digest` is empty when it could not be read, or is never compared."""
    peer = received.peer
    return MessageRecord(
        id=message_id,
        time=received.time,
        direction="in",
        peer=f"{peer.endpoint}:{peer.name}",
        sender=heading.sender,
        control_id=heading.control_id,
        event=heading.event,
        version=heading.version,
        charset=heading.charset,
        disposition=disposition or _disposition(outcome),
        code=outcome.code if code is None else code,
        digest=digest,
        raw=received.raw,
        ack=ack,
        findings=findings_json(outcome),
        subject=outcome.subject,
        replay_of=received.replay_of,
    )


def unframed_record(message_id: str, junk: Junk, peer: Peer, time: str) -> MessageRecord:
    """The row of bytes that framing refused: the first of them, how many there were, and why."""
    finding = {
        "rule": f"framing-{junk.reason}",
        "severity": "error",
        "location": None,
        "message": f"{junk.size} bytes refused by MLLP framing: {junk.reason}",
        "message_fr": f"{junk.size} octets refusés par le tramage MLLP : {junk.reason}",
        "reference": "IHE ITI TF-2 appendix C.2.1",
    }
    return MessageRecord(
        id=message_id,
        time=time,
        direction="in",
        peer=f"{peer.endpoint}:{peer.name}",
        sender="",
        control_id="",
        event="",
        version="",
        charset="",
        disposition="unframed",
        code="",
        digest=b"",
        raw=junk.data,
        ack=b"",
        findings=_encoder.encode([finding]),
        subject="",
    )


def findings_json(outcome: Outcome) -> bytes:
    """Errors, findings and notices as one JSON list; b"" when there is nothing to say."""
    if not (outcome.errors or outcome.findings or outcome.notices):
        return b""
    items = [_finding(finding) for finding in outcome.findings]
    items += [_notice(notice) for notice in outcome.notices]
    told = {finding.rule for finding in outcome.findings}
    items += [_refusal(e) for e in outcome.errors if e.severity == "E" and e.application_code not in told]
    return _encoder.encode(items)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "location": str(finding.location) if finding.location else None,
        "message": finding.message,
        "message_fr": finding.message_fr,
        "remedy": finding.remedy,
        "remedy_fr": finding.remedy_fr,
        "reference": finding.reference,
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "rule": notice.code,
        "severity": "warning",
        "location": str(PLACES[Subject(notice.subject)]),
        "message": notice.text,
        "message_fr": notice.text_fr,
        "reference": "",
    }


def _refusal(error: AckError) -> dict[str, Any]:
    return {
        "rule": error.application_code or f"ERR-{error.condition}",
        "severity": "error",
        "location": str(error.location) if error.location else None,
        "message": error.text,
        "message_fr": "",
        "reference": f"HL7 table 0357, code {error.condition}",
    }


def _disposition(outcome: Outcome) -> str:
    if outcome.ignored:
        return "ignored"
    if outcome.code != "AA":
        return "rejected"
    return "answered" if outcome.reply else "accepted"
