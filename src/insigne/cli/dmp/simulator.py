"""`insigne dmp simulator`: a DMP to build clients against, on its own."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from insigne.cli.common import Context, command_app, emit_line, examples
from insigne.cli.simulating import run_simulator, script_of
from insigne.simulate.dmp.engine import Behaviour
from insigne.simulate.dmp.script import Script, read_script
from insigne.simulate.dmp.simulator import DmpSimulator, SimulatorSettings
from insigne.simulate.insi.national import Mode

FOLDER: Final = "dmp-simulator"
"""Where its certificates and its documents are, in the data folder."""

app = command_app()


@app.command(
    epilog=examples(
        "insigne dmp simulator",
        "insigne dmp simulator --port 8444 --people hospital/truth.jsonl --ready-file dmp.json",
        "insigne dmp simulator --script bad-day.toml --calls --json",
    )
)
def simulator(
    ctx: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 means any free one.")] = 0,
    mode: Annotated[
        Mode | None,
        typer.Option(help="production (the default), or vendor (test OIDs and the ANS's test patient)."),
    ] = None,
    people: Annotated[
        Path | None, typer.Option(metavar="TRUTH", help="truth.jsonl of `insigne generate`: people to add to the base.")
    ] = None,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML: patients without a DMP, what goes wrong, and when.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, once it listens: process id, address, certificates, token.")
    ] = None,
    calls: Annotated[bool, typer.Option("--calls", help="Print a line of JSON for each call.")] = False,
) -> None:
    """Run a simulated DMP: HTTPS with client certificates, what is fed checked, kept and shown, faults on demand.

    It makes its own authority, server and client certificates under the data folder. SIGTERM stops it; what it accepted
    is there when it starts again.
    """
    context = Context.of(ctx)
    played = Script() if script is None else script_of(script, read_script)
    told = {"on_call": emit_line} if calls else {}
    settings = SimulatorSettings(
        context.loaded.data_dir / FOLDER,
        host,
        port,
        mode or played.mode or "production",
        people,
        played.patients,
        Behaviour(played.site, played),
        **told,
    )
    where = f"{host}:{port}"
    run_simulator(lambda: DmpSimulator(settings), where, partial(_introduce, context), context, ready_file)


def _introduce(context: Context, ready: Mapping[str, Any]) -> None:
    context.say(f"DMP simulé ({ready['mode']}) : {ready['url']}, {ready['people']} personnes")
    context.say(f"Autorité : {ready['ca']} ; certificats ORG_AUTH_CLI et ORG_SIGN dans le même dossier")
    context.say(f"Documents reçus : {ready['patients']}?token={ready['token']}")
