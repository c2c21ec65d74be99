"""A message that comes in over MLLP is told to an application by webhook, in the form of the feed of changes."""

import asyncio
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from insigne.app.base import open_base
from insigne.app.server import Service
from insigne.config import load
from insigne.fhir.changes import change_item, changes_after
from insigne.store import upgrade
from insigne.transport.mllp_client import MllpClient

SECRET = "0123456789abcdef0123456789abcdef"
GAM = "GAM&1.2.250.1.999.1&ISO"
NOW = "20260301083000+0100"


def adt(control_id, ipp, event="A28", name="BÉRANGER"):
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^{event}^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
        f"EVN||{NOW}\rPID|||{ipp}^^^{GAM}^PI||{name}^MAËLLE^MAËLLE JEANNE^^^^L||19810412|F|||\rPV1||N\r"
    ).encode()


@pytest.fixture
def application():
    """An HTTP server that refuses the first post for now, then keeps what it gets."""
    got, statuses = [], [503]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            status = statuses.pop() if statuses else 204
            got.append((status, dict(self.headers), body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.got = got
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_changes_are_posted_in_order_signed_and_as_the_feed_has_them(tmp_path, application):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    config = tmp_path / "insigne.toml"
    config.write_text(
        f"""
[mllp]
port = 0
[http]
port = 0
[[destinations]]
name = "PORTAIL"
webhook = {{ url = "http://127.0.0.1:{application.server_address[1]}/hook", secret_file = "{secret}" }}
delivery = {{ first_retry_seconds = 0.05 }}
"""
    )
    upgrade(f"sqlite:///{tmp_path}/insigne.db")
    loaded = load(config, [], {}, tmp_path)

    async def scenario():
        base = open_base(loaded)
        service = Service(base, loaded)
        addresses = await service.start()
        host, _, port = addresses["mllp"].rpartition(":")
        client = MllpClient(host, int(port))
        try:
            for raw in (adt("M1", "9001"), adt("M2", "9002"), adt("M3", "9001", "A31", "BÉRANGER-ROUX")):
                assert (await client.send(raw)).ack.code == "AA"
            async with asyncio.timeout(15):
                while len(application.got) < 4:
                    await asyncio.sleep(0.01)
            with base.store.read() as view:
                return [change_item(view, change) for change in changes_after(view, 0, 10)]
        finally:
            await client.close()
            await service.stop()
            base.close()

    feed = asyncio.run(scenario())
    statuses = [status for status, _, _ in application.got]
    assert statuses == [503, 204, 204, 204]
    first, again, *others = application.got
    assert first[1]["Insigne-Delivery"] == again[1]["Insigne-Delivery"]
    assert first[2] == again[2]
    told = [json.loads(body) for _, _, body in (again, *others)]
    assert [(one["cursor"], one["time"], one["event"]) for one in told] == [
        (one["cursor"], one["time"], one["event"]) for one in feed
    ]
    assert told[-1]["patient"] == feed[-1]["patient"]
    for _, headers, body in application.got:
        moment, _, signed = headers["Insigne-Signature"].removeprefix("t=").partition(",v1=")
        assert signed == hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
