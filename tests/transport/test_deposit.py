"""Messages put as files for a receiver, in a folder and on real servers of SFTP, FTP and FTPS."""

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from insigne.exchange.delivery.ports import DeliveryName, Deposited, SendFailed
from insigne.hl7 import build_ack
from insigne.net.authority import DemoAuthority
from insigne.transport.deposit import DepositSender
from insigne.transport.ftp import FtpFiles
from insigne.transport.settings import FolderDestination, FtpDestination, FtpSettings, FtpTlsSettings

NAME = DeliveryName("M1", "ADT^A28^ADT_A05", 7, "2026-03-01T07:30:00.000Z")
FILE = "000000000007-M1.hl7"


def ack(control_id, code="AA"):
    return build_ack(
        f"MSH|^~\\&|RI|GHT|LAB|CHU|20260301||ADT^A28|{control_id}|P|2.5\r".encode(),
        code,
        time="20260301",
        control_id="9",
    )


async def delivered(place, *messages, **settings):
    sender = DepositSender(place.destination(**settings), place.files)
    try:
        return [await sender.deliver(raw, name) for raw, name in messages]
    finally:
        await sender.close()


def test_a_message_is_there_whole_under_a_name_that_sorts_in_the_order_of_sending(run, place, helpers):
    raw = helpers.message("M1", charset="8859/1")
    later = DeliveryName("M0", NAME.event, 10, NAME.time)
    results = run(lambda: delivered(place, (raw, NAME), (b"MSH|later", later)))
    assert results == [Deposited(FILE), Deposited("000000000010-M0.hl7")]
    assert place.tree() == [FILE, "000000000010-M0.hl7"]
    assert (place.root / FILE).read_bytes() == raw


def test_the_same_message_sent_again_replaces_what_was_there(run, place):
    run(lambda: delivered(place, (b"MSH|half", NAME), (b"MSH|whole", NAME)))
    assert place.tree() == [FILE]
    assert (place.root / FILE).read_bytes() == b"MSH|whole"


def test_the_semaphore_comes_after_the_message_and_names_are_made_as_told(run, place):
    settings = {"file": "{event}_{time}_{control_id}.txt", "semaphore": "{file}.ok"}
    run(lambda: delivered(place, (b"MSH|", NAME), **settings))
    assert place.tree() == ["ADT_A28_20260301073000_M1.txt", "ADT_A28_20260301073000_M1.txt.ok"]


def test_a_control_id_leads_to_no_other_folder(run, place):
    run(lambda: delivered(place, (b"MSH|", DeliveryName("../../etc/x y", NAME.event, 1, NAME.time))))
    assert place.tree() == ["000000000001-.._.._etc_x_y.hl7"]


def test_a_large_message_arrives_whole(run, place):
    raw = b"MSH|" + bytes(range(32, 127)) * 30_000
    run(lambda: delivered(place, (raw, NAME)))
    assert (place.root / FILE).read_bytes() == raw


def test_a_folder_that_does_not_exist_is_told_and_nothing_was_sent(run, place):
    gone = place.path.rstrip("/") + "/gone"

    async def scenario():
        sender = DepositSender(replace(place.destination(), path=gone), place.files)
        with pytest.raises(SendFailed) as failed:
            await sender.deliver(b"MSH|", NAME)
        await sender.close()
        return failed.value

    assert run(scenario).kind == "unreachable"
    assert place.tree() == []


def test_a_server_that_cut_the_connection_meanwhile_is_reached_anew(run, sftp, sftp_host):
    async def scenario():
        sender = DepositSender(sftp.destination(), sftp.files)
        await sender.deliver(b"MSH|1", NAME)
        await asyncio.to_thread(sftp_host.cut)
        await sender.deliver(b"MSH|2", DeliveryName("M2", NAME.event, 8, NAME.time))
        await sender.close()

    run(scenario)
    assert sftp.tree() == [FILE, "000000000008-M2.hl7"]


# --- acknowledgements as files


async def collected(place, times=1, **settings):
    (place.root / "acks").mkdir(exist_ok=True)
    sender = DepositSender(place.destination(acks="acks", **settings), place.files)
    try:
        return [await sender.acknowledgement(NAME) for _ in range(times)]
    finally:
        await sender.close()


def put_ack(place, data, name=FILE + ".ack"):
    (place.root / "acks").mkdir(exist_ok=True)
    (place.root / "acks" / name).write_bytes(data)


def test_an_acknowledgement_that_is_not_there_yet_is_waited_for(run, place):
    assert run(lambda: collected(place)) == [None]


