"""`insigne message`: the messages received, as they came and as they were answered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from insigne.app.base import open_base
from insigne.app.logs import configure
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app, parse_time
from insigne.cli.message_bundle import write_bundle
from insigne.cli.message_document import LISTED, message_document
from insigne.cli.message_trace import show_trace, trace_named
from insigne.cli.opening import PATIENCE, plainly, reading
from insigne.cli.tables import harmless, print_fields, print_table
from insigne.exchange.model import Answer, MessageRecord, Peer, Received
from insigne.store.moments import rfc3339
from insigne.store.queries import MessageFilter, ReadView

app = group_app(
    "The messages received, and what was answered to them.",
    examples(
        "insigne message list --disposition rejected --since 2026-03-01T00:00:00+01:00",
        "insigne message show 01JMS7Q4",
        "insigne message replay 01JMS7Q4",
    ),
)

Disposition = Literal["accepted", "answered", "rejected", "duplicate", "ignored", "unframed"]
Code = Literal["AA", "AE", "AR", "CA", "CE", "CR"]
_PAGE = 500


def _or(words: Any) -> str:
    *first, last = get_args(words)
    return f"{', '.join(first)} or {last}"


@app.command(
    "list",
    epilog=examples(
        "insigne message list --limit 20",
        "insigne message list --disposition rejected --since 2026-03-01T00:00:00+01:00 --json",
        "insigne message list --code AE --event ADT^A40",
    ),
)
def list_(
    ctx: typer.Context,
    *,
    disposition: Annotated[Disposition | None, typer.Option(metavar="WORD", help=f"{_or(Disposition)}.")] = None,
    code: Annotated[Code | None, typer.Option(help=f"Acknowledgement given: {_or(Code)}.")] = None,
    event: Annotated[str, typer.Option(help="Message and event, such as ADT^A28; A28 alone means ADT^A28.")] = "",
    control_id: Annotated[str, typer.Option(help="MSH-10 as received.")] = "",
    peer: Annotated[str, typer.Option(help="Where it came from, such as mllp:GAM.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Received at this moment or later (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Received before this moment (RFC 3339).")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most messages to list.")] = 100,
) -> None:
    """List messages, newest first."""
    context = Context.of(ctx)
    wanted = MessageFilter(
        since=rfc3339(parse_time(since, "--since")) if since else "",
        until=rfc3339(parse_time(until, "--until")) if until else "",
        peer=peer,
        control_id=control_id,
        event=event if not event or "^" in event else f"ADT^{event}",
        disposition=disposition or "",
    )
    with reading(context) as view:
        rows = [
            {name: getattr(record, name) for name in LISTED} for record in _matching(view, wanted, code or "", limit)
        ]
    if context.json:
        for row in rows:
            emit_line(row)
        return
    print_table(LISTED, ([str(row[name]) for name in LISTED] for row in rows), none="no message")


@app.command(
    epilog=examples(
        "insigne message show 01JMS7Q4",
        "insigne message show 01JMS7Q4 --json | jq .findings",
        "insigne message show 01JMS7Q4 --trace",
        "insigne message show 1204 --bundle labo-1204.zip",
    )
)
def show(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(metavar="ID", help="Id in the log; see also --trace.")],
    *,
    trace: Annotated[
        bool,
        typer.Option(
            "--trace",
            help="From the bytes that came in, through the decision, to every acknowledgement that came back. ID may "
            "then also be a number of `insigne outbox list`, a MSH-10 that was sent, a question of `insigne insi "
            "queue`, or event:SEQ of `insigne identity history --json`.",
        ),
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the trace to a zip file without personal values, for a vendor."),
    ] = None,
) -> None:
    """Show a message: its bytes as received, the character set, the acknowledgement and the findings."""
    context = Context.of(ctx)
    if trace or bundle is not None:
        with reading(context) as view:
            found = trace_named(view, message)
        if bundle is not None:
            write_bundle(context, bundle, found)
        if trace:
            show_trace(context, message, found)
        return
    with reading(context) as view:
        record = _message(view, message)
    document = message_document(record)
    if context.json:
        emit(document)
        return
    print_fields((name, str(value)) for name, value in document.items() if not isinstance(value, dict | list))
    charset = document["charset"]
    print_fields([("charset", f"{charset['declared'] or 'not declared'}, read as {charset['effective']}")])
    for title in ("raw", "ack"):
        content = document[title]
        typer.echo(f"\n{title} ({content['size']} bytes)")
        text = content["hex"] if content["text"] is None else content["text"]
        typer.echo(harmless(text.replace("\r", "\n").rstrip("\n")))
    for finding in document["findings"]:
        typer.echo(f"\n{finding['severity']}  {finding['rule']}  {finding['location'] or ''}\n  {finding['message']}")


@app.command(epilog=examples("insigne message replay 01JMS7Q4 01JMS7Q9", "insigne message replay 01JMS7Q4 --json"))
def replay(
    ctx: typer.Context,
    messages: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids in the log, in the order to replay them.")],
) -> None:
    """Submit messages again, as if they came now, even if they were accepted before.

    The message replayed keeps its row; the replay has its own. Exit 0 when all are accepted (AA or CA).
    """
    context = Context.of(ctx)
    with reading(context) as view:
        records = [_message(view, message) for message in messages]
    for record in records:
        if not record.raw or record.disposition == "unframed" or record.direction != "in":
            fail(Exit.PROBLEMS, f"{record.id}: cannot be replayed: erased, not a message, or not received")
    answers = resubmit(context, records)
    rows = [
        {"id": record.id, "message": answer.message_id, "control_id": record.control_id, "code": answer.code}
        for record, answer in zip(records, answers, strict=True)
    ]
    if context.json:
        for row in rows:
            emit_line(row)
    else:
        print_table(tuple(rows[0]), (tuple(row.values()) for row in rows), none="")
    if any(row["code"] not in ("AA", "CA", "") for row in rows):
        raise typer.Exit(Exit.PROBLEMS)


def resubmit(context: Context, records: list[MessageRecord]) -> list[Answer]:
    """Give messages of the log to intake again, one after the other; what it answers."""
    configure("error")
    peer = Peer("replay", "cli")
    with plainly():
        base = open_base(context.loaded, wait=PATIENCE)
        try:
            return [
                answer
                for record in records
                for answer in base.intake.process(
                    [Received(record.raw, peer, rfc3339(datetime.now(UTC)), replay_of=record.id)]
                )
            ]
        finally:
            base.close()


def _matching(view: ReadView, wanted: MessageFilter, code: str, limit: int) -> Iterator[MessageRecord]:
    """Messages that meet the filter and were answered `code`, newest first, at most `limit`."""
    after, left = "", limit
    while True:
        page = list(view.messages(wanted, limit=_PAGE if code else min(left, _PAGE), after=after))
        for record in page:
            if not code or record.code == code:
                yield record
                left -= 1
            if not left:
                return
        if not page:
            return
        after = page[-1].id


def _message(view: ReadView, message_id: str) -> MessageRecord:
    record = view.message(message_id)
    if record is None:
        fail(Exit.PROBLEMS, f"{message_id}: no such message; `insigne message list` shows the ids")
    return record
