"""A program for tests: a listener with a front. It tells its port, then the number of the front, and goes on.

Its arguments are the command that starts the front. A message named HOLD is never answered.
"""

import asyncio
import sys

import uvloop

from insigne.app.logs import configure
from insigne.exchange.elsewhere import Site
from insigne.exchange.model import Answer
from insigne.hl7 import build_ack
from insigne.registry.settings import RegistrySettings, policy
from insigne.transport.front.front import Front
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import MllpSettings


class Receiver:
    def submit_nowait(self, received, callback):
        if b"|HOLD|" not in received.raw:
            ack = build_ack(received.raw, "AA", time="20260301083001+0100", control_id="R1")
            callback(Answer(ack, "AA", "01", durable=True))

    def submit_read(self, received, written, callback):
        self.submit_nowait(received, callback)

    def report_junk(self, junk, peer):
        pass


def tell(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main():
    configure()
    settings, receiver = MllpSettings(port=0), Receiver()
    site = Site(policy("production", (), RegistrySettings()), (), ())
    front = Front(settings, receiver, site, command=sys.argv[1:])
    server = MllpServer(settings, receiver, clock=lambda: "2026-03-01T07:30:00.000Z", elsewhere=front)
    await server.start()
    tell(server.address[1])
    while not front.ready:
        await asyncio.sleep(0.005)
    tell(front.pid)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
