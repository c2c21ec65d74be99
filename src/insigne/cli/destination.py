"""`insigne destination`: the receivers, what each is at, and what a person decides about them."""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from insigne.access import Right
from insigne.app.clock import rfc3339_now
from insigne.app.delivery import sender_of
from insigne.cli.acting import acting
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail, group_app
from insigne.cli.desk import As
from insigne.cli.opening import existing, reading
from insigne.cli.tables import print_fields, print_table
from insigne.config import DestinationSettings
from insigne.exchange.delivery.model import Destination
from insigne.exchange.delivery.ports import Probing, SendFailed
from insigne.net.tls import TlsError
from insigne.store.audit import AuditEntry
from insigne.store.transaction import UnitOfWork

LATER: Final = {
    "preview": ("insigne.cli.destination_preview", "Tell the last events under a planned configuration, and compare."),
}

app = group_app(
    "The receivers: what each is at; test, pause, resume, initialise them.",
    examples(
        "insigne destination list",
        "insigne destination test LABO",
        "insigne destination pause LABO --reason 'mise à jour du labo' --as claire.dupont",
        "insigne destination init LABO --rate 50 --as claire.dupont",
        "insigne destination preview LABO --change subscription.edition=2.5",
    ),
    LATER,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the destination in the configuration.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, shown with the destination.")]
_TABLE: Final = ("name", "transport", "state", "queued", "oldest", "held", "dead", "init", "reason")


@app.command("list", epilog=examples("insigne destination list", "insigne destination list --json"))
def list_(ctx: typer.Context) -> None:
    """List the destinations: state, length and age of the queue, messages that wait for a person. With --json, lines.

    One that is no longer in the configuration is listed as long as messages for it wait.
    """
    context = Context.of(ctx)
    configured = {one.name: one for one in context.config.destinations}
    with reading(context) as view:
        queues, failed = view.queues(), view.failed()
        left = [name for name in queues if name not in configured]
        rows = [
            _document(view.destination(name), configured.get(name), queues, failed) for name in (*configured, *left)
        ]
    if context.json:
        for row in rows:
            emit_line(row)
        return
    shown = [{**row, "init": _progress(row["init"])} for row in rows]
    print_table(_TABLE, ([str(row[name] or "") for name in _TABLE] for row in shown), none="no destination")


@app.command(epilog=examples("insigne destination test LABO"))
def test(ctx: typer.Context, name: Name) -> None:
    """Connect to a destination, without sending anything. Exit 3 when it cannot be reached."""
    context = Context.of(ctx)
    settings = _configured(context, name)
    started = time.perf_counter()
    try:
        sender = sender_of(settings)
        if not isinstance(sender, Probing):
            fail(Exit.USAGE, f"{name}: {_transport(settings)} has no test that leaves nothing behind")
        asyncio.run(sender.probe())
    except (SendFailed, TlsError, ValueError) as error:
        _show(context, {"name": name, "ok": False, "reason": str(error)})
        raise typer.Exit(Exit.UNREACHABLE) from error
    _show(context, {"name": name, "ok": True, "milliseconds": round((time.perf_counter() - started) * 1000)})


@app.command(epilog=examples("insigne destination pause LABO --reason 'mise à jour du labo' --as claire.dupont"))
def pause(ctx: typer.Context, name: Name, *, reason: Why = "", user: As = "") -> None:
    """Send nothing to a destination until it is resumed; its messages are queued."""
    _decide(ctx, name, user, "destination-paused", lambda known, _: {"state": "paused", "reason": reason})


@app.command(epilog=examples("insigne destination resume LABO --as claire.dupont"))
def resume(ctx: typer.Context, name: Name, *, user: As = "") -> None:
    """Send again, from where it was; after a stop, the message it stopped at is tried again."""
    _decide(ctx, name, user, "destination-resumed", lambda known, _: {"state": "running", "reason": ""})


@app.command(
    epilog=examples(
        "insigne destination init LABO --rate 50 --as claire.dupont",
        "insigne destination init LABO --stop --as claire.dupont",
    )
)
def init(
    ctx: typer.Context,
    name: Name,
    *,
    rate: Annotated[float, typer.Option(min=0.01, help="Identities a second, at most.")] = 20.0,
    stop: Annotated[bool, typer.Option("--stop", help="Give up the load under way.")] = False,
    resume_: Annotated[bool, typer.Option("--continue", help="Go on where it was stopped, at the pace told.")] = False,
    user: As = "",
) -> None:
    """Tell a receiver the whole base: every identity as it stands, and its stays that are not over.

    The server does it in the background: what is live goes first. `insigne destination list` shows how far it is.
    """

    def change(known: Destination, transaction: UnitOfWork) -> dict[str, Any]:
        if stop:
            return {"init_state": "stopped" if known.init_state == "running" else known.init_state}
        if resume_:
            if known.init_state != "stopped":
                fail(Exit.PROBLEMS, f"{name}: no load was stopped")
            return {"init_state": "running", "init_rate": rate}
        last, total = transaction.last_identity()
        return {
            "init_state": "running" if last else "done",
            "init_cursor": "",
            "init_until": last,
            "init_rate": rate,
            "init_total": total,
            "init_done": 0,
        }

    _decide(ctx, name, user, "destination-init-stopped" if stop else "destination-init", change)


def _decide(
    ctx: typer.Context, name: str, user: str, act: str, change: Callable[[Destination, UnitOfWork], dict[str, Any]]
) -> None:
    """Write a decision about a destination, recorded under the user named."""
    context = Context.of(ctx)
    settings = _configured(context, name)
    with existing(context) as store:
        who = acting(context, store, user, Right.OUTBOX).author
        with store.begin() as transaction:
            now = rfc3339_now()
            changes = change(transaction.destination(name), transaction)
            changed = transaction.change_destination(name, who, now, **changes)
            details = {key: str(value) for key, value in changes.items() if value != ""}
            transaction.record(AuditEntry(who, act, f"destination:{name}", now, details))
            transaction.commit()
        with store.read() as view:
            _show(context, _document(changed, settings, view.queues(), view.failed()))


def _configured(context: Context, name: str) -> DestinationSettings:
    configured = {one.name: one for one in context.config.destinations}
    if name not in configured:
        fail(Exit.PROBLEMS, f"{name}: no such destination; configured: {', '.join(configured) or 'none'}")
    return configured[name]


def _document(
    known: Destination,
    settings: DestinationSettings | None,
    queues: dict[str, tuple[int, str]],
    failed: dict[tuple[str, str], int],
) -> dict[str, Any]:
    queued, oldest = queues.get(known.name, (0, ""))
    load = None
    if known.init_state:
        load = {
            "state": known.init_state,
            "done": known.init_done,
            "total": known.init_total,
            "rate": known.init_rate,
        }
    return {
        "name": known.name,
        "transport": _transport(settings) if settings is not None else None,
        "state": known.state if settings is not None else "not-configured",
        "reason": known.reason,
        "author": known.author,
        "since": known.since or None,
        "queued": queued,
        "oldest": oldest or None,
        "held": failed.get((known.name, "held"), 0),
        "dead": failed.get((known.name, "dead"), 0),
        "edition": settings.subscription.edition if settings is not None else None,
        "lanes": settings.delivery.lanes if settings is not None else None,
        "init": load,
    }


def _transport(settings: DestinationSettings) -> str:
    return next(name for name in ("mllp", "folder", "sftp", "ftp", "webhook") if getattr(settings, name) is not None)


def _progress(load: dict[str, Any] | None) -> str:
    return f"{load['state']} {load['done']}/{load['total']}" if load is not None else ""


def _show(context: Context, document: dict[str, Any]) -> None:
    if context.json:
        emit(document)
    else:
        print_fields((name, str(value)) for name, value in document.items() if value not in (None, ""))
