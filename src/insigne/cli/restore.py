"""`insigne restore`: put a backup in the place of the base."""

from pathlib import Path
from typing import Annotated

import typer

from insigne.cli.common import Context, command_app, examples
from insigne.cli.opening import author, plainly
from insigne.cli.reports import conclude_report, progress
from insigne.config import store_url
from insigne.store.backup import restore as restore_store

app = command_app()


@app.command(
    epilog=examples(
        "insigne --data /var/lib/insigne restore /var/backups/insigne-2026-03-01.db",
        "insigne restore copy.db --force",
    )
)
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file made by `insigne backup`.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a base that holds data.")] = False,
) -> None:
    """Put a backup in the place of the base; nothing is touched unless the backup is found good.

    A backup of an earlier release is brought up to date. Refused while a server uses the data folder, and over a base
    that holds data unless --force is given.
    """
    context = Context.of(ctx)
    with plainly():
        report = restore_store(
            store_url(context.loaded), file.absolute(), author(), context.data, progress, force=force
        )
    conclude_report(context, report)
