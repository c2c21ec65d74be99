"""`insigne outbox`: what was, is or will be told to receivers, and what became of it."""

from typing import Annotated, Any, Final, get_args

import typer

from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, parse_time
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.cli.tables import print_fields, print_table
from insigne.exchange.delivery.model import Attempt, Outgoing, State
from insigne.store.moments import rfc3339
from insigne.store.outbox import OutboxFilter, OutboxReader

LATER: Final = {
    "replay": ("insigne.cli.outbox_acts", "Tell receivers again: one message, several, or all since a date."),
    "skip": ("insigne.cli.outbox_acts", "Give up messages that wait, are held or were refused."),
    "edit": ("insigne.cli.outbox_acts", "Send other bytes instead of a message."),
}

app = group_app(
    "What is told to receivers: list it, see each attempt, send again, skip, edit.",
    examples(
        "insigne outbox list --destination LABO --unsettled",
        "insigne outbox show 1204",
        "insigne outbox replay 1204 --as claire.dupont",
        "insigne outbox replay --destination LABO --since 2026-03-01T00:00:00+01:00 --as claire.dupont",
    ),
    LATER,
)

Row = Annotated[str, typer.Argument(metavar="ID", help="Id in the list.")]
_TABLE: Final = ("id", "time", "peer", "event", "disposition", "code", "attempts", "control_id", "reason")


@app.command(
    "list",
    epilog=examples(
        "insigne outbox list --limit 20",
        "insigne outbox list --destination LABO --state queued --json",
        "insigne outbox list --unsettled",
        "insigne outbox list --message 01JMS7Q4",
    ),
)
def list_(
    ctx: typer.Context,
    *,
    destination: Annotated[str, typer.Option(metavar="NAME", help="Only to this destination.")] = "",
    state: Annotated[str, typer.Option(metavar="WORD", help=f"Only in this state: {', '.join(get_args(State))}.")] = "",
    unsettled: Annotated[bool, typer.Option("--unsettled", help="Only what is held or was given up (dead).")] = False,
    event: Annotated[str, typer.Option(help="Only this event, such as A28.")] = "",
    identity: Annotated[str, typer.Option(metavar="ID", help="Only about this identity.")] = "",
    control_id: Annotated[str, typer.Option(help="MSH-10 as sent.")] = "",
    message: Annotated[str, typer.Option(metavar="ID", help="Only what this received message caused.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Queued at this moment or later (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Queued before this moment (RFC 3339).")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most messages to list.")] = 100,
) -> None:
    """List what is told to receivers, newest first. With --json, one a line."""
    context = Context.of(ctx)
    if state and state not in get_args(State):
        fail(Exit.USAGE, f"--state: {state!r} is none of {', '.join(get_args(State))}")
    with reading(context) as view:
        wanted = OutboxFilter(
            destination=destination,
            state=state,
            event=event.rpartition("^")[2],
            subject=named(context, view, identity, view.identity).id if identity else "",
            control_id=control_id,
            cause=message,
            first=view.first_since(rfc3339(parse_time(since, "--since"))) if since else 0,
            last=view.first_since(rfc3339(parse_time(until, "--until"))) if until else 0,
            unsettled=unsettled,
        )
        documents = [document(row) for row in view.outbox(wanted, limit=limit)]
    show_rows(context, documents)


@app.command(epilog=examples("insigne outbox show 1204", "insigne outbox show 1204 --json | jq .attempts"))
def show(ctx: typer.Context, row: Row) -> None:
    """Show a message: its bytes, each attempt with the acknowledgement as received, and what it waits for."""
    context = Context.of(ctx)
    with reading(context) as view:
        found = find(view, row)
        attempts = view.attempts(found.id)
        written = view.outgoing_bytes(found.control_id) if found.control_id else None
    raw = _text(written.raw) if written is not None else None
    told = document(found) | {
        "notice": _text(found.notice) or None,
        "raw": raw,
        "left_out": written.left_out.split() if written is not None else [],
        "attempts": [_attempt(one) for one in attempts],
    }
    if context.json:
        emit(told)
        return
    print_fields((name, str(value)) for name, value in told.items() if not isinstance(value, list) and name != "raw")
    if told["left_out"]:
        print_fields([("left out", f"{', '.join(told['left_out'])}: the edition of the receiver refuses the content")])
    for one in attempts:
        typer.echo(f"\nattempt {one.number}  {one.time}  {one.outcome} {one.code}  {one.milliseconds} ms  {one.text}")
        if one.ack:
            typer.echo(_lines(_text(one.ack)))
    if raw:
        typer.echo(f"\n{_lines(raw)}")


def find(view: OutboxReader, row: str) -> Outgoing:
    """The row an argument names; ends the command when there is none (exit 1)."""
    found = view.outgoing(int(row)) if row.isascii() and row.isdecimal() and len(row) < 19 else None
    if found is None:
        fail(Exit.PROBLEMS, f"{row}: no such message; `insigne outbox list` shows the ids")
    return found


def document(row: Outgoing) -> dict[str, Any]:
    """A row as it is printed."""
    return {
        "id": str(row.id),
        "time": row.created,
        "direction": "out",
        "peer": row.destination,
        "control_id": row.control_id,
        "event": row.event if row.kind == "answer" else f"ADT^{row.event}",
        "disposition": row.state,
        "code": row.code,
        "kind": row.kind,
        "subject": row.subject,
        "cause": row.cause,
        "attempts": row.attempts,
        "due": row.due or None,
        "sent": row.sent or None,
        "ended": row.ended,
        "blocking": row.state == "held" and row.ended is None,
        "reason": row.reason,
        "replaces": str(row.replaces) if row.replaces else None,
    }


def show_rows(context: Context, documents: list[dict[str, Any]]) -> None:
    """Print rows: one a line with --json, else a table."""
    if context.json:
        for one in documents:
            emit_line(one)
        return
    print_table(_TABLE, ([str(one[name]) for name in _TABLE] for one in documents), none="nothing to tell anybody")


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "number": one.number,
        "time": one.time,
        "control_id": one.control_id,
        "outcome": one.outcome,
        "code": one.code,
        "text": one.text,
        "milliseconds": one.milliseconds,
        "ack": _text(one.ack) or None,
    }


def _text(raw: bytes) -> str:
    """Bytes as text: UTF-8, else Latin-1, which reads anything."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _lines(text: str) -> str:
    return text.replace("\r", "\n").rstrip("\n")
