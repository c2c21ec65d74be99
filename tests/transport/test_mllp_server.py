"""The listener against peers that send, wait, leave and misbehave, over real sockets."""

import asyncio
import errno
import socket
import struct

import pytest
from structlog.testing import capture_logs

from insigne.exchange.model import Answer
from insigne.hl7 import frame
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import MllpSettings


def test_a_message_that_comes_byte_by_byte_is_answered_once(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            data = frame(helpers.message("ONE"))
            await wire.send(*(data[i : i + 1] for i in range(len(data))))
            assert await wire.answers(1) == ["AA ONE"]

    run(scenario)
    assert [one.raw for one in receiver.received] == [helpers.message("ONE")]


def test_messages_that_come_in_one_piece_are_answered_in_order(run, serve, receiver):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.post("A", "B", "C")
            assert await wire.answers(3) == ["AA A", "AA B", "AA C"]

    run(scenario)
    assert receiver.ids == ["A", "B", "C"]


def test_a_received_message_says_who_sent_it_and_when(run, serve, receiver):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.post("A")
            await wire.answers(1)

    run(scenario)
    (received,) = receiver.received
    assert (received.peer.endpoint, received.peer.name, received.peer.fingerprint) == ("mllp", "127.0.0.1", "")
    assert received.time == "2026-03-01T07:30:00.000Z"


def test_bytes_before_a_message_are_reported_and_the_message_is_answered(run, serve, receiver):
    async def scenario():
        async with serve() as (server, connect):
            wire = await connect()
            await wire.send(b"GET / HTTP/1.1")
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]
            assert server.counters.junk == 1

    run(scenario)
    assert [(junk.data, junk.reason) for junk in receiver.junk] == [(b"GET / HTTP/1.1", "outside-frame")]


def test_an_end_byte_inside_a_message_belongs_to_it(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.send(frame(helpers.message("A", name="DE\x1cLORME")))
            assert await wire.answers(1) == ["AA A"]

    run(scenario)
    assert b"DE\x1cLORME" in receiver.received[0].raw


def test_a_keep_alive_of_a_lone_carriage_return_is_ignored(run, serve, receiver):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.send(b"\r")
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]

    run(scenario)
    assert receiver.junk == []


def test_half_a_message_before_a_close_is_reported_and_not_processed(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.send(frame(helpers.message("A"))[:60])
            await wire.close()
            await helpers.until(lambda: receiver.junk)

    run(scenario)
    assert receiver.received == []
    assert [(junk.size, junk.reason) for junk in receiver.junk] == [(59, "unterminated")]  # without the start byte


def test_a_sender_that_dribbles_a_message_is_cut(run, serve, receiver):
    async def dribble(wire):
        while True:
            await wire.send(b"x")
            await asyncio.sleep(0)

    async def scenario():
        async with serve(frame_seconds=0.05) as (server, connect):
            wire = await connect()
            await wire.send(b"\x0bMSH|")
            with pytest.raises(OSError):  # noqa: PT011  # reset or broken pipe, by chance
                await dribble(wire)
            assert server.counters.timeouts == 1

    run(scenario)
    assert [junk.reason for junk in receiver.junk] == ["unterminated"]


def test_a_sender_that_stops_in_the_middle_of_a_message_is_cut(run, serve, receiver):
    async def scenario():
        async with serve(frame_seconds=0.02) as (server, connect):
            wire = await connect()
            await wire.send(b"\x0bMSH|^~\\&|")
            assert await wire.is_closed()
            assert server.counters.timeouts == 1

    run(scenario)
    assert [junk.reason for junk in receiver.junk] == ["unterminated"]


def test_a_silent_connection_is_closed_after_the_idle_time(run, serve):
    async def scenario():
        async with serve(idle_seconds=1.0) as (server, connect):
            wire = await connect()
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]
            assert await wire.is_closed()
            assert server.counters.timeouts == 1

    run(scenario)


def test_a_sender_waiting_for_its_answer_is_not_idle(run, serve, receiver, helpers):
    async def scenario():
        async with serve(idle_seconds=1.0, frame_seconds=1.0) as (server, connect):
            receiver.holding = True
            waiting = await connect()
            await waiting.post("A")
            await helpers.until(lambda: receiver.held)
            other = await connect()
            assert await other.is_closed()  # as many idle times later, the first one still waits
            receiver.release()
            assert await waiting.answers(1) == ["AA A"]
            assert server.counters.answers == 1

    run(scenario)


