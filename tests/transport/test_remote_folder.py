"""Messages fetched from real servers of SFTP, FTP and FTPS; the receiver may fail, the process may die."""

import asyncio
import os

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from insigne.exchange.model import Answer
from insigne.hl7 import parse_ack
from insigne.transport.remote_folder import RemoteFolderIntake
from insigne.transport.settings import RemoteFolderSettings, SftpSettings

CLOCK = "2026-03-01T07:30:00.000Z"


class Watched:
    """A folder of a server and the intake that fetches from it."""

    def __init__(self, place, receiver, **settings):
        self.place = place
        self.now = 0.0
        self.intake = RemoteFolderIntake(
            place.folder(**settings), place.files, receiver, clock=lambda: CLOCK, monotonic=lambda: self.now
        )

    def put(self, name, *messages, at=1_000_000_000):
        path = self.place.root / name
        path.write_bytes(b"".join(messages))
        os.utime(path, (at, at))

    async def poll(self, times=2):
        """Look at the folder; a file is seen unchanged at the second look."""
        for _ in range(times):
            await self.intake.poll()
        await self.place.files.close()


@pytest.fixture
def watch(server, receiver):
    return lambda **settings: Watched(server, receiver, **settings)


def test_files_are_submitted_in_order_and_removed_once_every_message_is_committed(run, watch, receiver, helpers):
    folder = watch()
    folder.put("b.hl7", helpers.message("C"), at=1_000_000_010)
    folder.put("c.hl7", helpers.message("A"), helpers.message("B"), at=1_000_000_000)
    folder.put("other.txt", b"no")
    run(folder.poll)
    assert receiver.ids == ["A", "B", "C"]
    assert folder.place.tree() == ["other.txt"]
    peer = receiver.received[0].peer
    assert (peer.name, peer.endpoint) == ("lab", "sftp" if folder.place.kind == "sftp" else "ftp")
    assert (folder.intake.files, folder.intake.messages) == (2, 3)


def test_a_file_may_be_kept_and_its_messages_answered(run, watch, helpers):
    folder = watch(done="archive", acks="acks")
    folder.put("day.hl7", helpers.message("A"), helpers.message("B"))
    run(folder.poll)
    assert folder.place.tree() == ["acks/day.hl7.0001.ack", "acks/day.hl7.0002.ack", "archive/day.hl7"]
    assert parse_ack((folder.place.root / "acks/day.hl7.0002.ack").read_bytes()).control_id == "B"


def test_the_same_name_twice_keeps_both(run, watch, helpers):
    folder = watch(done="archive")

    async def scenario():
        for control_id in ("A", "B"):
            folder.put("day.hl7", helpers.message(control_id))
            await folder.poll()

    run(scenario)
    assert folder.place.tree() == ["archive/day.hl7", "archive/day.hl7~2"]


def test_a_file_is_taken_when_it_no_longer_changes_or_when_its_semaphore_is_there(run, watch, receiver, helpers):
    folder = watch()
    folder.put("a.hl7", helpers.message("A"))
    run(lambda: folder.poll(1))
    assert receiver.ids == []
    declared = watch(semaphore="suffix")
    run(lambda: declared.poll(2))
    assert receiver.ids == []
    declared.put("a.ok")
    run(lambda: declared.poll(1))
    assert receiver.ids == ["A"]
    assert declared.place.tree() == []


def test_a_file_being_written_is_left_alone(run, watch, receiver, helpers):
    folder = watch()
    folder.put("a.hl7.tmp", helpers.message("A"))
    folder.put("empty.hl7")
    run(lambda: folder.poll(3))
    assert receiver.ids == []
    assert folder.place.tree() == ["a.hl7.tmp", "empty.hl7"]


def test_a_file_that_stays_empty_is_put_apart_and_one_written_late_is_taken(run, watch, receiver, helpers):
    folder = watch(empty_seconds=60)
    folder.put("a.hl7")
    folder.put("b.hl7")
    run(folder.poll)
    folder.put("b.hl7", helpers.message("B"))
    folder.now = 59.0
    run(folder.poll)
    assert (receiver.ids, folder.place.tree()) == (["B"], ["a.hl7"])
    folder.now = 60.0
    with capture_logs() as logs:
        run(lambda: folder.poll(1))
    said = [(log["file"], log["reason"]) for log in logs if log["event"] == "remote.unreadable"]
    assert (said, folder.place.tree()) == ([("a.hl7", "it is empty")], ["error/a.hl7"])


