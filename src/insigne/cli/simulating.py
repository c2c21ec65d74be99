"""What the commands that run a simulated service share: its script, its ready file, its life until a signal."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import uvloop

from insigne.cli.common import Context, Exit, emit, fail, note
from insigne.net.tls import TlsError
from insigne.simulate.calls import CallLog
from insigne.simulate.timeline import ScriptError
from insigne.simulate.truth import PeopleError

Script = TypeVar("Script")


class Service(Protocol):
    """What listens until it is stopped."""

    async def start(self) -> None:
        """Listen. Raises OSError."""

    async def stop(self) -> None:
        """Close."""


class Engine(Protocol):
    """What answers calls, and counts them."""

    calls: CallLog


class Simulator(Service, Protocol):
    """A simulated service: what it tells those who will call it, and what it answers with."""

    def ready(self) -> dict[str, Any]:
        """Return what a client needs."""

    @property
    def engine(self) -> Engine:
        """Return what answers."""


def script_of(path: Path, read: Callable[[Path], Script]) -> Script:
    """Read a script; one that cannot be used ends the command (exit 2)."""
    try:
        return read(path)
    except ScriptError as error:
        fail(Exit.USAGE, f"--script: {error}")
    except OSError as error:
        fail(Exit.USAGE, f"--script {path}: {error.strerror or error}")


def prepared(make: Callable[[], Simulator]) -> Simulator:
    """Make a simulator; what cannot be used ends the command (exit 2)."""
    try:
        return make()
    except PeopleError as error:
        fail(Exit.USAGE, f"--people: {error}")
    except (TlsError, ValueError) as error:
        fail(Exit.USAGE, str(error))
    except OSError as error:
        fail(Exit.USAGE, f"{error.filename}: {error.strerror or error}; give a file and a data folder that can be used")


async def run_until_stopped(
    service: Service,
    where: str,
    tell: Callable[[], Mapping[str, Any]],
    introduce: Callable[[Mapping[str, Any]], None],
    context: Context,
    ready_file: Path | None,
) -> None:
    """Run a service until SIGTERM or SIGINT. Once it listens, write what `tell` returns and `introduce` it.

    `where` is told when nothing can listen there (exit 3).
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await service.start()
    except OSError as error:
        fail(Exit.UNREACHABLE, f"cannot listen on {where}: {error.strerror or error}")
    ready = {"pid": os.getpid(), **tell()}
    if ready_file is not None:
        write_ready(ready_file, ready)
    if context.json:
        emit(ready)
    else:
        introduce(ready)
    await stopping.wait()
    await service.stop()


def run_simulator(
    make: Callable[[], Simulator],
    where: str,
    introduce: Callable[[Mapping[str, Any]], None],
    context: Context,
    ready_file: Path | None,
) -> None:
    """Make a simulator in a loop of its own and run it until it is stopped, as `run_until_stopped` does."""

    async def serve() -> None:
        service = prepared(make)
        await run_until_stopped(service, where, service.ready, introduce, context, ready_file)
        note(f"stopped after {service.engine.calls.count} calls")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


def write_ready(path: Path, ready: Mapping[str, Any]) -> None:
    """Write a ready file, whole or not at all; it may hold a secret, so that others do not read it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(ready), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        fail(Exit.USAGE, f"--ready-file {path}: {error.strerror or error}")
