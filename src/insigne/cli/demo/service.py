"""A simulator of the demonstration in its own process: it can be taken down and brought back where it was."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0


class ServiceNotStarted(Exception):  # noqa: N818 - said to the user as it stands
    """The simulator did not start; the text is the end of its log."""


@dataclass
class Service:
    """A simulator: `ready` is its ready file. Between `down` and `up` nobody answers on its port."""

    command: Sequence[str]
    folder: Path
    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    def down(self) -> None:
        """Take it down: connections are refused."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def up(self) -> None:
        """Bring it back where it was. Raises ServiceNotStarted."""
        self.process, self.ready = _start(self.command, self.folder)


@contextmanager
def simulator(kind: str, folder: Path, people: Path) -> Iterator[Service]:
    """Run `insigne KIND simulator` on a port of its own, with `people` (truth.jsonl) as national base.

    Raises ServiceNotStarted.
    """
    folder = folder / kind
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "insigne", kind, "simulator", "--data", str(folder), "--port", str(_free_port())]
    command += ["--people", str(people), "--ready-file", str(folder / "ready.json")]
    process, ready = _start(command, folder)
    running = Service(command, folder, process, ready)
    try:
        yield running
    finally:
        running.down()


def _start(command: Sequence[str], folder: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    ready_file, log_file = folder / "ready.json", folder / "simulator.log"
    ready_file.unlink(missing_ok=True)
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command
    deadline = time.monotonic() + _START_SECONDS
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise ServiceNotStarted(log_file.read_text(encoding="utf-8", errors="replace")[-2000:])
        time.sleep(0.02)
    return process, json.loads(ready_file.read_text(encoding="utf-8"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
