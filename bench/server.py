"""Servers under test, each a process on free ports of loopback: ours, or a peer."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench import machine

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A process that wrote its ready file, whose content is `told`; `ready_seconds` is from its start to that file."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "serve.log"
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        start = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--ready-file", str(ready)], stdout=log, stderr=log, env=machine.environment()
            )
        while not ready.exists():
            if self.process.poll() is not None or time.perf_counter() - start > _START_SECONDS:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.log_end()}")
            time.sleep(0.002)
        self.ready_seconds = time.perf_counter() - start
        self.told: dict[str, Any] = json.loads(ready.read_text())
        self.pid: int = self.told["pid"]
        self.host, port = (self.told.get("mllp") or urlsplit(self.told["url"]).netloc).rsplit(":", 1)
        self.port = int(port)

    def log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def processor_seconds(self) -> float:
        """Processor time used so far, its threads and the processes it started included."""
        return sum(map(_processor_seconds, machine.family(self.pid)))

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; the server drains. Raises RuntimeError when it does not end well."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            status = -1
        if status:
            raise RuntimeError(f"the server ended with status {status}:\n{self.log_end()}")


def _processor_seconds(pid: int | str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


AnyServer = TypeVar("AnyServer", bound=Server)


def insigne(data: Path, *settings: str, commit_delay_ms: float = 0.0) -> Server:
    """`insigne serve` on a data folder; `commit_delay_ms` is added to every commit (see `launcher`)."""
    program = ["-m", "insigne"] if not commit_delay_ms else ["-m", "bench.launcher", str(commit_delay_ms)]
    options = [part for setting in ("mllp.port=0", "http.port=0", *settings) for part in ("--set", setting)]
    return Server([sys.executable, *program, "serve", "--data", str(data), *options], data)


def insigne_later(data: Path, minutes: float, settings: Sequence[str]) -> Server:
    """`insigne serve` whose queue of INSi lives so many minutes later (see `insi_launcher`)."""
    given = ("mllp.port=0", "http.port=0", *settings)
    options = [part for setting in given for part in ("--set", setting)]
    program = ["-m", "bench.insi_launcher", str(minutes)]
    return Server([sys.executable, *program, "serve", "--data", str(data), *options], data)


def receiver(data: Path, port: int) -> Server:
    """`insigne receiver` with a registry of its own in the data folder, on that port; 0: any free one."""
    command = [sys.executable, "-m", "insigne", "--data", str(data), "receiver", "--keep", "--port", str(port)]
    return Server(command, data)


def python_hl7(data: Path) -> Server:
    """The peer: see `bench.peer`."""
    return Server([sys.executable, "-m", "bench.peer", "--data", str(data)], data)


def insi_simulator(data: Path, *options: str) -> Server:
    """`insigne insi simulator` on any free port; its certificates are made in the data folder."""
    return Server([sys.executable, "-m", "insigne", "--data", str(data), "insi", "simulator", *options], data)


def dmp_simulator(data: Path, *options: str) -> Server:
    """`insigne dmp simulator`; its certificates and what it holds are in the data folder."""
    return Server([sys.executable, "-m", "insigne", "--data", str(data), "dmp", "simulator", *options], data)


def canned_insi(data: Path) -> Server:
    """A téléservice that always gives one answer: see `bench.insi_responder`."""
    return Server([sys.executable, "-m", "bench.insi_responder", "--data", str(data)], data)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Stop the server at the end; kill it when something fails."""
    try:
        yield server
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
