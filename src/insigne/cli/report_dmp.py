"""`insigne report dmp`: what was fed to the DMP, held and refused, usage targets, delays, the years before."""

import csv
import io
import sys
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from insigne.cli.columns import table_lines
from insigne.cli.common import Context, Exit, emit, examples, fail, group_app, note
from insigne.cli.documents import written
from insigne.cli.opening import author, reading, writing
from insigne.cli.periods import day_of, midnight
from insigne.cli.tables import print_fields, print_table
from insigne.dmp.indicators.chart import chart
from insigne.dmp.indicators.figures import (
    KIND_LABELS_FR,
    Count,
    CurvePoint,
    Delay,
    Kind,
    Volume,
    curve,
    delays,
    month_starts,
    totals,
    volumes,
)
from insigne.dmp.indicators.past import PastFigures, read_past
from insigne.dmp.indicators.targets import Target, ended_stay, targets
from insigne.dmp.settings_report import IndicatorSettings
from insigne.store import AuditEntry
from insigne.store.moments import rfc3339
from insigne.store.queries import ReadView

app = group_app("Report on the feeding of the DMP.")

_BAR: Final = 30
"""Characters of the longest bar of the curve."""
_OUTCOMES_FR: Final = {
    "fed": "alimentés",
    "held": "en attente",
    "refused": "refusés",
    "withdrawn": "supprimés du DMP",
    "cancelled": "annulés avant envoi",
}


class _Report(NamedTuple):
    """The figures of a period, of one establishment or of all."""

    totals: dict[str, int]
    volumes: list[Volume]
    curve: list[CurvePoint]
    targets: list[Target]
    delays: list[Delay]

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        lists = {name: [one._asdict() for one in getattr(self, name)] for name in self._fields[1:]}
        return {"totals": self.totals, **lists}


@app.command(
    "dmp",
    epilog=examples(
        "insigne report dmp --from 2026-01-01 --to 2026-04-01",
        "insigne report dmp --import avant.csv --chart courbe.svg",
        "insigne report dmp --csv dmp.csv --site 350000113",
        "insigne report dmp --json | jq '.targets[] | select(.establishment == \"\")'",
    ),
)
def dmp(
    ctx: typer.Context,
    *,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day; a year ago by default.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Day after the last; tomorrow by default.")] = "",
    site: Annotated[str, typer.Option(metavar="FINESS", help="Only this establishment.")] = "",
    csv_file: Annotated[str, typer.Option("--csv", metavar="FILE", help="Write the volumes there; - for stdout.")] = "",
    chart_file: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE.svg", help="Draw the curve of INS-C against INS.")
    ] = None,
    past: Annotated[
        Path | None,
        typer.Option("--import", metavar="FILE.csv", help="Take the site's figures of the years before in."),
    ] = None,
    forget: Annotated[
        str, typer.Option(metavar="NAME", help="Erase the figures that a file of that name brought.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what --import would bring, write nothing.")] = False,
) -> None:
    """Report on what was fed to the DMP: by type, month, establishment and identity; targets; time to the DMP.

    Documents are those received in the period, as they are now. Exit 1 when rows of --import were refused.
    """
    context = Context.of(ctx)
    today = datetime.now().astimezone().date()
    first = day_of(since, "--from", today.replace(year=today.year - 1, day=1))
    end = day_of(until, "--to", date.fromordinal(today.toordinal() + 1))
    if end <= first:
        fail(Exit.USAGE, "--to: the period ends before it begins")
    if forget:
        _forget(context, forget)
    brought = _import(context, past, dry_run=dry_run) if past is not None else None
    with reading(context) as view:
        report = _report(view, first, end, context.config.dmp.indicators, site)
    if chart_file is not None:
        where = site or "tous les établissements"
        with written(chart_file) as out:
            out.write(chart(report.curve, f"Documents alimentés au DMP par mois, {where}").encode())
    if csv_file:
        _write_csv(csv_file, report.volumes)
    _shown(context, report, brought, midnight(first), midnight(end), quiet=csv_file == "-")
    if brought is not None and brought.refused:
        raise typer.Exit(Exit.PROBLEMS)


def _report(view: ReadView, first: date, end: date, settings: IndicatorSettings, site: str) -> _Report:
    former = view.past_figures(f"{date.fromordinal(end.toordinal() - 1):%Y-%m}")
    counts = [*former, *_counts(view, first, end)]
    shown = [one for one in counts if _of(one, site) and (not one.past or one.month >= f"{first:%Y-%m}")]
    if former:  # the curve begins with them: what this base did from then on up to the period is of it too
        counts += _counts(view, min(first, date.fromisoformat(f"{former[0].month}-01")), first)
    period = midnight(first), midnight(end)
    names = settings.establishments
    counting = any(one.eligible == "stays" for one in settings.targets)
    every = view.all_stays() if counting else ()
    stays = (ended_stay(stay, f"{first:%Y%m%d}", f"{end:%Y%m%d}", names) for stay in every)
    reached = targets(settings.targets, view.received_for_dmp(*period), (one for one in stays if one is not None))
    taken = delays(one for one in view.passages(*period) if not site or one.establishment == site)
    return _Report(
        totals(shown),
        volumes(shown),
        curve(one for one in counts if _of(one, site)),
        [one for one in reached if not site or one.establishment == site],
        taken,
    )


