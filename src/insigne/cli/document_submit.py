"""`insigne document submit`: give the PFI a document that no message brings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from insigne.app.base import Base, open_base
from insigne.app.intake import direct_intake
from insigne.cli.common import Context, Exit, emit, examples, fail, group_app
from insigne.cli.opening import PATIENCE, plainly
from insigne.dmp.intake.body import PIECE, Body, BodyError, collect
from insigne.dmp.intake.codes import IntakeRefused
from insigne.dmp.intake.direct import Submission, Taken
from insigne.dmp.intake.ticket import Ticket, read_ticket

app = group_app("Documents for the DMP and MSSanté.")


@app.command(
    epilog=examples(
        "insigne document submit letter.pdf --identity 'GAM|4071' --description letter.toml",
        "insigne document submit letter.xml --identity 'GAM|4071' --json",
        "insigne document submit --description deletion.json",
    )
)
def submit(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A PDF, or a CDA; none for a deletion."),
    ] = None,
    *,
    identity: Annotated[
        str, typer.Option(metavar="ID", help="AUTHORITY|VALUE, or the id of the identity; if not in the description.")
    ] = "",
    description: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="TOML or JSON: docs/dmp-intake.md."),
    ] = None,
) -> None:
    """Take a document in, as if a message had brought it: it is held until its patient is qualified, then leaves.

    A CDA describes itself; a PDF needs a description. Exit 1 when it is refused, with the code (900 to 906) and why.
    """
    context = Context.of(ctx)
    if file is None and description is None:
        fail(Exit.USAGE, "give a document, or the description of a deletion")
    with plainly():
        base = open_base(context.loaded, wait=PATIENCE)
        try:
            taken = _taken(base, file, description, identity)
        except IntakeRefused as refused:
            if context.json:
                emit({"code": refused.code, "text": str(refused), "text_fr": refused.text_fr})
            fail(Exit.PROBLEMS, f"{file or description}: {refused.code} {refused.text_fr}")
        finally:
            base.close()
    if context.json:
        emit(taken)
    for one in taken.sendings:
        context.say(f"{taken.unique_id}: {one.channel} {one.action}, {one.state} ({one.reason})")


def _taken(base: Base, file: Path | None, description: Path | None, identity: str) -> Taken:
    """Raises IntakeRefused."""
    if base.documents is None:
        fail(Exit.USAGE, 'no documents are taken here: roles lacks "pfi"')
    ticket = read_ticket(description.name, description.read_bytes()) if description is not None else Ticket()
    ticket = replace(ticket, identity=identity or ticket.identity)
    body = _body(file, base.documents.settings.large_bytes) if file is not None else None
    return direct_intake(base.store, base.documents).submit(Submission("cli", ticket, body))


def _body(file: Path, most: int) -> Body:
    def pieces() -> Iterator[bytes]:
        with file.open("rb") as source:
            while piece := source.read(PIECE):
                yield piece

    try:
        return collect(pieces(), most)
    except BodyError as error:
        why = f"more than {most} bytes (dmp.intake.large_bytes)" if error.reason == "size" else "it is empty"
        fail(Exit.PROBLEMS, f"{file}: {why}")
