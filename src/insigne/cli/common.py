"""What every command shares: the global options, output, failures and times.

Conventions of a command module:

- it exposes `app = command_app()` with one `@app.command(epilog=examples(...))`, or `app = group_app("What the
  family does.", examples(...))` with several; the function's docstring is the help;
- it takes `ctx: typer.Context`, its arguments, and after a `*` its options; it begins with
  `context = Context.of(ctx)`: configuration, data folder, `--json`. The frame adds `--config`, `--data`, `--set` and
  `--json`, which may stand before or after the command's name;
- with `--json`, stdout carries only `emit(document)` (one document) or `emit_line(document)` (one a
  line); words for a person go through `context.say`, logs and progress through `note` (stderr);
- it ends by returning (exit 0) or by `fail(status, …)`: `Exit.PROBLEMS`, `Exit.USAGE` or `Exit.UNREACHABLE`. When the
  findings were already printed, `raise typer.Exit(Exit.PROBLEMS)` says no more.
"""

import importlib
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, NoReturn, cast

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup

from insigne.cli.options import PLAIN, CommandError, Exit, Options, add_global_options, examples
from insigne.cli.tables import harmless
from insigne.config import Config, ConfigError, LoadedConfig, load

__all__ = [
    "CommandError",
    "Context",
    "Exit",
    "Family",
    "command_app",
    "emit",
    "emit_line",
    "examples",
    "fail",
    "group_app",
    "note",
    "parse_time",
    "rfc3339",
]


def fail(status: Exit, text: str) -> NoReturn:
    """End the command with this status.

    `text` names what is concerned (file, key, identifier of the thing), the reason and the remedy, and holds no
    personal data.
    """
    raise CommandError(status, text)


class Context:
    """One run of a command: its global options, and what is read because of them, when first asked for."""

    def __init__(self, options: Options) -> None:
        self.config_file = options.config_file
        self.data = options.data
        self.overrides = options.overrides
        self.json = options.json

    @staticmethod
    def of(ctx: typer.Context) -> "Context":
        """Return the context of the command that was called."""
        return Context(Options.of(ctx))

    @cached_property
    def loaded(self) -> LoadedConfig:
        """The configuration with the origin of each value; a wrong one ends the command (exit 2)."""
        try:
            return load(self.config_file, self.overrides, os.environ, self.data)
        except ConfigError as error:
            fail(Exit.USAGE, str(error))

    @property
    def config(self) -> Config:
        """The configuration; a wrong one ends the command (exit 2)."""
        return self.loaded.config

    def say(self, text: str) -> None:
        """Print text for a person on stdout; with `--json`, nothing."""
        if not self.json:
            typer.echo(harmless(text))


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


def command_app() -> typer.Typer:
    """Make the `app` of a module that holds one command."""
    return typer.Typer(**PLAIN)


class Family(TyperGroup):
    """A family of commands. Those of `later`, name → (module, line of the help), are imported only to be run.

    The module of such a member exposes its `app`, or that of a family that has it among others.
    """

    later: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **attributes: Any) -> None:  # what typer's callback() was given
        super().__init__(**attributes)
        self.commands.update({name: TyperCommand(name, help=line) for name, (_, line) in self.later.items()})

    def resolve_command(  # type: ignore[override]  # the base class names a private class of typer's
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, Any, list[str]]:
        """Replace the line of the help by the member itself."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.member(name) if name is not None and name in self.later else command, rest

    def member(self, name: str) -> TyperCommand | TyperGroup:
        """Return a member, imported if need be, with the global options."""
        if name not in self.later:
            return cast("TyperCommand | TyperGroup", self.commands[name])
        module = importlib.import_module(self.later[name][0])
        found = cast("TyperCommand | TyperGroup", typer.main.get_command(module.app))
        if isinstance(found, TyperGroup) and name in found.commands:
            found = cast("TyperCommand | TyperGroup", found.commands[name])
        add_global_options(found)
        return found


def group_app(text: str, epilog: str = "", later: Mapping[str, tuple[str, str]] | None = None) -> typer.Typer:
    """Make the `app` of a module that holds a family of commands; `text` is the help of the family.

    `epilog` ends that help: its `examples`. `later`: see `Family`.
    """
    kind = type("Family", (Family,), {"later": later or {}})
    app = typer.Typer(**PLAIN, cls=kind, help=text, epilog=epilog, no_args_is_help=True)
    app.callback()(_family)  # makes it a family even while it has one member
    return app


def _family() -> None:
    """Nothing to do before the member called."""
