"""`insigne receiver`: a receiver to build senders against, honest or not."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

import typer
import uvloop

from insigne.cli.common import Context, Exit, command_app, examples, fail, note
from insigne.cli.simulating import run_until_stopped, script_of
from insigne.simulate.receivers.receiver import ReceiverSettings, ScriptedReceiver
from insigne.simulate.receivers.script import Script, read_script
from insigne.simulate.receivers.tls import ReceiverTls, TlsKind, receiver_tls

FOLDER: Final = "receiver"
"""Where its registry and its certificates are, in the data folder."""

app = command_app()


@app.command(
    epilog=examples(
        "insigne receiver",
        "insigne receiver --port 2576 --script bad-day.toml --log receipts.jsonl",
        "insigne receiver --keep --tls wants-certificate --ready-file receiver.json",
    )
)
def receiver(
    ctx: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 means any free one.")] = 0,
    script: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML of what goes wrong, and when.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Apply the messages to a registry of its own, in the data folder.")
    ] = False,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Add a line of JSON for each message received.")
    ] = None,
    tls: Annotated[
        str | None, typer.Option(metavar="KIND", help=f"TLS, in order or not: {', '.join(get_args(TlsKind))}.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, once it listens: process id, address, certificates.")
    ] = None,
) -> None:
    """Run a receiver over MLLP that acknowledges, or misbehaves as its script says. SIGTERM stops it."""
    context = Context.of(ctx)
    folder = context.loaded.data_dir / FOLDER
    secured = _tls(tls, folder)
    settings = ReceiverSettings(
        host=host,
        port=port,
        script=Script() if script is None else script_of(script, read_script),
        folder=folder if keep else None,
        log=log,
        tls=secured.context if secured is not None else None,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(ScriptedReceiver(settings), secured, context, ready_file))


async def _serve(
    service: ScriptedReceiver, secured: ReceiverTls | None, context: Context, ready_file: Path | None
) -> None:
    def ready() -> dict[str, Any]:
        host, port = service.address
        told: dict[str, Any] = {"mllp": f"{host}:{port}"}
        if secured is not None:
            told |= {"ca": secured.ca, "crl": secured.crl, "client": {"cert": secured.cert, "key": secured.key}}
        return told

    def introduce(ready: Mapping[str, Any]) -> None:
        context.say(f"Récepteur MLLP : {ready['mllp']}")

    await run_until_stopped(service, service.settings.host, ready, introduce, context, ready_file)
    note(f"stopped after {service.received} messages; faults: {dict(service.faults) or 'none'}")


def _tls(kind: str | None, folder: Path) -> ReceiverTls | None:
    if kind is None:
        return None
    if kind not in get_args(TlsKind):
        fail(Exit.USAGE, f"--tls: {kind!r} is none of {', '.join(get_args(TlsKind))}")
    return receiver_tls(folder, cast("TlsKind", kind), datetime.now(UTC))
