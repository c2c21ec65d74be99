"""`insigne send` against a real listener on another thread."""

import asyncio
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from insigne.exchange.model import Answer
from insigne.hl7 import AckError, Location, build_ack, frame
from insigne.net.authority import DemoAuthority
from insigne.net.settings import TlsSettings
from insigne.transport.mllp_server import MllpServer
from insigne.transport.settings import MllpSettings


def message(control_id):
    """One A28 of an invented person."""
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|20260301083000+0100||ADT^A28^ADT_A05|{control_id}|P|2.5||||||UNICODE UTF-8\r"
        "PID|||9001^^^GAM&1.2.250.1.999.1&ISO^PI||BÉRANGER^MAËLLE^^^^^L||19810412|F\r"
    ).encode()


ACK = b"MSH|^~\\&|RI|GHT|GAM|CHU|20260301083000+0100||ACK^A28^ACK|K1|P|2.5\rMSA|AA|OLD\r"


class Receiver:
    """Answers each message as its control id asks: `AE…` and `AR…` are refused, `MUTE…` is never answered."""

    def __init__(self):
        self.received = []

    def submit_nowait(self, received, callback):
        self.received.append(received)
        control_id = received.raw.split(b"|")[9].decode()
        if control_id.startswith("MUTE"):
            return
        if b"|ACK^" in received.raw:
            callback(Answer(b"", "", "01", durable=True))
            return
        code = control_id[:2] if control_id[:2] in {"AE", "AR", "CA"} else "AA"
        place = Location("PID", field=3, repetition=2, component=5)
        errors = [AckError("101", location=place, text="type manquant"), AckError("207")] if code == "AE" else []
        text = "refusé" if code == "AE" else ""
        ack = build_ack(received.raw, code, time="20260301083001+0100", control_id="R", errors=errors, text=text)
        callback(Answer(ack, code, "01", durable=True))

    def report_junk(self, junk, peer):
        raise AssertionError(junk)

    @property
    def ids(self):
        return [received.raw.split(b"|")[9].decode() for received in self.received]


@contextmanager
def listening(receiver, tls=None):
    """Give the address of a listener that runs meanwhile."""
    with asyncio.Runner() as loop:
        server = MllpServer(MllpSettings(port=0, drain_seconds=0.1, tls=tls), receiver, clock=lambda: "")
        loop.run(server.start())
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run(stop.wait()))
        thread.start()
        try:
            yield "{}:{}".format(*server.address)
        finally:
            loop.get_loop().call_soon_threadsafe(stop.set)
            thread.join()
            loop.run(server.stop())


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def address(receiver):
    with listening(receiver) as found:
        yield found


