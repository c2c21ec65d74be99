"""What every command shares: the global options, output, failures and times.

Conventions of a command module:

- it exposes `app = command_app()` with one `@app.command(epilog=examples(...))`, or `app = group_app("What the
  family does.")` with several; the function's docstring is the help;
- it takes `ctx: typer.Context`, its arguments, and after a `*` its options; it begins with
  `context = Context.of(ctx)`: configuration, data folder, `--json`. The frame adds `--config`, `--data`, `--set` and
  `--json`, which may stand before or after the command's name;
- with `--json`, stdout carries only `emit(document)` (one document) or `emit_line(document)` (one a
  line); words for a person go through `context.say`, logs and progress through `note` (stderr);
- it ends by returning (exit 0) or by `fail(status, …)`: `Exit.PROBLEMS`, `Exit.USAGE` or `Exit.UNREACHABLE`. When the
  findings were already printed, `raise typer.Exit(Exit.PROBLEMS)` says no more.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, NoReturn, TypedDict, cast

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup

from insigne.config import Config, LoadedConfig, load

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


def fail(status: Exit, text: str) -> NoReturn:
    """End the command with this status.

    `text` names what is concerned (file, key, identifier of the thing), the reason and the remedy, and holds no
    personal data.
    """
    raise CommandError(status, text)


@dataclass
class Context:
    """The global options of one run, and what is read because of them, when first asked for."""

    config_file: Path | None = None
    data: Path = DEFAULT_DATA
    overrides: list[str] = field(default_factory=list)
    json: bool = False

    @staticmethod
    def of(ctx: typer.Context) -> "Context":
        """Return the context of the command line that called this command."""
        found = ctx.find_object(Context)
        if found is None:
            raise RuntimeError("a command runs under insigne.cli.main, which makes its context")
        return found

    @cached_property
    def loaded(self) -> LoadedConfig:
        """The configuration with the origin of each value. Raises ConfigError."""
        return load(self.config_file, self.overrides, os.environ, self.data)

    @property
    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        return self.loaded.config

    def say(self, text: str) -> None:
        """Print text for a person on stdout; with `--json`, nothing."""
        if not self.json:
            typer.echo(text)


def emit(document: object) -> None:
    """Print the JSON document that is the result of the command."""
    typer.echo(msgspec.json.encode(document))


def emit_line(document: object) -> None:
    """Print one document of a result that is JSON lines, at once, for whoever follows the command."""
    emit(document)


def note(text: str) -> None:
    """Print progress or a warning on stderr."""
    typer.echo(text, err=True)


def rfc3339(moment: datetime) -> str:
    """Write an aware moment with its offset, to the millisecond when it has a fraction: `2026-03-01T08:30:00+01:00`."""
    if moment.tzinfo is None:
        raise ValueError("a moment shown to users carries a time zone")
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def parse_time(text: str, option: str) -> datetime:
    """Read an RFC 3339 moment given on the command line; `option` is named if it is wrong (exit 2)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        fail(
            Exit.USAGE, f"{option}: {text!r} is not a date and time with zone; write it like 2026-03-01T08:30:00+01:00"
        )
    return moment


class _Plain(TypedDict):
    rich_markup_mode: None
    add_completion: bool
    pretty_exceptions_enable: bool


PLAIN = _Plain(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
"""Plain help: it reads the same in a pipe, and rich need not be imported to show it."""


def examples(*lines: str) -> str:
    """Build the end of a command's help from the command lines to show there."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def command_app() -> typer.Typer:
    """Make the `app` of a module that holds one command."""
    return typer.Typer(**PLAIN)


def group_app(text: str) -> typer.Typer:
    """Make the `app` of a module that holds a family of commands; `text` is the help of the family."""
    app = typer.Typer(**PLAIN, help=text, no_args_is_help=True)
    app.callback()(_family)  # makes it a family even while it has one member
    return app


def _family() -> None:
    """Nothing to do before the member called."""


def _use_config(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Context.of(ctx).config_file = value


def _use_data(ctx: typer.Context, value: Path | None) -> None:
    if value is not None:
        Context.of(ctx).data = value


def _add_overrides(ctx: typer.Context, values: list[str] | None) -> None:
    Context.of(ctx).overrides.extend(values or ())


def _use_json(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001  # the signature typer calls
    Context.of(ctx).json |= value


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
