"""The files of a site that the commands of migration read, and where it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from insigne.cli.common import Context, Exit, fail, note
from insigne.cli.migrate.measuring import measure
from insigne.dmp.migration.assess import Assessment, assess
from insigne.dmp.migration.inventory import Answer, Inventory, InventoryError, read_answers, read_inventory
from insigne.dmp.migration.solutions import Solution, SolutionsError, bundled_solutions, read_solutions
from insigne.dmp.migration.steps import BY_CODE

InventoryFile = Annotated[
    Path, typer.Argument(metavar="INVENTORY.toml", help="The components of the site: see docs/migration.md.")
]
AnswersFile = Annotated[
    Path | None, typer.Option("--answers", metavar="FILE.toml", help="The answers to what cannot be measured.")
]
_LARGEST = 1_000_000


def inventory_of(file: Path) -> Inventory:
    """The inventory of a file; a wrong one ends the command (exit 2)."""
    try:
        return read_inventory(_bytes(file))
    except InventoryError as error:
        fail(Exit.USAGE, f"{file}: {error}")


def answers_of(file: Path | None) -> dict[str, Answer]:
    """The answers of a file, none without one."""
    try:
        return read_answers(_bytes(file), frozenset(BY_CODE)) if file is not None else {}
    except InventoryError as error:
        fail(Exit.USAGE, f"{file}: {error}")


def assessed(context: Context, inventory: Inventory, answers: Mapping[str, Answer]) -> Assessment:
    """Where the site stands now. A destination that is not configured is told: nothing can be measured of it."""
    known = {one.name for one in context.config.destinations}
    for one in inventory.components:
        if one.destination and one.destination not in known:
            note(f"{one.name}: {one.destination} is none of [[destinations]]: what it is sent is not measured")
    return assess(inventory, _solutions(context), measure(context), answers, context.config.dmp.migration)


def _solutions(context: Context) -> tuple[Solution, ...]:
    more = context.config.dmp.migration.solutions_file
    try:
        return read_solutions(bundled_solutions(), _bytes(Path(more)) if more else b"")
    except SolutionsError as error:
        fail(Exit.USAGE, f"dmp.migration.solutions_file: {error}")


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            text = content.read(_LARGEST + 1)
    except OSError as error:
        fail(Exit.USAGE, f"{file}: {error.strerror}")
    if len(text) > _LARGEST:
        fail(Exit.USAGE, f"{file}: more than {_LARGEST} bytes: is it the right file?")
    return text
