"""`insigne migrate assess`: where a site stands on the five steps, and the plan that follows from it."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
import typer

from insigne.cli.common import Context, emit, examples, group_app
from insigne.cli.migrate.site import AnswersFile, InventoryFile, answers_of, assessed, inventory_of
from insigne.cli.periods import day_of
from insigne.cli.tables import print_fields, print_table
from insigne.dmp.migration.assess import Assessment
from insigne.dmp.migration.findings import Level
from insigne.dmp.migration.inventory import SHARING_LABELS_FR
from insigne.dmp.migration.plan import Action, make_plan
from insigne.dmp.migration.solutions import API_LABELS_FR
from insigne.dmp.migration.steps import BY_CODE
from insigne.store.moments import utc_now

app = group_app("Where a site stands.")

LEVELS_FR: Final = {Level.DONE: "fait", Level.TODO: "à faire", Level.ASK: "à préciser"}


@app.command(
    "assess",
    epilog=examples(
        "insigne migrate assess inventaire.toml",
        "insigne migrate assess inventaire.toml --answers reponses.toml --json | jq '.findings[] | select(.level == "
        '"todo")\'',
    ),
)
def assess_(
    ctx: typer.Context,
    inventory: InventoryFile,
    *,
    answers: AnswersFile = None,
    start: Annotated[str, typer.Option(metavar="DATE", help="When the plan begins; today by default.")] = "",
) -> None:
    """Assess a site: its components against the known solutions, its base as measured, its answers; then the plan.

    What can be measured is measured from the base; the questions that remain are listed, to be answered in --answers.
    """
    context = Context.of(ctx)
    site = inventory_of(inventory)
    given = answers_of(answers)
    first = day_of(start, "--start", datetime.now(UTC).astimezone().date())
    found = assessed(context, site, given)
    plan = make_plan(found, site, given, first, utc_now(), context.config.dmp.migration.overlap_days)
    if context.json:
        asked = [
            {"code": code, "text": BY_CODE[code].text, "text_fr": BY_CODE[code].text_fr} for code in found.questions
        ]
        document = msgspec.to_builtins(found) | {"questions": asked}
        planned = msgspec.to_builtins(plan)
        emit(document | {"plan": {name: planned[name] for name in ("start", "end", "actions", "routes")}})
        return
    _print(found)
    print_actions(plan.actions)


def _print(found: Assessment) -> None:
    print_fields(
        (
            ("établissement", found.site),
            ("partage des rôles", SHARING_LABELS_FR[found.sharing]),
            ("alimentation", API_LABELS_FR[found.api]),
        )
    )
    print_table(
        ("étape", "état", "objet"),
        ((str(one.number), LEVELS_FR[one.level], one.title_fr) for one in found.steps),
        none="",
    )
    print_table(
        ("étape", "état", "constat"),
        ((str(one.step), LEVELS_FR[one.level], one.text_fr) for one in found.findings),
        none="",
    )
    print_table(
        ("question", "à répondre dans --answers"),
        ((code, BY_CODE[code].text_fr) for code in found.questions),
        none="aucune question sans réponse",
    )


def print_actions(actions: tuple[Action, ...]) -> None:
    """Print the calendar of a plan."""
    print_table(
        ("n°", "début", "fin", "responsable", "action"),
        ((one.id, str(one.start), str(one.end), one.owner, one.title_fr) for one in actions),
        none="rien à planifier",
    )
