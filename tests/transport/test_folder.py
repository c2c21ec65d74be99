"""Watched folders on a real file system, with a receiver that may fail and a process that may die anywhere."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from insigne.exchange.model import Answer
from insigne.hl7 import frame, parse_ack
from insigne.transport.folder import FolderIntake
from insigne.transport.folder_files import FolderError
from insigne.transport.settings import FolderSettings


class Watched:
    """A watched folder, the intake that serves it, and what a sender and an operator do there."""

    def __init__(self, path, receiver, **settings):
        self.path = path
        self.now = 0.0
        self.receiver = receiver
        self.settings = FolderSettings("lab", str(path), poll_seconds=0.001, **settings)
        self.intake = self.open()

    def open(self):
        clock = "2026-03-01T07:30:00.000Z"
        return FolderIntake(self.settings, self.receiver, clock=lambda: clock, monotonic=lambda: self.now)

    def put(self, name, data):
        (self.path / name).write_bytes(data)

    def poll(self, times=2):
        """Start if needed and look at the folder; a file is seen unchanged at the second look."""

        async def scenario():
            await self.intake.start()
            for _ in range(times):
                await self.intake.poll()

        asyncio.run(scenario())

    def tree(self):
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_file())

    def acks(self):
        files = sorted((self.path / "acks").iterdir())
        return {file.name: parse_ack(file.read_bytes()).control_id for file in files}


@pytest.fixture
def watch(tmp_path, receiver):
    def make(**settings):
        return Watched(tmp_path, receiver, **settings)

    return make


def test_a_file_of_several_messages_is_submitted_in_order_and_answered_message_by_message(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7", b"".join(helpers.message(name) for name in ("A", "B", "C")))
    folder.poll()
    assert receiver.ids == ["A", "B", "C"]
    assert folder.acks() == {"day.hl7.0001.ack": "A", "day.hl7.0002.ack": "B", "day.hl7.0003.ack": "C"}
    assert folder.tree() == [*(f"acks/day.hl7.000{n}.ack" for n in (1, 2, 3)), "archive/day.hl7"]
    peer = receiver.received[0].peer
    assert (peer.endpoint, peer.name) == ("folder", "lab")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_file_may_end_its_lines_as_it_likes(watch, receiver, helpers, end):
    folder = watch()
    folder.put("day.hl7", (helpers.message("A") + helpers.message("B")).replace(b"\r", end))
    folder.poll()
    assert receiver.ids == ["A", "B"]


def test_a_file_may_hold_frames(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7", frame(helpers.message("A")) + frame(helpers.message("B")))
    folder.poll()
    assert [received.raw for received in receiver.received] == [helpers.message("A"), helpers.message("B")]


def test_files_are_taken_oldest_first(watch, receiver, helpers):
    folder = watch()
    for name, control_id, age in (("b.hl7", "SECOND", 200), ("c.hl7", "FIRST", 300), ("a.hl7", "THIRD", 100)):
        folder.put(name, helpers.message(control_id))
        os.utime(folder.path / name, (1_700_000_000 - age,) * 2)
    folder.poll()
    assert receiver.ids == ["FIRST", "SECOND", "THIRD"]


def test_more_messages_than_may_be_in_flight_are_all_answered_in_order(watch, receiver, helpers):
    folder = watch(in_flight=3)
    names = [f"M{number}" for number in range(10)]
    folder.put("day.hl7", b"".join(helpers.message(name) for name in names))
    folder.poll()
    assert receiver.ids == names
    assert list(folder.acks().values()) == names


def test_a_file_still_growing_is_left_alone(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7", helpers.message("A")[:50])
    folder.poll(times=1)
    folder.put("day.hl7", helpers.message("A"))

    async def look():
        await folder.intake.poll()

    asyncio.run(look())
    assert receiver.ids == []
    asyncio.run(look())
    assert receiver.ids == ["A"]


def test_a_file_that_grows_after_it_was_taken_waits_for_its_end(watch, receiver, helpers, monkeypatch):
    folder = watch()
    folder.put("day.hl7", helpers.message("A"))
    writer = (folder.path / "day.hl7").open("ab")
    reading = Path.open

    def read_while_writing(path, *args, **kwargs):
        if path.parent.name == "work" and writer.tell() < 2 * len(helpers.message("A")):
            writer.write(helpers.message("B"))
            writer.flush()
        return reading(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", read_while_writing)
    folder.poll(times=2)
    assert receiver.ids == []
    folder.poll(times=1)
    writer.close()
    assert receiver.ids == ["A", "B"]


@pytest.mark.parametrize(
    "name", ["day.hl7.tmp", "day.hl7.part", "day.txt", ".day.hl7", "day.hl7.ok", "empty.hl7", "link.hl7", "folder.hl7"]
)
def test_what_is_no_finished_message_file_is_left_alone(watch, receiver, helpers, tmp_path_factory, name):
    folder = watch()
    if name.startswith("folder"):
        (folder.path / name).mkdir()
    elif name.startswith("link"):
        elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret"
        elsewhere.write_bytes(helpers.message("A"))
        (folder.path / name).symlink_to(elsewhere)
    else:
        folder.put(name, b"" if name.startswith("empty") else helpers.message("A"))
    folder.poll(times=3)
    assert receiver.received == []
    assert (folder.path / name).exists()


def test_a_file_that_stays_empty_is_put_apart_and_said(watch):
    folder = watch(empty_seconds=60)
    folder.put("day.hl7", b"")
    folder.poll()
    folder.now = 59.0
    folder.poll(1)
    assert (folder.tree(), folder.intake.failures) == (["day.hl7"], 0)
    folder.now = 60.0
    with capture_logs() as logs:
        folder.poll(2)
    assert [(log["event"], log["file"]) for log in logs] == [("folder.unreadable", "day.hl7")]
    assert folder.tree() == ["error/day.hl7", "error/day.hl7.reason.txt"]
    assert "empty" in (folder.path / "error/day.hl7.reason.txt").read_text()
    assert folder.intake.failures == 1


def test_a_file_written_after_it_was_empty_for_long_is_taken(watch, receiver, helpers):
    folder = watch(empty_seconds=60)
    folder.put("day.hl7", b"")
    folder.poll()
    folder.put("day.hl7", helpers.message("A"))
    folder.now = 100.0
    folder.poll(2)
    assert (receiver.ids, folder.intake.failures) == (["A"], 0)


def test_an_empty_file_made_again_is_waited_for_again(watch):
    folder = watch(empty_seconds=60)
    folder.put("day.hl7", b"")
    folder.poll()
    folder.now = 59.0
    os.utime(folder.path / "day.hl7", (1_000_000_000,) * 2)
    folder.poll(1)
    folder.now = 118.0
    folder.poll(1)
    assert folder.tree() == ["day.hl7"]
    folder.now = 119.0
    folder.poll(1)
    assert folder.intake.failures == 1


def test_an_empty_file_that_is_declared_is_put_apart_at_once(watch):
    folder = watch(semaphore="suffix")
    folder.put("day.hl7", b"")
    folder.put("day.ok", b"")
    folder.poll(1)
    assert folder.tree() == ["error/day.hl7", "error/day.hl7.reason.txt"]


def test_a_file_renamed_when_complete_is_taken(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7.tmp", helpers.message("A"))
    folder.poll()
    (folder.path / "day.hl7.tmp").rename(folder.path / "day.hl7")
    folder.poll()
    assert receiver.ids == ["A"]


@pytest.mark.parametrize("semaphore", ["day.hl7.ok", "day.ok"])
def test_with_semaphores_a_file_is_taken_once_declared(watch, receiver, helpers, semaphore):
    folder = watch(semaphore="suffix")
    folder.put("day.hl7", helpers.message("A"))
    folder.poll(times=3)
    assert receiver.ids == []
    folder.put(semaphore, b"")
    folder.poll(times=1)
    assert receiver.ids == ["A"]
    assert folder.tree() == ["acks/day.hl7.0001.ack", "archive/day.hl7"]


def test_the_semaphore_of_a_file_does_not_declare_the_next_one_of_that_name(watch, receiver, helpers):
    folder = watch(semaphore="suffix", pattern="*")
    folder.put("day.hl7", helpers.message("A"))
    folder.put("day.hl7.end", b"")
    folder.settings = FolderSettings("lab", str(folder.path), pattern="*", semaphore="suffix", semaphore_suffix=".end")
    folder.intake = folder.open()
    folder.poll()
    folder.put("day.hl7", helpers.message("B")[:40])
    folder.poll(times=3)
    assert receiver.ids == ["A"]
    assert folder.tree() == ["acks/day.hl7.0001.ack", "archive/day.hl7", "day.hl7"]


def test_a_name_used_again_replaces_nothing_in_the_archive(watch, receiver, helpers):
    folder = watch()
    for name in ("A", "B"):
        folder.put("day.hl7", helpers.message(name))
        folder.poll()
    assert (folder.path / "archive/day.hl7").read_bytes() == helpers.message("A")
    assert (folder.path / "archive/day.hl7~2").read_bytes() == helpers.message("B")


def test_a_message_that_calls_for_no_answer_has_no_acknowledgement_file(watch, receiver, helpers):
    folder = watch()
    receiver.reply = lambda received: Answer(b"", "", "01", durable=True)
    folder.put("day.hl7", helpers.message("A"))
    folder.poll()
    assert folder.tree() == ["archive/day.hl7"]


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\n\n", "holds no message"), (b"MSH|" + b"x" * 2000, "2004 bytes, more than max_file_bytes")]
)
def test_a_file_that_cannot_be_used_goes_to_the_error_folder_with_the_reason(watch, receiver, data, reason):
    folder = watch(max_file_bytes=1000)
    folder.put("day.hl7", data)
    folder.poll()
    assert folder.tree() == ["error/day.hl7", "error/day.hl7.reason.txt"]
    assert reason in (folder.path / "error/day.hl7.reason.txt").read_text()
    assert folder.intake.failures == 1


def test_a_file_that_may_not_be_read_goes_to_the_error_folder(watch, receiver, helpers, monkeypatch):
    folder = watch()
    folder.put("bad.hl7", helpers.message("A"))
    folder.put("good.hl7", helpers.message("B"))
    opening = Path.open

    def refuse(path, *args, **kwargs):
        if path.name == "bad.hl7":
            raise PermissionError(13, "Permission denied")
        return opening(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)  # permissions do not stop the user root
    folder.poll()
    assert "Permission denied" in (folder.path / "error/bad.hl7.reason.txt").read_text()
    assert receiver.ids == ["B"]


def test_while_messages_cannot_be_kept_files_wait_in_order_and_it_is_said_once(watch, receiver, helpers):
    folder = watch(in_flight=1)
    answer = receiver.reply
    receiver.reply = lambda received: Answer(b"", "", "", durable=False)
    folder.put("one.hl7", helpers.message("A") + helpers.message("B"))
    with capture_logs() as logs:
        folder.poll(times=5)
    assert [line["event"] for line in logs] == ["folder.not-kept"]
    folder.put("two.hl7", helpers.message("C"))
    receiver.received.clear()
    receiver.reply = answer
    folder.poll(times=3)
    assert receiver.ids == ["A", "B", "C"]
    assert set(folder.acks().values()) == {"A", "B", "C"}


def test_a_receiver_that_raises_loses_nothing(watch, receiver, helpers):
    folder = watch()
    submit = receiver.submit_nowait

    def fail(received, callback):
        raise RuntimeError

    receiver.submit_nowait = fail
    folder.put("day.hl7", helpers.message("A"))
    folder.poll()
    assert folder.tree() == ["work/day.hl7"]
    receiver.submit_nowait = submit
    folder.poll(times=1)
    assert receiver.ids == ["A"]


def test_a_file_that_cannot_be_taken_does_not_hold_back_the_others(watch, receiver, helpers, monkeypatch):
    folder = watch()
    folder.put("bad.hl7", helpers.message("A"))
    folder.put("good.hl7", helpers.message("B"))
    replacing = Path.replace

    def refuse(path, target):
        if path == folder.path / "bad.hl7":
            raise PermissionError(1, "Operation not permitted")
        return replacing(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with capture_logs() as logs:
        folder.poll(times=2)
    assert [(line["event"], line["file"]) for line in logs] == [("folder.cannot-claim", "bad.hl7")]
    assert receiver.ids == ["B"]


def test_a_file_taken_away_from_the_work_folder_is_forgotten(watch, receiver, helpers):
    folder = watch()
    receiver.reply = lambda received: Answer(b"", "", "", durable=False)
    folder.put("day.hl7", helpers.message("A"))
    folder.poll()

    async def scenario():
        (folder.path / "work/day.hl7").unlink()
        await folder.intake.poll()
        folder.put("next.hl7", helpers.message("B"))
        await folder.intake.poll()
        await folder.intake.poll()

    asyncio.run(scenario())
    assert receiver.ids == ["A", "B"]


def test_run_serves_until_it_is_stopped(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7", helpers.message("A"))

    async def scenario():
        running = asyncio.ensure_future(folder.intake.run())
        while not (folder.path / "archive/day.hl7").exists():
            await asyncio.sleep(0)
        folder.intake.stop()
        await running

    asyncio.run(asyncio.wait_for(scenario(), 20))
    assert folder.intake.files == folder.intake.messages == 1


@pytest.mark.parametrize(
    ("settings", "message"), [({"done": "."}, "folders of their own"), ({"work": "acks"}, "folders of their own")]
)
def test_folders_that_would_mix_are_refused(watch, settings, message):
    with pytest.raises(FolderError, match=message):
        watch(**settings).poll()


def test_a_folder_that_does_not_exist_is_named(tmp_path, receiver):
    with pytest.raises(FolderError, match="missing is not a folder"):
        Watched(tmp_path / "missing", receiver).poll()


class KilledError(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


class Fuse:
    """Lets so many steps on the file system pass, then kills; each step is cut just before or just after it."""

    def __init__(self, monkeypatch, steps, after):
        self.left, self.after = steps, after
        for owner, name in ((Path, "replace"), (Path, "unlink"), (Path, "open"), (os, "fsync")):
            monkeypatch.setattr(owner, name, self.burn(getattr(owner, name)))

    def burn(self, step):
        def burning(*args, **kwargs):
            self.left -= 1
            if self.left == 0 and not self.after:
                raise KilledError
            result = step(*args, **kwargs)
            if self.left == 0:
                if hasattr(result, "close"):
                    result.close()
                raise KilledError
            return result

        return burning


@pytest.mark.parametrize("semaphore", ["none", "suffix"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_nothing_is_lost_and_all_is_answered(tmp_path, receiver, helpers, semaphore, after):
    deaths = 0
    for step in range(1, 100):
        root = tmp_path / str(step)
        root.mkdir()
        receiver.received.clear()
        folder = Watched(root, receiver, semaphore=semaphore, in_flight=1)
        folder.put("day.hl7", helpers.message("A") + helpers.message("B"))
        if semaphore == "suffix":
            folder.put("day.hl7.ok", b"")
        with pytest.MonkeyPatch.context() as monkeypatch:
            Fuse(monkeypatch, step, after)
            try:
                folder.poll()
            except KilledError:
                deaths += 1
            else:
                break
        folder.intake = folder.open()
        folder.poll()
        assert list(dict.fromkeys(receiver.ids)) == ["A", "B"]
        assert folder.acks() == {"day.hl7.0001.ack": "A", "day.hl7.0002.ack": "B"}
        assert folder.tree() == ["acks/day.hl7.0001.ack", "acks/day.hl7.0002.ack", "archive/day.hl7"]
    assert deaths > 10


KILLED_PROCESS = """
import asyncio, os, signal, sys
from insigne.exchange.model import Answer
from insigne.transport.folder import FolderIntake
from insigne.transport.settings import FolderSettings

class Receiver:
    def submit_nowait(self, received, callback):
        if b"|C|" in received.raw:
            os.kill(os.getpid(), signal.SIGKILL)
        callback(Answer(b"MSH|^~\\\\&|\\rMSA|AA|x\\r", "AA", "01", True))

settings = FolderSettings("lab", sys.argv[1], poll_seconds=0.01, in_flight=1)
asyncio.run(FolderIntake(settings, Receiver(), clock=str).run())
"""


def test_a_killed_process_leaves_what_the_next_one_finishes(watch, receiver, helpers):
    folder = watch()
    folder.put("day.hl7", b"".join(helpers.message(name) for name in ("A", "B", "C", "D")))
    done = subprocess.run([sys.executable, "-c", KILLED_PROCESS, folder.path], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert folder.tree() == ["acks/day.hl7.0001.ack", "acks/day.hl7.0002.ack", "work/day.hl7"]
    folder.poll(times=1)
    assert receiver.ids == ["A", "B", "C", "D"]
    assert list(folder.acks().values()) == ["A", "B", "C", "D"]
    assert "archive/day.hl7" in folder.tree()
