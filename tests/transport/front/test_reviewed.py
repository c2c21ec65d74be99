"""What one message, one connection or one setting that fails does to the others: nothing."""

import os
import signal

import pytest
from msgspec import msgpack
from structlog.testing import capture_logs

from insigne.exchange.elsewhere import Site
from insigne.exchange.model import Answer, Peer, Received
from insigne.hl7 import frame
from insigne.registry.settings import RegistrySettings, policy
from insigne.transport.front.forward import Forwarder
from insigne.transport.front.link import Patience
from insigne.transport.front.wire import Answered
from insigne.transport.front.wire import frame as framed

UNWRITABLE = Site(policy("production", (), RegistrySettings()), ("\udce9",), ())  # as of a path that is not UTF-8


@pytest.mark.parametrize("site", [UNWRITABLE])
def test_settings_that_cannot_be_told_to_a_front_leave_everybody_here(run_on_each, serve, receiver, site):
    async def scenario():
        async with serve() as listening:
            first, second = await listening.connect(), await listening.connect()
            assert await first.asked("A")
            assert await second.asked("B")
            assert listening.front.pid is None

    with capture_logs() as logs:
        run_on_each(scenario)
    assert receiver.read == {}
    assert [log["event"] for log in logs] == ["mllp.front-not-started"]


def test_a_message_that_the_receiver_fails_at_ends_its_connection_alone(run_on_each, serve, receiver, helpers):
    submit_read = receiver.submit_read

    def failing(received, written, callback):
        if b"|BAD|" in received.raw:
            raise RuntimeError("not to be logged")
        submit_read(received, written, callback)

    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            third = await listening.connect()
            await second.send(frame(helpers.message("BAD")))
            assert await second.is_closed()
            assert await third.asked("C")
            assert listening.front.ready

    receiver.submit_read = failing
    with capture_logs() as logs:
        run_on_each(scenario)
    assert "C" in receiver.read
    assert [log["error"] for log in logs if log["event"] == "mllp.failure"] == ["RuntimeError"]


def test_a_connection_that_fails_at_its_answer_does_not_hold_those_of_others(run):
    answer = Answer(b"MSH|", "AA", "01", durable=True)
    received = Received(b"MSH|", Peer("gam", "mllp"), "2026-03-01T07:30:00.000Z")
    answered = []

    def failing(_):
        raise RuntimeError("not to be logged")

    async def scenario():
        forwarder = Forwarder()
        forwarder.submit_nowait(received, failing)
        forwarder.submit_nowait(received, answered.append)
        forwarder.data_received(b"".join(framed(msgpack.encode(Answered(number, answer))) for number in (1, 2)))

    with capture_logs() as logs:
        run(scenario)
    assert answered == [answer]
    assert [log["error"] for log in logs] == ["RuntimeError"]


def test_a_lost_front_comes_back_for_senders_that_stay_connected(run, serve, receiver, process):
    async def scenario():
        async with serve(patience=Patience(start=30.0, again=0.5)) as listening:
            await listening.begin()
            os.kill(listening.front.pid, signal.SIGKILL)
            await process.until(lambda: not listening.front.ready and listening.server.counters.open < 2)
            first, second = await listening.connect(), await listening.connect()
            assert await first.asked("A")
            assert await second.asked("B")
            await process.until(lambda: listening.front.ready)  # without another connection
            assert await first.asked("C")  # the last one that is served here
            assert await first.asked("D")

    run(scenario)
    assert "D" in receiver.read
    assert "C" not in receiver.read
