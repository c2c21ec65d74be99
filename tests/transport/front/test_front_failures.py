"""A front that is killed, hangs, or never starts: whoever it served comes again, and is served here."""

import asyncio
import os
import signal

import pytest
from msgspec import msgpack

from insigne import __version__
from insigne.transport.front.link import Patience
from insigne.transport.front.wire import Ready, frame
from insigne.transport.mllp_connection import MllpCounters

#: It says what follows first, and then listens until nobody speaks any more.
SAYS = "import socket; s = socket.socket(fileno=0); s.sendall({said!r})\nwhile s.recv(65536): pass"


def saying(process, *contents):
    return process.program(SAYS.format(said=b"".join(map(frame, contents))))


async def insist(listening, control_id):
    """Send a message until it is answered, on one connection after the other; how many that took."""
    for tries in range(1, 50):
        try:
            wire = await listening.connect()
            if await wire.asked(control_id):
                return tries
        except (OSError, AssertionError):
            continue
    raise AssertionError("nobody answers")


def not_lower(before, after):
    names = set(MllpCounters.__slots__) - {"open"}
    return {name for name in names if getattr(after, name) < getattr(before, name)} == set()


def test_senders_of_a_front_that_is_killed_come_again_and_are_served_here(run_on_each, serve, receiver, process):
    async def talk(listening, name, killed):
        wire, answered = await listening.connect(), []
        for number in range(1_000):
            one = f"{name}-{number}"
            try:
                answered.append(await wire.asked(one))
            except (OSError, AssertionError):
                await insist(listening, one)
            if killed.is_set() and number > 20:
                return number
        raise AssertionError("it was never killed")

    async def scenario():
        async with serve(patience=Patience(start=30.0, again=3600.0)) as listening:
            await listening.begin()
            killed, pid = asyncio.Event(), listening.front.pid
            talks = [asyncio.ensure_future(talk(listening, f"W{number}", killed)) for number in range(6)]
            await process.until(lambda: listening.server.seen.frames > 40)
            before = listening.server.seen
            os.kill(pid, signal.SIGKILL)
            await process.until(lambda: listening.front.pid is None)
            assert not_lower(before, listening.server.seen)
            there = len(receiver.read)
            killed.set()
            await asyncio.gather(*talks)
            assert not listening.front.ready
            assert len(receiver.read) == there
            assert not_lower(before, listening.server.seen)
            await process.until(lambda: not process.state(pid))
            return there

    assert run_on_each(scenario) > 40
    assert len(set(receiver.ids)) >= 6 * 20


