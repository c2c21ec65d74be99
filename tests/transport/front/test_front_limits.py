"""Limits hold across both processes, and those of one connection are the same in the front."""

import pytest

from insigne.hl7 import frame


def test_one_connection_too_many_is_closed_and_a_place_given_back_there_can_be_taken(run, serve, receiver, process):
    async def scenario():
        async with serve(max_connections=3) as listening:
            first, second = await listening.begin()
            third = await listening.connect()
            assert await third.asked("C")
            for _ in range(2):
                assert await (await listening.connect()).is_closed()
            assert listening.server.seen.refused == 2
            assert listening.server.seen.open == 3
            await second.close()
            await process.until(lambda: listening.server.seen.open == 2)
            again = await listening.connect()
            assert await again.asked("D")
            assert await (await listening.connect()).is_closed()
            await first.close()
            await process.until(lambda: listening.server.seen.open == 2)
            assert await (await listening.connect()).asked("E")

    run(scenario)
    assert list(receiver.read) == ["C", "D", "E"]


def test_a_connection_that_moved_keeps_its_place_and_gives_it_back_from_there(run, serve, receiver, process):
    async def scenario():
        async with serve(max_connections=2) as listening:
            first, _ = await listening.begin()
            assert await first.asked("A")
            assert await first.asked("B")
            assert listening.server.seen.open == 2
            assert await (await listening.connect()).is_closed()
            await first.close()
            await process.until(lambda: listening.server.seen.open == 1)
            assert await (await listening.connect()).asked("C")

    run(scenario)
    assert list(receiver.read) == ["B", "C"]


def test_one_address_has_its_share_of_both_and_others_find_a_place(run, serve, receiver, process):
    async def scenario():
        async with serve(max_connections=10, connections_per_peer=2) as listening:
            _, second = await listening.begin()
            assert await (await listening.connect()).is_closed()
            other = await listening.connect(local_addr=("127.0.0.2", 0))
            assert await other.asked("OTHER")
            await second.close()
            await process.until(lambda: listening.server.seen.open == 2)
            assert await (await listening.connect()).asked("AGAIN")
            assert await (await listening.connect()).is_closed()
            assert listening.server.seen.refused == 2

    run(scenario)
    assert [(one.peer.name) for one in receiver.received] == ["127.0.0.2", "127.0.0.1"]


@pytest.mark.parametrize("close", [True, False], ids=["closed", "left-open"])
def test_a_message_over_the_limit_is_reported_there(run, serve, receiver, process, close):
    async def scenario():
        async with serve(max_frame_bytes=1000, close_on_oversized=close) as listening:
            _, second = await listening.begin()
            assert await second.asked("BEFORE")
            await second.send(frame(b"MSH|" + b"x" * 2000))
            if close:
                assert await second.is_closed()
                await process.until(lambda: listening.server.seen.open == 1)
            else:
                assert await second.asked("AFTER")
            await process.until(lambda: listening.server.seen.junk == 1)

    run(scenario)
    assert [(reason, name) for reason, _, name in receiver.junk] == [("oversized", "127.0.0.1")]
    assert list(receiver.read) == (["BEFORE"] if close else ["BEFORE", "AFTER"])


def test_a_connection_that_is_silent_there_is_closed_after_the_idle_time(run, serve, receiver, process):
    async def scenario():
        async with serve(idle_seconds=3.0) as listening:
            _, second = await listening.begin()
            assert await second.asked("A")
            assert await second.is_closed()
            await process.until(lambda: listening.server.seen.timeouts == 2)  # the other one was silent here
            assert listening.server.counters.timeouts == 1
            assert listening.server.seen.open == 0

    run(scenario)
    assert list(receiver.read) == ["A"]


def test_a_sender_has_no_more_in_hand_there_than_it_may(run, serve, receiver, process):
    async def scenario():
        async with serve(in_flight=3) as listening:
            _, second = await listening.begin()
            receiver.holding = True
            await second.post(*(f"M{number}" for number in range(10)))
            await process.until(lambda: len(receiver.held) == 3)
            other = await listening.connect()
            await other.post("OTHER")
            await process.until(lambda: len(receiver.held) >= 4)
            assert receiver.ids == ["M0", "M1", "M2", "OTHER"]
            receiver.release_all()
            assert await second.answers(10) == [f"AA M{number}" for number in range(10)]

    run(scenario)


def test_a_front_that_may_open_few_files_gives_back_the_places_of_what_it_could_not_take(run, serve, process):
    small = ("/bin/sh", "-c", 'ulimit -n 24; exec "$@"', "sh", *process.light)

    async def scenario():
        async with serve(command=small) as listening:
            await listening.begin()
            wires = [await listening.connect() for _ in range(40)]
            closed = 0
            for number, wire in enumerate(wires):
                await wire.post(f"M{number}")
                try:
                    closed += await wire.answers(1) != [f"AA M{number}"]
                except (AssertionError, OSError):
                    closed += 1
            assert 10 < closed < 40
            await process.until(lambda: listening.server.seen.open == 42 - closed)

    run(scenario)
