"""A site that takes messages in, and a dispatcher whose receivers do what the test says."""

import asyncio
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import Channel, Surroundings
from insigne.exchange.delivery.dispatcher import Dispatcher
from insigne.exchange.delivery.initial import InitialLoad
from insigne.exchange.delivery.ports import Acknowledged, SendFailed
from insigne.exchange.delivery.recorder import Recorder
from insigne.exchange.delivery.scribe import Scribe
from insigne.exchange.delivery.undelivered import undelivered
from insigne.exchange.model import Peer, Received
from insigne.hl7 import AckError, Message
from insigne.registry.source import Source
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import upgrade

PATIENCE = 20


class Receiver:
    """Answers AA, or as `answers` says first; an exception is raised. `gate` holds every answer while it is closed."""

    def __init__(self):
        self.got = []
        self.answers = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Event()
        self.now = self.most = 0

    async def deliver(self, raw, name):
        self.got.append(raw)
        self.now += 1
        self.most = max(self.most, self.now)
        self.changed.set()
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        answer = self.answers.pop(0) if self.answers else "AA"
        if isinstance(answer, SendFailed):
            raise answer
        code, _, condition = answer.partition(" ")
        errors = (AckError(condition),) if condition else ()
        return Acknowledged(code, "", errors, f"MSA|{code}|{name.control_id}\r".encode())

    async def close(self):
        pass

    @property
    def told(self):
        """Event and patient of each message, as sent."""
        return [(m.trigger, m.value("PID-3.1")) for m in map(Message.parse, self.got)]

    async def wait_for(self, count):
        async with asyncio.timeout(PATIENCE):
            while len(self.got) < count:
                self.changed.clear()
                await self.changed.wait()


class Site:
    """A base with destinations."""

    def __init__(self, folder, config):
        file = folder / "insigne.toml"
        file.write_text(config, encoding="utf-8")
        self.base = open_base(load(file, (), {}, folder), wait=5.0)
        self.store = self.base.store
        self.alarms = Alarms()
        self._sent = 0

    def receive(self, *messages):
        """Take messages in; each must be accepted."""
        batch = [Received(raw, Peer("GAM", "mllp"), rfc3339_now()) for raw in messages]
        assert [answer.code for answer in self.base.intake.process(batch)] == ["AA"] * len(batch)

    def admit(self, *numbers):
        """One A28 for each number."""
        self.receive(*(self.adt("A28", number) for number in numbers))

    def update(self, number, name="MARTIN"):
        """One A31."""
        self.receive(self.adt("A31", number, name=name))

    def merge(self, survivor, absorbed):
        """One A40."""
        self.receive(self.adt("A40", survivor, mrg=absorbed))

    def adt(self, trigger, number, name="BERANGER", mrg=None, ins="", status="PROV"):
        """A message about an invented person."""
        self._sent += 1
        structure = {"A40": "ADT_A39"}.get(trigger, "ADT_A05")
        tail = f"MRG|{mrg}^^^GAM&1.2.250.1.999.1&ISO^PI\r" if mrg else "PV1||N\r"
        return (
            f"MSH|^~\\&|GAM|CHU|INSIGNE|GHT|20260301083000+0100||ADT^{trigger}^{structure}|G{self._sent}|P|2.5^FRA^2.11"
            f"|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\r"
            f"PID|||{number}^^^GAM&1.2.250.1.999.1&ISO^PI{ins}||{name}^MAELLE^MAELLE^^^^L||19810412|F|||^^^^^FRA^BDL^^29019"
            f"||||||||||||||||||||N|{status}\r{tail}"
        ).encode()

    @asynccontextmanager
    async def dispatching(self, storage=None, **receivers):
        """A dispatcher at work, with these receivers by name of destination (one, or a list of one a lane)."""
        base, storage = self.base, storage or self.store
        with ThreadPoolExecutor(1) as executor:
            recorder = Recorder(storage, executor)
            dispatcher = Dispatcher(storage, recorder)
            around = Surroundings(recorder, self.alarms, rfc3339_now, random.Random(1), self._told, dispatcher.more)
            channels = []
            for settings, subscriber in zip(base.config.destinations, base.subscribers, strict=True):
                receiver = receivers[settings.name]
                senders = [receiver] * settings.delivery.lanes
                scribe = Scribe(subscriber.dialect, base.recent, now=rfc3339_now, new_id=base.new_id)
                channels.append(Channel(settings.name, settings.delivery, scribe, senders, around))
            stopping = asyncio.Event()
            base.bell.ring = dispatcher.wake
            loads = [InitialLoad(*pair, now=rfc3339_now) for pair in zip(channels, base.subscribers, strict=True)]
            task = asyncio.create_task(dispatcher.run(channels, loads, stopping, drain_seconds=0.5))
            try:
                yield {channel.name: channel for channel in channels}
            finally:
                stopping.set()
                await task

    def load(self, name, rate=1000.0):
        """Ask for an initial load."""
        with self.store.begin(5.0) as transaction:
            last, total = transaction.last_identity()
            asked = {
                "init_state": "running",
                "init_cursor": "",
                "init_until": last,
                "init_total": total,
                "init_done": 0,
            }
            transaction.change_destination(name, "user:claire", rfc3339_now(), init_rate=rate, **asked)
            transaction.commit()

    def _told(self, transaction, row, kept):
        source = Source(rfc3339_now(), "insigne", "delivery", str(row.id))
        self.base.registrar.act_within(transaction, [(undelivered(row, kept), source)])

    def rows(self, destination=""):
        """The outbox, oldest first."""
        with self.store.read() as view:
            rows = view.outbox(limit=10_000)[::-1]
        return [row for row in rows if destination in ("", row.destination)]

    def states(self, destination=""):
        """The state of each row, oldest first."""
        return [row.state for row in self.rows(destination)]

    async def until(self, condition):
        """Wait until the base says so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    def work(self):
        """The open work items."""
        with self.store.read() as view:
            return view.work_items(WorkFilter())

    def kept(self, row_id=1):
        """A row as it is, and its attempts."""
        with self.store.read() as view:
            return view.outgoing(row_id), view.attempts(row_id)

    def act(self, change, row_id):
        """Do what a person asks for, and have the dispatcher look."""
        with self.store.begin(5.0) as transaction:
            row = transaction.outgoing(row_id)
            done = change(transaction, row, rfc3339_now())
            transaction.touch_destination(row.destination)
            transaction.commit()
        return done

    def decide(self, name, **changes):
        """What a person says of a destination."""
        with self.store.begin(5.0) as transaction:
            transaction.change_destination(name, "user:claire", rfc3339_now(), **changes)
            transaction.commit()


@pytest.fixture(scope="session")
def empty_base(tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "insigne.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def site(empty_base, tmp_path):
    """Makes a site: names of destinations and their settings, in TOML."""
    shutil.copy(empty_base, tmp_path / "insigne.db")
    made = []

    def make(**destinations):
        config = '[[authorities]]\nname = "GAM"\noid = "1.2.250.1.999.1"\ntrusted = true\n'
        for name, settings in destinations.items():
            config += f'[[destinations]]\nname = "{name}"\nmllp = {{ host = "127.0.0.1", port = 1 }}\n{settings}\n'
        made.append(Site(tmp_path, config))
        return made[-1]

    yield make
    for one in made:
        one.base.close()


@pytest.fixture
def make_receiver():
    """Makes receivers; inside the event loop."""
    return Receiver
