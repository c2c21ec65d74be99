"""The front: when it starts, what it brings, that each connection has its own answers, in order."""

import asyncio
import os
import socket

from insigne.exchange.elsewhere import reader_of
from insigne.exchange.model import Answer
from insigne.hl7 import frame
from insigne.transport.mllp_connection import MllpCounters


def test_one_connection_alone_is_served_here_however_often_it_comes_again(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            before = process.children()
            for number in range(3):
                wire = await listening.connect()
                assert await wire.asked(f"A{number}", f"B{number}")
                await wire.close()
                await process.until(lambda: listening.server.seen.open == 0)
            assert listening.front.pid is None
            assert process.children() == before

    run(scenario)
    assert receiver.read == {}
    assert len(receiver.received) == 6


def test_a_second_connection_starts_it_and_its_messages_come_with_what_was_read_there(
    run, serve, receiver, process, site, helpers
):
    async def scenario():
        async with serve(command=process.product) as listening:
            _, second = await listening.begin()
            assert listening.front.pid in process.children()
            assert os.getsid(listening.front.pid) == listening.front.pid  # a Ctrl-C at the terminal is not for it
            assert await second.asked("A", "B")
            (third, fourth) = [await listening.connect() for _ in range(2)]
            assert await third.asked("C")
            assert await fourth.asked("D")

    run(scenario)
    assert receiver.read == {one: reader_of(site)(helpers.message(one)) for one in "ABCD"}
    assert all(receiver.read.values())
    assert [received.raw for received in receiver.received] == [helpers.message(one) for one in "ABCD"]
    assert {(received.peer.name, received.peer.endpoint) for received in receiver.received} == {("127.0.0.1", "mllp")}
    assert all(len(received.time) == len("2026-03-01T07:30:00.000Z") for received in receiver.received)


def test_connections_wait_for_it_while_it_starts_and_are_then_served_there(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            wires = [await listening.connect() for _ in range(5)]
            for number, wire in enumerate(wires):
                await wire.post(f"M{number}")
            for number, wire in enumerate(wires):
                assert await wire.answers(1) == [f"AA M{number}"]
            assert listening.server.seen.connections == 5

    run(scenario)
    assert sorted(receiver.ids) == [f"M{number}" for number in range(5)]
    assert sorted(receiver.read) == [f"M{number}" for number in range(1, 5)]


def test_each_of_many_connections_has_its_own_answers_in_order(run_on_each, serve, receiver, process):
    """More of them come at once than the system keeps for the front: those go there later."""

    async def scenario():
        async with serve(in_flight=8) as listening:
            await listening.begin()
            wires = await asyncio.gather(*(listening.connect() for _ in range(40)))

            async def talk(name, wire):
                for turn in range(3):
                    ids = [f"{name}-{turn}-{number}" for number in range(8)]
                    assert await wire.asked(*ids)

            await asyncio.gather(*(talk(f"W{number}", wire) for number, wire in enumerate(wires)))
            await process.until(lambda: listening.server.seen.answers == 40 * 24)
            assert listening.server.counters.answers < 40 * 24 / 2

    run_on_each(scenario)
    assert len(set(receiver.ids)) == len(receiver.ids) == 40 * 24
    for name in range(40):
        mine = [one for one in receiver.ids if one.startswith(f"W{name}-")]
        assert mine == [f"W{name}-{turn}-{number}" for turn in range(3) for number in range(8)]


def test_answers_given_in_any_order_leave_in_the_order_of_the_messages(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            third = await listening.connect()
            receiver.holding = True
            await second.post("A", "B", "C")
            await third.post("X")
            await process.until(lambda: len(receiver.held) == 4)
            receiver.held.sort(key=lambda held: held[0].raw.split(b"|")[9], reverse=True)
            receiver.release_all()
            assert await third.answers(1) == ["AA X"]
            assert await second.answers(3) == ["AA A", "AA B", "AA C"]

    run(scenario)
    assert set(receiver.read) == set("ABCX")


def test_bytes_that_are_no_message_are_reported_from_there(run, serve, receiver, helpers, process):
    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            await second.send(b"GET / HTTP/1.1")
            assert await second.asked("A")
            await second.send(frame(helpers.message("B"))[:60])
            await second.close()
            await process.until(lambda: len(receiver.junk) == 2)
            await process.until(lambda: listening.server.seen.junk == 2)

    run(scenario)
    assert receiver.junk == [("outside-frame", 14, "127.0.0.1"), ("unterminated", 59, "127.0.0.1")]
    assert receiver.ids == ["A"]


def test_a_message_that_was_not_kept_is_not_answered_there_either(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            receiver.reply = lambda _: Answer(b"", "", "", durable=False)
            await second.post("A")
            assert await second.is_closed()
            await process.until(lambda: listening.server.seen.failures == 1)

    run(scenario)
    assert list(receiver.read) == ["A"]


def test_a_sender_that_closes_its_side_has_the_answers_it_is_owed(run, serve, receiver, process):
    async def scenario():
        async with serve() as listening:
            _, second = await listening.begin()
            receiver.holding = True
            await second.post("A", "B")
            second.writer.write_eof()
            await process.until(lambda: len(receiver.held) == 2)
            receiver.release_all()
            assert await second.answers(2) == ["AA A", "AA B"]
            assert await second.is_closed()

    run(scenario)
    assert list(receiver.read) == ["A", "B"]


def test_what_was_seen_is_the_sum_of_both(run, serve, receiver, process):
    expected = MllpCounters(open=2, connections=3, frames=6, answers=6, junk=1)

    async def scenario():
        async with serve() as listening:
            first, second = await listening.begin()
            gone = await listening.connect()
            assert await gone.asked("G")
            await gone.close()
            assert await second.asked("A", "B")
            await first.send(b"junk")
            assert await first.asked("C")  # answered here; it moves afterwards
            assert await second.asked("D", "E")
            await process.until(lambda: listening.server.seen == expected)

    run(scenario)
    assert set(receiver.read) == set("GABDE")


def test_messages_of_every_size_go_through_it(run, serve, receiver, helpers, process):
    sizes = [1, 2, 100, 4_095, 4_096, 65_535, 65_536, 1_048_573, 2_000_000]
    contents = [b"x" * sizes[0], b"xy"]
    contents += [helpers.message(f"S{size}", name="D" * size)[: size - 1] + b"\r" for size in sizes[2:]]

    async def scenario():
        async with serve(max_frame_bytes=2_100_000) as listening:
            _, second = await listening.begin(limit=4_000_000)
            third = await listening.connect(limit=4_000_000)
            receiver.reply = lambda received: Answer(b"MSH|^~\\&\rMSA|AA|" + received.raw, "AA", "01", durable=True)
            for wire in (second, third):
                for content in contents:
                    await wire.send(frame(content))
                    assert await wire.reader.readuntil(b"\x1c\r") == frame(b"MSH|^~\\&\rMSA|AA|" + content)

    run(scenario)
    assert [received.raw for received in receiver.received] == contents * 2
    assert len(receiver.read) == len(contents)


def test_a_connection_reset_before_it_is_taken_gives_its_place_back(run, serve, process):
    async def scenario():
        async with serve(max_connections=4) as listening:
            _, second = await listening.begin()
            for _ in range(30):
                with socket.create_connection(listening.server.address) as passing:
                    passing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                await asyncio.sleep(0)
            await process.until(lambda: listening.server.seen.open == 2)
            assert await second.asked("A")

    run(scenario)
