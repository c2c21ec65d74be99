"""A receiver over MLLP that does what its script says."""

import asyncio
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from insigne.exchange.model import Peer
from insigne.hl7 import Frame, MllpDecoder, build_ack
from insigne.simulate.receivers.answers import refusal, spoilt
from insigne.simulate.receivers.registry import OwnRegistry, now_text
from insigne.simulate.receivers.script import Script, When
from insigne.transport.mllp_client import read_header

_CHUNK = 65_536
_KEPT = 100_000
"""Receipts kept in memory; the file has all."""


class Receipt(msgspec.Struct, frozen=True):
    """A message as it came: its number, when (RFC 3339 UTC), MSH-10, "ADT^A28", what was done wrong about it ("" is
    nothing), and MSA-1 as answered ("" when nothing was).
    """

    number: int
    time: str
    control_id: str
    event: str
    fault: str
    code: str


class ReceiverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver.

    folder: where it keeps its registry; None: it keeps nothing and answers AA. log: file of receipts, one JSON a line,
    each written before the answer is sent.
    """

    host: str = "127.0.0.1"
    port: int = 0
    script: Script = Script()
    folder: Path | None = None
    log: Path | None = None
    tls: ssl.SSLContext | None = None


class ScriptedReceiver:
    """Listens until `stop`; `start` and `stop` may alternate, what was received stays."""

    def __init__(self, settings: ReceiverSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.script = settings.script
        self.receipts: deque[Receipt] = deque(maxlen=_KEPT)
        self.received = 0
        self.faults: Counter[str] = Counter()
        self.registry: OwnRegistry | None = None
        self._clock = clock
        self._began = clock()
        self._port = settings.port
        self._times: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timetable: asyncio.Task[None] | None = None
        self._log: BinaryIO | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, or will again."""
        return self.settings.host, self._port

    async def start(self) -> None:
        """Begin to listen, and to follow the script. Raises OSError."""
        if self.settings.folder is not None and self.registry is None:
            self.registry = OwnRegistry(self.settings.folder)
        if self.settings.log is not None and self._log is None:
            self._log = self.settings.log.open("ab", buffering=0)
        await self.listen()
        if self.script.down:
            self._timetable = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop listening, cut the connections, close the registry."""
        if self._timetable is not None:
            self._timetable.cancel()
            self._timetable = None
        await self.go_down()
        if self.registry is not None:
            await self.registry.close()
            self.registry = None
        if self._log is not None:
            self._log.close()
            self._log = None

    async def listen(self) -> None:
        """Listen, at the same port as before. Raises OSError."""
        if self._server is None:
            host, port = self.address
            self._server = await asyncio.start_server(self._accepted, host, port, ssl=self.settings.tls)
            self._port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """Refuse connections and cut those that stand, as a machine that is switched off."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self) -> None:
        """Go down and come back as the script says."""
        while (change := self.script.next_change(now := self._clock() - self._began)) is not None:
            await asyncio.sleep(change - now)
            if self.script.listens(self._clock() - self._began):
                await self.listen()
            else:
                await self.go_down()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer("sender", "mllp")
        decoder = MllpDecoder()
        while data := await reader.read(_CHUNK):
            for item in decoder.receive(data):
                if isinstance(item, Frame) and not await self._take(item.payload, peer, writer):
                    return

    async def _take(self, raw: bytes, peer: Peer, writer: asyncio.StreamWriter) -> bool:
        """Receive one message and answer as the script says; False when the connection ends."""
        header = read_header(raw)
        control_id = header.control_id if header else ""
        event = f"{header.message_code}^{header.trigger}" if header else ""
        self.received += 1
        number = self.received
        fault = self.script.fault(number, event, control_id, self._times[control_id], self._clock() - self._began)
        if any(one.times for one in self.script.when):
            self._times[control_id] += 1
        ack = await self._acknowledgement(raw, peer, fault)
        self._note(Receipt(number, now_text(), control_id, event, fault.do if fault else "", _code(ack)))
        if fault is None:
            writer.write(spoilt("late", ack))
            await writer.drain()
            return True
        self.faults[fault.do] += 1
        return await _misbehave(fault, ack, writer)

    async def _acknowledgement(self, raw: bytes, peer: Peer, fault: When | None) -> bytes:
        """What an honest receiver answers, having kept the message; or what the script has it refuse with."""
        when = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
        if fault is not None and fault.do in ("error", "reject"):
            return refusal(raw, fault, time=when, control_id=f"S{self.received}")
        if self.registry is not None and (fault is None or fault.applied):
            return await self.registry.take(raw, peer)
        return build_ack(raw, "AA", time=when, control_id=f"S{self.received}")

    def _note(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        if self._log is not None:
            self._log.write(msgspec.json.encode(receipt) + b"\n")


async def _misbehave(fault: When, ack: bytes, writer: asyncio.StreamWriter) -> bool:
    """Answer wrongly; False when the connection ends."""
    match fault.do:
        case "silent":
            return True
        case "close":
            writer.close()
            return False
        case "reset":
            writer.transport.abort()
            return False
        case "drip":
            for byte in spoilt(fault.do, ack):
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(fault.seconds)
            return True
        case "half-frame":
            writer.write(spoilt(fault.do, ack))
            await writer.drain()
            await asyncio.sleep(fault.seconds)
            return False
        case _:
            await asyncio.sleep(fault.seconds)
            writer.write(spoilt(fault.do, ack))
            await writer.drain()
            return True


def _code(ack: bytes) -> str:
    """MSA-1 of an acknowledgement of ours."""
    _, _, rest = ack.partition(b"\rMSA|")
    return rest[:2].decode("ascii", "replace")
