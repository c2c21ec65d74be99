"""`insigne message show --bundle`: a trace without personal values, for a vendor's support."""

import secrets
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from insigne import __version__
from insigne.cli.common import Context, Exit, fail, note
from insigne.cli.message_trace import trace_document
from insigne.hl7 import CharsetPolicy, Hl7Error, Message
from insigne.pam.editions import EDITIONS, NEWEST, Edition, UnknownVersion, edition_of
from insigne.pam.redaction import StandIns, redact_document, redact_message
from insigne.store.trace import Trace

_POLICY: Final = CharsetPolicy(fallback="iso8859-1")
_README: Final = """\
Trace of one exchange of Insigne {version}, without personal values.

trace.json                what came in, what was decided, what was told to whom, each attempt
received.hl7              the message as it came in
received-ack.hl7          the acknowledgement it was given
onward/N-NAME.hl7         what was sent to the receiver NAME, number N of the outbox
onward/N-NAME-ack-M.hl7   what the receiver answered to attempt M

Names, dates, numbers and free text are replaced by stand-ins of the same shape: letters, digits, accents and
lengths are alike, the same value is the same everywhere in this file and nowhere else. Matricules have month 00.
Kept as they were: MSH, separators, segments, codes of tables, authorities, control ids, moments of the exchange,
words that speak of messages. A message that could not be read is left out; its size is in trace.json.
"""


def write_bundle(context: Context, path: Path, trace: Trace) -> None:
    """Write a trace to a zip file; ends the command when it cannot be written (exit 2)."""
    reference = trace.message.id if trace.message is not None else trace.cause.id
    files = bundle_files(reference, trace, secrets.token_bytes(32))
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
    except OSError as error:
        fail(Exit.USAGE, f"--bundle {path}: {error.strerror}; give a file that can be written")
    note(f"{path}: look at it before you send it: a value that is personal by its meaning alone is not recognised")


def bundle_files(reference: str, trace: Trace, key: bytes) -> list[tuple[str, bytes]]:
    """The files of a bundle, by name. `key` draws the stand-ins."""
    people = StandIns(key)
    _learn(trace, people)
    list(_files(reference, trace, people))
    people.learning = False
    return list(_files(reference, trace, people))


def _files(reference: str, trace: Trace, people: StandIns) -> Iterator[tuple[str, bytes]]:
    """Every file, with the stand-ins there are."""
    document = trace_document(reference, trace)
    yield "README.txt", _README.format(version=__version__).encode()
    record = trace.message
    message = document["message"]
    if record is not None:
        message["raw"] = _shown(record.raw, people)
        message["ack"] = _shown(record.ack, people, ours=True)
        yield from _file("received.hl7", record.raw, people)
        yield from _file("received-ack.hl7", record.ack, people, ours=True)
    for one, row in zip(trace.onward, document["onward"], strict=True):
        name = f"onward/{one.row.id}-{one.row.destination}"
        if one.written is not None:
            row["message"]["raw"] = _shown(one.written.raw, people)
            yield from _file(f"{name}.hl7", one.written.raw, people)
        for attempt, shown in zip(one.attempts, row["attempts"], strict=True):
            shown["ack"] = _shown(attempt.ack, people) if attempt.ack else None
            yield from _file(f"{name}-ack-{attempt.number}.hl7", attempt.ack, people)
    yield "trace.json", msgspec.json.format(msgspec.json.encode(_redacted(document, people)), indent=2)


def _learn(trace: Trace, people: StandIns) -> None:
    """Who wrote, when it is a person and not a system."""
    if trace.cause.kind == "user":
        people.of(trace.cause.author)


def _redacted(document: dict[str, Any], people: StandIns) -> dict[str, Any]:
    """The document of a trace; its messages are replaced already."""
    cause, message = document["cause"], document["message"]
    author = _author(cause["kind"], people)
    return {
        "insigne": __version__,
        "asked": document["asked"] if message is not None else people.of(document["asked"]),
        "cause": {
            "kind": cause["kind"],
            "id": cause["id"] if message is not None else people.of(cause["id"]),
            "author": author(cause["author"]),
            "time": cause["time"],
        },
        "message": _message(message, people) if message is not None else None,
        "replays": document["replays"],
        "calls": [{**call, "text": people.foreign(call["text"])} for call in document["calls"]],
        "events": [
            {**event, "author": author(event["author"]), "content": redact_document(event["content"], people)}
            for event in document["events"]
        ],
        "onward": [_row(row, people) for row in document["onward"]],
    }


def _author(kind: str, people: StandIns) -> Callable[[str], str]:
    """How authors are written: a system that sends by its name, a person by a stand-in."""
    return (lambda author: author) if kind == "message" else people.of


def _message(message: dict[str, Any], people: StandIns) -> dict[str, Any]:
    told = {name: value for name, value in message.items() if name != "digest"}
    findings = [
        {**finding, "message": people.scrub(finding["message"]), "message_fr": people.scrub(finding["message_fr"])}
        for finding in message["findings"]
    ]
    return told | {"findings": findings}


def _row(row: dict[str, Any], people: StandIns) -> dict[str, Any]:
    notice = row["notice"]
    caused_by_message = notice is not None and notice.get("cause_kind") == "message"
    if caused_by_message:
        sender = notice.pop("author", "")  # a system
        notice = redact_document(notice, people) | {"author": sender}
    else:
        notice = redact_document(notice, people)
    skipped = row["disposition"] == "skipped"
    return row | {
        "cause": row["cause"] if caused_by_message else people.of(row["cause"]),
        "reason": people.foreign(row["reason"]) if skipped else people.scrub(row["reason"]),
        "notice": notice,
        "attempts": [{**attempt, "text": people.scrub(attempt["text"])} for attempt in row["attempts"]],
        "acts": [
            {
                "time": act["time"],
                "author": people.of(act["author"]),
                "act": act["act"],
                "details": {key: people.foreign(value) for key, value in act["details"].items()},
            }
            for act in row["acts"]
        ],
    }


def _file(name: str, raw: bytes, people: StandIns, *, ours: bool = False) -> Iterator[tuple[str, bytes]]:
    redacted = redact_message(raw, _edition(raw), people, ours=ours) if raw else None
    if redacted is not None:
        yield name, redacted


def _shown(raw: bytes, people: StandIns, *, ours: bool = False) -> dict[str, Any]:
    """A message in the document."""
    redacted = redact_message(raw, _edition(raw), people, ours=ours) if raw else None
    text = None if redacted is None else redacted.decode(Message.parse(redacted, _POLICY).charset)
    return {"size": len(raw), "text": text}


def _edition(raw: bytes) -> Edition:
    """The edition a message says it is in, else the newest."""
    try:
        return edition_of(Message.parse(raw, _POLICY))[0]
    except (Hl7Error, UnknownVersion):
        return EDITIONS[NEWEST]