def _counts(view: ReadView, first: date, end: date) -> list[Count]:
    """The documents received from one day to another, month by month."""
    return [
        one
        for start, stop in pairwise(month_starts(first, end))
        for one in view.fed_counts(f"{start:%Y-%m}", midnight(start), midnight(stop))
    ]


def _of(one: Count, site: str) -> bool:
    return not site or one.establishment == site


def _import(context: Context, file: Path, *, dry_run: bool) -> PastFigures:
    with table_lines(file, "--import") as lines:
        found = read_past(lines)
    for problem in found.problems:
        note(f"{file}: {problem}")
    if not dry_run:
        now = rfc3339(datetime.now(UTC))
        with writing(context) as store, store.begin() as transaction:
            transaction.put_past_figures(found.counts, file.name, now, author())
            details = {"figures": str(len(found.counts)), "refused": str(found.refused)}
            transaction.record(AuditEntry(author(), "past-figures-imported", file.name, now, details))
            transaction.commit()
    return found


def _forget(context: Context, source: str) -> None:
    now = rfc3339(datetime.now(UTC))
    with writing(context) as store, store.begin() as transaction:
        erased = transaction.forget_past_figures(source)
        if not erased:
            fail(Exit.PROBLEMS, f"--forget: no figure came from {source!r}")
        transaction.record(AuditEntry(author(), "past-figures-erased", source, now, {"figures": str(erased)}))
        transaction.commit()
    note(f"{erased} figures of {source} erased")


def _write_csv(target: str, lines: list[Volume]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Volume._fields)
    writer.writerows((int(one) if isinstance(one, bool) else one for one in line) for line in lines)
    if target == "-":
        sys.stdout.write(text.getvalue())
    else:
        with written(Path(target)) as out:
            out.write(text.getvalue().encode())


def _shown(
    context: Context, report: _Report, brought: PastFigures | None, start: str, stop: str, *, quiet: bool
) -> None:
    """Print the report for a person, or as JSON; nothing more when the CSV went to stdout."""
    if quiet:
        return
    if context.json:
        imported = None
        if brought is not None:
            imported = {"figures": len(brought.counts), "refused": brought.refused, "problems": brought.problems}
        emit({"from": start, "to": stop, **report.document(), "imported": imported})
        return
    print_fields((_OUTCOMES_FR[name], str(count)) for name, count in report.totals.items() if count)
    print_table(
        ("établissement", "indicateur", "documents", "éligibles", "part", "seuil"),
        (_target_row(one) for one in report.targets if one.eligible or one.documents),
        none="aucun document ni séjour sur la période",
    )
    print_table(
        ("établissement", "type", "documents", "médiane", "90 % en moins de"),
        (
            (one.establishment or "tous", one.type_code or "tous", str(one.documents), _hours(one.median_hours),
             _hours(one.p90_hours))
            for one in report.delays
        ),
        none="aucun document transmis",
    )  # fmt: skip
    _print_curve(report.curve)


def _target_row(one: Target) -> tuple[str, ...]:
    verdict = {None: "", True: " atteint", False: " non atteint"}[one.reached]
    return (
        one.establishment or "tous",
        one.label,
        str(one.documents),
        str(one.eligible),
        "" if one.share is None else f"{100 * one.share:.1f} %",
        "sans seuil" if one.threshold is None else f"{100 * one.threshold:.0f} %{verdict}",
    )


def _print_curve(points: list[CurvePoint]) -> None:
    most = max((max(one.qualified, one.ins_c) for one in points), default=0)
    rows = (
        (
            one.month,
            str(one.qualified),
            str(one.ins_c),
            str(one.other_ins + one.none),
            "█" * _length(one.qualified, most) + "░" * _length(one.ins_c, most),
        )
        for one in points
    )
    titles = ("mois", KIND_LABELS_FR[Kind.QUALIFIED], KIND_LABELS_FR[Kind.INS_C], "autres", "█ INS qualifié  ░ INS-C")
    print_table(titles, rows, none="aucun document alimenté")


def _length(count: int, most: int) -> int:
    return -(-_BAR * count // most) if most else 0


def _hours(hours: float | None) -> str:
    if hours is None:
        return ""
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} j"
