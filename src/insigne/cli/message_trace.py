"""`insigne message show --trace`: one trace as a document and as lines for a person."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from insigne.cli.common import Context, Exit, emit, fail
from insigne.cli.message_document import bytes_document, message_document
from insigne.cli.outbox import document as row_document
from insigne.cli.tables import print_table
from insigne.exchange.delivery.model import Attempt, Bytes
from insigne.hl7 import CharsetPolicy, Hl7Error, Message
from insigne.insi.jobs import CallTrace
from insigne.registry.events import encode
from insigne.store.journal import JournalEntry
from insigne.store.queries import ReadView
from insigne.store.trace import Onward, Trace, trace_of

_POLICY: Final = CharsetPolicy(fallback="iso8859-1")


def trace_named(view: ReadView, reference: str) -> Trace:
    """The trace that an argument names; ends the command when there is none (exit 1)."""
    found = trace_of(view, reference)
    if found is None:
        fail(
            Exit.PROBLEMS,
            f"{reference}: no such message; give an id of `insigne message list`, `insigne outbox list` or "
            "`insigne insi calls`, a MSH-10 that was sent, or event:SEQ of `insigne identity history --json`",
        )
    return found


def show_trace(context: Context, reference: str, trace: Trace) -> None:
    """Print a trace."""
    document = trace_document(reference, trace)
    if context.json:
        emit(document)
        return
    rows = sorted(_steps(document), key=lambda step: step[0])
    print_table(("time", "step", "what", "result"), rows, none="")


def trace_document(reference: str, trace: Trace) -> dict[str, Any]:
    """A trace as JSON has it."""
    return {
        "asked": reference,
        "cause": msgspec.to_builtins(trace.cause),
        "message": message_document(trace.message) if trace.message is not None else None,
        "replays": trace.replays,
        "calls": [_call(one) for one in trace.calls],
        "events": [_event(entry) for entry in trace.events],
        "onward": [_onward(one) for one in trace.onward],
    }


def text_of(raw: bytes) -> dict[str, Any]:
    """A message or an acknowledgement in the character set it is in."""
    try:
        codec = Message.parse(raw, _POLICY).charset
    except Hl7Error:
        codec = "utf-8"
    return bytes_document(raw, codec)


def _call(call: CallTrace) -> dict[str, Any]:
    """A call to INSi without its criteria nor its answer, which need a right of their own."""
    names = ("id", "time", "operation", "mode", "code", "subcode", "text", "milliseconds")
    return {name: getattr(call, name) for name in names}


def _event(entry: JournalEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "time": entry.time,
        "stream": entry.stream,
        "id": entry.stream_id,
        "version": entry.version,
        "event": entry.type,
        "author": entry.author,
        "content": msgspec.json.decode(encode(entry.event)) if entry.event is not None else None,
    }


def _onward(one: Onward) -> dict[str, Any]:
    written = one.written
    return row_document(one.row) | {
        "notice": msgspec.json.decode(one.row.notice) if one.row.notice else None,
        "message": _written(written) if written else None,
        "attempts": [_attempt(attempt) for attempt in one.attempts],
        "acts": [{"time": act.time, "author": act.author, "act": act.act, "details": act.details} for act in one.acts],
    }


def _written(written: Bytes) -> dict[str, Any]:
    return {
        "event": written.event,
        "time": written.time,
        "raw": text_of(written.raw),
        "left_out": written.left_out.split(),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    names = ("number", "time", "control_id", "outcome", "code", "text", "milliseconds")
    return {name: getattr(attempt, name) for name in names} | {"ack": text_of(attempt.ack) if attempt.ack else None}


def _steps(document: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Time, step, what it is about, and its result: for a person, in no order."""
    message = document["message"]
    if message is None:
        cause = document["cause"]
        yield cause["time"], cause["kind"], f"{cause['author']} {cause['id']}", ""
    else:
        what = f"{message['event']} {message['control_id']} from {message['peer']}, {message['raw']['size']} bytes"
        yield message["time"], "received", what, f"{message['disposition']} {message['code']}"
        for finding in message["findings"]:
            place = finding["location"] or ""
            yield (
                message["time"],
                "  finding",
                f"{finding['rule']} {place}",
                f"{finding['severity']}: {finding['message']}",
            )
        for replay in document["replays"]:
            yield message["time"], "  replayed", replay, ""
    for call in document["calls"]:
        yield call["time"], "call", f"{call['operation']} {call['mode']}", f"{call['code']} {call['text']}".strip()
    for event in document["events"]:
        yield event["time"], "decided", f"{event['stream']} {event['id']} v{event['version']}", event["event"]
    for row in document["onward"]:
        yield from _steps_onward(row)


def _without(left_out: list[str]) -> str:
    return f", without {', '.join(left_out)}: the edition of the receiver refuses the content" if left_out else ""


def _steps_onward(row: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    to = f"{row['peer']} #{row['id']}"
    if not row["attempts"]:
        result = f"{row['disposition']} {row['reason']}".strip()
    else:
        result = "" if row["replaces"] is None else f"instead of #{row['replaces']}"
    yield row["time"], "queued", f"{to} {row['event']}", result
    if row["message"] is not None:
        message = row["message"]
        yield (
            message["time"],
            "  written",
            f"{to} {message['event']} {row['control_id']}",
            f"{message['raw']['size']} bytes" + _without(message["left_out"]),
        )
    for attempt in row["attempts"]:
        answer = f"{attempt['outcome']} {attempt['code']} {attempt['text']}".strip()
        yield attempt["time"], "  sent", f"{to} attempt {attempt['number']}", f"{answer} ({attempt['milliseconds']} ms)"
    for act in row["acts"]:
        yield act["time"], "  act", f"{to} {act['act']}", act["author"]
    if row["attempts"] and row["ended"]:
        yield row["ended"], "  ended", to, row["disposition"]
