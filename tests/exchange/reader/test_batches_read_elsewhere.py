"""Batches whose messages are read by another process: in order, none forgotten, the same outcome."""

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import pytest

from insigne.exchange.arrival import Unframed
from insigne.exchange.groupcommit import GroupCommit
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.reader.ahead import ReadAhead
from insigne.exchange.reader.process import SecondReader
from insigne.exchange.settings import ExchangeSettings, SenderSettings

PEER = Peer("gam", "mllp")
NOW = "2026-03-01T08:00:00.000Z"


class Reading(NamedTuple):
    """A message that the stand-in has read."""

    item: Received


class Intake:
    """An intake that answers each message with its own bytes, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.during: Callable[[], None] = lambda: None

    def read(self, item: Received) -> Reading:
        return Reading(item)

    def decide(self, readings: list[Reading]) -> Generator[None, None, list[bytes]]:
        self.during()
        yield
        return [one.item.raw for one in readings]

    def conclude(self, batch: list[bytes]) -> list[Answer]:
        self.batches.append(batch)
        return [Answer(content, "AA", "id", durable=True) for content in batch]


class Ahead:
    """Has the messages of some names read elsewhere, until the test says that they are."""

    def __init__(self, *names: bytes) -> None:
        self.done: dict[bytes, Callable[[], None]] = {}
        self.crowded: list[bool] = []
        self._names = names

    def read(self, item: Received | Unframed, done: Callable[[], None], *, crowded: bool) -> tuple[Reading, bool]:
        assert isinstance(item, Received)
        self.crowded.append(crowded)
        if item.raw not in self._names:
            return Reading(item), False
        self.done[item.raw] = done
        return Reading(item), True


def grouped(intake: Any, ahead: Any, **settings: Any) -> GroupCommit:
    return GroupCommit(intake, ExchangeSettings(**settings), clock=lambda: NOW, ahead=ahead)


async def turns() -> None:
    """Let the loop do all that it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_batch_ends_before_the_first_message_that_is_not_read_yet() -> None:
    intake, ahead, answered = Intake(), Ahead(b"3"), []

    async def scenario() -> list[bytes]:
        group = grouped(intake, ahead)
        for number in range(5):
            group.submit_nowait(Received(b"%d" % number, PEER, NOW), lambda answer: answered.append(answer.payload))
        await turns()
        early = list(answered)
        ahead.done[b"3"]()
        await group.drain()
        return early

    assert asyncio.run(scenario()) == [b"0", b"1", b"2"]
    assert answered == [b"0", b"1", b"2", b"3", b"4"]
    assert intake.batches == [[b"0", b"1", b"2"], [b"3", b"4"]]
    assert not any(ahead.crowded)


def test_the_order_is_that_of_arrival_whichever_is_read_first() -> None:
    intake, ahead = Intake(), Ahead(b"0", b"1", b"2")

    async def scenario() -> None:
        group = grouped(intake, ahead)
        waits = [asyncio.ensure_future(group.submit(Received(b"%d" % number, PEER, NOW))) for number in range(3)]
        await turns()
        for name in (b"2", b"1"):
            ahead.done[name]()
            await turns()
        assert intake.batches == []
        ahead.done[b"0"]()
        await asyncio.gather(*waits)

    asyncio.run(scenario())
    assert intake.batches == [[b"0", b"1", b"2"]]


def test_a_batch_is_worth_its_commit_once_half_of_what_waits_is_read() -> None:
    names = [b"%d" % number for number in range(6)]
    intake, ahead = Intake(), Ahead(*names)

    async def scenario() -> list[int]:
        group = grouped(intake, ahead)
        waits = [asyncio.ensure_future(group.submit(Received(name, PEER, NOW))) for name in names]
        await turns()
        committed = []
        for name in names:
            ahead.done[name]()
            await turns()
            committed.append(sum(map(len, intake.batches)))
        await asyncio.gather(*waits)
        return committed

    assert asyncio.run(scenario()) == [0, 0, 3, 3, 5, 6]


def test_what_is_read_during_a_decision_goes_in_the_next_batch() -> None:
    intake, ahead = Intake(), Ahead(b"1")

    async def scenario() -> None:
        group = grouped(intake, ahead)

        def during() -> None:
            intake.during = lambda: None
            ahead.done[b"1"]()

        intake.during = during
        await asyncio.gather(*(group.submit(Received(b"%d" % number, PEER, NOW)) for number in range(2)))

    asyncio.run(scenario())
    assert intake.batches == [[b"0"], [b"1"]]


