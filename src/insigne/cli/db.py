"""`insigne db`: the database."""

import typer

from insigne.cli.common import Context, examples, group_app
from insigne.cli.opening import PATIENCE, author, existing, plainly
from insigne.cli.reports import conclude, conclude_report, progress
from insigne.config import store_url
from insigne.store import upgrade as upgrade_store
from insigne.store.errors import HistoryErased
from insigne.store.lock import FolderLock
from insigne.store.rebuild import rebuild as rebuild_store
from insigne.store.verify import verify as verify_store

app = group_app(
    "Upgrade, rebuild and verify the database.",
    examples(
        "insigne db upgrade",
        "insigne --data /var/lib/insigne db verify --json",
    ),
)


@app.command(epilog=examples("insigne db upgrade", "insigne --data /var/lib/insigne db upgrade --json"))
def upgrade(ctx: typer.Context) -> None:
    """Make the tables, or bring them up to date; nothing changes when they are.

    Refused while a server uses the data folder. Take a backup first.
    """
    context = Context.of(ctx)
    with plainly(), FolderLock(context.data):
        before, after = upgrade_store(store_url(context.loaded))
    conclude(context, {"from": before, "to": after})


@app.command(epilog=examples("insigne db rebuild", "insigne db rebuild --json"))
def rebuild(ctx: typer.Context) -> None:
    """Make identities, stays and work items again from the journal; nothing is emitted.

    Takes the write lock: a server waits meanwhile, and goes on after.
    """
    context = Context.of(ctx)
    try:
        with existing(context) as store:
            counts = rebuild_store(store, author(), progress, wait=PATIENCE)
    except HistoryErased as error:
        conclude(context, {}, [str(error)])
    else:
        conclude(context, counts)


@app.command(epilog=examples("insigne db verify", "insigne db verify --json"))
def verify(ctx: typer.Context) -> None:
    """Check that the database is sound and says what the journal says; nothing is changed, nobody is stopped."""
    context = Context.of(ctx)
    try:
        with existing(context, read_only=True) as store:
            report = verify_store(store, progress)
    except HistoryErased as error:
        conclude(context, {}, [str(error)])
    else:
        conclude_report(context, report)