def test_what_is_no_message_or_too_large_is_put_apart(run, watch, helpers):
    folder = watch(max_file_bytes=1000)
    folder.put("a.hl7", b"\r\n")
    folder.put("b.hl7", helpers.message("B") * 10)
    run(folder.poll)
    assert folder.place.tree() == ["error/a.hl7", "error/b.hl7"]
    assert folder.intake.failures == 2


def test_a_file_stays_until_its_messages_can_be_kept(run, watch, receiver, helpers):
    folder = watch()
    folder.put("a.hl7", helpers.message("A"))
    receiver.reply = lambda _: Answer(b"", "AR", "", durable=False)
    run(lambda: folder.poll(3))
    assert folder.place.tree() == ["a.hl7"]
    receiver.reply = lambda received: helpers.answer_to(received.raw)
    run(lambda: folder.poll(1))
    assert receiver.ids[-1] == "A"
    assert folder.place.tree() == []


def test_a_process_that_dies_before_the_file_is_gone_fetches_it_again(run, watch, receiver, helpers):
    folder = watch()
    folder.put("a.hl7", helpers.message("A"))

    async def scenario():
        receiver.holding = True
        await folder.intake.poll()
        dying = asyncio.create_task(folder.intake.poll())
        await helpers.until(lambda: receiver.held)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        receiver.holding = False
        receiver.held.clear()
        again = Watched(folder.place, folder.intake._submission._receiver)
        await again.poll()

    run(scenario)
    assert receiver.ids == ["A", "A"]
    assert folder.place.tree() == []


def test_a_file_that_may_not_be_removed_is_told_and_its_messages_submitted_once(run, ftp, ftp_host, receiver, helpers):
    folder = Watched(ftp, receiver)
    folder.put("a.hl7", helpers.message("A"))
    ftp_host.handler.authorizer.user_table["lab"]["perm"] = "elrw"
    with capture_logs() as logs:
        run(lambda: folder.poll(4))
    assert (receiver.ids, folder.intake.files) == (["A"], 0)
    assert [log["event"] for log in logs] == ["remote.trouble"]
    assert "550" in folder.intake.trouble
    folder.put("a.hl7", helpers.message("B"))
    run(folder.poll)
    assert receiver.ids == ["A", "B"]


def test_a_file_that_may_not_be_read_is_told(run, ftp, ftp_host, receiver, helpers):
    folder = Watched(ftp, receiver)
    folder.put("a.hl7", helpers.message("A"))
    ftp_host.handler.authorizer.user_table["lab"]["perm"] = "eldw"
    run(folder.poll)
    assert (receiver.ids, "550" in folder.intake.trouble) == ([], True)


def test_a_server_that_stops_is_told_once_and_tried_again(run, sftp, sftp_host, receiver, helpers):
    folder = Watched(sftp, receiver)
    folder.put("a.hl7", helpers.message("A"))

    async def scenario():
        await folder.intake.poll()
        await asyncio.to_thread(sftp_host.cut)
        await folder.poll(1)

    with capture_logs() as logs:
        run(scenario)
    assert receiver.ids == ["A"]
    assert logs == []


def test_an_outage_is_logged_at_its_start_only(run, server, receiver):
    settings = replace(server.folder(), path="/gone")
    intake = RemoteFolderIntake(settings, server.files, receiver, clock=lambda: CLOCK)

    async def scenario():
        for _ in range(3):
            await intake.poll()
        await server.files.close()

    with capture_logs() as logs:
        run(scenario)
    assert [line["event"] for line in logs] == ["remote.trouble"]
    assert intake.trouble


def test_the_intake_stops_when_told(run, server, receiver, helpers):
    folder = Watched(server, receiver, poll_seconds=0.01)
    folder.put("a.hl7", helpers.message("A"))

    async def scenario():
        running = asyncio.create_task(folder.intake.run())
        await helpers.until(lambda: receiver.ids)
        folder.intake.stop()
        await running

    run(scenario)
    assert receiver.ids == ["A"]


def test_a_folder_for_what_cannot_be_read_must_be_named():
    server = SftpSettings(host="labo.example", user="insigne", host_key="SHA256:x", key_file="labo.key")
    with pytest.raises(ValueError, match="failed: name a folder"):
        RemoteFolderSettings(name="lab", path="/out", failed="", sftp=server)