def test_an_acknowledgement_is_read_once_and_found_again_after_a_crash(run, place):
    put_ack(place, ack("M1", "AE"))
    first, again = run(lambda: collected(place, 2))
    assert first.code == "AE"
    assert first.raw_ack == ack("M1", "AE")
    assert again == first
    assert place.tree() == [f"acks/taken/{FILE}.ack"]


def test_the_receiver_may_name_its_acknowledgements_as_it_likes(run, place):
    put_ack(place, b"\x0b" + ack("M1") + b"\x1c\r", "R_M1.txt")
    [found] = run(lambda: collected(place, ack_file="R_{control_id}.txt"))
    assert found.raw_ack == ack("M1")


def test_half_an_acknowledgement_is_left_until_it_is_whole(run, place):
    put_ack(place, ack("M1")[:-2])
    assert run(lambda: collected(place)) == [None]
    put_ack(place, ack("M1"))
    [found] = run(lambda: collected(place))
    assert found.code == "AA"


@pytest.mark.parametrize(("data", "kind"), [(b"hello\r", "malformed-ack"), (ack("M2"), "foreign-ack")])
def test_what_is_not_the_acknowledgement_of_the_message_is_told_once_it_no_longer_changes(run, local, data, kind):
    put_ack(local, data)
    with pytest.raises(SendFailed) as failed:
        run(lambda: collected(local, 2))
    assert failed.value.kind == kind
    assert failed.value.raw_ack == data
    assert local.tree() == [f"acks/{FILE}.ack"]


# --- names that cannot be


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"file": "{patient}.hl7"}, "is no field"),
        ({"file": "message.hl7"}, "the same name"),
        ({"file": "out/{ordinal}.hl7"}, "it is a name"),
        ({"semaphore": "ready"}, "the same name"),
    ],
)
def test_a_template_that_cannot_name_files_is_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        FolderDestination(path="/x", **settings)


def test_a_destination_is_tried_without_leaving_anything(run, place):
    run(DepositSender(place.destination(), place.files).probe)
    assert place.tree() == []
    nowhere = replace(place.destination(), path=place.path.rstrip("/") + "/gone")
    with pytest.raises(SendFailed) as failed:
        run(DepositSender(nowhere, place.files).probe)
    assert failed.value.kind == "unreachable"


# --- servers that are not what they should be


def failure(run, files, settings):
    """What a delivery fails with."""
    sender = DepositSender(settings, files)

    async def scenario():
        try:
            with pytest.raises(SendFailed) as failed:
                await sender.deliver(b"MSH|", NAME)
            return failed.value
        finally:
            await sender.close()

    return run(scenario)


def with_server(place, **changes):
    """The same destination on a server of other settings, and its files."""
    settings = place.destination()
    server = replace(settings.server, **changes)
    return type(place.files)(server), replace(settings, server=server)


def test_a_server_that_shows_another_key_is_given_nothing(run, sftp, sftp_host, tmp_path):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "others").write_text(f"[127.0.0.1]:{sftp_host.port} {other}")
    failed = failure(run, *with_server(sftp, known_hosts_file=str(tmp_path / "others")))
    assert failed.kind == "refused-tls"
    assert "its key is not the one configured" in str(failed)


def test_without_its_list_of_keys_no_server_is_trusted(run, sftp, tmp_path):
    failed = failure(run, *with_server(sftp, known_hosts_file=str(tmp_path / "none")))
    assert failed.kind == "refused-tls"
    assert "No such file" in str(failed)


def test_the_key_of_a_server_can_be_pinned_by_its_fingerprint(run, sftp, sftp_host):
    right = sftp_host.host_key.get_fingerprint("sha256")
    wrong = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint("sha256")
    pinned = with_server(sftp, known_hosts_file="", host_key=wrong)
    assert failure(run, *pinned).kind == "refused-tls"
    files, settings = with_server(sftp, known_hosts_file="", host_key=right)
    run(lambda: delivered(Place(settings, files), (b"MSH|", NAME)))
    assert sftp.tree() == [FILE]


class Place:
    def __init__(self, settings, files):
        self.files, self.destination = files, lambda: settings


def test_a_password_opens_sftp_as_a_key_does(run, sftp, password_file):
    files, settings = with_server(sftp, key_file="", password_file=str(password_file))
    run(lambda: delivered(Place(settings, files), (b"MSH|", NAME)))
    assert sftp.tree() == [FILE]


