"""The server on a real socket."""

import socket
import ssl

import httpx2
import pytest
from trustme import CA

from insigne.api.server import HttpServer
from insigne.api.settings import HttpSettings
from insigne.net.settings import TlsSettings


@pytest.fixture
def serve(world):
    servers = []

    def start(**settings):
        server = HttpServer(world.app, HttpSettings(port=0, **settings))
        servers.append(server)
        return server, server.start()

    yield start
    for server in servers:
        server.stop()


def test_port_0_is_any_free_port_and_is_told(serve):
    server, (host, port) = serve()
    assert (host, server.alive) == ("127.0.0.1", True)
    assert httpx2.get(f"http://{host}:{port}/health/live").json() == {"status": "live"}
    server.stop()
    assert not server.alive
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=2)


def test_a_port_in_use_is_an_error_at_once(serve):
    _, (_, port) = serve()
    with pytest.raises(OSError, match="in use"):
        HttpServer(None, HttpSettings(port=port)).start()


def test_it_speaks_tls_with_the_certificate_it_was_given(serve, tmp_path):
    authority = CA()
    pem = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    _, (host, port) = serve(tls=TlsSettings(cert_file=str(pem)))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    assert httpx2.get(f"https://{host}:{port}/health/live", verify=context).status_code == 200


def test_the_head_of_a_request_is_bounded_in_size(serve):
    _, address = serve()
    with socket.create_connection(address, timeout=10) as peer:
        peer.sendall(b"GET /health/live HTTP/1.1\r\nX: " + b"a" * 40_000)
        assert peer.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\nHost"])
def test_a_request_that_never_comes_is_hung_up_on(serve, sent):
    _, address = serve(request_seconds=1)
    with socket.create_connection(address, timeout=10) as peer:
        peer.sendall(sent)
        assert peer.recv(100) == b""


def test_a_connection_is_kept_between_requests(serve):
    _, address = serve()
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(address, timeout=10) as peer:
        for _ in range(2):
            peer.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += peer.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"\r\nserver:" not in answer.lower()
