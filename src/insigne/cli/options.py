"""What the frame of the command line needs before any command is known: global options, exit status, plain help.

Kept apart from `common` so that `insigne --help` imports neither the configuration nor the rooms it is made of.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Annotated, TypedDict, cast

import typer
from typer.core import TyperCommand, TyperGroup

DEFAULT_DATA = Path("insigne-data")


class Exit(IntEnum):
    """Exit status of the command line."""

    PROBLEMS = 1
    """The work was done and found problems, or the thing asked for does not exist."""
    USAGE = 2
    """Wrong use or configuration."""
    UNREACHABLE = 3
    """A peer or a service could not be reached."""


class CommandError(Exception):
    """A command cannot go on. The text goes to stderr, the status to the caller."""

    def __init__(self, status: Exit, text: str) -> None:
        super().__init__(text)
        self.exit_code = int(status)


@dataclass
class Options:
    """The global options as given, before or after the command's name."""

    config_file: Path | None = None
    data: Path = DEFAULT_DATA
    overrides: list[str] = field(default_factory=list)
    json: bool = False

    @staticmethod
    def of(ctx: typer.Context) -> "Options":
        """Return the options of the command line that called this command."""
        found = ctx.find_object(Options)
        if found is None:
            raise RuntimeError("a command runs under insigne.cli.main, which makes its options")
        return found


class _Plain(TypedDict):
    rich_markup_mode: None
    add_completion: bool
    pretty_exceptions_enable: bool


PLAIN = _Plain(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
"""Plain help: it reads the same in a pipe, and rich need not be imported to show it."""


def examples(*lines: str) -> str:
    """Build the end of a command's help from the command lines to show there."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _use_config(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Options.of(ctx).config_file = value


def _use_data(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Options.of(ctx).data = value


def _add_overrides(ctx: typer.Context, values: list[str] | None) -> None:
    Options.of(ctx).overrides.extend(values or ())


def _use_json(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001  # the signature typer calls
    Options.of(ctx).json |= value


_global = typer.Typer(**PLAIN)


@_global.command()
def _declare(
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Configuration file (TOML).", callback=_use_config, expose_value=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"Data folder (default ./{DEFAULT_DATA}).",
            callback=_use_data,
            expose_value=False,
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set one configuration key; repeatable.",
            callback=_add_overrides,
            expose_value=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON on stdout.", callback=_use_json, expose_value=False)
    ] = False,
) -> None:
    """Declare the global options; never called."""


GLOBAL_OPTIONS = typer.main.get_command(_global).params


def add_global_options(command: TyperCommand | TyperGroup) -> None:
    """Add the global options to a command and, in a family, to each member."""
    command.params.extend(GLOBAL_OPTIONS)
    if isinstance(command, TyperGroup):
        for member in command.commands.values():
            add_global_options(cast("TyperCommand | TyperGroup", member))
