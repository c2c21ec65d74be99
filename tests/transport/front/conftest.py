"""A listener with a front that is a real process, a receiver that keeps what it was given, and bare senders."""

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvloop

from insigne.exchange.elsewhere import Site
from insigne.hl7 import Frame, MllpDecoder, frame, parse_ack
from insigne.registry.settings import AuthoritySettings, RegistrySettings, policy
from insigne.transport.front.front import Front
from insigne.transport.front.link import Patience
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import MllpSettings

PATIENCE = 20.0  # seconds before a test that waits for something gives up
PRODUCT = (sys.executable, "-P", "-m", "insigne.app.front")
#: The same without what it makes in advance for its first message: that takes as long as all the rest of its start.
_WITHOUT_WARMING = """
from insigne.app import front
from insigne.transport.front import child
child.warm = lambda _: None
front.main()
"""
LIGHT = (sys.executable, "-P", "-c", _WITHOUT_WARMING)


class Receiver:
    """Answers in the next turn of the loop, as one that commits does; when `holding`, whenever `release` says so."""

    def __init__(self, answer_to):
        self.received = []
        self.read = {}  # what another process wrote of a message, by control id
        self.junk = []
        self.held = []
        self.holding = False
        self.reply = lambda received: answer_to(received.raw)

    def submit_nowait(self, received, callback):
        self.received.append(received)
        if self.holding:
            self.held.append((received, callback))
        else:
            asyncio.get_running_loop().call_soon(callback, self.reply(received))

    def submit_read(self, received, written, callback):
        self.read[control_id(received)] = written
        self.submit_nowait(received, callback)

    def release(self, index=0):
        received, callback = self.held.pop(index)
        callback(self.reply(received))

    def release_all(self):
        self.holding = False
        while self.held:
            self.release()

    def report_junk(self, junk, peer):
        self.junk.append((junk.reason, junk.size, peer.name))

    @property
    def ids(self):
        return [control_id(received) for received in self.received]


def control_id(received):
    return received.raw.split(b"|", 9)[-1].partition(b"|")[0].decode()


class Wire:
    """A sender made of bare bytes."""

    def __init__(self, reader, writer, message):
        self.reader, self.writer = reader, writer
        self._message, self._decoder, self._frames = message, MllpDecoder(3_000_000), []

    async def send(self, *parts):
        """Each part leaves by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def post(self, *control_ids):
        await self.send(b"".join(frame(self._message(one)) for one in control_ids))

    async def answers(self, count):
        """The next `count` answers, as `AA ID`."""
        while len(self._frames) < count:
            data = await self.reader.read(65536)
            assert data, f"the connection was closed after {len(self._frames)} of {count} answers"
            self._frames += [item.payload for item in self._decoder.receive(data) if isinstance(item, Frame)]
        taken, self._frames = self._frames[:count], self._frames[count:]
        return [f"{ack.code} {ack.control_id}" for ack in map(parse_ack, taken)]

    async def asked(self, *control_ids):
        """Whether these messages are answered AA, in order."""
        await self.post(*control_ids)
        return await self.answers(len(control_ids)) == [f"AA {one}" for one in control_ids]

    async def is_closed(self):
        """Wait for the other side to close; whether it did so without saying more."""
        try:
            return not await self.reader.read(65536)
        except OSError:
            return True

    async def close(self):
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


async def until(condition):
    """Wait for something to be so; `run` bounds the wait."""
    while not condition():
        await asyncio.sleep(0.003)


def state(pid):
    """The state of a process as the system writes it (`Z` once it has ended and nobody was told); "" without one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def children():
    """The processes that this one started and that have not been waited for."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in map(int, path.read_text().split())}


class Listening:
    """A listener, its front, and connections to it."""

    def __init__(self, server, front, message):
        self.server, self.front = server, front
        self._message, self._wires = message, []

    async def connect(self, **options):
        self._wires.append(Wire(*await asyncio.open_connection(*self.server.address, **options), self._message))
        return self._wires[-1]

    async def begin(self, **options):
        """Two connections, and a front that is ready. The first one is served by this process, the other one there."""
        before = self.server.seen.open
        first = await self.connect(**options)
        await until(lambda: self.server.seen.open == before + 1)
        connecting = asyncio.ensure_future(self.connect(**options))  # a handshake waits until it is served
        await until(lambda: self.front.ready)
        second = await connecting
        await until(lambda: self.server.seen.open == before + 2)
        return first, second

    async def close(self):
        for wire in self._wires:
            await wire.close()


def _factory(name):
    return uvloop.new_event_loop if name == "uvloop" else asyncio.new_event_loop


def _runner(name):
    def run(scenario):
        with asyncio.Runner(loop_factory=_factory(name)) as loop:
            return loop.run(asyncio.wait_for(scenario(), PATIENCE))

    return run


@pytest.fixture
def run():
    """Run a scenario on the loop of `insigne serve`."""
    return _runner("uvloop")


@pytest.fixture(params=["asyncio", "uvloop"])
def run_on_each(request):
    """Run a scenario on each loop."""
    return _runner(request.param)


@pytest.fixture
def receiver(helpers):
    return Receiver(helpers.answer_to)


@pytest.fixture(scope="session")
def site():
    joined = (AuthoritySettings(name="CHU", oid="1.2.250.1.999.1"),)
    return Site(policy("production", joined, RegistrySettings()), ("P",), ())


@pytest.fixture
def serve(receiver, site, helpers):
    """`async with serve(idle_seconds=1) as listening`."""

    @asynccontextmanager
    async def serving(*, command=LIGHT, patience=None, **settings):
        before = children()
        mllp = MllpSettings(port=0, **settings)
        front = Front(mllp, receiver, site, command=command, patience=patience or Patience(start=30.0))
        server = MllpServer(mllp, receiver, clock=lambda: "2026-03-01T07:30:00.000Z", elsewhere=front)
        await server.start()
        listening = Listening(server, front, helpers.message)
        try:
            yield listening
        finally:
            await listening.close()
            receiver.release_all()
            await server.stop()
            assert server.seen.open == 0
            assert front.pid is None
            assert children() <= before  # none is left behind, not even one that has ended

    return serving


@pytest.fixture(scope="session")
def process():
    """What tests ask of processes, and what a front is started with."""

    class Processes:
        product, light = PRODUCT, LIGHT

        @staticmethod
        def program(text):
            """A stand-in for the front, which starts quickly."""
            return (sys.executable, "-S", "-E", "-c", text)

        @staticmethod
        def exists(pid):
            return state(pid) not in {"", "Z"}

        @staticmethod
        def descriptors():
            return len(list(Path("/proc/self/fd").iterdir()))

    Processes.state = staticmethod(state)
    Processes.children = staticmethod(children)
    Processes.until = staticmethod(until)
    return Processes
