"""The second process: handed messages, killed, silent, of another version. No message is forgotten whatever it does."""

import asyncio
import errno
import os
import signal
import sys

import pytest

from insigne.exchange.reader.child import reader_of
from insigne.exchange.reader.link import Patience
from insigne.exchange.reader.process import SecondReader
from insigne.exchange.reader.wire import UNREAD

OTHER_VERSION = "import socket; s = socket.socket(fileno=0); s.recv(99); s.sendall(b'\\0\\0\\0\\x030.0'); s.recv(99)"
SILENT = "import socket; s = socket.socket(fileno=0)\nwhile s.recv(99): pass"


def stand_in(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


class Told:
    """What was told of the messages offered, in the order it was."""

    def __init__(self, expected: int) -> None:
        self.all: list[tuple[int, bytes]] = []
        self._expected = expected
        self._whole = asyncio.Event()

    def of(self, number: int):
        def told(written: bytes) -> None:
            self.all.append((number, written))
            if len(self.all) == self._expected:
                self._whole.set()

        return told

    async def whole(self) -> None:
        await self._whole.wait()


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_messages_are_read_in_order_by_another_process(run, site, feed):
    ours = site()

    async def scenario():
        second = SecondReader(ours)
        assert await second.start()
        told = Told(60)
        assert all(second.offer(raw, told.of(number)) for number, raw in enumerate(feed[:60]))
        assert told.all == []  # never before the offer is over
        await told.whole()
        assert second.pid != os.getpid()
        await second.close()
        return told.all, second.messages

    read = reader_of(ours)
    assert run(scenario) == ([(number, read(raw)) for number, raw in enumerate(feed[:60])], 60)


def test_it_starts_when_a_message_is_offered_which_is_left_to_who_offers_it(run, site, feed):
    async def scenario():
        second = SecondReader(site())
        told = Told(1)
        assert not second.offer(feed[0], told.of(0))
        assert await second.start()
        assert told.all == []
        assert second.offer(feed[0], told.of(1))
        await told.whole()
        await second.close()
        return [number for number, _ in told.all]

    assert run(scenario) == [1]


def test_what_a_killed_process_had_in_hand_is_told_unread_in_order(run, site, feed):
    async def scenario():
        second = SecondReader(site())
        assert await second.start()
        pid = second.pid
        os.kill(pid, signal.SIGSTOP)
        told = Told(20)
        assert all(second.offer(raw, told.of(number)) for number, raw in enumerate(feed[:20]))
        os.kill(pid, signal.SIGKILL)
        await told.whole()
        assert second.pid is None
        assert not second.offer(feed[0], told.of(99))
        await second.close()
        return told.all

    assert run(scenario) == [(number, UNREAD) for number in range(20)]


def test_a_process_that_does_not_answer_is_given_up_and_ended(run, site, feed):
    async def scenario():
        second = SecondReader(site(), patience=Patience(answer=0.01))
        assert await second.start()
        pid = second.pid
        os.kill(pid, signal.SIGSTOP)
        told = Told(1)
        assert second.offer(feed[0], told.of(0))
        await told.whole()
        await second.close()
        return told.all, exists(pid)

    assert run(scenario) == ([(0, UNREAD)], False)


@pytest.mark.parametrize(
    ("command", "patience"),
    [
        (stand_in(OTHER_VERSION), Patience()),
        (stand_in(SILENT), Patience(start=0.01)),
        (stand_in("raise SystemExit(1)"), Patience()),
        (("/nowhere/python",), Patience()),
    ],
    ids=["another-version", "silent", "ends-at-once", "no-such-program"],
)
def test_a_process_that_is_of_no_use_is_done_without(run, site, feed, command, patience):
    async def scenario():
        second = SecondReader(site(), command=command, patience=patience)
        ready = await second.start()
        taken = second.offer(feed[0], Told(1).of(0))
        await second.close()
        return ready, taken

    assert run(scenario) == (False, False)


def test_it_is_started_again_but_not_at_once(run, site, feed):
    async def scenario(again):
        second = SecondReader(site(), command=("/nowhere/python",), patience=Patience(again=again))
        await second.start()
        second.offer(feed[0], Told(1).of(0))
        starting = second.starting
        await second.close()
        return starting

    assert run(lambda: scenario(0.0))
    assert not run(lambda: scenario(3600.0))


def test_a_failure_is_followed_by_a_pause_however_long_it_ran(run, site, feed):
    async def scenario():
        second = SecondReader(site(), patience=Patience(again=0.1))  # a Python takes longer than that to start
        assert await second.start()
        started: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def told(_: bytes) -> None:
            assert not second.offer(feed[0], told)
            started.set_result(second.starting)

        os.kill(second.pid, signal.SIGSTOP)
        assert second.offer(feed[0], told)
        os.kill(second.pid, signal.SIGKILL)
        at_once = await started
        await second.close()
        return at_once

    assert run(scenario) is False


def test_a_machine_that_gives_no_socket_is_no_obstacle_to_starting_later_nor_to_the_end(run, site, feed, monkeypatch):
    def refused() -> None:
        raise OSError(errno.EMFILE, "too many open files")

    async def scenario():
        second = SecondReader(site(), patience=Patience(again=0.0))
        with monkeypatch.context() as patched:
            patched.setattr("insigne.exchange.reader.process.socket.socketpair", refused)
            assert not await second.start()
        assert not second.offer(feed[0], Told(1).of(0))
        started = await second.start()
        await second.close()
        return started

    assert run(scenario) is True


def test_it_ends_without_waiting_for_a_process_that_takes_nothing(run, site):
    async def scenario():
        second = SecondReader(site(), patience=Patience(answer=3600.0))
        assert await second.start()
        told = Told(1)
        os.kill(second.pid, signal.SIGSTOP)
        assert second.offer(b"x" * 9_000_000, told.of(0))  # more than the system keeps for it
        await asyncio.sleep(0)
        await second.close()
        await told.whole()
        return told.all

    assert run(scenario) == [(0, UNREAD)]


def test_it_takes_no_more_than_it_should_hold(run, site, feed):
    async def scenario():
        second = SecondReader(site())
        assert await second.start()
        os.kill(second.pid, signal.SIGSTOP)
        told = Told(64)
        taken = [second.offer(feed[0], told.of(number)) for number in range(70)]
        os.kill(second.pid, signal.SIGCONT)
        await told.whole()
        again = second.offer(b"x" * 9_000_000, Told(1).of(0))  # one alone, whatever its size
        beside = second.offer(feed[0], Told(1).of(0))
        await second.close()
        return taken, again, beside

    assert run(scenario) == ([True] * 64 + [False] * 6, True, False)


def test_it_ends_with_the_first_process(run, site, feed):
    async def scenario():
        second = SecondReader(site())
        assert await second.start()
        pid = second.pid
        told = Told(3)
        os.kill(pid, signal.SIGSTOP)
        for number in range(3):
            assert second.offer(feed[number], told.of(number))
        await second.close()
        await told.whole()
        return told.all, exists(pid), second.offer(feed[0], told.of(9)), second.starting

    assert run(scenario) == ([(number, UNREAD) for number in range(3)], False, False, False)
