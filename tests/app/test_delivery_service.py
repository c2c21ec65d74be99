"""A message that comes in over MLLP goes out over MLLP, through the running service."""

import asyncio
from contextlib import asynccontextmanager

from insigne.app.base import open_base
from insigne.app.server import Service
from insigne.config import load
from insigne.hl7 import Frame, Message, MllpDecoder, build_ack, frame
from insigne.store import upgrade
from insigne.transport.mllp_client import MllpClient

CONFIG = """
[mllp]
port = 0
[http]
port = 0
[[authorities]]
name = "GAM"
oid = "1.2.250.1.999.1"
trusted = true
[[destinations]]
name = "LABO"
mllp = {{ host = "127.0.0.1", port = {port} }}
delivery = {{ first_retry_seconds = 0.05 }}
"""


def a28(number="1", name="BÉRANGER"):
    return (
        f"MSH|^~\\&|GAM|CHU|INSIGNE|GHT|20260301083000+0100||ADT^A28^ADT_A05|GAM{number}|P|2.5^FRA^2.11"
        f"|||||FRA|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\rEVN||20260301083000+0100\r"
        f"PID|||{number}^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAËLLE^MAËLLE^^^^L||19810412|F|||^^^^^FRA^BDL^^29019"
        f"||||||||||||||||||||N|PROV\rPV1||N\r"
    ).encode()


class Laboratory:
    """A receiver that answers as told, AA if nothing is, and remembers what it got."""

    def __init__(self):
        self.got = []
        self.codes = []
        self.changed = asyncio.Event()

    @asynccontextmanager
    async def listening(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _serve(self, reader, writer):
        decoder = MllpDecoder(1_000_000)
        while data := await reader.read(65536):
            for item in decoder.receive(data):
                assert isinstance(item, Frame)
                self.got.append(item.payload)
                code = self.codes.pop(0) if self.codes else "AA"
                writer.write(frame(build_ack(item.payload, code, time="20260301083001+0100", control_id="L1")))
                self.changed.set()
        writer.close()

    async def wait_for(self, count):
        async with asyncio.timeout(20):
            while len(self.got) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def service(tmp_path, port):
    file = tmp_path / "insigne.toml"
    file.write_text(CONFIG.format(port=port), encoding="utf-8")
    loaded = load(file, (), {}, tmp_path)
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(loaded)
    running = Service(base, loaded)
    addresses = await running.start()
    host, port = addresses["mllp"].split(":")
    client = MllpClient(host, int(port))
    try:
        yield base, client
    finally:
        await client.close()
        await running.stop()
        base.close()


async def recorded(base, state):
    async with asyncio.timeout(20):
        while True:
            with base.store.read() as view:
                rows = view.outbox()
                if rows and rows[0].state == state:
                    return rows, view.attempts(rows[0].id)
            await asyncio.sleep(0.01)


def test_a_new_identity_reaches_the_receiver_and_its_acknowledgement_is_kept(tmp_path):
    async def play():
        async with Laboratory().listening() as labo, service(tmp_path, labo.port) as (base, client):
            reply = await client.send(a28())
            assert reply.ack.code == "AA"
            await labo.wait_for(1)
            sent = Message.parse(labo.got[0])
            assert (sent.trigger, sent.value("PID-5.1"), sent.value("MSH-5")) == ("A28", "BÉRANGER", "LABO")
            [row], [attempt] = await recorded(base, "delivered")
            assert (row.event, row.destination, row.attempts, row.code) == ("A28", "LABO", 1, "AA")
            assert row.control_id == sent.control_id
            assert Message.parse(attempt.ack).value("MSA-2") == sent.control_id
            with base.store.read() as view:
                assert view.outgoing_bytes(row.control_id).raw == labo.got[0]
                assert view.outbox_of(row.cause) == [row]

    asyncio.run(play())
