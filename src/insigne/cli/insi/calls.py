"""`insigne insi calls`: the trace of every call to INSi, and its raw answer for who has the right to read it."""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from insigne.access import Right
from insigne.app.clock import rfc3339_now
from insigne.cli.common import Context, Exit, emit, emit_line, examples, fail
from insigne.cli.desk import As, at_desk
from insigne.cli.identity import named
from insigne.cli.opening import reading
from insigne.cli.options import PLAIN
from insigne.cli.tables import print_fields, print_table
from insigne.insi.jobs import CallTrace
from insigne.store.audit import AuditEntry
from insigne.store.insi import CallFilter

app = typer.Typer(**PLAIN, help="The calls made to INSi: who, when, why, and what was answered.")

_PERSONAL: Final = frozenset({"criteria", "raw"})
_TITLES: Final = ("id", "time", "operation", "mode", "author", "identity", "code", "milliseconds", "why")


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "insigne insi calls --identity 'INSIGNE|12'",
        "insigne insi calls --code desir_560 --json",
        "insigne insi calls show 01JMS7Q4 --as claire.dupont",
    ),
)
def calls(
    ctx: typer.Context,
    *,
    identity: Annotated[str, typer.Option(metavar="ID", help="Only about this identity.")] = "",
    author: Annotated[str, typer.Option(help="Only on behalf of this author, as user:claire.dupont.")] = "",
    code: Annotated[str, typer.Option(help="Only those answered by this code: 00, 01, 02, insi_102…")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most calls to list.")] = 1000,
) -> None:
    """List the calls made to INSi, newest first, without criteria nor answers. With --json, one a line."""
    if ctx.invoked_subcommand is not None:
        return
    context = Context.of(ctx)
    with reading(context) as view:
        subject = named(context, view, identity, view.identity).id if identity else ""
        found = view.calls(CallFilter(identity=subject, author=author, code=code), limit=limit)
    documents = [_document(call) for call in found]
    if context.json:
        for document in documents:
            emit_line(document)
        return
    print_table(_TITLES, ([str(one[title]) for title in _TITLES] for one in documents), none="no call to INSi")


@app.command(
    epilog=examples(
        "insigne insi calls show 01JMS7Q4 --as claire.dupont",
        "insigne insi calls show 01JMS7Q4 --raw answer.xml --as claire.dupont",
    )
)
def show(
    ctx: typer.Context,
    call: Annotated[str, typer.Argument(metavar="CALL", help="Id in the list.")],
    *,
    raw: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the answer to this file, unchanged.")] = None,
    user: As = "",
) -> None:
    """Show a call with its criteria and the answer as received. Who reads it is written in the audit trail.

    The right is insi.trace. What a purge erased is empty.
    """
    context = Context.of(ctx)
    with at_desk(context, user, Right.INSI_TRACE) as desk:
        with desk.base.store.read() as view:
            found = view.call(call)
        if found is None:
            fail(Exit.PROBLEMS, f"{call}: no such call; `insigne insi calls` shows the ids")
        with desk.base.store.begin() as transaction:
            entry = AuditEntry(desk.user.author, "insi-call-read", call, rfc3339_now(), {"identity": found.identity})
            transaction.record(entry)
            transaction.commit()
    if raw is not None:
        try:
            raw.write_bytes(found.raw)
        except OSError as error:
            fail(Exit.USAGE, f"--raw: {raw}: {error.strerror or error}")
    document = _document(found) | {
        "criteria": msgspec.json.decode(found.criteria) if found.criteria else None,
        "raw": found.raw.decode("utf-8", "backslashreplace"),
    }
    if context.json:
        emit(document)
        return
    print_fields((name, str(value)) for name, value in document.items() if name not in _PERSONAL)
    print_fields((f"asked {name}", str(value)) for name, value in (document["criteria"] or {}).items())
    typer.echo(document["raw"])


def _document(call: CallTrace) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(call).items() if name not in _PERSONAL}
