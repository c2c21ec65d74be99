"""A receiver that answers when told, a server around it, and a raw peer that sends any bytes it likes."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
import uvloop

from insigne.exchange.model import Answer
from insigne.hl7 import Frame, MllpDecoder, build_ack, frame, parse_ack
from insigne.net.authority import DemoAuthority
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import MllpSettings

PATIENCE = 20  # seconds before a test that waits for something gives up


def message(control_id, charset="UNICODE UTF-8", name="BÉRANGER"):
    """One A28 of an invented person."""
    text = (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|20260301083000+0100||ADT^A28^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||{charset}\r"
        f"EVN||20260301083000+0100\rPID|||9001^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAËLLE^^^^^L||19810412|F\r"
    )
    return text.encode({"8859/1": "latin-1", "UNICODE UTF-8": "utf-8"}[charset])


def answer_to(raw, code="AA"):
    ack = build_ack(raw, code, time="20260301083001+0100", control_id="R1")
    return Answer(ack, code, "01", durable=True)


class FakeReceiver:
    """Answers AA at once, or, when `holding`, whenever `release` says so."""

    def __init__(self):
        self.received = []
        self.junk = []
        self.held = []
        self.holding = False
        self.most_held = 0
        self.reply = lambda received: answer_to(received.raw)

    def submit_nowait(self, received, callback):
        self.received.append(received)
        if not self.holding:
            callback(self.reply(received))
            return
        self.held.append((received, callback))
        self.most_held = max(self.most_held, len(self.held))

    def release(self, index=0):
        received, callback = self.held.pop(index)
        callback(self.reply(received))

    def report_junk(self, junk, peer):
        self.junk.append(junk)

    @property
    def ids(self):
        return [received.raw.split(b"|")[9].decode() for received in self.received]


class Wire:
    """A peer made of bare bytes."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._decoder, self._frames = MllpDecoder(), []

    async def send(self, *parts):
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def post(self, *control_ids):
        await self.send(b"".join(frame(message(one)) for one in control_ids))

    async def answers(self, count):
        """Return the control ids of the next `count` answers, as `AA ID`."""
        while len(self._frames) < count:
            data = await self.reader.read(65536)
            assert data, f"the connection was closed after {len(self._frames)} of {count} answers"
            self._frames += [item.payload for item in self._decoder.receive(data) if isinstance(item, Frame)]
        taken, self._frames = self._frames[:count], self._frames[count:]
        return [f"{ack.code} {ack.control_id}" for ack in map(parse_ack, taken)]

    async def is_closed(self):
        """Wait for the other side to close; return whether it did so without saying more."""
        try:
            return not await self.reader.read(65536)
        except OSError:
            return True

    async def close(self):
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


async def until(condition: Callable[[], object]):
    """Let the loop turn until something is so."""
    while not condition():
        await asyncio.sleep(0)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Run a scenario, on each of the two loops the product runs on."""

    def runner(scenario):
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as loop:
            return loop.run(asyncio.wait_for(scenario(), PATIENCE))

    return runner


@pytest.fixture
def receiver():
    return FakeReceiver()


@pytest.fixture
def serve(receiver):
    """`async with serve(idle_seconds=1) as (server, connect)`; `await connect()` gives a Wire."""

    @asynccontextmanager
    async def serving(**settings):
        server = MllpServer(MllpSettings(port=0, **settings), receiver, clock=lambda: "2026-03-01T07:30:00.000Z")
        await server.start()
        wires = []

        async def connect(**options):
            wires.append(Wire(*await asyncio.open_connection(*server.address, **options)))
            return wires[-1]

        try:
            yield server, connect
        finally:
            for wire in wires:
                await wire.close()
            receiver.holding = False
            while receiver.held:
                receiver.release()
            await server.stop()
            assert server.counters.open == 0

    return serving


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return DemoAuthority(tmp_path_factory.mktemp("authority"), datetime.now(UTC))


@pytest.fixture(scope="session")
def server_certificate(authority):
    return authority.issue_server("registry", datetime.now(UTC))


@pytest.fixture(scope="session")
def helpers():
    """What test modules share, and cannot import from one another."""

    class Helpers:
        message = staticmethod(message)
        answer_to = staticmethod(answer_to)
        until = staticmethod(until)

    return Helpers