def test_it_is_when_many_messages_come_that_a_second_process_is_of_use() -> None:
    intake, ahead = Intake(), Ahead()

    async def scenario() -> None:
        group = grouped(intake, ahead)
        await asyncio.gather(*(group.submit(Received(b"%d" % number, PEER, NOW)) for number in range(40)))

    asyncio.run(scenario())
    assert ahead.crowded == [False] * 24 + [True] * 16


def test_the_loop_turns_while_a_crowd_is_decided_on() -> None:
    intake, ahead = Intake(), Ahead()
    late: list[asyncio.Future[Answer]] = []
    turned: list[int] = []

    async def scenario() -> None:
        group = grouped(intake, ahead)

        def during() -> None:
            intake.during = lambda: None
            asyncio.get_running_loop().call_soon(arrives)

        def arrives() -> None:
            late.append(asyncio.ensure_future(group.submit(Received(b"late", PEER, NOW))))
            turned.append(len(intake.batches))

        intake.during = during
        await asyncio.gather(*(group.submit(Received(b"%d" % number, PEER, NOW)) for number in range(30)))
        await asyncio.gather(*late)

    asyncio.run(scenario())
    assert turned == [0]
    assert intake.batches[1] == [b"late"]


def test_a_drain_waits_for_what_is_read_elsewhere() -> None:
    intake, ahead = Intake(), Ahead(b"0")

    async def scenario() -> None:
        group = grouped(intake, ahead)
        group.submit_nowait(Received(b"0", PEER, NOW), lambda _: None)
        draining = asyncio.ensure_future(group.drain())
        await turns()
        assert not draining.done()
        ahead.done[b"0"]()
        await draining

    asyncio.run(scenario())
    assert intake.batches == [[b"0"]]


@pytest.mark.parametrize(
    "written",
    [b"\x82", b"\x90", b"\x81\xa8findings\x91\x81\xa4rule\xa2\xff\xff"],
    ids=["cut", "of-another-kind", "text-that-is-no-utf-8"],
)
def test_a_message_is_answered_whatever_the_other_process_wrote_of_it(open_hospital, write, written):
    hospital = open_hospital()

    class Second:
        def offer(self, raw: bytes, told: Callable[[bytes], None]) -> bool:
            asyncio.get_running_loop().call_soon(told, written)
            return True

    async def scenario() -> list[str]:
        group = grouped(hospital.intake, ReadAhead(hospital.intake.arrivals, Second()))
        raws = [hospital.message("A28", write.pid(write.pi(name))).encode() for name in "12"]
        answers = (group.submit(hospital.received(raw)) for raw in raws)
        return [answer.code for answer in await asyncio.wait_for(asyncio.gather(*answers), 10)]

    assert asyncio.run(scenario()) == ["AA", "AA"]


@pytest.mark.parametrize("kill", [False, True], ids=["in-peace", "killed-halfway"])
def test_a_hospital_comes_out_the_same_as_when_one_process_reads_all(open_hospital, run, site, feed, kill) -> None:
    sender = SenderSettings(rules={"V23": "reject"})
    alone, helped = open_hospital(senders=(sender,)), open_hospital(senders=(sender,))
    expected = [alone.post(raw)[0].code for raw in feed]

    async def scenario() -> tuple[list[str], int]:
        second = SecondReader(site(sender, authorities=()))
        assert await second.start()
        group = grouped(helped.intake, ReadAhead(helped.intake.arrivals, second), batch=8, queue=1000)
        pid = second.pid

        async def sent(number: int, raw: bytes) -> str:
            if kill and number == len(feed) // 2:
                os.kill(pid, signal.SIGKILL)
            return (await group.submit(helped.received(raw))).code

        codes = []
        for start in range(0, len(feed), 40):  # as many connections
            share = enumerate(feed[start : start + 40], start)
            codes += await asyncio.gather(*(sent(number, raw) for number, raw in share))
        await second.close()
        return codes, second.messages

    codes, elsewhere = run(scenario)
    assert codes == expected
    assert {"AA", "AE", "AR"} == set(codes)
    assert codes.count("AA") > 200
    assert elsewhere > 50
    assert helped.events() == alone.events()
    columns = "disposition, code, control_id, event, charset, findings, digest"
    assert helped.rows(f"SELECT {columns} FROM message ORDER BY id") == alone.rows(
        f"SELECT {columns} FROM message ORDER BY id"
    )
    assert _people(helped) == _people(alone)


def _people(hospital: Any) -> list[tuple[Any, ...]]:
    """What is known of each person, ids left out."""
    return [
        (one.traits, one.details, one.version, [held.identifier for held in one.identifiers], bool(one.merged_into))
        for one in hospital.identities()
    ]
