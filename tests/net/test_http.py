"""The HTTP client against a peer made of bare sockets, in clear and over TLS."""

import contextlib
import re
import socket
import ssl
import threading
import time

import pytest
import trustme

from insigne.net.http import HttpClient, HttpError, HttpLimits
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import client_context

PATIENCE = 20
QUICK = HttpLimits(connect_seconds=PATIENCE, total_seconds=0.2)


def closing(data=b""):
    """Send this, then close."""
    return lambda _: data


def reply(body=b"done", more="", status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


class Peer:
    """Plays one script a connection: a script is a list of what to do after each whole request.

    Bytes are sent; a function is given the socket, and what it returns is sent before the connection is closed.
    After its script a connection waits for the client to close.
    """

    def __init__(self, scripts, context=None):
        self.requests = []
        self.connections = 0
        self._scripts = list(scripts)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = []
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _run(self):
        with contextlib.suppress(OSError):
            for script in self._scripts:
                plain, _ = self._listener.accept()
                self.connections += 1
                plain.settimeout(PATIENCE)
                self._open.append(plain)
                self._threads.append(threading.Thread(target=self._serve, args=(plain, script)))
                self._threads[-1].start()

    def _serve(self, plain, script):
        with contextlib.suppress(OSError), plain:
            if self._context is None:
                self._play(plain, script)
            else:
                with self._context.wrap_socket(plain, server_side=True) as peer:
                    self._play(peer, script)

    def _play(self, peer, script):
        for item in script:
            if not self._read(peer):
                return
            if callable(item):
                peer.sendall(item(peer))
                return
            peer.sendall(item)
        peer.recv(1)

    def _read(self, peer):
        data = b""
        while not (end := re.search(rb"\r\n\r\n", data)):
            more = peer.recv(65536)
            if not more:
                return False
            data += more
        length = int(re.search(rb"Content-Length: (\d+)", data)[1])
        while len(data) < end.end() + length:
            data += peer.recv(65536)
        self.requests.append(data)
        return True


@pytest.fixture
def play():
    """`play(script, …)` starts a peer, `play.client(peer, …)` a client of it."""
    peers, clients = [], []

    def playing(*scripts, context=None):
        peers.append(Peer(scripts, context))
        return peers[-1]

    def client(peer, path="/lps", scheme="http", **options):
        clients.append(HttpClient(f"{scheme}://127.0.0.1:{peer.port}{path}", **options))
        return clients[-1]

    playing.client = client
    yield playing
    for one in clients:
        one.close()
    for peer in peers:
        peer.close()


def failure(client, **options):
    with pytest.raises(HttpError) as error:
        client.post(b"question", {}, **options)
    return error.value


def test_a_document_is_posted_with_its_headers(play):
    peer = play([reply(b"answer", "Date: Thu, 15 Jan 2026 08:30:00 GMT\r\nX-A: 1\r\nx-a: 2\r\n")])
    response = play.client(peer).post(b"question", {"Content-Type": "text/plain"}, path="/unit")
    assert (response.status, response.body) == (200, b"answer")
    assert (response.headers["x-a"], response.headers["date"]) == ("1, 2", "Thu, 15 Jan 2026 08:30:00 GMT")
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert body == b"question"
    assert head.split(b"\r\n") == [
        b"POST /lps/unit HTTP/1.1",
        f"Host: 127.0.0.1:{peer.port}".encode(),
        b"Content-Length: 8",
        b"Content-Type: text/plain",
    ]


class Letters:
    """A body of so many pieces of a megabyte, counted as they are taken."""

    def __init__(self, pieces, piece=1 << 20):
        self.length, self.taken = pieces * piece, 0
        self._pieces, self._piece = pieces, piece

    def pieces(self):
        for _ in range(self._pieces):
            self.taken += 1
            yield b"x" * self._piece


def test_a_body_may_be_sent_in_pieces(play):
    peer = play([reply()])
    body = Letters(3, piece=5)
    assert play.client(peer).post(body, {"Content-Type": "text/plain"}).body == b"done"
    assert peer.requests[0].endswith(b"\r\n\r\n" + b"x" * 15)
    assert b"Content-Length: 15\r\n" in peer.requests[0]


def test_a_body_in_pieces_is_begun_again_when_repeating_does_no_harm(play):
    peer = play([reply(), closing()], [reply(b"again")])
    client, body = play.client(peer), Letters(2, piece=5)
    client.post(body, {}, repeatable=True)
    assert client.post(body, {}, repeatable=True).body == b"again"
    assert peer.requests[-1].endswith(b"\r\n\r\n" + b"x" * 10)


def test_a_server_that_refuses_a_body_before_its_end_is_heard():
    def refuse():
        connection, _ = listener.accept()
        with connection:  # closed with bytes unread: the client is reset as it sends
            connection.recv(1000)
            connection.sendall(reply(b"too much", status="413 Content Too Large"))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        refusing = threading.Thread(target=refuse)
        refusing.start()
        body = Letters(64)
        client = HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        assert client.post(body, {}).status == 413
        refusing.join()
        client.close()
    assert body.taken < 64


def test_a_connection_serves_one_exchange_after_another(play):
    peer = play([reply(), reply(b"two"), reply(b"three")])
    client = play.client(peer)
    assert [client.post(b"", {}).body for _ in range(3)] == [b"done", b"two", b"three"]
    assert peer.connections == 1


def test_a_connection_that_the_server_closes_is_not_used_again(play):
    peer = play([reply(more="Connection: close\r\n")], [reply(b"two")])
    client = play.client(peer)
    assert [client.post(b"", {}).body for _ in range(2)] == [b"done", b"two"]


def test_a_kept_connection_found_closed_is_made_anew_when_repeating_does_no_harm(play):
    # The end of the first connection comes only once the second request is there: nothing showed it before.
    peer = play([reply(), closing()], [reply(b"again")])
    client = play.client(peer)
    client.post(b"one", {})
    assert client.post(b"two", {}, repeatable=True).body == b"again"
    assert [request.rpartition(b"\r\n")[2] for request in peer.requests] == [b"one", b"two", b"two"]


def test_it_is_not_repeated_otherwise(play):
    peer = play([reply(), closing()], [reply()])
    client = play.client(peer)
    client.post(b"one", {})
    assert failure(client).kind == "cut"


def test_a_new_connection_that_gives_nothing_is_not_tried_twice(play):
    peer = play([closing()], [reply()])
    assert failure(play.client(peer), repeatable=True).kind == "cut"
    assert len(peer.requests) == 1


def test_an_answer_in_chunks_or_without_length_is_whole(play):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    peer = play([chunked, reply(b"next")])
    client = play.client(peer)
    assert [client.post(b"", {}).body for _ in range(2)] == [b"abcde", b"next"]


def test_an_answer_ended_by_the_connection_is_whole(play):
    peer = play([closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")])
    assert play.client(peer).post(b"", {}).body == b"all of it"


def test_what_announces_an_answer_is_not_the_answer(play):
    peer = play([b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"answer")])
    response = play.client(peer).post(b"", {})
    assert (response.status, response.body) == (200, b"answer")


def test_a_status_of_error_is_an_answer(play):
    assert play.client(play([reply(b"<fault/>", status="500 Oops")])).post(b"", {}).status == 500


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "malformed"),
        (reply() + reply(), "malformed"),
        (reply(more="Content-Encoding: gzip\r\n"), "malformed"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "malformed"),
        (closing(), "cut"),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "cut"),
        (closing(b"HTTP/1.1 200"), "cut"),
    ],
    ids=[
        "another protocol",
        "two lengths",
        "two answers",
        "compressed",
        "upgrade",
        "nothing",
        "half a body",
        "half a head",
    ],
)
def test_what_is_no_answer_is_told_apart(play, item, kind):
    assert failure(play.client(play([item]))).kind == kind


