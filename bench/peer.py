"""The peer: python-hl7's MLLP server and one SQLite insert committed for each message. It validates nothing."""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import uvloop
from hl7.mllp import start_hl7_server

import hl7


def _database(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = FULL")
    base.execute("CREATE TABLE message (control_id TEXT PRIMARY KEY, raw BLOB NOT NULL)")
    return base


def _say_ready(path: Path, port: int) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({"pid": os.getpid(), "mllp": f"127.0.0.1:{port}"}))
    part.replace(path)


async def serve(data: Path, ready_file: Path) -> None:
    """Answer AA to whatever can be parsed, once it is durable, until SIGTERM."""
    base = _database(data / "peer.db")

    async def converse(reader: Any, writer: Any) -> None:
        while True:
            try:
                block = await reader.readblock()  # what readmessage() parses; the bytes are kept too
            except asyncio.IncompleteReadError:
                break
            message = hl7.parse(block.decode())
            base.execute("INSERT INTO message VALUES (?, ?)", (str(message.segment("MSH")[10]), block))
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
        writer.close()

    server = await start_hl7_server(converse, "127.0.0.1", 0, encoding="utf-8", limit=1 << 20)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    _say_ready(ready_file, server.sockets[0].getsockname()[1])
    await stopping.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(chosen.data, chosen.ready_file))
