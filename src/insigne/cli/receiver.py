"""`insigne receiver`: a receiver to build senders against, honest or not."""

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

import typer
import uvloop

from insigne.cli.common import Context, Exit, command_app, emit, examples, fail, note
from insigne.simulate.receivers.receiver import ReceiverSettings, ScriptedReceiver
from insigne.simulate.receivers.script import Script, ScriptError, read_script
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
        script=_script(script),
        folder=folder if keep else None,
        log=log,
        tls=secured.context if secured is not None else None,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(ScriptedReceiver(settings), secured, context, ready_file))


async def _serve(
    service: ScriptedReceiver, secured: ReceiverTls | None, context: Context, ready_file: Path | None
) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await service.start()
    except OSError as error:
        fail(Exit.UNREACHABLE, f"cannot listen on {service.settings.host}: {error.strerror or error}")
    host, port = service.address
    ready: dict[str, Any] = {"pid": os.getpid(), "mllp": f"{host}:{port}"}
    if secured is not None:
        ready |= {"ca": secured.ca, "crl": secured.crl, "client": {"cert": secured.cert, "key": secured.key}}
    if ready_file is not None:
        _write(ready_file, ready)
    if context.json:
        emit(ready)
    else:
        context.say(f"Récepteur MLLP : {ready['mllp']}")
    await stopping.wait()
    await service.stop()
    note(f"stopped after {service.received} messages; faults: {dict(service.faults) or 'none'}")


def _write(path: Path, ready: dict[str, Any]) -> None:
    """Write the ready file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(ready), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        fail(Exit.USAGE, f"--ready-file {path}: {error.strerror or error}")


def _script(path: Path | None) -> Script:
    try:
        return Script() if path is None else read_script(path)
    except ScriptError as error:
        fail(Exit.USAGE, f"--script: {error}")
    except OSError as error:
        fail(Exit.USAGE, f"--script {path}: {error.strerror or error}")


def _tls(kind: str | None, folder: Path) -> ReceiverTls | None:
    if kind is None:
        return None
    if kind not in get_args(TlsKind):
        fail(Exit.USAGE, f"--tls: {kind!r} is none of {', '.join(get_args(TlsKind))}")
    return receiver_tls(folder, cast("TlsKind", kind), datetime.now(UTC))