@pytest.fixture
def files(tmp_path):
    """Write files and give their paths: `files(a=b"…", b=b"…")`."""

    def write(**contents):
        paths = [tmp_path / f"{name}.hl7" for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        return paths

    return write


def lines(result):
    return [json.loads(line) for line in result.out.splitlines()]


def test_each_message_is_one_line_in_the_order_given(insigne, address, receiver, files):
    paths = files(b=message("A") + message("B"), a=frame(message("C")) + frame(message("D")))
    result = insigne("send", address, *paths, "--json")
    assert result.status == 0
    assert lines(result) == [
        {"file": str(path), "message": index, "control_id": name, "code": "AA", "text": "", "errors": []}
        for path, index, name in [(paths[0], 1, "A"), (paths[0], 2, "B"), (paths[1], 1, "C"), (paths[1], 2, "D")]
    ]
    assert receiver.ids == ["A", "B", "C", "D"]


def test_the_bytes_of_a_file_are_sent_as_they_stand(insigne, address, receiver, files):
    raw = message("A").replace(b"\r", b"\r\n")
    assert insigne("send", address, *files(a=raw)).status == 0
    assert receiver.received[0].raw == raw


def test_a_refusal_is_shown_with_its_errors_and_ends_with_1(insigne, address, files):
    result = insigne("send", address, *files(a=message("AE1") + message("A")), "--json")
    assert result.status == 1
    refused, accepted = lines(result)
    assert (refused["code"], refused["text"]) == ("AE", "refusé")
    assert refused["errors"] == [
        {"location": "PID-3[2].5", "code": "101", "severity": "E", "text": "type manquant"},
        {"location": "", "code": "207", "severity": "E", "text": "Application internal error"},
    ]
    assert accepted["code"] == "AA"


def test_a_commit_accept_is_a_success(insigne, address, files):
    assert insigne("send", address, *files(a=message("CA1"))).status == 0


def test_words_for_a_person_say_the_same(insigne, address, files):
    (path,) = files(a=message("AE1"))
    result = insigne("send", address, path)
    assert result.status == 1
    assert result.out.splitlines() == [
        f"AE  {path}#1  AE1  refusé",
        "      E 101 PID-3[2].5: type manquant",
        "      E 207 Application internal error",
    ]


def test_a_missing_answer_is_a_null_code_and_what_follows_is_sent(insigne, address, receiver, files):
    result = insigne(
        "send", address, *files(a=message("MUTE") + message("AE1") + message("A")), "--timeout", "0.2", "--json"
    )
    assert result.status == 3
    assert [line["code"] for line in lines(result)] == [None, "AE", "AA"]
    assert "did not answer in 0.2 s" in lines(result)[0]["text"]
    assert receiver.ids == ["MUTE", "AE1", "A"]


def test_an_acknowledgement_in_a_file_is_sent_and_not_waited_for(insigne, address, receiver, files):
    result = insigne("send", address, *files(a=ACK, b=message("A")), "--json")
    assert result.status == 0
    assert [(line["control_id"], line["code"]) for line in lines(result)] == [("K1", None), ("A", "AA")]
    assert receiver.received[0].raw == ACK


def test_a_peer_that_cannot_be_reached_is_a_null_code_for_every_message(insigne, receiver, files):
    with listening(receiver) as address:
        pass
    result = insigne("send", address, *files(a=message("A") + message("B"), b=ACK), "--json")
    assert result.status == 3
    assert [line["code"] for line in lines(result)] == [None, None, None]
    assert {line["text"] for line in lines(result)} == {f"{address} cannot be reached: Connection refused"}


def test_what_is_no_message_is_sent_for_the_peer_to_refuse(insigne, address, receiver, files):
    result = insigne("send", address, *files(a=b"hello|a|b|c|d|e|f|g|h|AR|\r"), "--json")
    assert result.status == 1
    assert (lines(result)[0]["control_id"], lines(result)[0]["code"]) == ("", "AR")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["2575"], "is not HOST:PORT"),
        (["127.0.0.1:"], "is not HOST:PORT"),
        (["127.0.0.1:99999"], "is not HOST:PORT"),
        (["127.0.0.1:1", "--tls-ca", "missing.pem"], "missing.pem"),
    ],
)
def test_wrong_use_sends_nothing_and_ends_with_2(insigne, files, arguments, text):
    peer, *options = arguments
    result = insigne("send", peer, *files(a=message("A")), *options)
    assert result.status == 2
    assert text in result.err
    assert result.out == ""


def test_a_file_that_is_missing_or_empty_is_named_before_anything_is_sent(insigne, address, receiver, files):
    (good, empty) = files(good=message("A"), empty=b"\n")
    for bad in (empty, "missing.hl7"):
        result = insigne("send", address, good, bad)
        assert result.status == 2
        assert str(bad) in result.err
    assert receiver.received == []


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return DemoAuthority(tmp_path_factory.mktemp("authority"), datetime.now(UTC))


def test_messages_go_over_mutual_tls(insigne, receiver, files, authority):
    now = datetime.now(UTC)
    server, client = authority.issue_server("registry", now), authority.issue_client("gam.example", now)
    tls = TlsSettings(str(server.cert_file), str(server.key_file), client_ca_file=str(authority.ca_file))
    trusting = ["--tls-ca", authority.ca_file]
    certified = [*trusting, "--tls-cert", client.cert_file, "--tls-key", client.key_file]
    with capture_logs(), listening(receiver, tls) as address:
        assert insigne("send", address, *files(a=message("A")), *certified).status == 0
        refused = insigne("send", address, *files(a=message("A")), *trusting, "--json")
        plain = insigne("send", address, *files(a=message("A")), "--json")
    assert refused.status == plain.status == 3
    assert "--tls-cert and --tls-key" in lines(refused)[0]["text"]
    assert "expects TLS" in lines(plain)[0]["text"]
    assert lines(refused)[0]["code"] is None
    assert [received.peer.name for received in receiver.received] == ["gam.example"]
