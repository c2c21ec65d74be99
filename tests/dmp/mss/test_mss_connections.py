"""How servers are reached: TLS whatever happens, names verified, failures told apart."""

import socket
import ssl
import threading

import msgspec
import pytest
import trustme
from aiosmtpd.controller import Controller

from insigne.config import Config
from insigne.dmp.mss import imap
from insigne.dmp.mss.connection import MailFault, port_of
from insigne.dmp.mss.smtp import SmtpSender
from insigne.dmp.settings_mss import MailboxSettings, MssSettings, ServerSettings
from insigne.net.settings import ClientTlsSettings

from .mail_world import DOCTOR, OURS

MAIL = b"Subject: x\r\n\r\nx\r\n"


def smtp(world, **changes):
    return SmtpSender(msgspec.structs.replace(world.settings.mss.smtp, **changes))


def failing(act, *args, **kwargs):
    with pytest.raises(MailFault) as raised:
        act(*args, **kwargs)
    return raised.value.kind


def opened(box):
    with imap.opened(box):
        pass


def send(sender):
    return sender.send(MAIL, OURS, DOCTOR, envelope="e")


@pytest.fixture
def elsewhere(tmp_path):
    """An authority that did not sign our servers."""
    path = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return ClientTlsSettings(ca_file=str(path))


class _Silent(socket.socket):
    """A server that accepts and says nothing."""

    def __init__(self):
        super().__init__()
        self.bind(("127.0.0.1", 0))
        self.listen()
        self.port = self.getsockname()[1]


def test_a_server_of_another_authority_is_not_spoken_to(world, elsewhere):
    assert failing(send, smtp(world, tls=elsewhere)) == "tls"
    box = msgspec.structs.replace(world.box, imap=msgspec.structs.replace(world.box.imap, tls=elsewhere))
    assert failing(opened, box) == "tls"
    assert world.post.taken == []


def test_a_server_of_another_name_is_not_spoken_to_and_the_name_expected_can_be_said(world):
    named = msgspec.structs.replace(world.settings.mss.smtp.tls, server_name="smtp.operateur.mssante.fr")
    assert failing(send, smtp(world, tls=named)) == "tls"
    box = msgspec.structs.replace(world.box, imap=msgspec.structs.replace(world.box.imap, tls=named))
    assert failing(opened, box) == "tls"
    right = msgspec.structs.replace(named, server_name="127.0.0.1")
    assert send(smtp(world, tls=right, host="localhost")) is True


def test_a_server_that_offers_no_encryption_is_given_nothing(tmp_path, world):
    class Clear(Controller):
        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    taken = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            taken.append(envelope)
            return "250 OK"

    server = Clear(Handler(), hostname="127.0.0.1", port=0)
    server.start()
    try:
        assert failing(send, smtp(world, port=server.port)) == "tls"
    finally:
        server.stop()
    assert taken == []


def test_a_wrong_password_is_a_login_that_failed(tmp_path, world):
    path = tmp_path / "wrong"
    path.write_text("autre", encoding="utf-8")
    assert failing(send, smtp(world, password_file=str(path))) == "login"
    world.mails(OURS)
    box = msgspec.structs.replace(world.box, imap=msgspec.structs.replace(world.box.imap, password_file=str(path)))
    assert failing(opened, box) == "login"


def test_a_password_that_cannot_be_read_is_named_by_its_file(world):
    with pytest.raises(MailFault, match="/nowhere/password"):
        send(smtp(world, password_file="/nowhere/password"))


def test_a_server_that_does_not_answer_is_left_in_time(world):
    with _Silent() as silent:
        quick = {"port": silent.port, "timeout_seconds": 0.2}
        assert failing(send, smtp(world, **quick)) == "timeout"
        box = msgspec.structs.replace(world.box, imap=msgspec.structs.replace(world.box.imap, **quick))
        assert failing(opened, box) == "timeout"


def test_a_server_that_is_not_there_is_unreachable(world):
    with _Silent() as gone:
        port = gone.port
    assert failing(send, smtp(world, port=port)) == "unreachable"
    box = msgspec.structs.replace(world.box, imap=msgspec.structs.replace(world.box.imap, port=port))
    assert failing(opened, box) == "unreachable"


def test_a_connection_cut_while_the_mail_is_on_its_way_leaves_its_fate_open(world):
    """The server dies between DATA and its answer: it may have taken the mail."""
    with _Silent() as server:
        thread = threading.Thread(target=_die_after_data, args=(server,))
        thread.start()
        sender = smtp(world, port=server.port, encryption="none", user="", password_file="")
        with pytest.raises(MailFault) as raised:
            send(sender)
        assert (raised.value.kind, raised.value.sent) == ("unreachable", True)
        thread.join(20)


def _die_after_data(server):
    connection, _ = server.accept()
    with connection, connection.makefile("rwb") as lines:
        lines.write(b"220 ready\r\n")
        lines.flush()
        for answer in (b"250 hello\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go\r\n"):
            lines.readline()
            lines.write(answer)
            lines.flush()
        lines.readline()


def test_tls_from_the_first_byte_is_spoken_where_it_is_set(world, servers):
    context = ssl.create_default_context(cafile=str(servers.ca_file))
    with (
        socket.create_connection(("127.0.0.1", world.boxes.port), 20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
    world.mails(OURS)
    opened(world.box)


@pytest.mark.parametrize(
    ("protocol", "encryption", "port"),
    [("smtp", "starttls", 587), ("smtp", "tls", 465), ("imap", "tls", 993), ("imap", "starttls", 143)],
)
def test_the_usual_port_is_taken_unless_another_is_given(protocol, encryption, port):
    assert port_of(ServerSettings(encryption=encryption), protocol) == port
    assert port_of(ServerSettings(encryption=encryption, port=2525), protocol) == 2525


def test_nothing_is_sent_in_clear_to_another_machine():
    with pytest.raises(ValueError, match="in clear"):
        ServerSettings(host="smtp.operateur.mssante.fr", encryption="none")


def test_a_login_without_a_secret_is_refused():
    with pytest.raises(ValueError, match="password_file"):
        ServerSettings(host="smtp.operateur.mssante.fr", user="pfi")


def test_two_boxes_of_one_name_are_refused():
    with pytest.raises(ValueError, match="pfi is there twice"):
        MssSettings(mailboxes=(MailboxSettings(name="pfi"), MailboxSettings(name="pfi")))


@pytest.mark.parametrize("domain", ["", "@patient.mssante.fr", "patient mssante fr", "patient.mssante.fr."])
def test_a_domain_of_patients_that_is_none_is_refused(domain):
    with pytest.raises(msgspec.ValidationError, match="patient_domain"):
        msgspec.convert({"dmp": {"mss": {"patient_domain": domain}}}, Config)


def test_a_box_whose_documents_go_nowhere_is_refused():
    box = {"name": "pfi", "destination": "DPI"}
    with pytest.raises(msgspec.ValidationError, match="there is no destination named DPI"):
        msgspec.convert({"dmp": {"mss": {"mailboxes": [box]}}}, Config)
