"""The command line `insigne`: one module per sub-command, imported only when that command is called.

A module is named in COMMANDS and exposes `app`, made by `common.command_app()` (one command) or
`common.group_app()` (a family such as `identity show`); see `common` for the conventions all commands share.
"""

import importlib
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from insigne import __version__
from insigne.cli.options import GLOBAL_OPTIONS, PLAIN, CommandError, Options, add_global_options, examples

EXIT_BUG = 70
"""Exit status of an unexpected exception (EX_SOFTWARE), so that it is never read as `found problems`."""

COMMANDS = {
    "serve": ("insigne.cli.serve", "Run the configured roles: MLLP, HTTP, cockpit."),
    "demo": ("insigne.cli.demo", "Play a synthetic hospital through the whole chain, on loopback."),
    "send": ("insigne.cli.send", "Send HL7 messages over MLLP and show their acknowledgements."),
    "check": ("insigne.cli.check", "Validate HL7 messages against an edition of PAM-FR, offline."),
    "generate": ("insigne.cli.generate", "Write synthetic messages and the truth about them."),
    "identity": ("insigne.cli.identity", "Show, search and follow identities."),
    "document": ("insigne.cli.document", "Put the INS on documents, read it there, build and check CDA."),
    "mail": ("insigne.cli.mail", "List and show mails of MSSanté, sent and received."),
    "worklist": ("insigne.cli.worklist", "List, assign and settle what waits for a person."),
    "enrol": ("insigne.cli.enrol", "Invite people to enter their own traits on their phone."),
    "insi": ("insigne.cli.insi", "Call the téléservice INSi, or simulate it."),
    "dmp": ("insigne.cli.dmp", "Simulate the DMP."),
    "receiver": ("insigne.cli.receiver", "Receive HL7 messages as a script says: late, wrong, or well."),
    "message": ("insigne.cli.message", "List, show and replay messages received and sent."),
    "outbox": ("insigne.cli.outbox", "List, show, replay, skip and edit what is told to receivers."),
    "destination": ("insigne.cli.destination", "List, test, pause, resume and initialise receivers."),
    "alarm": ("insigne.cli.alarm", "List what an operator must look at."),
    "db": ("insigne.cli.db", "Upgrade, rebuild and verify the database."),
    "backup": ("insigne.cli.backup", "Write a consistent copy of the data folder to one file."),
    "restore": ("insigne.cli.restore", "Put a backup back in an empty data folder."),
    "audit": ("insigne.cli.audit", "Verify the sealed chain of journal and audit entries."),
    "purge": ("insigne.cli.purge", "Erase personal data past its retention, keeping the chain verifiable."),
    "token": ("insigne.cli.token", "Create, list and revoke access tokens."),
    "user": ("insigne.cli.user", "Add and list the people who act on identities."),
    "import": ("insigne.cli.import_cmd", "Bring an existing base in, from a CSV file."),
    "report": ("insigne.cli.report", "Report on the quality of identities and on the feeding of the DMP."),
    "migrate": ("insigne.cli.migrate", "Carry a site from API V1 of the DMP to API V2 with the qualified INS."),
    "config": ("insigne.cli.config_cmd", "Show the effective configuration and where each value comes from."),
}
"""Command → (module, its line in `insigne --help`). Those whose module is not installed are not shown."""

_root = typer.Typer(**PLAIN)


class LazyGroup(TyperGroup):
    """A group that lists its commands from COMMANDS and imports a command's module only to run it."""

    def __init__(self, **attributes: Any) -> None:  # what typer's callback() was given
        super().__init__(**attributes)
        present = {f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)}
        self.commands = {
            name: TyperCommand(name, help=line) for name, (module, line) in COMMANDS.items() if module in present
        }

    def resolve_command(  # type: ignore[override]  # the base class names a private class of typer's
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, Any, list[str]]:
        """Replace the line of the help by the command itself."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest


def load(name: str) -> TyperCommand | TyperGroup:
    """Import the module of a command and return the command, with the global options added to every part of it."""
    module = importlib.import_module(COMMANDS[name][0])
    command = cast("TyperCommand | TyperGroup", typer.main.get_command(module.app))
    add_global_options(command)
    return command


def _show_version(value: bool) -> None:  # noqa: FBT001  # the signature typer calls
    if value:
        typer.echo(f"insigne {__version__}")
        raise typer.Exit


@_root.callback(
    cls=LazyGroup,
    no_args_is_help=True,
    epilog=examples(
        "insigne serve",
        "insigne check admission.hl7",
        "insigne send 127.0.0.1:2575 admission.hl7",
        "insigne --data /var/lib/insigne identity search --birth-date 1975-03-02 --json",
    ),
)
def insigne(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The INS identity chain: PAM-FR in and out, one registry of identities.

    Exit status: 0 success; 1 the work was done and found problems, or the thing asked for does not exist;
    2 wrong use or configuration; 3 a peer or service could not be reached.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit status."""
    root = typer.main.get_group(_root)
    root.params.extend(GLOBAL_OPTIONS)
    try:
        root.main(args, prog_name="insigne", obj=Options())
    except CommandError as failure:
        typer.echo(f"insigne: {failure}", err=True)
        sys.exit(failure.exit_code)
    except Exception:
        traceback.print_exc()
        sys.exit(EXIT_BUG)
    sys.exit(0)
