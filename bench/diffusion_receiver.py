"""Receivers over MLLP that do nothing but answer AA and note when: a process of its own, each receiver at its port.

`python -m bench.diffusion_receiver --receivers N --data FOLDER --ready-file FILE`. Who connects to the control port is
given what was received since the last time. Moments are of the monotonic clock, which processes of one machine share.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop

from bench.server import Server

_END = b"\x1c\r"


class Receipt(NamedTuple):
    """Which receiver, which patient (PID-3.1 of the first repetition), and when it was answered, in seconds."""

    receiver: int
    patient: str
    moment: float


class Receivers(Server):
    """The process, seen from the benchmark."""

    def __init__(self, folder: Path, count: int) -> None:
        command = [sys.executable, "-m", "bench.diffusion_receiver", "--receivers", str(count), "--data", str(folder)]
        super().__init__(command, folder)
        self.ports: list[int] = self.told["ports"]

    def collect(self) -> list[Receipt]:
        """What was received since the last call."""
        with socket.create_connection(("127.0.0.1", self.told["control"])) as connection:
            parts = iter(lambda: connection.recv(1 << 20), b"")
            return msgspec.msgpack.decode(b"".join(parts), type=list[Receipt])


class _Conversation(asyncio.Protocol):
    """One sender: each whole message gets its AA."""

    def __init__(self, receiver: int, receipts: list[Receipt]) -> None:
        self._receiver = receiver
        self._receipts = receipts
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *whole, self._received = (self._received + data).split(_END)
        for block in whole:
            self._transport.write(answer(block))
            self._receipts.append(Receipt(self._receiver, patient_of(block), time.monotonic()))


def answer(block: bytes) -> bytes:
    """The framed AA of a message."""
    control_id = block[: block.index(b"\r")].split(b"|")[9]
    return b"\x0bMSH|^~\\&|R|R|S|S|20260101000000||ACK|%b|P|2.5\rMSA|AA|%b\r\x1c\r" % (control_id, control_id)


def patient_of(block: bytes) -> str:
    """PID-3.1 of the first repetition."""
    start = block.index(b"\rPID|") + 1
    return block[start:].split(b"|", 4)[3].partition(b"^")[0].decode("ascii", "replace")


class _Control(asyncio.Protocol):
    """Whoever connects gets the receipts, which are then forgotten."""

    def __init__(self, receipts: list[Receipt]) -> None:
        self._receipts = receipts

    def connection_made(self, transport: Any) -> None:
        transport.write(msgspec.msgpack.encode(self._receipts))
        self._receipts.clear()
        transport.close()


async def serve(count: int, ready_file: Path) -> None:
    """Listen until SIGTERM."""
    loop, receipts = asyncio.get_running_loop(), list[Receipt]()
    servers = [await loop.create_server(partial(_Conversation, one, receipts), "127.0.0.1", 0) for one in range(count)]
    servers.append(await loop.create_server(lambda: _Control(receipts), "127.0.0.1", 0))
    *ports, control = (one.sockets[0].getsockname()[1] for one in servers)
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    told = {"pid": os.getpid(), "mllp": f"127.0.0.1:{ports[0]}", "ports": ports, "control": control}
    draft = ready_file.with_suffix(".part")
    draft.write_text(json.dumps(told))
    draft.replace(ready_file)
    await stopping.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--receivers", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(chosen.receivers, chosen.ready_file))
