"""A stop with a front: what it has in hand is answered, it ends, and nothing stays behind."""

import asyncio
import os
import signal
import time

import pytest
from msgspec import msgpack
from structlog.testing import capture_logs

from insigne import __version__
from insigne.transport.front.link import Patience
from insigne.transport.front.wire import Ready, Stop, frame

STAND_IN = """
import socket
link = socket.socket(fileno=0)
link.sendall({ready!r})
while True:
    data = link.recv(65536)
    if not data or data.endswith({stop!r}):
        break
"""


def test_what_the_front_has_in_hand_is_answered(run_on_each, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            first, second = await listening.begin()
            third = await listening.connect()
            receiver.holding = True
            await first.post("HERE")
            await second.post("A", "B", "C")
            await third.post("D")
            await process.until(lambda: len(receiver.held) == 5)
            pid, address = listening.front.pid, listening.server.address
            stopping = asyncio.ensure_future(listening.server.stop())
            await asyncio.sleep(0)
            with pytest.raises(OSError):  # noqa: PT011  # refused or reset, by chance
                await asyncio.open_connection(*address)
            while receiver.held:
                assert not stopping.done()
                receiver.release()
                await asyncio.sleep(0)
            assert await first.answers(1) == ["AA HERE"]
            assert await second.answers(3) == ["AA A", "AA B", "AA C"]
            assert await third.answers(1) == ["AA D"]
            assert [await wire.is_closed() for wire in (first, second, third)] == [True] * 3
            await stopping
            assert process.state(pid) == ""
            assert listening.server.seen.undelivered == 0

    with capture_logs() as logs:
        run_on_each(scenario)
    assert [line["event"] for line in logs] == ["mllp.front-ready"]


def test_a_message_that_nobody_decides_on_holds_a_stop_no_longer_than_it_may(run, serve, receiver, process):
    async def scenario():
        async with serve(drain_seconds=0.3) as listening:
            _, second = await listening.begin()
            receiver.holding = True
            await second.post("A")
            await process.until(lambda: receiver.held)
            pid, started = listening.front.pid, time.monotonic()
            await listening.server.stop()
            assert 0.2 < time.monotonic() - started < 6
            assert await second.is_closed()
            assert process.state(pid) == ""
            receiver.release_all()
            assert listening.server.seen.undelivered == 1

    run(scenario)


@pytest.mark.parametrize("waiting", ["at-once", "started"])
def test_a_stop_while_it_starts_ends_it(run, serve, receiver, process, waiting):
    async def scenario():
        before = process.children()
        async with serve() as listening:
            first = await listening.connect()
            await process.until(lambda: listening.server.seen.open == 1)
            second = await listening.connect()
            if waiting == "started":
                await process.until(lambda: process.children() - before)
            started = time.monotonic()
            await listening.server.stop()
            assert time.monotonic() - started < 5
            assert process.children() <= before
            assert await first.is_closed()
            assert await second.is_closed()
            assert listening.front.started() is None

    run(scenario)


def test_a_front_that_hangs_holds_a_stop_for_a_bounded_time(run, serve, receiver, process, monkeypatch):
    monkeypatch.setattr("insigne.transport.front.front._LAST_WORDS_SECONDS", 0.5)

    async def scenario():
        async with serve(drain_seconds=0.5) as listening:
            _, second = await listening.begin()
            pid = listening.front.pid
            os.kill(pid, signal.SIGSTOP)
            started = time.monotonic()
            await listening.server.stop()
            assert 0.9 < time.monotonic() - started < 5
            assert process.state(pid) == ""
            assert await second.is_closed()
            assert listening.server.seen.open == 0

    run(scenario)


def test_a_front_that_is_killed_while_it_stops_does_not_hold_the_stop(run, serve, receiver, process):
    async def scenario():
        async with serve(drain_seconds=15) as listening:
            _, second = await listening.begin()
            receiver.holding = True
            await second.post("A")
            await process.until(lambda: receiver.held)
            pid, started = listening.front.pid, time.monotonic()
            stopping = asyncio.ensure_future(listening.server.stop())
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            await stopping
            assert time.monotonic() - started < 10
            assert process.state(pid) == ""

    run(scenario)


def test_connections_that_are_taken_at_the_moment_of_a_stop_do_not_hold_it(run_on_each, serve, process):
    """Each turn of the loop is another moment of their beginning."""

    async def scenario():
        for turns in range(12):
            async with serve(command=("/nowhere/python",), patience=Patience(again=3600.0)) as listening:
                wires = [await listening.connect() for _ in range(3)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for wire in wires:
                    wire.writer.close()
                started = time.monotonic()
                await listening.server.stop()
                assert time.monotonic() - started < 5
                assert listening.server.seen.open == 0

    run_on_each(scenario)


def test_a_listener_that_starts_and_stops_many_times_leaves_no_file_open(run_on_each, serve, receiver, process):
    ready = process.program(
        STAND_IN.format(ready=frame(msgpack.encode(Ready(__version__))), stop=frame(msgpack.encode(Stop())))
    )
    commands = [process.light, ("/nowhere/python",), ("/bin/false",), ("/bin/sleep", "60"), *[ready] * 4]

    async def cycle(command):
        async with serve(command=command, patience=Patience(start=30.0)) as listening:
            wires = [await listening.connect()]
            await process.until(lambda: listening.server.seen.open == 1)
            wires += [await listening.connect() for _ in range(2)]
            if command in (ready, process.light):
                await process.until(lambda: listening.server.seen.open == 3)
            if command == process.light:
                assert await wires[1].asked("A")
            assert await wires[0].asked("B")

    async def scenario():
        counts = []
        for _ in range(3):
            for command in commands:
                await cycle(command)
            counts.append(process.descriptors())
        return counts

    counts = run_on_each(scenario)
    assert counts[1:] == counts[:1] * 2
