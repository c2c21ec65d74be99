"""Group commit: batches, order, back-pressure, another writer, drain. No clock is waited for."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from insigne.exchange.arrival import Unframed
from insigne.exchange.errors import StoreBusy
from insigne.exchange.groupcommit import GroupCommit
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.settings import ExchangeSettings
from insigne.hl7 import Junk

PEER = Peer("gam", "mllp")


class Reading(NamedTuple):
    """A message that the stand-in has read."""

    item: Received | Unframed


class Intake:
    """An intake that answers each message with its own bytes, and remembers its batches."""

    def __init__(self) -> None:
        self.read_so_far: list[bytes] = []
        self.written: list[bytes] = []
        self.batches: list[list[bytes]] = []
        self.busy = 0
        self.refused: list[str] = []
        self.during: Callable[[], None] = lambda: None
        self.committing: Callable[[], None] = lambda: None

    def read(self, item: Received | Unframed, written: bytes = b"") -> Reading:
        self.read_so_far.append(_content(item))
        self.written.append(written)
        return Reading(item)

    def decide(self, readings: Sequence[Reading]) -> list[bytes]:
        self.during()
        if self.busy:
            self.busy -= 1
            raise StoreBusy("locked")
        return [_content(one.item) for one in readings]

    def conclude(self, batch: list[bytes]) -> list[Answer]:
        self.committing()
        self.batches.append(batch)
        return [Answer(content, "AA", "id", durable=True) for content in batch]

    def unavailable(self, item: Received | Unframed, reason: str) -> Answer:
        self.refused.append(reason)
        return Answer(_content(item), "AR", "", durable=False)


def _content(item: Received | Unframed) -> bytes:
    return item.raw if isinstance(item, Received) else item.junk.data


def _received(content: bytes) -> Received:
    return Received(content, PEER, "2026-03-01T08:00:00.000Z")


def _group(intake: Intake, **settings: Any) -> GroupCommit:
    executor, remote = settings.pop("executor", None), settings.pop("remote", False)
    timer = settings.pop("timer", lambda: 0.0)
    return GroupCommit(
        intake,  # type: ignore[arg-type]  # a stand-in for the intake: what the group asks of it
        ExchangeSettings(**settings),
        clock=lambda: "2026-03-01T08:00:00.000Z",
        executor=executor,
        remote=remote,
        timer=timer,
    )


def test_what_arrives_together_is_committed_together_and_answered_in_order() -> None:
    intake = Intake()
    answered: list[bytes] = []

    async def scenario() -> None:
        group = _group(intake)
        for number in range(5):
            group.submit_nowait(_received(b"%d" % number), lambda answer: answered.append(answer.payload))
        await group.drain()

    asyncio.run(scenario())
    assert intake.batches == [[b"0", b"1", b"2", b"3", b"4"]]
    assert answered == [b"0", b"1", b"2", b"3", b"4"]


def test_a_batch_has_a_limit() -> None:
    intake = Intake()

    async def scenario() -> None:
        group = _group(intake, batch=2)
        await asyncio.gather(*(group.submit(_received(b"%d" % number)) for number in range(5)))

    asyncio.run(scenario())
    assert intake.batches == [[b"0", b"1"], [b"2", b"3"], [b"4"]]


def test_a_message_alone_is_committed_alone() -> None:
    intake = Intake()

    async def scenario() -> Answer:
        return await _group(intake).submit(_received(b"one"))

    assert asyncio.run(scenario()).payload == b"one"
    assert intake.batches == [[b"one"]]


def test_what_arrives_during_a_commit_goes_in_the_next_one() -> None:
    intake = Intake()
    answered: list[bytes] = []

    async def scenario() -> None:
        group = _group(intake)

        def keep(answer: Answer) -> None:
            answered.append(answer.payload)

        def more() -> None:
            intake.during = lambda: None
            group.submit_nowait(_received(b"late 1"), keep)
            group.submit_nowait(_received(b"late 2"), keep)

        intake.during = more
        group.submit_nowait(_received(b"first"), keep)
        await group.drain()

    asyncio.run(scenario())
    assert intake.batches == [[b"first"], [b"late 1", b"late 2"]]
    assert answered == [b"first", b"late 1", b"late 2"]


def test_a_callback_may_submit_again() -> None:
    intake = Intake()
    answered: list[bytes] = []

    async def scenario() -> None:
        group = _group(intake)

        def first(answer: Answer) -> None:
            answered.append(answer.payload)
            group.submit_nowait(_received(b"second"), lambda answer: answered.append(answer.payload))

        group.submit_nowait(_received(b"first"), first)
        await group.drain()

    asyncio.run(scenario())
    assert answered == [b"first", b"second"]


def test_a_full_queue_answers_ar_at_once_and_keeps_what_it_has() -> None:
    intake = Intake()

    async def scenario() -> list[str]:
        group = _group(intake, queue=2)
        codes: list[str] = []
        for number in range(4):
            group.submit_nowait(_received(b"%d" % number), lambda answer: codes.append(answer.code))
        assert codes == ["AR", "AR"]
        assert group.waiting == 2
        await group.drain()
        assert group.waiting == 0
        return codes

    assert asyncio.run(scenario()) == ["AR", "AR", "AA", "AA"]
    assert intake.batches == [[b"0", b"1"]]
    assert intake.refused == ["the intake queue is full"] * 2


def test_messages_wait_for_another_writer_and_keep_their_order() -> None:
    intake = Intake()
    intake.busy = 3

    async def scenario() -> list[bytes]:
        group = _group(intake, batch=2)
        answers = await asyncio.gather(*(group.submit(_received(b"%d" % number)) for number in range(3)))
        return [answer.payload for answer in answers]

    assert asyncio.run(scenario()) == [b"0", b"1", b"2"]
    assert intake.batches == [[b"0", b"1"], [b"2"]]


def test_messages_are_refused_when_the_other_writer_stays_too_long() -> None:
    intake = Intake()
    intake.busy = 1_000_000

    async def scenario() -> str:
        group = _group(intake, lock_wait_seconds=0.001)
        answer = await group.submit(_received(b"x"))
        intake.busy = 0
        assert (await group.submit(_received(b"y"))).code == "AA"
        return answer.code

    assert asyncio.run(scenario()) == "AR"
    assert intake.refused == ["locked"]


def test_drain_waits_for_everything_submitted() -> None:
    intake = Intake()
    answered: list[bytes] = []

    async def scenario() -> None:
        group = _group(intake, batch=1)
        await group.drain()
        for number in range(3):
            group.submit_nowait(_received(b"%d" % number), lambda answer: answered.append(answer.payload))
        await group.drain()
        assert len(answered) == 3

    asyncio.run(scenario())


def test_an_abandoned_wait_does_not_disturb_the_others() -> None:
    intake = Intake()

    async def scenario() -> Answer:
        group = _group(intake)
        gone = asyncio.ensure_future(group.submit(_received(b"gone")))
        kept = asyncio.ensure_future(group.submit(_received(b"kept")))
        await asyncio.sleep(0)
        gone.cancel()
        return await kept

    assert asyncio.run(scenario()).payload == b"kept"


def test_junk_is_recorded_in_its_turn() -> None:
    intake = Intake()

    async def scenario() -> None:
        group = _group(intake)
        group.submit_nowait(_received(b"first"), lambda _: None)
        group.report_junk(Junk(b"junk", 4, "outside-frame"), PEER)
        await group.drain()

    asyncio.run(scenario())
    assert intake.batches == [[b"first", b"junk"]]


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("busy", [0, 2])
def test_batches_may_be_committed_in_a_thread_one_after_another(busy: int, remote: bool) -> None:
    intake = Intake()
    intake.busy = busy

    async def scenario() -> list[bytes]:
        with ThreadPoolExecutor(1) as executor:
            group = _group(intake, batch=2, executor=executor, remote=remote)
            answers = await asyncio.gather(*(group.submit(_received(b"%d" % number)) for number in range(5)))
            await group.drain()
        return [answer.payload for answer in answers]

    assert asyncio.run(scenario()) == [b"0", b"1", b"2", b"3", b"4"]
    assert [content for batch in intake.batches for content in batch] == [b"0", b"1", b"2", b"3", b"4"]


def test_messages_go_through_a_real_intake(hospital: Any, write: Any) -> None:
    raws = [hospital.message("A28", write.pid(write.pi(str(n))), write.segment("PV1", {2: "N"})) for n in range(10)]

    async def scenario() -> list[Answer]:
        group = GroupCommit(hospital.intake, ExchangeSettings(), clock=lambda: "2026-03-01T08:00:00.000Z")
        return await asyncio.gather(*(group.submit(hospital.received(raw)) for raw in raws))

    answers = asyncio.run(scenario())
    assert [answer.code for answer in answers] == ["AA"] * 10
    assert len(hospital.identities()) == 10
    assert hospital.intake.counters.batches == 1


def test_messages_are_read_while_those_before_them_are_committed() -> None:
    intake = Intake()
    commits, may_end = threading.Event(), threading.Event()

    def commit() -> None:
        commits.set()
        assert may_end.wait(60)

    async def scenario() -> list[bytes]:
        with ThreadPoolExecutor(1) as executor:
            group = _group(intake, executor=executor)
            intake.committing = commit
            first = [asyncio.ensure_future(group.submit(_received(content))) for content in (b"1", b"2")]
            await asyncio.to_thread(commits.wait, 60)
            late = asyncio.ensure_future(group.submit(_received(b"late")))
            await asyncio.sleep(0)
            read = list(intake.read_so_far)
            assert not any(one.done() for one in first)
            may_end.set()
            await asyncio.gather(*first, late)
        return read

    assert asyncio.run(scenario()) == [b"1", b"2", b"late"]
    assert intake.batches == [[b"1", b"2"], [b"late"]]


@pytest.mark.parametrize(("seconds", "thread"), [(0.001, "MainThread"), (0.01, "committer_0")])
def test_a_thread_waits_for_a_slow_disk_and_for_nothing_else(seconds: float, thread: str) -> None:
    intake = Intake()
    threads: list[str] = []
    now = [0.0]

    def commit() -> None:
        threads.append(threading.current_thread().name)
        now[0] += seconds

    intake.committing = commit

    async def scenario() -> None:
        with ThreadPoolExecutor(1, "committer") as executor:
            group = _group(intake, executor=executor, timer=lambda: now[0])
            for size in (2, 2, 1):
                await asyncio.gather(*(group.submit(_received(b"%d" % number)) for number in range(size)))

    asyncio.run(scenario())
    assert threads == ["committer_0", thread, "MainThread"]


def test_messages_beyond_the_next_batch_are_read_in_their_turn() -> None:
    intake = Intake()

    async def scenario() -> None:
        group = _group(intake, batch=2)
        for number in range(5):
            group.submit_nowait(_received(b"%d" % number), lambda _: None)
        assert intake.read_so_far == [b"0", b"1"]
        await group.drain()

    asyncio.run(scenario())
    assert intake.read_so_far == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("threaded", [False, True])
def test_a_defect_refuses_its_batch_and_the_next_messages_are_taken(threaded: bool) -> None:
    intake = Intake()

    def broken() -> None:
        intake.during = lambda: None
        raise RuntimeError("a defect")

    async def scenario() -> list[str]:
        with ThreadPoolExecutor(1) as executor:
            group = _group(intake, executor=executor if threaded else None)
            intake.during = broken
            codes = [(await group.submit(_received(content))).code for content in (b"first", b"second")]
            await group.drain()
            return codes

    assert asyncio.run(scenario()) == ["AR", "AA"]


def test_a_sender_that_cannot_be_answered_does_not_silence_the_others() -> None:
    intake = Intake()
    answered: list[bytes] = []

    def gone(_: Answer) -> None:
        raise ConnectionError("gone")

    async def scenario() -> None:
        group = _group(intake)
        group.submit_nowait(_received(b"gone"), gone)
        group.submit_nowait(_received(b"there"), lambda answer: answered.append(answer.payload))
        await group.drain()

    asyncio.run(scenario())
    assert answered == [b"there"]


def test_what_another_process_has_read_of_a_message_is_used_and_its_turn_is_the_same() -> None:
    intake = Intake()
    answered: list[bytes] = []

    async def scenario() -> None:
        group = _group(intake, batch=2)
        for number in range(5):
            group.submit_read(
                _received(b"%d" % number), b"r%d" % number, lambda answer: answered.append(answer.payload)
            )
        await group.drain()

    asyncio.run(scenario())
    assert answered == [b"0", b"1", b"2", b"3", b"4"]
    assert intake.written == [b"r0", b"r1", b"r2", b"r3", b"r4"]
