"""`insigne migrate plan` and `status`: a dated plan, and how far it is."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from insigne.cli.common import Context, Exit, emit, examples, fail, group_app
from insigne.cli.documents import written
from insigne.cli.migrate.assess import print_actions
from insigne.cli.migrate.site import AnswersFile, InventoryFile, answers_of, assessed, inventory_of
from insigne.cli.periods import day_of
from insigne.cli.tables import print_table
from insigne.dmp.migration.pages import html, markdown
from insigne.dmp.migration.plan import Plan, PlanError, make_plan, read_plan, write_plan
from insigne.dmp.migration.plan_pages import plan_page, plan_title
from insigne.dmp.migration.status import PROGRESS_FR, ActionStatus, Change, Progress, actions_now, changes
from insigne.documents.errors import DocumentError
from insigne.documents.render import render_html
from insigne.store.moments import utc_now

app = group_app("Plan and follow a migration.")


@app.command(
    epilog=examples(
        "insigne migrate plan inventaire.toml --start 2026-09-01 --out plan",
        "insigne migrate plan inventaire.toml --answers reponses.toml --json | jq .plan.routes",
    ),
)
def plan(
    ctx: typer.Context,
    inventory: InventoryFile,
    *,
    answers: AnswersFile = None,
    start: Annotated[str, typer.Option(metavar="DATE", help="When it begins; today by default.")] = "",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder it is written in.", file_okay=False)] = Path(),
) -> None:
    """Write the plan of a site: plan-migration-DATE.md, .pdf (PDF/A) and .json (for `insigne migrate status`).

    Each action has an owner, dates on working days, what it waits for and its risk. No day is left without feeding.
    """
    context = Context.of(ctx)
    site, given = inventory_of(inventory), answers_of(answers)
    first = day_of(start, "--start", _today())
    found = assessed(context, site, given)
    made = make_plan(found, site, given, first, utc_now(), context.config.dmp.migration.overlap_days)
    page = list(plan_page(made))
    try:
        pdf = render_html(html(page), plan_title(made), datetime.now(UTC))
    except DocumentError as error:
        fail(Exit.PROBLEMS, f"{inventory}: the plan cannot be written as PDF: {error}")
    files = {"md": markdown(page).encode(), "pdf": pdf, "json": write_plan(made)}
    names = {kind: out / f"plan-migration-{made.start}.{kind}" for kind in files}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(Exit.USAGE, f"--out {out}: {error.strerror}")
    for kind, content in files.items():
        with written(names[kind]) as file:
            file.write(content)
    if context.json:
        emit({"files": {kind: str(name) for kind, name in names.items()}, "plan": msgspec.to_builtins(made)})
        return
    print_actions(made.actions)
    for name in names.values():
        context.say(f"{name}: written")


@app.command(
    epilog=examples(
        "insigne migrate status plan/plan-migration-2026-09-01.json",
        "insigne migrate status plan.json --inventory inventaire.toml --answers reponses.toml --json",
    ),
)
def status(
    ctx: typer.Context,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="What `insigne migrate plan` wrote.")],
    *,
    inventory: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The inventory of today, instead of that of the plan.")
    ] = None,
    answers: AnswersFile = None,
    day: Annotated[str, typer.Option(metavar="DATE", help="As of this day; today by default.")] = "",
) -> None:
    """Compare a plan with the base as it is now: what is done, under way, late, to come, and the figures then and now.

    Exit 1 when something is late.
    """
    context = Context.of(ctx)
    known = _known(plan_file)
    site = known.inventory if inventory is None else inventory_of(inventory)
    given = {**known.answers, **answers_of(answers)}
    now = assessed(context, site, given)
    actions, figures = actions_now(known, now, day_of(day, "--day", _today())), changes(known, now)
    late = [one.id for one in actions if one.progress is Progress.LATE]
    if context.json:
        emit(
            {
                "ok": not late,
                "plan": str(plan_file),
                "steps": msgspec.to_builtins(now.steps),
                "actions": msgspec.to_builtins(actions),
                "figures": msgspec.to_builtins(figures),
            }
        )
    else:
        _print(actions, figures)
    if late:
        raise typer.Exit(Exit.PROBLEMS)


def _known(file: Path) -> Plan:
    try:
        return read_plan(file.read_bytes())
    except OSError as error:
        fail(Exit.USAGE, f"{file}: {error.strerror}")
    except PlanError as error:
        fail(Exit.USAGE, f"{file}: {error}")


def _print(actions: list[ActionStatus], figures: list[Change]) -> None:
    print_table(
        ("n°", "état", "fin", "responsable", "action"),
        ((one.id, PROGRESS_FR[one.progress], str(one.end), one.owner, one.title_fr) for one in actions),
        none="le plan n’a pas d’action",
    )
    print_table(
        ("chiffre", "au plan", "maintenant"),
        ((one.text_fr, _figure(one.before), _figure(one.now)) for one in figures),
        none="",
    )


def _figure(value: float | None) -> str:
    return "non mesuré" if value is None else f"{value:g}"


def _today() -> date:
    return datetime.now(UTC).astimezone().date()
