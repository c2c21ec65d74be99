"""`insigne alarm`: what an operator must look at, since when, and what was so before."""

from typing import Annotated

import msgspec
import typer

from insigne.cli.common import Context, emit_line, examples, group_app, parse_time
from insigne.cli.opening import reading
from insigne.cli.tables import print_table
from insigne.store.moments import rfc3339

app = group_app(
    "What an operator must look at: queues, receivers, feeds.",
    examples("insigne alarm list", "insigne alarm list --ended-since 2026-03-01T00:00:00+01:00"),
)


@app.command(
    "list",
    epilog=examples("insigne alarm list", "insigne alarm list --ended-since 2026-03-01T00:00:00+01:00 --json"),
)
def list_(
    ctx: typer.Context,
    *,
    ended_since: Annotated[
        str, typer.Option(metavar="TIME", help="Those that ended after this moment (RFC 3339), instead.")
    ] = "",
) -> None:
    """List the alarms that are on, oldest first, as the server keeps them. With --json, one a line."""
    context = Context.of(ctx)
    with reading(context) as view:
        alarms = view.alarms(rfc3339(parse_time(ended_since, "--ended-since")) if ended_since else "")
    if context.json:
        for alarm in alarms:
            emit_line({**msgspec.structs.asdict(alarm), "ended": alarm.ended or None})
        return
    titles = ("since", "kind", "subject", "ended", "text")
    rows = [tuple(str(getattr(alarm, name)) for name in titles) for alarm in alarms]
    print_table(titles, rows, none="no alarm")
