"""`insigne report`: the figures that the RNIV asks of a structure about its identities; those of the DMP apart."""

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from insigne.cli.common import Context, Exit, emit, examples, fail, group_app
from insigne.cli.opening import reading
from insigne.cli.periods import day_of, midnight
from insigne.cli.tables import print_table
from insigne.insi.jobs import CallTrace
from insigne.registry.quality import CallFact, Happened, Indicator, quality
from insigne.registry.state import WorkItem
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store.insi import CallFilter
from insigne.store.moments import rfc3339
from insigne.store.queries import ReadView

app = group_app(
    "Reports on identities, and on the feeding of the DMP.",
    examples(
        "insigne report quality --from 2026-01-01 --to 2026-04-01",
        "insigne report dmp --chart courbe.svg",
    ),
    {"dmp": ("insigne.cli.report_dmp", "Report on what was fed to the DMP, held and refused.")},
)

_DAYS: Final = 30
_PAGE: Final = 5000
_OUTAGE: Final = ("unreachable", "timeout", "tls", "malformed", "http_")
_UNITS: Final = {"share": "%", "days": "j", "ms": "ms", "count": ""}


@app.command(
    "quality",
    epilog=examples(
        "insigne report quality --from 2026-01-01 --to 2026-04-01",
        "insigne report quality --csv > qualite.csv",
        "insigne report quality --json | jq '.indicators[] | select(.code == \"qualified\")'",
    ),
)
def quality_(
    ctx: typer.Context,
    *,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day; 30 days ago by default.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Day after the last; tomorrow by default.")] = "",
    site: Annotated[str, typer.Option(help="Only this authority (OID or namespace), instead of all and each.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """Compute the quality indicators of the RNIV (part 2), for the whole base and for each site.

    Shares of the base are as of now; what was done is that of the period. Days are those of this machine's zone.
    """
    context = Context.of(ctx)
    today = datetime.now().astimezone().date()
    first, end = (
        day_of(since, "--from", today - timedelta(days=_DAYS)),
        day_of(until, "--to", today + timedelta(days=1)),
    )
    if end <= first:
        fail(Exit.USAGE, "--to: the period ends before it begins")
    start, stop = midnight(first), midnight(end)
    with reading(context) as view:
        indicators = quality(
            view.identities(), _happened(view, start, stop), _items(view), _calls(view, start, stop),
            since=start, until=min(stop, rfc3339(datetime.now(UTC))),
        )  # fmt: skip
    shown = [one for one in indicators if not site or one.site == site]
    if context.json:
        emit({"from": start, "to": stop, "indicators": [one._asdict() for one in shown]})
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(Indicator._fields)
        writer.writerows(["" if value is None else value for value in one] for one in shown)
    else:
        _table(shown)


def _table(indicators: list[Indicator]) -> None:
    """Print what has something to say: an indicator without ground, or a count of nothing, is left out."""
    rows = ((one.site or "tous", one.label_fr, _value(one), _ground(one)) for one in indicators if one.value)
    print_table(("site", "indicateur", "valeur", "soit"), rows, none="aucune identité")


def _value(one: Indicator) -> str:
    if one.value is None:
        return ""
    shown = f"{100 * one.value:.1f}" if one.unit == "share" else f"{one.value:g}"
    return f"{shown} {_UNITS[one.unit]}".strip()


def _ground(one: Indicator) -> str:
    return "" if one.whole is None else f"{one.part} / {one.whole}"


def _happened(view: ReadView, since: str, until: str) -> Iterator[Happened]:
    for entry in view.events_between(since, until):
        if entry.event is not None:  # what a purge erased is not counted any more
            yield Happened(entry.stream_id, entry.time, entry.event)


def _items(view: ReadView) -> Iterator[WorkItem]:
    after = ""
    while page := view.work_items(WorkFilter(state=""), limit=_PAGE, after=after):
        yield from page
        after = page[-1].id


def _calls(view: ReadView, since: str, until: str) -> Iterator[CallFact]:
    after, wanted = "", CallFilter(since=since, until=until)
    while page := view.calls(wanted, limit=_PAGE, after=after):
        for call in page:
            yield CallFact(call.identity, call.operation, call.code, _unanswered(call), call.milliseconds)
        after = page[-1].id


def _unanswered(call: CallTrace) -> bool:
    """Whether nobody answered; a fault told by the service is an answer."""
    return call.code.startswith(_OUTAGE) or (call.operation.startswith("verify") and call.code == "fault")
