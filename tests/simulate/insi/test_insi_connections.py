"""TLS, HTTP and what goes wrong on the wire, seen from raw sockets and from a plain HTTP client."""

import http.client
import socket
import ssl
import time

import pytest

from insigne.insi.wire import content_type, read_answer
from insigne.simulate.insi.engine import Behaviour
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import parse_script
from insigne.simulate.insi.simulator import SimulatorSettings

ZOE = ("ADRUN", "ZOE", "F", "1975-12-31")


def raw(caller, *parts):
    """Send bytes over a connection of its own, return all that comes until the other side closes."""
    with socket.create_connection((caller.host, caller.port), 10) as plain:
        plain.settimeout(10)
        with caller.tls.wrap_socket(plain, server_hostname=caller.host) as connection:
            for part in parts:
                connection.sendall(part)
            received = b""
            try:
                while chunk := connection.recv(65536):
                    received += chunk
            except (ConnectionResetError, ssl.SSLEOFError):
                pass
            return received


def request(body, *headers, path="/lps", method="POST"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


SOAP = f"Content-Type: {content_type('search')}"


def test_a_client_without_a_certificate_does_not_get_in(call_as):
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        call_as("").search(*ZOE)


def test_a_certificate_of_another_authority_does_not_get_in(simulator, tmp_path, call_as):
    with running(SimulatorSettings(tmp_path)) as other:
        stranger = dict(simulator.ready, clients=other.ready["clients"])
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            call_as("INSI-AUTO", stranger).search(*ZOE)


@pytest.mark.parametrize(("name", "code"), [("INSI-AUTO", "00"), ("INSI-MANU", "00"), ("AUTRE-CN", "desir_560")])
def test_the_common_name_of_the_certificate_decides(caller, call_as, name, code):
    assert call_as(name).search(*ZOE).code == code


def test_the_call_log_says_who_called_and_hides_whom_they_asked_about(caller, call_as):
    call_as("INSI-MANU").search(*ZOE)
    [call] = caller.control(path="/calls")["calls"]
    assert (call["number"], call["client"], call["operation"], call["code"]) == (1, "INSI-MANU", "search", "00")
    assert "ADRUN" not in str(call)


def test_an_http_client_that_waits_for_100_continue_is_told_to_go_on(caller, written):
    body = written(*ZOE)
    received = raw(
        caller,
        request(b"", SOAP, "Expect: 100-continue", "Connection: close").replace(
            b"Content-Length: 0", b"Content-Length: %d" % len(body)
        ),
        body,
    )
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_requests_sent_together_are_answered_in_order(caller, written):
    nobody = written("HOUILLES", "PIERRE", "M", "1993-01-27")
    received = raw(caller, request(written(*ZOE), SOAP) + request(nobody, SOAP, "Connection: close"))
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b"<CodeCR>00<") < received.index(b"<CodeCR>01<")


def test_a_request_cut_in_small_pieces_is_read_whole(caller, written):
    whole = request(written(*ZOE), SOAP, "Connection: close")
    assert b"<CodeCR>00<" in raw(caller, *(whole[i : i + 97] for i in range(0, len(whole), 97)))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"HELLO\r\n\r\n", b"400"),
        (b"POST /lps HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000 + b"\r\n\r\n", b"400"),
        (b"POST /lps HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b" " * 8_400_000, b"413"),
    ],
    ids=["no HTTP", "long head", "large body"],
)
def test_what_is_no_reasonable_request_is_refused_and_closed(caller, sent, status):
    assert raw(caller, sent).startswith(b"HTTP/1.1 " + status)


def test_other_methods_and_paths_are_refused(caller):
    assert caller.http("GET", "/lps").status == 405
    assert caller.http("POST", "/autre", b"x").status == 404
    assert caller.http("GET", "/control/autre").status == 404


def test_the_connection_is_kept_between_calls(caller):
    caller.search(*ZOE)
    kept = caller.connection.sock
    caller.search(*ZOE)
    assert caller.connection.sock is kept


def test_a_dropped_connection_ends_in_the_middle_of_the_announced_body(caller, written):
    caller.set(effects={"drop": True})
    with pytest.raises(http.client.IncompleteRead) as caught:
        caller.post(written(*ZOE))
    assert caught.value.partial.startswith(b"<?xml")
    assert caught.value.expected > 0


def test_a_truncated_answer_is_whole_for_http_and_cut_for_xml(caller, written):
    caller.set(effects={"malformed": "truncated"})
    answer = caller.post(written(*ZOE))
    assert answer.status == 200
    assert len(answer.body) == int(answer.headers["Content-Length"])
    assert read_answer(200, answer.body).code == "malformed"


def test_a_closed_connection_gives_no_byte_of_answer(caller, written):
    caller.set(effects={"outage": "closed"})
    assert raw(caller, request(written(*ZOE), SOAP)) == b""
    caller.set(effects={})
    assert caller.search(*ZOE).code == "00"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_http_error_is_not_soap(caller, written, status):
    caller.set(effects={"http": status})
    answer = caller.post(written(*ZOE))
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert read_answer(answer.status, answer.body).code == f"http_{status}"


def test_a_late_answer_comes_late_and_delays_no_other_client(caller, call_as, written):
    caller.set(effects={"latency_ms": 400, "birth_name": "ADRUN"})
    caller.connection.request("POST", "/lps", written(*ZOE), {"Content-Type": content_type("search")})
    begun = time.monotonic()
    assert call_as("INSI-MANU").search("CORSE", "ANTHONY", "M", "1980-03-02").code == "00"
    answer = caller.connection.getresponse()
    assert time.monotonic() - begun >= 0.35
    assert read_answer(answer.status, answer.read()).code == "00"


def test_a_script_closes_the_port_and_opens_the_same_one_again(tmp_path, call_as, written):
    script = parse_script(b'[[step]]\nfrom = "2m"\nto = "5m"\noutage = "refused"\n')
    with running(SimulatorSettings(tmp_path, behaviour=Behaviour(script=script))) as started:
        one = call_as("INSI-AUTO", started.ready)
        assert one.search(*ZOE).code == "00"
        started.call(lambda: started.simulator.set_clock(150))
        wait_until(lambda: not accepts(one))
        with pytest.raises((ConnectionError, ssl.SSLError)):
            one.search(*ZOE)
        started.call(lambda: started.simulator.set_clock(301))
        wait_until(lambda: accepts(one))
        assert one.search(*ZOE).code == "00"


def accepts(caller):
    try:
        socket.create_connection((caller.host, caller.port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def wait_until(condition):
    """Wait for something that happens in another thread, without a fixed pause."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen within 10 s"
        time.sleep(0.005)