def test_a_wrong_password_is_told_as_such_and_is_not_in_the_text(run, server, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    changes = {"key_file": ""} if server.kind == "sftp" else {}
    failed = failure(run, *with_server(server, password_file=str(wrong), **changes))
    assert failed.kind == "refused-credentials"
    assert "battery" not in str(failed)


def test_a_file_of_password_that_is_missing_is_named(run, server, tmp_path):
    changes = {"key_file": ""} if server.kind == "sftp" else {}
    failed = failure(run, *with_server(server, password_file=str(tmp_path / "none"), **changes))
    assert failed.kind == "refused-credentials"
    assert str(tmp_path / "none") in str(failed)


def test_a_server_that_is_not_there_is_unreachable(run, server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failed = failure(run, *with_server(server, port=unused.getsockname()[1]))
    assert failed.kind == "unreachable"


def test_a_server_that_never_speaks_is_given_up_in_time(run, server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = failure(run, *with_server(server, port=silent.getsockname()[1], connect_seconds=0.2))
    assert failed.kind == "unreachable"
    assert "0.2 s" in str(failed)


def test_a_server_of_ftps_certified_by_another_authority_is_given_nothing(run, ftps, tmp_path):
    other = DemoAuthority(tmp_path / "other", datetime.now(UTC))
    failed = failure(run, *with_server(ftps, tls=FtpTlsSettings(ca_file=str(other.ca_file))))
    assert failed.kind == "refused-tls"
    assert "its certificate is refused" in str(failed)


def test_a_server_of_ftp_without_tls_is_not_spoken_to_in_clear_when_tls_is_wanted(run, ftp, authority):
    failed = failure(run, *with_server(ftp, tls=FtpTlsSettings(ca_file=str(authority.ca_file))))
    assert failed.kind == "refused-tls"
    assert ftp.tree() == []


class NoRoom:
    """A server of FTP without room."""

    def ftp_STOR(self, *_args, **_options):
        self.respond("452 Insufficient storage space.")


class Slow:
    """A server of FTP that never ends a transfer."""

    def ftp_STOR(self, *_args, **_options):
        self.respond("150 File status okay.")


@pytest.mark.parametrize(("handler", "kind"), [(NoRoom, "full"), (Slow, "timeout")])
def test_a_server_without_room_and_one_without_end_are_told_apart(run, hosts, root, password_file, handler, kind):
    port = hosts.ftp(root, handler=handler).port
    server = FtpSettings(
        host="127.0.0.1", port=port, user="lab", password_file=str(password_file), transfer_seconds=0.3
    )
    assert failure(run, FtpFiles(server), FtpDestination(path="/", server=server)).kind == kind


def test_a_server_that_renames_over_nothing_gets_the_new_file_all_the_same(run, hosts, root, password_file):
    class Strict:
        def ftp_RNTO(self, path):
            if Path(path).exists():
                self.respond("550 File exists.")
            else:
                super().ftp_RNTO(path)

    port = hosts.ftp(root, handler=Strict).port
    server = FtpSettings(host="127.0.0.1", port=port, user="lab", password_file=str(password_file))
    place = Place(FtpDestination(path="/", server=server), FtpFiles(server))
    run(lambda: delivered(place, (b"MSH|1", NAME), (b"MSH|2", NAME)))
    assert [file.name for file in root.iterdir()] == [FILE]
    assert (root / FILE).read_bytes() == b"MSH|2"


def test_implicit_ftps_is_spoken_too(run, hosts, root, password_file, server_certificate, authority):
    port = hosts.ftp(root, server_certificate, handler=Implicit).port
    tls = FtpTlsSettings(ca_file=str(authority.ca_file), implicit=True)
    server = FtpSettings(host="127.0.0.1", port=port, user="lab", password_file=str(password_file), tls=tls)
    run(lambda: delivered(Place(FtpDestination(path="/", server=server), FtpFiles(server)), (b"MSH|1", NAME)))
    assert (root / FILE).read_bytes() == b"MSH|1"


class Implicit:
    """TLS from the first byte."""

    def handle(self):
        self.secure_connection(self.get_ssl_context())

    def handle_ssl_established(self):
        super().handle()


def test_ftp_in_clear_warns_once(ftp_host, password_file):
    with capture_logs() as logs:
        FtpFiles(FtpSettings(host="127.0.0.1", port=ftp_host.port, user="lab", password_file=str(password_file)))
    assert [(line["event"], line["log_level"]) for line in logs] == [("ftp.in-clear", "warning")]
