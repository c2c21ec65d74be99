"""Changes posted to an application: signed, told apart by status, never sent without a verified server."""

import hashlib
import hmac
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from structlog.testing import capture_logs

from insigne.exchange.delivery.ports import DeliveryName, SendFailed
from insigne.net.secrets import SecretError
from insigne.net.settings import ClientTlsSettings
from insigne.transport.settings import WebhookDestination
from insigne.transport.webhook import WebhookSender

SECRET = "0123456789abcdef0123456789abcdef"
NAME = DeliveryName("D1", "change", 7, "2026-03-01T07:30:00.000Z")
BODY = b'{"event":"identity-created"}'


class Application:
    """An HTTP server that answers with the statuses it is given, and keeps what it got."""

    def __init__(self, certificate=None):
        application = self
        self.statuses, self.received = [], []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                application.received.append((self.path, dict(self.headers), body))
                self.send_response(application.statuses.pop(0) if application.statuses else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert_file, certificate.key_file)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://localhost:{self.server.server_address[1]}/hooks/patients"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def application():
    made = Application()
    yield made
    made.stop()


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return str(path)


def posted(run, settings, times=1):
    async def scenario():
        sender = WebhookSender(settings, clock=lambda: 1_772_349_000.5)
        try:
            return [await sender.deliver(BODY, NAME) for _ in range(times)]
        finally:
            await sender.close()

    return run(scenario)


def test_a_change_is_posted_with_a_signature_the_application_can_check(run, application, secret_file):
    [result] = posted(run, WebhookDestination(url=application.url, secret_file=secret_file))
    assert result.code == "AA"
    [(path, headers, body)] = application.received
    assert (path, body) == ("/hooks/patients", BODY)
    expected = hmac.new(SECRET.encode(), b"1772349000." + BODY, hashlib.sha256).hexdigest()
    assert headers["Insigne-Signature"] == f"t=1772349000,v1={expected}"
    assert headers["Insigne-Delivery"] == "D1"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "code"), [(200, "AA"), (202, "AA"), (429, "AR"), (503, "AR"), (400, "AE"), (410, "AE"), (302, "AE")]
)
def test_a_status_says_whether_it_is_done_tried_again_or_refused(run, application, secret_file, status, code):
    application.statuses = [status]
    [result] = posted(run, WebhookDestination(url=application.url, secret_file=secret_file))
    assert (result.code, result.text) == (code, f"HTTP {status}")


def failure(run, settings):
    with pytest.raises(SendFailed) as failed:
        posted(run, settings)
    return failed.value


def test_an_application_that_does_not_know_us_is_told_apart(run, application, secret_file):
    application.statuses = [401]
    failed = failure(run, WebhookDestination(url=application.url, secret_file=secret_file))
    assert failed.kind == "refused-credentials"
    assert SECRET not in str(failed)


def test_an_application_that_is_down_is_unreachable(run, secret_file):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert failure(run, WebhookDestination(url=url, secret_file=secret_file)).kind == "unreachable"


def test_https_is_verified_and_http_is_warned_of(run, server_certificate, authority, secret_file, tmp_path):
    served = Application(server_certificate)
    try:
        with capture_logs() as logs:
            settings = WebhookDestination(
                url=served.url, secret_file=secret_file, tls=ClientTlsSettings(ca_file=str(authority.ca_file))
            )
            assert [result.code for result in posted(run, settings, times=2)] == ["AA", "AA"]
            assert failure(run, WebhookDestination(url=served.url, secret_file=secret_file)).kind == "refused-tls"
        assert logs == []
    finally:
        served.stop()
    with capture_logs() as logs:
        WebhookSender(WebhookDestination(url="http://localhost:1/x", secret_file=secret_file), clock=lambda: 0)
    assert [line["event"] for line in logs] == ["webhook.in-clear"]


def test_a_secret_that_is_short_or_missing_is_refused_at_once(tmp_path):
    short = tmp_path / "short"
    short.write_text("abc")
    for path, reason in ((short, "at least 32"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(SecretError, match=reason):
            WebhookSender(WebhookDestination(url="http://localhost/", secret_file=str(path)), clock=lambda: 0)
