"""`insigne backup`: a copy of the base, taken while it works."""

from pathlib import Path
from typing import Annotated

import typer

from insigne.cli.common import Context, command_app, examples
from insigne.cli.opening import PATIENCE, author, plainly
from insigne.cli.reports import conclude_report, progress
from insigne.config import store_url
from insigne.store.backup import backup as backup_store

app = command_app()


@app.command(epilog=examples("insigne backup /var/backups/insigne-2026-03-01.db", "insigne backup copy.db --json"))
def backup(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file to write.")]
) -> None:
    """Copy the base, as of one moment, to a new file, and check the copy. The server goes on meanwhile.

    The file appears whole or not at all. It holds everything the base holds: keep it as safe.
    """
    context = Context.of(ctx)
    with plainly():
        report = backup_store(store_url(context.loaded), file.absolute(), author(), progress, wait=PATIENCE)
    conclude_report(context, report)