def test_a_message_over_the_limit_is_reported_and_its_connection_closed(run, serve, receiver):
    async def scenario():
        async with serve(max_frame_bytes=1000) as (server, connect):
            wire = await connect()
            await wire.post("BEFORE")
            await wire.send(b"\x0bMSH|" + b"x" * 2000)
            assert await wire.answers(1) == ["AA BEFORE"]
            assert await wire.is_closed()
            assert server.counters.junk == 1

    run(scenario)
    assert [junk.reason for junk in receiver.junk] == ["oversized"]
    assert receiver.ids == ["BEFORE"]


def test_a_message_over_the_limit_may_leave_the_connection_open(run, serve, receiver):
    async def scenario():
        async with serve(max_frame_bytes=1000, close_on_oversized=False) as (_, connect):
            wire = await connect()
            await wire.send(b"\x0bMSH|" + b"x" * 2000 + b"\x1c\r")
            await wire.post("AFTER")
            assert await wire.answers(1) == ["AA AFTER"]

    run(scenario)
    assert [junk.reason for junk in receiver.junk] == ["oversized"]


def test_a_connection_that_only_brings_rubbish_is_closed(run, serve, receiver):
    async def scenario():
        async with serve(junk_limit=3) as (_, connect):
            wire = await connect()
            await wire.send(b"\x0b\x1c\r" * 10)
            assert await wire.is_closed()

    run(scenario)
    assert 3 <= len(receiver.junk) <= 10


def test_one_connection_too_many_is_closed_and_a_place_given_back_can_be_taken(run, serve, helpers):
    async def scenario():
        async with serve(max_connections=2) as (server, connect):
            first, second = await connect(), await connect()
            await first.post("A")
            await second.post("B")
            assert await first.answers(1) + await second.answers(1) == ["AA A", "AA B"]
            assert await (await connect()).is_closed()
            assert server.counters.refused == 1
            await first.close()
            await helpers.until(lambda: server.counters.open == 1)
            third = await connect()
            await third.post("C")
            assert await third.answers(1) == ["AA C"]

    run(scenario)


def test_one_address_may_not_take_the_places_of_the_others(run, serve, helpers):
    async def scenario():
        async with serve(max_connections=4, connections_per_peer=2, answer_seconds=1) as (server, connect):
            first, _ = await connect(), await connect()
            await helpers.until(lambda: server.counters.open == 2)
            for _ in range(5):
                assert await (await connect()).is_closed()
            assert (server.counters.open, server.counters.refused) == (2, 5)
            other = await connect(local_addr=("127.0.0.2", 0))
            await other.post("A")
            assert await other.answers(1) == ["AA A"]
            await helpers.until(lambda: "mllp.accepting-again" in str(logs))
            await first.close()
            await helpers.until(lambda: server.counters.open == 2)
            again = await connect()
            await again.post("B")
            assert await again.answers(1) == ["AA B"]

    with capture_logs() as logs:
        run(scenario)
    assert [(line["event"], line["address"]) for line in logs] == [
        ("mllp.too-many-connections-of-peer", "127.0.0.1"),
        ("mllp.accepting-again", "127.0.0.1"),
    ]
    assert (logs[0]["limit"], logs[1]["refused"]) == (2, 5)


def test_a_storm_of_refused_connections_is_two_lines_in_the_log(run, serve, helpers):
    async def scenario():
        async with serve(max_connections=1, answer_seconds=1) as (server, connect):
            await connect()
            await helpers.until(lambda: server.counters.open)
            await asyncio.gather(*(connect() for _ in range(20)))
            await helpers.until(lambda: "mllp.accepting-again" in str(logs))

    with capture_logs() as logs:
        run(scenario)
    assert [line["event"] for line in logs] == ["mllp.too-many-connections", "mllp.accepting-again"]
    assert logs[-1]["refused"] == 20


def test_a_storm_of_connections_leaves_nothing_behind(run, serve, receiver, helpers):
    async def visit(connect, number):
        wire = await connect()
        if number % 3 == 0:
            await wire.post(f"M{number}")
            assert await wire.answers(1) == [f"AA M{number}"]
        elif number % 3 == 1:
            await wire.send(b"\x0bMSH|^~")
        await wire.close()

    async def scenario():
        async with serve(max_connections=100) as (server, connect):
            for _ in range(5):
                await asyncio.gather(*(visit(connect, number) for number in range(60)))
            await helpers.until(lambda: server.counters.open == 0)
            assert server.counters.connections == 300
            assert server.counters.refused == 0

    run(scenario)
    assert len(receiver.received) == 100
    assert len(receiver.junk) == 100


