"""A receiver that answers when told, a server around it, and a raw peer that sends any bytes it likes."""

import asyncio
import threading
import warnings
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import asyncssh
import pytest
import uvloop

from insigne.exchange.model import Answer
from insigne.hl7 import Frame, MllpDecoder, build_ack, frame, parse_ack
from insigne.net.authority import DemoAuthority
from insigne.net.settings import ClientTlsSettings, TlsSettings
from insigne.net.tls import client_context
from insigne.transport.ftp import FtpFiles
from insigne.transport.local_files import LocalFiles
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import (
    FolderDestination,
    FtpDestination,
    FtpSettings,
    FtpTlsSettings,
    MllpSettings,
    RemoteFolderSettings,
    SftpDestination,
    SftpSettings,
)
from insigne.transport.sftp import SftpFiles

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it still imports asyncore, which Python 3.11 warns of
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

PATIENCE = 20  # seconds before a test that waits for something gives up


def message(control_id, charset="UNICODE UTF-8", name="BÉRANGER"):
    """One A28 of an invented person."""
    text = (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|20260301083000+0100||ADT^A28^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||{charset}\r"
        f"EVN||20260301083000+0100\rPID|||9001^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAËLLE^^^^^L||19810412|F\r"
    )
    return text.encode({"8859/1": "latin-1", "UNICODE UTF-8": "utf-8"}[charset])


def answer_to(raw, code="AA"):
    ack = build_ack(raw, code, time="20260301083001+0100", control_id="R1")
    return Answer(ack, code, "01", durable=True)


class FakeReceiver:
    """Answers AA at once, or, when `holding`, whenever `release` says so."""

    def __init__(self):
        self.received = []
        self.junk = []
        self.held = []
        self.holding = False
        self.most_held = 0
        self.reply = lambda received: answer_to(received.raw)

    def submit_nowait(self, received, callback):
        self.received.append(received)
        if not self.holding:
            callback(self.reply(received))
            return
        self.held.append((received, callback))
        self.most_held = max(self.most_held, len(self.held))

    def release(self, index=0):
        received, callback = self.held.pop(index)
        callback(self.reply(received))

    def report_junk(self, junk, peer):
        self.junk.append(junk)

    @property
    def ids(self):
        return [received.raw.split(b"|")[9].decode() for received in self.received]


class Wire:
    """A peer made of bare bytes."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._decoder, self._frames = MllpDecoder(), []

    async def send(self, *parts):
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def post(self, *control_ids):
        await self.send(b"".join(frame(message(one)) for one in control_ids))

    async def answers(self, count):
        """Return the control ids of the next `count` answers, as `AA ID`."""
        while len(self._frames) < count:
            data = await self.reader.read(65536)
            assert data, f"the connection was closed after {len(self._frames)} of {count} answers"
            self._frames += [item.payload for item in self._decoder.receive(data) if isinstance(item, Frame)]
        taken, self._frames = self._frames[:count], self._frames[count:]
        return [f"{ack.code} {ack.control_id}" for ack in map(parse_ack, taken)]

    async def is_closed(self):
        """Wait for the other side to close; return whether it did so without saying more."""
        try:
            return not await self.reader.read(65536)
        except OSError:
            return True

    async def close(self):
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


async def until(condition: Callable[[], object]):
    """Let the loop turn until something is so."""
    while not condition():
        await asyncio.sleep(0)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Run a scenario, on each of the two loops the product runs on."""

    def runner(scenario):
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as loop:
            return loop.run(asyncio.wait_for(scenario(), PATIENCE))

    return runner


@pytest.fixture
def receiver():
    return FakeReceiver()


@pytest.fixture
def serve(receiver):
    """`async with serve(idle_seconds=1) as (server, connect)`; `await connect()` gives a Wire."""

    @asynccontextmanager
    async def serving(**settings):
        server = MllpServer(MllpSettings(port=0, **settings), receiver, clock=lambda: "2026-03-01T07:30:00.000Z")
        await server.start()
        wires = []

        async def connect(**options):
            wires.append(Wire(*await asyncio.open_connection(*server.address, **options)))
            return wires[-1]

        try:
            yield server, connect
        finally:
            for wire in wires:
                await wire.close()
            receiver.holding = False
            while receiver.held:
                receiver.release()
            await server.stop()
            assert server.counters.open == 0

    return serving


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return DemoAuthority(tmp_path_factory.mktemp("authority"), datetime.now(UTC))


@pytest.fixture(scope="session")
def server_certificate(authority):
    return authority.issue_server("registry", datetime.now(UTC))


@pytest.fixture(scope="session")
def helpers():
    """What test modules share, and cannot import from one another."""

    class Helpers:
        message = staticmethod(message)
        answer_to = staticmethod(answer_to)
        until = staticmethod(until)

    return Helpers


# --- places where files are: a folder, and real servers of SFTP, FTP and FTPS started here


class Place:
    """Files somewhere, and the same folder seen from here."""

    def __init__(self, kind, root, path, files, destination, folder):
        self.kind, self.root, self.path, self.files = kind, root, path, files
        self.destination = destination  # keyword arguments → settings of a destination
        self.folder = folder  # keyword arguments → settings of a folder to fetch from

    def tree(self):
        return sorted(str(file.relative_to(self.root)) for file in self.root.rglob("*") if file.is_file())