def test_answers_that_come_after_it_was_killed_are_counted_as_not_delivered(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            first, second = await listening.begin()
            receiver.holding = True
            await second.post("A", "B", "C")
            await process.until(lambda: len(receiver.held) == 3)
            await process.until(lambda: listening.server.seen.frames == 3)
            before = listening.server.seen
            os.kill(listening.front.pid, signal.SIGKILL)
            assert await second.is_closed()
            await process.until(lambda: listening.front.pid is None)
            assert listening.server.seen.open == 1
            receiver.release_all()
            assert listening.server.seen.undelivered == before.undelivered + 3
            assert not_lower(before, listening.server.seen)
            assert await first.asked("D")
            again = await listening.connect()
            assert await again.asked("A", "B", "C")
            assert listening.server.seen == MllpCounters(2, 3, frames=7, answers=4, undelivered=3)

    run(scenario)
    assert receiver.ids == ["A", "B", "C", "D", "A", "B", "C"]


def test_places_of_a_front_that_is_lost_are_free(run, serve, receiver, process):
    async def scenario():
        async with serve(max_connections=4, connections_per_peer=4) as listening:
            await listening.begin()
            wires = [await listening.connect() for _ in range(2)]
            await process.until(lambda: listening.server.seen.open == 4)
            assert await (await listening.connect()).is_closed()
            os.kill(listening.front.pid, signal.SIGKILL)
            for wire in wires:
                assert await wire.is_closed()
            await process.until(lambda: listening.server.seen.open == 1)
            for number in range(3):
                assert await (await listening.connect()).asked(f"M{number}")
            assert await (await listening.connect()).is_closed()

    run(scenario)
    assert receiver.read == {}
    assert receiver.ids == ["M0", "M1", "M2"]


def test_a_front_that_hangs_is_given_up_and_ended(run, serve, receiver, process):
    async def scenario():
        async with serve(patience=Patience(start=30.0, silence=2.0)) as listening:
            first, second = await listening.begin()
            assert await second.asked("A")
            pid = listening.front.pid
            os.kill(pid, signal.SIGSTOP)
            await second.post("B")
            assert await first.asked("C")  # it would have moved: whoever has it now, it ends or is answered here
            assert await second.is_closed()
            await process.until(lambda: not process.state(pid))
            assert not listening.front.ready
            assert await insist(listening, "D") == 1

    run(scenario)
    assert "B" not in receiver.ids
    assert list(receiver.read) == ["A"]
    assert receiver.ids[-1] == "D"


def test_a_front_with_nothing_to_do_is_not_given_up(run, serve, receiver):
    async def scenario():
        async with serve(patience=Patience(start=30.0, silence=2.5)) as listening:
            _, second = await listening.begin()
            pid = listening.front.pid
            loop = asyncio.get_running_loop()
            silent = loop.create_future()
            loop.call_later(4.0, silent.set_result, None)
            await silent
            assert listening.front.pid == pid
            assert await second.asked("A")

    run(scenario)
    assert list(receiver.read) == ["A"]


@pytest.mark.parametrize("kind", ["no-such-program", "ends-at-once", "never-ready", "another-version", "rubbish"])
def test_without_a_front_that_starts_everybody_is_served_here(run_on_each, serve, receiver, process, kind):
    commands = {
        "no-such-program": ("/nowhere/python",),
        "ends-at-once": ("/bin/false",),
        "never-ready": ("/bin/sleep", "60"),
        "another-version": saying(process, msgpack.encode(Ready("0.0"))),
        "rubbish": saying(process, b"\xc1\xc1", b""),
    }

    async def scenario():
        patience = Patience(start=0.5 if kind == "never-ready" else 30.0, again=3600.0)
        async with serve(command=commands[kind], patience=patience) as listening:
            started = asyncio.get_running_loop().time()
            wires = [await listening.connect() for _ in range(4)]
            for number, wire in enumerate(wires):
                assert await wire.asked(f"M{number}")
            assert asyncio.get_running_loop().time() - started < 10
            assert not listening.front.ready
            assert listening.front.pid is None
            assert listening.server.seen == MllpCounters(4, 4, frames=4, answers=4)

    run_on_each(scenario)
    assert receiver.ids == ["M0", "M1", "M2", "M3"]
    assert receiver.read == {}


def counting(path, *then):
    """A program that leaves a line behind each time it is started."""
    return ("/bin/sh", "-c", f'echo >> {path}; exec "$@"', "sh", *then)


def test_a_front_that_failed_is_not_started_again_before_its_time(run, serve, process, tmp_path):
    starts = tmp_path / "starts"

    async def scenario():
        async with serve(
            command=counting(starts, "/bin/false"), patience=Patience(start=30.0, again=3600.0)
        ) as listening:
            for number in range(6):
                assert await (await listening.connect()).asked(f"M{number}")

    run(scenario)
    assert starts.read_text() == "\n"


def test_a_front_that_was_lost_is_started_again_for_those_who_came_back_and_stay(
    run, serve, receiver, process, tmp_path
):
    starts = tmp_path / "starts"

    async def scenario():
        command = counting(starts, *process.light)
        async with serve(command=command, patience=Patience(start=30.0, again=0.5)) as listening:
            first, second = await listening.begin()
            assert await second.asked("A")
            await process.until(lambda: listening.server.seen.answers == 1)  # it was counted
            killed, before = listening.front.pid, listening.server.seen
            os.kill(killed, signal.SIGKILL)
            assert await second.is_closed()
            await process.until(lambda: listening.front.pid is None)
            second = await listening.connect()
            assert await second.asked("HERE")
            assert await first.asked("HERE TOO")
            await process.until(lambda: listening.front.ready)
            assert listening.front.pid not in {None, killed}
            for wire in (first, second):
                assert await wire.asked("B")
                assert await wire.asked("C")
            await process.until(lambda: listening.server.seen.answers == 7)
            assert not_lower(before, listening.server.seen)
            assert listening.server.seen.open == 2

    run(scenario)
    assert list(receiver.read) == ["A", "C"]
    assert starts.read_text() == "\n\n"


def test_signals_that_end_a_service_do_nothing_to_the_front_alone(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            receiver.holding = True
            await second.post("A")
            await process.until(lambda: receiver.held)
            pid = listening.front.pid
            for number in (signal.SIGTERM, signal.SIGINT) * 2:
                os.kill(pid, number)
            receiver.release_all()
            assert await second.answers(1) == ["AA A"]
            assert await second.asked("B")
            assert listening.front.pid == pid

    run(scenario)
    assert list(receiver.read) == ["A", "B"]


def test_the_version_of_the_program_is_one_that_a_front_may_say(run, serve, process):
    """The stand-in that says another one fails for that, and for nothing else."""

    async def scenario():
        async with serve(command=saying(process, msgpack.encode(Ready(__version__)))) as listening:
            await listening.begin()
            os.kill(listening.front.pid, signal.SIGKILL)

    run(scenario)