@pytest.mark.parametrize(
    "item",
    [
        reply(b"x" * 1001),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2\r\nab\r\n" * 600,
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 0123456789\r\n" * 5000,
    ],
    ids=["length", "chunks", "headers"],
)
def test_an_answer_that_is_too_large_is_refused_while_it_comes(play, item):
    error = failure(play.client(play([item]), limits=HttpLimits(max_bytes=1000)))
    assert error.kind in ("large", "malformed")


def test_a_silent_server_is_given_up_in_time(play):
    started = time.monotonic()
    assert failure(play.client(play([b""]), limits=QUICK)).kind == "timeout"
    assert time.monotonic() - started < PATIENCE / 2


def test_a_server_that_drips_does_not_outlast_the_time_for_the_whole(play):
    enough = threading.Event()

    def drip(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not enough.wait(0.02):
            peer.sendall(b"x")
        return b""

    error = failure(play.client(play([drip]), limits=QUICK))
    enough.set()
    assert error.kind == "timeout"


def test_a_closed_port_is_unreachable_and_named(play):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(HttpClient(f"http://127.0.0.1:{port}/lps"))
    assert error.kind == "unreachable"
    assert f"http://127.0.0.1:{port}/lps" in str(error)


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "https:///lps", "http://user@host/", "http://host/?a=1", "localhost:80"]
)
def test_what_is_no_address_of_a_service_is_refused(url):
    with pytest.raises(ValueError, match="address"):
        HttpClient(url)


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X": "é"}, {"X\n": "a"}])
def test_a_header_cannot_smuggle_another(play, headers):
    with pytest.raises(ValueError, match="header"):
        play.client(play()).post(b"", headers)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_over_tls_a_connection_serves_one_exchange_after_another(play, authority, ca_file):
    peer = play([reply(), reply(b"two")], context=server_context(authority.issue_cert("127.0.0.1")))
    client = play.client(peer, scheme="https", context=client_context(ClientTlsSettings(ca_file=ca_file)))
    assert [client.post(b"", {}).body for _ in range(2)] == [b"done", b"two"]
    assert peer.connections == 1


@pytest.mark.parametrize(("name", "expected"), [("other.example", ""), ("127.0.0.1", "other.example")])
def test_a_server_of_another_name_is_refused(play, authority, ca_file, name, expected):
    peer = play([reply()], context=server_context(authority.issue_cert(name)))
    context = client_context(ClientTlsSettings(ca_file=ca_file))
    error = failure(play.client(peer, scheme="https", context=context, server_name=expected))
    assert error.kind == "tls"
    assert "server_name" in str(error)


def test_the_name_of_a_server_may_be_configured(play, authority, ca_file):
    peer = play([reply()], context=server_context(authority.issue_cert("other.example")))
    context = client_context(ClientTlsSettings(ca_file=ca_file))
    client = play.client(peer, scheme="https", context=context, server_name="other.example")
    assert client.post(b"", {}).status == 200


def test_a_server_of_an_unknown_authority_is_refused(play, ca_file):
    peer = play([reply()], context=server_context(trustme.CA().issue_cert("127.0.0.1")))
    error = failure(play.client(peer, scheme="https", context=client_context(ClientTlsSettings(ca_file=ca_file))))
    assert (error.kind, "ca_file" in str(error)) == ("tls", True)


def test_threads_share_a_client_each_exchange_having_its_connection(play):
    together = threading.Barrier(3)

    def meet(_):
        together.wait(PATIENCE)
        return reply()

    peer = play([meet], [meet], [meet])
    client = play.client(peer)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(client.post(b"", {}).status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == [200] * 3