class _SshServer(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("lab", "correct horse")


class SftpHost:
    """An asyncssh server in a thread with a loop of its own."""

    def __init__(self, root, folder, factory=None):
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "lab.key"
        self.key_file.write_bytes(user_key.export_private_key())
        authorized = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
        self._root, self._factory = root, factory or (lambda chan: asyncssh.SFTPServer(chan, chroot=bytes(root)))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.connections = []

        class Server(_SshServer):
            def connection_made(server, connection):
                self.connections.append(connection)

        async def start():
            return await asyncssh.create_server(
                Server,
                "127.0.0.1",
                0,
                server_host_keys=[self.host_key],
                authorized_client_keys=authorized,
                sftp_factory=self._factory,
            )

        self._acceptor = self.call(start())
        self.port = self._acceptor.get_port()
        self.known_hosts = folder / "known_hosts"
        public = self.host_key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}\n")

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def cut(self):
        """Break every connection, as a network does."""

        async def abort():
            for connection in self.connections:
                connection.abort()
            self.connections.clear()

        self.call(abort())

    def stop(self):
        async def close():
            for connection in self.connections:
                connection.abort()
            self._acceptor.close()
            await self._acceptor.wait_closed()

        self.call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class FtpHost:
    """A pyftpdlib server in a thread."""

    def __init__(self, root, certificate=None, handler=None):
        self.ioloop = IOLoop()
        base = TLS_FTPHandler if certificate else FTPHandler
        options = {"authorizer": DummyAuthorizer(), "tls_control_required": True, "tls_data_required": True}
        self.handler = type("Handler", (handler, base) if handler else (base,), options)
        self.handler.authorizer.add_user("lab", "correct horse", str(root), perm="elradfmwMT")
        if certificate:
            self.handler.certfile, self.handler.keyfile = str(certificate.cert_file), str(certificate.key_file)
        self.server = FTPServer(("127.0.0.1", 0), self.handler, ioloop=self.ioloop)
        self.port = self.server.address[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._stopping.is_set():
            self.ioloop.loop(timeout=0.02, blocking=False)
        self.server.close_all()
        self.ioloop.close()

    def stop(self):
        self._stopping.set()
        self._thread.join()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "there"
    path.mkdir()
    return path


@pytest.fixture
def hosts():
    """Servers of a kind of their own: `hosts.ftp(root, certificate, handler)`."""
    started = []

    class Hosts:
        def ftp(self, *args, **options):
            started.append(FtpHost(*args, **options))
            return started[-1]

    yield Hosts()
    for host in started:
        host.stop()


@pytest.fixture
def sftp_host(root, tmp_path):
    host = SftpHost(root, tmp_path)
    yield host
    host.stop()


@pytest.fixture
def ftp_host(root):
    host = FtpHost(root)
    yield host
    host.stop()


@pytest.fixture
def ftps_host(root, server_certificate):
    host = FtpHost(root, server_certificate)
    yield host
    host.stop()


@pytest.fixture
def local(root):
    return Place(
        "folder", root, str(root), LocalFiles(), lambda **more: FolderDestination(path=str(root), **more), None
    )


@pytest.fixture
def sftp(root, sftp_host):
    server = SftpSettings(
        host="127.0.0.1",
        port=sftp_host.port,
        user="lab",
        known_hosts_file=str(sftp_host.known_hosts),
        key_file=str(sftp_host.key_file),
    )
    return Place(
        "sftp",
        root,
        "/",
        SftpFiles(server),
        lambda **more: SftpDestination(path="/", server=server, **more),
        lambda **more: RemoteFolderSettings(name="lab", path="/", sftp=server, **more),
    )


def _ftp_place(kind, root, server):
    return Place(
        kind,
        root,
        "/",
        FtpFiles(server),
        lambda **more: FtpDestination(path="/", server=server, **more),
        lambda **more: RemoteFolderSettings(name="lab", path="/", ftp=server, **more),
    )


@pytest.fixture
def ftp(root, ftp_host, password_file):
    return _ftp_place(
        "ftp", root, FtpSettings(host="127.0.0.1", port=ftp_host.port, user="lab", password_file=str(password_file))
    )


@pytest.fixture
def ftps(root, ftps_host, password_file, authority):
    server = FtpSettings(
        host="127.0.0.1",
        port=ftps_host.port,
        user="lab",
        password_file=str(password_file),
        tls=FtpTlsSettings(ca_file=str(authority.ca_file)),
    )
    return _ftp_place("ftps", root, server)


@pytest.fixture(params=["local", "sftp", "ftp", "ftps"])
def place(request):
    """Each kind of place in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["sftp", "ftp", "ftps"])
def server(request):
    """Each kind of server in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def gam(authority):
    return authority.issue_client("gam.chu.example", datetime.now(UTC))


@pytest.fixture
def tls(authority, server_certificate):
    return TlsSettings(
        cert_file=str(server_certificate.cert_file),
        key_file=str(server_certificate.key_file),
        client_ca_file=str(authority.ca_file),
    )


@pytest.fixture
def client_tls(authority):
    """Make the options of a connection, with a certificate or none."""

    def options(issued=None):
        files = {"cert_file": str(issued.cert_file), "key_file": str(issued.key_file)} if issued else {}
        context = client_context(ClientTlsSettings(ca_file=str(authority.ca_file), **files))
        return {"ssl": context, "server_hostname": "localhost"}

    return options