def test_a_peer_that_never_reads_is_no_longer_read_and_then_cut(run, serve, receiver):
    receiver.reply = lambda received: Answer(b"MSH|" + b"x" * 500_000, "AA", "01", durable=True)

    async def flood(wire):
        while True:
            await wire.post("A", "B", "C")

    async def scenario():
        async with serve(answer_seconds=0.05, in_flight=4) as (server, connect):
            wire = await connect()
            wire.reader._transport.pause_reading()
            with pytest.raises(OSError):  # noqa: PT011  # reset or broken pipe, by chance
                await flood(wire)
            assert server.counters.timeouts == 1
            # What was answered fits in the buffers of two sockets: a few megabytes.
            assert server.counters.answers < 60

    run(scenario)


def test_answers_go_back_in_the_order_of_the_messages(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post("A", "B", "C")
            await helpers.until(lambda: len(receiver.held) == 3)
            receiver.release(2)
            receiver.release(1)
            assert server.counters.answers == 0
            receiver.release(0)
            assert await wire.answers(3) == ["AA A", "AA B", "AA C"]

    run(scenario)


def test_nothing_is_answered_before_the_receiver_has_answered(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post("A")
            await helpers.until(lambda: receiver.held)
            assert server.counters.answers == 0
            receiver.release()
            assert await wire.answers(1) == ["AA A"]

    run(scenario)


@pytest.mark.parametrize("limit", [{"in_flight": 3}, {"in_flight_bytes": 500}])
def test_a_sender_in_a_hurry_has_few_messages_in_hand_and_all_answered(run, serve, receiver, helpers, limit):
    names = [f"M{number}" for number in range(40)]

    async def scenario():
        async with serve(**limit) as (_, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post(*names)
            reading = asyncio.ensure_future(wire.answers(40))
            while not reading.done():
                if receiver.held:
                    receiver.release(len(receiver.held) - 1)
                await asyncio.sleep(0)
            assert reading.result() == [f"AA {name}" for name in names]

    run(scenario)
    assert receiver.ids == names
    assert receiver.most_held == 3  # a message has about 200 bytes: the third passes 500


def test_one_message_larger_than_the_bytes_in_hand_is_processed_alone(run, serve):
    async def scenario():
        async with serve(in_flight_bytes=10) as (_, connect):
            wire = await connect()
            await wire.post("A", "B")
            assert await wire.answers(2) == ["AA A", "AA B"]

    run(scenario)


def test_a_failure_of_the_receiver_closes_that_connection_only_and_answers_nothing(run, serve, receiver, helpers):
    def fail(received):
        if b"|BAD|" in received.raw:
            raise RuntimeError("BÉRANGER is in the text of this error")
        return helpers.answer_to(received.raw)

    receiver.reply = fail

    async def scenario():
        async with serve() as (server, connect):
            bad, good = await connect(), await connect()
            await bad.post("BAD")
            assert await bad.is_closed()
            await good.post("GOOD")
            assert await good.answers(1) == ["AA GOOD"]
            assert server.counters.failures == 1

    with capture_logs() as logs:
        run(scenario)
    assert "RuntimeError" in str(logs)
    assert "RANGER" not in str(logs)


def test_a_message_that_could_not_be_kept_is_not_answered(run, serve, receiver):
    receiver.reply = lambda received: Answer(b"", "", "", durable=False)

    async def scenario():
        async with serve() as (server, connect):
            wire = await connect()
            await wire.post("A")
            assert await wire.is_closed()
            assert server.counters.failures == 1

    run(scenario)


def test_a_message_that_calls_for_no_answer_gets_none_and_the_next_is_answered(run, serve, receiver, helpers):
    receiver.reply = lambda received: (
        Answer(b"", "", "01", durable=True) if b"|QUIET|" in received.raw else helpers.answer_to(received.raw)
    )

    async def scenario():
        async with serve() as (_, connect):
            wire = await connect()
            await wire.post("QUIET", "A")
            assert await wire.answers(1) == ["AA A"]

    run(scenario)


def test_a_failure_to_report_rubbish_does_not_reach_the_others(run, serve, receiver):
    def fail(junk, peer):
        raise RuntimeError

    receiver.report_junk = fail

    async def scenario():
        async with serve() as (_, connect):
            bad, good = await connect(), await connect()
            await bad.send(b"rubbish\x0b")
            assert await bad.is_closed()
            await good.post("A")
            assert await good.answers(1) == ["AA A"]

    run(scenario)


def test_a_sender_that_closes_its_side_still_gets_its_answers(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (_, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post("A", "B")
            wire.writer.write_eof()
            await helpers.until(lambda: len(receiver.held) == 2)
            receiver.release()
            receiver.release()
            assert await wire.answers(2) == ["AA A", "AA B"]
            assert await wire.is_closed()

    run(scenario)


def test_a_sender_that_left_does_not_hinder_the_receiver(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post("A", "B")
            await helpers.until(lambda: len(receiver.held) == 2)
            linger = struct.pack("ii", 1, 0)  # a close without goodbye: the peer sees a reset
            wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            wire.writer.transport.abort()
            await helpers.until(lambda: server.counters.open == 0)
            receiver.release()
            receiver.release()
            assert server.counters.undelivered == 2

    run(scenario)


def test_a_stop_answers_what_is_in_hand_and_takes_nothing_more(run, serve, receiver, helpers):
    async def scenario():
        async with serve() as (server, connect):
            receiver.holding = True
            wire, idle = await connect(), await connect()
            await wire.post("A", "B")
            await helpers.until(lambda: len(receiver.held) == 2)
            stopping = asyncio.ensure_future(server.stop())
            assert await idle.is_closed()
            await wire.post("TOO-LATE")
            receiver.release()
            receiver.release()
            assert await wire.answers(2) == ["AA A", "AA B"]
            assert await wire.is_closed()
            await stopping

    run(scenario)
    assert receiver.ids == ["A", "B"]


def test_after_a_stop_nobody_listens(run, serve):
    async def scenario():
        async with serve() as (server, _):
            address = server.address
            await server.stop()
            with pytest.raises(OSError):  # noqa: PT011  # refused: the system says how
                await asyncio.open_connection(*address)
            with pytest.raises(RuntimeError, match="start it first"):
                assert server.address

    run(scenario)


def test_a_stop_does_not_wait_for_ever(run, serve, receiver, helpers):
    async def scenario():
        async with serve(drain_seconds=0.02) as (server, connect):
            receiver.holding = True
            wire = await connect()
            await wire.post("A")
            await helpers.until(lambda: receiver.held)
            await server.stop()
            assert await wire.is_closed()
            assert server.counters.open == 0

    run(scenario)


def test_the_log_holds_nothing_of_a_message(run, serve, receiver, helpers):
    async def scenario():
        async with serve(frame_seconds=0.02) as (_, connect):
            wire = await connect()
            await wire.send(b"|BERANGER|19810412")
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]
            await wire.send(frame(helpers.message("B"))[:-2])
            assert await wire.is_closed()

    with capture_logs() as logs:
        run(scenario)
    assert {line["event"] for line in logs} == {"mllp.junk", "mllp.timeout"}
    assert "RANGER" not in str(logs)
    assert "19810412" not in str(logs)


def test_a_name_with_several_addresses_is_listened_on_at_one_port(run, serve):
    async def scenario():
        async with serve(host="localhost") as (server, _):
            _, port = server.address
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()

    run(scenario)


def test_an_address_that_is_taken_is_an_error_at_the_start(run, serve, receiver):
    async def scenario():
        async with serve() as (server, _):
            _, port = server.address
            with pytest.raises(OSError, match="in use"):
                await MllpServer(MllpSettings(port=port), receiver, clock=str).start()

    run(scenario)


def test_without_file_descriptors_left_connections_wait(run, serve, helpers, monkeypatch):
    accept = socket.socket.accept
    refusals = [OSError(errno.EMFILE, "Too many open files")]

    def scarce(listening):
        if refusals:
            raise refusals.pop()
        return accept(listening)

    async def scenario():
        async with serve() as (_, connect):
            monkeypatch.setattr(socket.socket, "accept", scarce)
            wire = await connect()
            await wire.post("A")
            assert await wire.answers(1) == ["AA A"]

    monkeypatch.setattr("insigne.transport.mllp_server._ACCEPT_PAUSE", 0.01)
    with capture_logs() as logs:
        run(scenario)
    assert [(line["event"], line["error"]) for line in logs] == [("mllp.cannot-accept", "Too many open files")]
