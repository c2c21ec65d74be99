"""`insigne outbox replay|skip|edit`: acts of a named person on messages to receivers, each audited."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from insigne.access import Right
from insigne.access.users import User
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.app.logs import configure
from insigne.cli.acting import acting
from insigne.cli.common import Context, Exit, examples, fail, note, parse_time
from insigne.cli.desk import As
from insigne.cli.opening import PATIENCE, plainly
from insigne.cli.options import PLAIN
from insigne.cli.outbox import Row, document, find, show_rows
from insigne.exchange.delivery import acts
from insigne.exchange.delivery.acts import ActRefused
from insigne.exchange.delivery.model import Bytes, Outgoing
from insigne.hl7 import Hl7Error, Message
from insigne.pam.encode.ins import may_carry
from insigne.pam.encode.message import NEVER_SENT
from insigne.pam.validate import validate
from insigne.store.audit import AuditEntry
from insigne.store.moments import rfc3339
from insigne.store.transaction import UnitOfWork

app = typer.Typer(**PLAIN, help="Acts on messages to receivers.")
_BATCH: Final = 500
#: Later than any moment of the base.
_NEVER: Final = "9999"

#: The act itself: transaction, row, now → the row that results.
Change = Callable[[UnitOfWork, Outgoing, str], int]
Rows = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Ids in the list, in the order to send them.")]


@dataclass(frozen=True, slots=True)
class _Counter:
    """A base whose outbox a person acts on."""

    context: Context
    base: Base
    user: User

    def act(self, one: str, name: str, change: Change, **details: str) -> Outgoing:
        """Do one act in a transaction that records it, and have the dispatcher look again; the row that results."""
        with self.base.store.begin() as transaction:
            row, now = find(transaction, one), rfc3339_now()
            done = change(transaction, row, now)
            told = {"destination": row.destination, "event": row.event, "control_id": row.control_id} | details
            transaction.record(AuditEntry(self.user.author, name, f"outbox:{row.id}", now, told))
            transaction.touch_destination(row.destination)
            transaction.commit()
        with self.base.store.read() as view:
            return find(view, str(done))


@contextmanager
def _counter(context: Context, name: str) -> Iterator[_Counter]:
    configure("error")
    with plainly():
        base = open_base(context.loaded, wait=PATIENCE)
        try:
            yield _Counter(context, base, acting(context, base.store, name, Right.OUTBOX))
        except (ActRefused, Hl7Error) as refused:
            fail(Exit.PROBLEMS, str(refused))
        finally:
            base.close()


@app.command(
    epilog=examples(
        "insigne outbox replay 1204 1207 --as claire.dupont",
        "insigne outbox replay --destination LABO --since 2026-03-01T00:00:00+01:00 --as claire.dupont",
    )
)
def replay(
    ctx: typer.Context,
    rows: Rows = None,
    *,
    destination: Annotated[str, typer.Option(metavar="NAME", help="All that was told to this destination …")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="… from this moment on (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="… until this moment (excluded); by default, now.")] = "",
    user: As = "",
) -> None:
    """Tell receivers again, each message under a new MSH-10, written from the identity as of its event.

    Named messages, or all that a destination was told between two moments, in the same order. They take their turn
    behind what waits. A message that failed is settled by it; in a range without end, so is one that is held or was
    not sent yet: it takes its new place. With --json, the new rows, one a line.
    """
    context = Context.of(ctx)
    if bool(rows) == bool(destination):
        fail(Exit.USAGE, "replay: name messages, or a destination with --since")
    if destination and not since:
        fail(Exit.USAGE, "--since: from which moment? (`insigne destination init` tells a receiver the whole base)")
    configured = [one.name for one in context.config.destinations]
    if destination and destination not in configured:
        fail(Exit.PROBLEMS, f"{destination}: no such destination; configured: {', '.join(configured) or 'none'}")
    with _counter(context, user) as counter:
        told = _range(counter, destination, since, until) if destination else _each(counter, rows or [])
        show_rows(context, [document(row) for row in told])


def _each(counter: _Counter, ids: list[str]) -> Iterator[Outgoing]:
    for one in ids:
        with counter.base.store.read() as view:
            row = find(view, one)
            later = view.told_later(row)
        if later:
            note(f"{row.id}: {row.destination} was told something later about the same patient: it now gets older news")
        yield counter.act(one, "outbox-replayed", acts.retry)


def _range(counter: _Counter, destination: str, since: str, until: str) -> Iterator[Outgoing]:
    """Queue again, a batch a transaction, what was told between two moments."""
    with counter.base.store.read() as view:
        first = view.first_since(rfc3339(parse_time(since, "--since")))
        last = view.first_since(rfc3339(parse_time(until, "--until"))) - 1 if until else 2**62
        replays = view.first_since(_NEVER) - 1  # none of those made here
    counted = 0
    while True:
        with counter.base.store.begin() as transaction:
            found = transaction.outbox_range(destination, first, last, _BATCH, replays)
            now = rfc3339_now()
            # Until a moment of the past, what waits keeps its place: what was queued since may depend on it.
            said = [row for row in found if acts.repeatable(row) and not (until and row.ended is None)]
            ids = [acts.repeat(transaction, row, now) for row in said]
            first = found[-1].id + 1 if found else first
            counted += len(ids)
            if not found or len(found) < _BATCH:
                details = {"since": since, "until": until, "messages": str(counted)}
                entry = AuditEntry(
                    counter.user.author, "outbox-range-replayed", f"destination:{destination}", now, details
                )
                transaction.record(entry)
            transaction.touch_destination(destination)
            transaction.commit()
        with counter.base.store.read() as view:
            yield from (row for one in ids if (row := view.outgoing(one)) is not None)
        if len(found) < _BATCH:
            return


@app.command(epilog=examples("insigne outbox skip 1204 --reason 'traité à la main au labo' --as claire.dupont"))
def skip(
    ctx: typer.Context,
    rows: Rows = None,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")] = "skipped",
    user: As = "",
) -> None:
    """Give up messages that wait, are held or were refused; what waited behind them goes."""
    context = Context.of(ctx)
    if not rows:
        fail(Exit.USAGE, "skip: name messages; `insigne outbox list` shows the ids")
    with _counter(context, user) as counter:
        show_rows(context, [document(_skipped(counter, one, reason)) for one in rows])


def _skipped(counter: _Counter, one: str, reason: str) -> Outgoing:
    def change(transaction: UnitOfWork, row: Outgoing, now: str) -> int:
        acts.skip(transaction, row, reason, now)
        return row.id

    return counter.act(one, "outbox-skipped", change, reason=reason)


@app.command(epilog=examples("insigne outbox edit 1204 corrected.hl7 --reason 'code corrigé' --as claire.dupont"))
def edit(
    ctx: typer.Context,
    row: Row,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One HL7 message: what to send instead.")],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")] = "",
    user: As = "",
) -> None:
    """Send other bytes instead of a message, under a new MSH-10; at its place in the queue if it still has it.

    What is sent must be valid in the edition of the destination.
    """
    context = Context.of(ctx)
    with _counter(context, user) as counter:
        with counter.base.store.read() as view:
            found = find(view, row)
        written = _written(counter, found, file)

        def change(transaction: UnitOfWork, current: Outgoing, now: str) -> int:
            return acts.edit(transaction, current, written, now)

        details = {"reason": reason, "new_control_id": written.control_id}
        show_rows(context, [document(counter.act(row, "outbox-edited", change, **details))])


def _written(counter: _Counter, row: Outgoing, file: Path) -> Bytes:
    """The message of a file under a new MSH-10, once it is found valid; ends the command when it is not."""
    try:
        raw = file.read_bytes().strip(b"\x0b\x1c\r\n").replace(b"\r\n", b"\r").replace(b"\n", b"\r") + b"\r"
    except OSError as error:
        fail(Exit.USAGE, f"{file}: {error.strerror}")
    control_id = counter.base.new_id()[:20]
    raw = acts.with_control_id(raw, control_id)
    if row.kind != "answer":
        _check(counter, row, file, raw)
    message_type = Message.parse(raw).value("MSH-9") or f"ADT^{row.event}"
    return Bytes(control_id, message_type, rfc3339_now(), raw)


def _check(counter: _Counter, row: Outgoing, file: Path, raw: bytes) -> None:
    """End the command when the destination may not be sent that message."""
    told = [one for one in counter.base.config.destinations if one.name == row.destination]
    if not told or told[0].webhook is not None:
        why = "is told in JSON, made of the person as they are" if told else "is not configured: no edition to check by"
        fail(Exit.PROBLEMS, f"{row.id}: {row.destination} {why}; replay or skip it")
    [dialect] = [one.dialect for one in counter.base.subscribers if one.name == row.destination]
    findings = validate(Message.parse(raw, dialect.charset_policy), dialect.edition, dialect.context)
    errors = [one for one in findings if one.severity == "error" or one.rule in NEVER_SENT]
    if errors:
        places = "; ".join(f"{one.location}: {one.message}" for one in errors)
        fail(Exit.PROBLEMS, f"{file}: not valid in the edition of {row.destination}: {places}")
    with counter.base.store.read() as view:
        patient = view.identity(row.subject)
    if not may_carry(raw, patient):
        fail(Exit.PROBLEMS, f"{file}: PID-3: the INS is not one that may leave for this patient today: remove it")
