"""The peer of diffusion: MessageFoundry, a whole engine of PyPI, installed in an environment of its own and run as is.

It is under the AGPL: nothing here imports it, it only runs as a process. `python -m bench.mf_peer --ports PORT… --data
FOLDER --ready-file FILE` runs it until SIGTERM, configured to hand every message to the receivers at these ports.
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import machine
from bench.server import Server

VERSION = "0.2.1"
NAME = f"MessageFoundry {VERSION}"
_INSTALL_SECONDS = 600.0
_START_SECONDS = 90.0
_LOOK_SECONDS = 0.05

_CONFIGURATION = """\
from messagefoundry import MLLP, Send, handler, inbound, outbound, router

RECEIVERS = {receivers}

inbound("IB_BENCH_ADT", MLLP(port={port}, receive_timeout=None), router="everything")
for rank, port in enumerate(RECEIVERS):
    outbound(f"OB_BENCH_{{rank}}", MLLP(host="127.0.0.1", port=port))


@router("everything")
def route(message):
    return ["hand_on"]


@handler("hand_on")
def hand_on(message):
    return [Send(f"OB_BENCH_{{rank}}", message) for rank in range(len(RECEIVERS))]
"""
_SERVICE = """\
[store]
synchronous = "full"

[api]
host = "127.0.0.1"
port = {port}

[ai]
environment = "dev"

[logging]
level = "WARNING"
"""


def installed() -> tuple[Path | None, str]:
    """The program, installed first when it is not; None and why when that cannot be."""
    folder = machine.scratch() / f"messagefoundry-{VERSION}"
    program, mark = folder / "bin" / "messagefoundry", folder / "installed"
    if mark.exists():
        return program, ""
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"messagefoundry=={VERSION}"],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, type(error).__name__
        if done.returncode:
            return None, (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    mark.touch()
    return program, ""


def engine(folder: Path, program: Path, ports: Sequence[int]) -> Server:
    """The peer, started on an empty base."""
    given = ["--program", str(program), "--data", str(folder), "--ports", *map(str, ports)]
    return Server([sys.executable, "-m", "bench.mf_peer", *given], folder)


def run(program: Path, data: Path, ports: Sequence[int], ready_file: Path) -> int:
    """Configure it, start it, tell when it listens, stop it at SIGTERM; its exit status."""
    listening, api = _free_port(), _free_port()
    (data / "config").mkdir()
    (data / "config" / "bench.py").write_text(_CONFIGURATION.format(receivers=list(ports), port=listening))
    (data / "messagefoundry.toml").write_text(_SERVICE.format(port=api))
    command = [str(program), "serve", "--config", "config", "--env", "dev", "--db", "engine.db"]
    process = subprocess.Popen(command, cwd=data)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    limit = time.monotonic() + _START_SECONDS
    while not _answers(listening):
        if process.poll() is not None or time.monotonic() > limit:
            process.kill()
            return 1
        time.sleep(_LOOK_SECONDS)
    draft = ready_file.with_suffix(".part")
    draft.write_text(json.dumps({"pid": process.pid, "mllp": f"127.0.0.1:{listening}"}))
    draft.replace(ready_file)
    process.wait()
    return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    chosen = parser.parse_args()
    sys.exit(run(chosen.program, chosen.data, chosen.ports, chosen.ready_file.absolute()))
