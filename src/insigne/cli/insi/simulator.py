"""`insigne insi simulator`: a téléservice INSi to build clients against, on its own."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from insigne.cli.common import Context, Exit, command_app, examples, fail
from insigne.cli.simulating import run_simulator, script_of
from insigne.insi.wire import Deviation
from insigne.simulate.insi.engine import DEFAULT_IDAM, Behaviour
from insigne.simulate.insi.national import Mode
from insigne.simulate.insi.script import Script, read_script
from insigne.simulate.insi.simulator import InsiSimulator, SimulatorSettings

FOLDER: Final = "insi-simulator"
"""Where its certificates are, in the data folder."""

app = command_app()


@app.command(
    epilog=examples(
        "insigne insi simulator",
        "insigne insi simulator --mode vendor --port 8443 --people hospital/truth.jsonl --ready-file insi.json",
        "insigne insi simulator --script bad-day.toml --deviation D1,D3 --fixture ECETINSI=2.04-2",
    )
)
def simulator(
    ctx: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 means any free one.")] = 0,
    mode: Annotated[
        Mode | None, typer.Option(help="production (nobody found: 01, the default) or vendor (siram_40/insi_102).")
    ] = None,
    people: Annotated[
        Path | None, typer.Option(metavar="TRUTH", help="truth.jsonl of `insigne generate`: people to add to the base.")
    ] = None,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML timeline of what goes wrong, and when.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, once it listens: process id, address, certificates.")
    ] = None,
    deviation: Annotated[
        str | None,
        typer.Option(
            metavar="D1,D2…", help="Deviations of real answers to show; none, or those of the mode by default."
        ),
    ] = None,
    fixture: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FIXTURE", help="Official answer to give about a birth name; repeatable."),
    ] = None,
    idam: Annotated[
        list[str] | None, typer.Option(help=f"Authorisation number to accept; repeatable. Default {DEFAULT_IDAM}.")
    ] = None,
    batch_seconds: Annotated[float, typer.Option(min=0, help="How long a batch of verifications takes.")] = 2.0,
) -> None:
    """Run a simulated téléservice INSi: HTTPS with client certificates, the official test people, faults on demand.

    It makes its own authority, server and client certificates under the data folder. SIGTERM stops it.
    """
    context = Context.of(ctx)
    played = Script() if script is None else script_of(script, read_script)
    behaviour = Behaviour(
        mode=mode or played.mode or "production",
        deviations=_deviations(deviation, played),
        fixtures={**played.fixtures, **_fixtures(fixture or [])},
        script=played,
        idams=frozenset(idam or [DEFAULT_IDAM]),
    )
    settings = SimulatorSettings(context.loaded.data_dir / FOLDER, host, port, people, behaviour, batch_seconds)
    where = f"{host}:{port}"
    run_simulator(lambda: InsiSimulator(settings), where, partial(_introduce, context), context, ready_file)


def _introduce(context: Context, ready: Mapping[str, Any]) -> None:
    context.say(f"Téléservice INSi simulé ({ready['mode']}) : {ready['url']}, {ready['people']} personnes")
    context.say(f"Autorité : {ready['ca']} ; certificats clients dans le même dossier ; IDAM : {ready['idam']}")


def _deviations(text: str | None, script: Script) -> frozenset[Deviation] | None:
    """Return the deviations chosen, None for those of the mode."""
    if text is None:
        return script.deviations
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    if names == ["NONE"]:
        return frozenset()
    try:
        return frozenset(Deviation(name) for name in names)
    except ValueError:
        fail(Exit.USAGE, f"--deviation: {text!r} is not a list of {', '.join(Deviation)}, nor none")


def _fixtures(options: list[str]) -> dict[str, str]:
    chosen = {}
    for option in options:
        name, sign, value = option.rpartition("=")
        if not sign:
            fail(Exit.USAGE, f"--fixture: {option!r} is not NAME=FIXTURE, like ECETINSI=2.04-2")
        chosen[name.upper()] = value
    return chosen
