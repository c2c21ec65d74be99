"""A connection that was here before the front goes there between two messages; its sender sees nothing of it."""

import asyncio
import random
from itertools import pairwise

import pytest

from insigne.hl7 import frame


def pieces(data, chance):
    """Cut anywhere; a start byte is often alone."""
    alone = [1] if chance.random() < 0.5 else []
    cuts = sorted({0, len(data), *alone, *(chance.randrange(len(data)) for _ in range(3))})
    return [data[start:end] for start, end in pairwise(cuts)]


async def send_until(wire, enough, *, window, cut, helpers):
    """Send until `enough` messages are sent, at most `window` unanswered, none now and then; the ids in order."""
    chance = random.Random(7)
    ids, taken = [], []
    while not enough(ids):
        while len(ids) - len(taken) >= (1 if len(ids) % 20 == 0 else window):
            taken += await wire.answers(1)
        ids.append(f"N{len(ids)}")
        data = frame(helpers.message(ids[-1]))
        await wire.send(*(pieces(data, chance) if cut else [data]))
    taken += await wire.answers(len(ids) - len(taken))
    assert taken == [f"AA {one}" for one in ids]
    return ids


@pytest.mark.parametrize(("window", "cut"), [(1, False), (6, True)], ids=["one-by-one", "several-at-once-in-pieces"])
def test_a_busy_sender_loses_nothing_when_its_connection_moves(run_on_each, serve, receiver, helpers, window, cut):
    def enough(ids):
        there = sum(one in receiver.read for one in ids[-400:])
        assert len(ids) < 40_000, "the connection never moved"
        return there >= 200

    async def scenario():
        async with serve() as listening:
            wire = await listening.connect()
            assert await wire.asked("FIRST")
            await listening.connect()
            ids = await send_until(wire, enough, window=window, cut=cut, helpers=helpers)
            assert listening.server.seen.connections == 2
            return ids

    ids = run_on_each(scenario)
    assert receiver.ids == ["FIRST", *ids]
    assert receiver.junk == []
    here = [one for one in ids if one not in receiver.read]
    assert here == ids[: len(here)]  # it never comes back
    assert here


def test_many_senders_move_at_once_and_none_loses_anything(run_on_each, serve, receiver, process):
    """More than the system keeps for the front: the others move after their next message."""

    async def scenario():
        async with serve() as listening:
            receiver.holding = True
            wires = [await listening.connect()]
            await process.until(lambda: listening.server.seen.open == 1)
            other = await listening.connect()
            await process.until(lambda: listening.front.ready)
            await other.post("OTHER")
            wires += [await listening.connect() for _ in range(30)]
            await process.until(lambda: listening.server.seen.open == 32)
            for number, wire in enumerate(wires):
                await wire.post(f"A{number}")
            await process.until(lambda: len(receiver.held) == 32)
            receiver.release_all()
            for turn in "BCD":
                await asyncio.gather(*(wire.post(f"{turn}{number}") for number, wire in enumerate(wires)))
            for number, wire in enumerate(wires):
                assert await wire.answers(4) == [f"AA {turn}{number}" for turn in "ABCD"]
            assert await wires[0].asked("LAST")

    run_on_each(scenario)
    assert len(receiver.ids) == len(set(receiver.ids)) == 31 * 4 + 2
    assert "LAST" in receiver.read
    assert receiver.junk == []


@pytest.mark.parametrize("begun", [1, 40], ids=["start-byte", "half"])
def test_a_connection_stays_while_a_message_has_begun(run, serve, receiver, helpers, process, begun):
    data = frame(helpers.message("B"))

    async def scenario():
        async with serve() as listening:
            first, second = await listening.begin()
            receiver.holding = True
            await first.send(frame(helpers.message("A")) + data[:begun])
            await process.until(lambda: receiver.held)
            receiver.release_all()
            assert await first.answers(1) == ["AA A"]
            assert await second.asked("SECOND")
            await first.send(data[begun:])
            assert await first.answers(1) == ["AA B"]
            assert await first.asked("C")

    run(scenario)
    assert receiver.junk == []
    assert list(receiver.read) == ["SECOND", "C"]


def test_a_connection_stays_until_its_last_answer_is_given(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            first, second = await listening.begin()
            receiver.holding = True
            await first.post("A", "B")
            await process.until(lambda: len(receiver.held) == 2)
            receiver.release()
            await first.post("C")
            assert await first.answers(1) == ["AA A"]
            await process.until(lambda: len(receiver.held) == 2)
            receiver.release_all()
            assert await first.answers(2) == ["AA B", "AA C"]
            assert await first.asked("D")
            assert await second.asked("E")

    run(scenario)
    assert list(receiver.read) == ["D", "E"]


def test_a_connection_that_moves_takes_one_place(run, serve, receiver):
    """Otherwise one that comes at that moment would find none."""
    opened = []

    async def scenario():
        async with serve() as listening:
            first, _ = await listening.begin()
            move = listening.server.move

            def moved(*connection):
                went = move(*connection)
                opened.append((went, listening.server.seen.open))
                return went

            listening.server.move = moved
            assert await first.asked("A")
            assert await first.asked("B")

    run(scenario)
    assert list(receiver.read) == ["B"]
    assert opened == [(True, 2)]


def test_a_sender_that_does_not_read_its_answers_moves_once_it_has(run, serve, receiver, process):
    """An answer that this process could not send yet must not be overtaken by one from there."""
    size = 300_000

    async def scenario():
        async with serve(max_frame_bytes=1_000_000) as listening:
            first, second = await listening.begin(limit=1024)
            whole = receiver.reply
            receiver.reply = lambda received: type(whole(received))(
                whole(received).payload + b"ZZZ|" + b"x" * size + b"\r", "AA", "01", durable=True
            )
            for number in range(40):
                await first.post(f"M{number}")
            await process.until(lambda: len(receiver.received) >= 5)
            assert await second.asked("OTHER")
            assert await first.answers(40) == [f"AA M{number}" for number in range(40)]
            assert await first.asked("LAST")

    run(scenario)
    assert receiver.ids.count("LAST") == 1
    assert receiver.junk == []
