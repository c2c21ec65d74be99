"""The nation of the demonstration: the INSi simulator in its own process, which can be taken down and brought back."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0


class NationNotStarted(Exception):  # noqa: N818 - said to the user as it stands
    """The simulator did not start; the text is the end of its log."""


@dataclass
class Nation:
    """The simulator: `ready` is its ready file. Between `down` and `up` nobody answers on its port."""

    folder: Path
    people: Path
    port: int
    ready: dict[str, Any]
    process: subprocess.Popen[bytes]

    @property
    def configuration(self) -> str:
        """What the configuration of the server says of INSi. Short delays: an outage is played in seconds."""
        manual, automatic = (self.ready["clients"][name] for name in ("INSI-MANU", "INSI-AUTO"))
        return f"""
[insi]
endpoint = "{self.ready["url"]}"
idam = "{self.ready["idam"]}"
automatic = true
rate = 500.0
burst = 50
total_seconds = 5

[insi.tls]
ca_file = "{self.ready["ca"]}"
cert_file = "{manual["cert"]}"
key_file = "{manual["key"]}"

[insi.auto_tls]
ca_file = "{self.ready["ca"]}"
cert_file = "{automatic["cert"]}"
key_file = "{automatic["key"]}"

[insi.retry]
first_seconds = 0.2
limit_seconds = 1.0

[insi.breaker]
probe_seconds = 0.2
probe_limit_seconds = 1.0
"""

    def down(self) -> None:
        """Take INSi down: connections are refused."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def up(self) -> None:
        """Bring INSi back where it was."""
        self.process, self.ready = _start(self.folder, self.people, self.port)


@contextmanager
def nation(folder: Path, people: Path) -> Iterator[Nation]:
    """Run the simulator on a port of its own, with `people` (truth.jsonl) as national base. Raises NationNotStarted."""
    port = _free_port()
    process, ready = _start(folder, people, port)
    running = Nation(folder, people, port, ready, process)
    try:
        yield running
    finally:
        running.down()


def _start(folder: Path, people: Path, port: int) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    ready_file, log_file = folder / "insi.json", folder / "insi.log"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "insigne", "insi", "simulator", "--data", str(folder), "--port", str(port)]
    command += ["--people", str(people), "--ready-file", str(ready_file)]
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command
    deadline = time.monotonic() + _START_SECONDS
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise NationNotStarted(log_file.read_text(encoding="utf-8", errors="replace")[-2000:])
        time.sleep(0.02)
    return process, json.loads(ready_file.read_text(encoding="utf-8"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
