"""A téléservice that always gives one answer: what a client costs is then all that differs. Mutual TLS, kept alive.

Run as a process of its own: `python -m bench.insi_responder --data FOLDER --ready-file FILE`. It reads no XML.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from insigne.ins.matricule import NIR_OID
from insigne.insi.settings import SIMULATOR_IDAM
from insigne.insi.wire.model import FOUND, InsiAnswer, InsiTraits, InsNumber
from insigne.insi.wire.response import LABELS, build_answer
from insigne.simulate.certificates import prepare
from insigne.simulate.insi.simulator import CERTIFICATES

ANSWER = InsiAnswer(
    FOUND,
    LABELS[FOUND],
    InsNumber("1850672191004", "67", NIR_OID),
    (InsNumber("2850672191003", "57", NIR_OID, start="2001-01-01", end="2019-02-28"),),
    InsiTraits("MONTREUIL", "ANSELME JULES", "", "M", "1985-06-14", "72191"),
)
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class _Conversation(asyncio.Protocol):
    """One client: each whole request gets the answer."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (head := self._received.find(_HEAD_END)) >= 0:
            start = self._received[:head].lower().find(_LENGTH) + len(_LENGTH)
            whole = head + len(_HEAD_END) + int(self._received[start:head].partition(b"\r\n")[0])
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            self._transport.write(self._reply)


async def serve(data: Path, ready_file: Path) -> None:
    """Answer until SIGTERM."""
    body = build_answer(ANSWER)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    made = prepare(data, "127.0.0.1", CERTIFICATES, datetime.now(UTC))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(made.ca_file))
    context.load_cert_chain(made.server.cert_file, made.server.key_file)
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Conversation(head.encode() + body), "127.0.0.1", 0, ssl=context)
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clients = {name: {"cert": str(one.cert_file), "key": str(one.key_file)} for name, one in made.clients.items()}
    told = {"pid": os.getpid(), "url": f"{address}/lps", "ca": str(made.ca_file), "clients": clients}
    told |= {"idam": SIMULATOR_IDAM, "verification": f"{address}/verification"}
    draft = ready_file.with_suffix(".part")
    draft.write_text(json.dumps(told))
    draft.replace(ready_file)
    await stopping.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path, required=True)
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(chosen.data, chosen.ready_file))
