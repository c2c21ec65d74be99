"""`insigne purge`: erase what retention does not allow to keep."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import typer

from insigne.cli.common import Context, Exit, command_app, examples, fail, parse_time
from insigne.cli.opening import PATIENCE, author, existing
from insigne.cli.reports import conclude, progress
from insigne.store import Store, dmp_statements, outbox_statements, statements
from insigne.store.copies import EXPIRED
from insigne.store.mail import OLD as OLD_MAILS
from insigne.store.moments import rfc3339
from insigne.store.purge import BATCH
from insigne.store.purge import purge as purge_store
from insigne.store.queries import ReadView

app = command_app()


@app.command(
    epilog=examples(
        "insigne purge",
        "insigne purge --messages-before 2025-03-01T00:00:00+01:00 --dry-run",
        "insigne purge --messages-before 2025-03-01T00:00:00+01:00 --payloads-before 2016-01-01T00:00:00+01:00",
    )
)
def purge(
    ctx: typer.Context,
    *,
    messages_before: Annotated[
        str, typer.Option(metavar="TIME", help="Erase the bytes of messages received before this moment (RFC 3339).")
    ] = "",
    payloads_before: Annotated[
        str,
        typer.Option(metavar="TIME", help="Erase the past of what has events older than this moment (RFC 3339)."),
    ] = "",
    calls_before: Annotated[
        str, typer.Option(metavar="TIME", help="Erase the raw answers of INSi received before this moment (RFC 3339).")
    ] = "",
    documents_before: Annotated[
        str,
        typer.Option(metavar="TIME", help="Erase documents and mails that ended before this moment (RFC 3339)."),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be erased, erase nothing.")] = False,
) -> None:
    """Erase personal data past its retention: bytes of messages, raw answers of INSi, past events once noted.

    Copies of identity documents go when their time is over (proof.copy_years), whatever is asked. Without a moment,
    what the configuration keeps counts (retention.messages_days, payloads_days, calls_days, documents_days). Identities
    stay as they are. The log still tells that messages came, and the chain of seals still verifies.
    """
    context = Context.of(ctx)
    kept = context.config.retention
    messages = _moment(messages_before, "--messages-before") or _retained(kept.messages_days)
    payloads = _moment(payloads_before, "--payloads-before") or _retained(kept.payloads_days)
    calls = _moment(calls_before, "--calls-before") or _retained(kept.calls_days)
    documents = _moment(documents_before, "--documents-before") or _retained(kept.documents_days)
    copies = rfc3339(datetime.now(UTC))
    if not any((messages, payloads, calls, documents)) and not context.config.proof.copy_key_file:
        options = "--messages-before, --payloads-before, --calls-before or --documents-before"
        fail(Exit.USAGE, f"nothing has a limit: give {options}, or set retention.*_days")
    with existing(context, read_only=dry_run) as store:
        counts = (_counted if dry_run else _purged)(store, _Limits(messages, payloads, calls, copies, documents))
    conclude(context, counts)


def _moment(text: str, option: str) -> str | None:
    if not text:
        return None
    moment = parse_time(text, option)
    if moment > datetime.now(UTC):
        fail(Exit.USAGE, f"{option}: {text} is to come; give a moment of the past")
    return rfc3339(moment)


def _retained(days: int) -> str | None:
    return rfc3339(datetime.now(UTC) - timedelta(days=days)) if days else None


class _Limits(NamedTuple):
    """The moments before which each kind is erased; None keeps it."""

    messages: str | None
    payloads: str | None
    calls: str | None
    copies: str
    documents: str | None


def _purged(store: Store, limits: _Limits) -> dict[str, int]:
    return purge_store(
        store,
        author(),
        messages_before=limits.messages,
        payloads_before=limits.payloads,
        calls_before=limits.calls,
        copies_until=limits.copies,
        documents_before=limits.documents,
        progress=progress,
        wait=PATIENCE,
    )


def _counted(store: Store, limits: _Limits) -> dict[str, int]:
    """What a purge would erase: the same rows, in the same batches, only counted."""
    counts = {"messages": 0, "told": 0, "payloads": 0, "snapshots": 0, "calls": 0, "documents": 0, "mails": 0}
    with store.read() as view:
        if limits.messages is not None:
            counts["messages"] = _old_rows(view, statements.OLD_MESSAGES, limits.messages)
            counts["told"] = _old_rows(view, outbox_statements.OLD, limits.messages, 0)
        if limits.payloads is not None:
            counts["payloads"], counts["snapshots"] = _old_events(view, limits.payloads)
        if limits.calls is not None:
            counts["calls"] = _old_rows(view, statements.OLD_CALLS, limits.calls)
        if limits.documents is not None:
            counts["documents"] = _old_rows(view, dmp_statements.OLD, limits.documents)
            counts["mails"] = _old_rows(view, OLD_MAILS, limits.documents)
        counts["copies"] = _old_rows(view, EXPIRED, limits.copies)
    return counts


def _old_rows(view: ReadView, sql: str, before: str, first: str | int = "") -> int:
    count, last = 0, first
    while found := view.select(sql, (before, last, BATCH)):
        count, last = count + len(found), found[-1][0]
    return count


def _old_events(view: ReadView, before: str) -> tuple[int, int]:
    """How many events, of how many objects."""
    events, objects, last = 0, 0, ("", "")
    while found := view.select(statements.OLD_OBJECTS, (before, *last, BATCH)):
        objects, last = objects + len(found), (found[-1][0], found[-1][1])
        events += sum(len(view.select(statements.OLD_ENTRIES, (*row, _EVERY))) for row in found)
    return events, objects


#: A version no object has: all its events come before.
_EVERY = 2**62
