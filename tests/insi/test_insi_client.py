"""Calls over mutual TLS, against a server of bare sockets that answers what the service would."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from insigne.insi.certificate import OwnCertificate
from insigne.insi.client import InsiClient, InsiUnusable, evidence, retrieve
from insigne.insi.strategy import Search
from insigne.insi.wire import InsiAnswer, InsiFault, SearchTraits, VitaleData, WireError, read_request
from insigne.net.breaker import Evidence
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import TlsError

ISEULT = SearchTraits("BELLANGER", "ISEULT", "F", "1984-05-07")


def body_of(request):
    return request.partition(b"\r\n\r\n")[2]


def test_a_call_is_traced_whole(serve, call, wire):
    server = serve(wire.one)
    traced = call(server).search(ISEULT, wire.caller)
    assert traced.code == "00"
    assert traced.result.active.matricule == "284053726111832"
    assert (traced.caller.author, traced.caller.reason, traced.criteria) == ("dupont", "admission", ISEULT)
    assert traced.request == body_of(server.requests[0])
    assert traced.response == body_of(wire.one)
    assert (traced.http_status, traced.endpoint, traced.certificate) == (200, server.url, "INSI-MANU")
    assert traced.message_id.encode() in traced.request
    assert 0 < traced.seconds < 60


def test_the_trace_shows_no_personal_data_when_it_is_printed(serve, call, wire):
    shown = repr(call(serve(wire.one)).search(ISEULT, wire.caller))
    assert not any(secret in shown for secret in ("BELLANGER", "1984", "2840537261118"))


def test_the_certificate_of_the_organisation_is_shown_and_its_unit_is_the_emitter(serve, call, wire):
    server = serve(wire.one)
    call(server).search(ISEULT, wire.caller)
    assert server.names == ["INSI-MANU"]
    assert read_request(body_of(server.requests[0])).context.emitter == "10B0000001"


def test_the_call_says_which_software_and_installation_makes_it(serve, call, wire, monkeypatch):
    monkeypatch.setattr(InsiClient, "certificate", None)  # a clock of the past would find it not valid yet
    server = serve(wire.one)
    client = call(server, idam="ABCD00000001", clock=lambda: wire.now)
    client.search(ISEULT, wire.caller)
    client.search(ISEULT, wire.caller)
    head = server.requests[0].partition(b"\r\n\r\n")[0]
    assert b'Content-Type: application/soap+xml; charset=utf-8; action="urn:ServiceIdentiteCertifiee' in head
    first, second = (read_request(body_of(request)).context for request in server.requests)
    assert (first.idam, first.idam_r, first.instance) == ("ABCD00000001", "4", "the-instance")
    assert first.lps_name.startswith("urn:lps:insigne:")
    assert first.time == "2026-01-15T08:30:00.000Z"
    ids = {one for context in (first, second) for one in (context.message_id, context.bam_id, context.lps_id)}
    assert len(ids) == 6


def test_calls_share_a_connection(serve, call, wire):
    server = serve(wire.one)
    client = call(server)
    assert {client.search(ISEULT, wire.caller).code for _ in range(5)} == {"00"}
    assert server.connections == 1


def test_a_card_is_asked_about(serve, call, wire):
    server = serve(wire.one)
    data = VitaleData("2560775056021", birth_name="BELLANGER")
    assert call(server).vitale(data, wire.caller).code == "00"
    assert read_request(body_of(server.requests[0])).vitale == data


def test_calls_no_user_started_use_their_own_certificate(site, serve, call, wire):
    server = serve(wire.one)
    cert, key = site.client("INSI-AUTO")
    auto = ClientTlsSettings(ca_file=site.ca, cert_file=cert, key_file=key)
    call(server, auto_tls=auto, automatic=True).search(ISEULT, wire.caller)
    call(server, auto_tls=auto).search(ISEULT, wire.caller)
    call(server, automatic=True).search(ISEULT, wire.caller)
    assert server.names == ["INSI-AUTO", "INSI-MANU", "INSI-MANU"]


def test_the_certificate_may_be_a_pkcs12_file(site, serve, call, wire):
    cert, key = site.client("INSI-AUTO")
    chain = x509.load_pem_x509_certificates(Path(cert).read_bytes())
    private = load_pem_private_key(Path(key).read_bytes(), None)
    path, password = site.folder / "insi.p12", site.folder / "password"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"insi", private, chain[0], chain[1:], BestAvailableEncryption(b"sesame"))
    )
    password.write_text("sesame\n", encoding="utf-8")
    server = serve(wire.one)
    tls = ClientTlsSettings(ca_file=site.ca, cert_file=str(path), key_password_file=str(password))
    client = call(server, tls=tls)
    assert client.search(ISEULT, wire.caller).code == "00"
    assert (client.certificate.name, client.certificate.emitter) == ("INSI-AUTO", "10B0000001")
    password.write_text("autre", encoding="utf-8")
    with pytest.raises(TlsError, match=r"insi\.p12"):
        call(server, tls=tls)


def test_signed_assertions_are_read_at_each_call_and_sent_unchanged(site, serve, call, wire):
    file = site.folder / "assertion.xml"
    server = serve(wire.one)
    client = call(server, security="assertion_ps", assertion_files=(str(file),))
    for number in (b"1", b"2"):
        signed = b'<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_' + number + b'"> </a:Assertion>'
        file.write_bytes(b'<?xml version="1.0"?>\n' + signed)
        client.search(ISEULT, wire.caller)
        assert signed in server.requests[-1]
    file.write_bytes(b"<a")
    with pytest.raises(InsiUnusable, match=r"assertion\.xml"):
        client.search(ISEULT, wire.caller)


def test_a_fault_of_the_service_keeps_its_bytes(serve, call, wire):
    traced = call(serve(wire.technical)).search(ISEULT, wire.caller)
    assert (traced.code, traced.result.subcode, traced.http_status) == ("fault", "siram_40", 500)
    assert traced.response == body_of(wire.technical)


def test_a_search_is_played_to_its_end_every_call_traced(serve, call, wire):
    server = serve(wire.none, wire.several, wire.several, wire.one)
    search = Search("BELLANGER", ["ISEULT", "MARIE"], "F", "1984-05-07", "37261")
    pauses = []
    calls = retrieve(call(server), search, wire.caller, pause=lambda: pauses.append(len(server.requests)))
    assert [traced.code for traced in calls] == ["01", "02", "02", "00"]
    assert pauses == [0, 1, 2, 3]
    sent = [read_request(body_of(request)).traits for request in server.requests]
    assert [(one.given_name, one.birth_place) for one in sent] == [
        ("ISEULT", ""),
        ("MARIE", ""),
        ("ISEULT MARIE", ""),
        ("ISEULT MARIE", "37261"),
    ]
    assert search.outcome == calls[-1].result


def test_a_search_stops_at_a_fault(serve, call, wire):
    server = serve(wire.none, wire.technical, wire.one)
    search = Search("BELLANGER", ["ISEULT", "MARIE"], "F", "1984-05-07")
    assert [traced.code for traced in retrieve(call(server), search, wire.caller)] == ["01", "fault"]


def test_a_call_that_no_schema_allows_never_leaves(serve, call, wire):
    server = serve(wire.one)
    with pytest.raises(WireError):
        call(server).search(SearchTraits("BELLANGER", "ISEULT", "I", "1984-05-07"), wire.caller)
    assert server.connections == 0


# What goes wrong


def fault_of(traced):
    assert isinstance(traced.result, InsiFault)
    return traced.result


def test_a_service_that_is_not_there_is_unreachable(call, wire, serve):
    server = serve(wire.one)
    server.close()
    traced = call(server).search(ISEULT, wire.caller)
    fault = fault_of(traced)
    assert (fault.code, fault.kind, fault.outage) == ("unreachable", "technical", True)
    assert (traced.response, traced.http_status) == (b"", 0)
    assert traced.request


def test_a_service_that_says_nothing_times_out(serve, call, wire):
    enough = threading.Event()
    server = serve(lambda _: enough.wait(20))
    fault = fault_of(call(server, total_seconds=0.5).search(ISEULT, wire.caller))
    enough.set()
    assert (fault.code, fault.outage) == ("timeout", True)


@pytest.mark.parametrize(
    ("spoil", "code", "outage"),
    [
        (lambda wire: lambda peer: peer.sendall(wire.one[:-40]) or peer.unwrap(), "unreachable", True),
        (lambda wire: lambda peer: peer.unwrap(), "unreachable", True),
        (lambda wire: wire.http(b"<html/>", "503 Service Unavailable"), "http_503", True),
        (lambda wire: wire.http(b"<html/>", "404 Not Found"), "http_404", False),
        (lambda wire: wire.http(b"<html>maintenance</html>"), "malformed", True),
        (lambda wire: wire.http(b"x" * 2_000_000), "malformed", True),
        (lambda wire: b"HTTP/9 ?\r\n\r\n", "malformed", True),
        (lambda wire: wire.http(wire.fault("insi_999", "siram_999"), "500 Oops"), "insi_999", False),
    ],
    ids=["cut", "closed", "503", "404", "a page", "huge", "not HTTP", "unknown codes"],
)
def test_an_accident_is_a_fault_with_a_code(serve, call, wire, spoil, code, outage):
    fault = fault_of(call(serve(spoil(wire))).search(ISEULT, wire.caller))
    assert (fault.code, fault.outage) == (code, outage)
    assert fault.text


def test_an_answer_of_fifty_megabytes_is_cut_short(serve, call, wire):
    def flood(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        for _ in range(800):
            peer.sendall(b" " * 65536)

    fault = fault_of(call(serve(flood)).search(ISEULT, wire.caller))
    assert (fault.code, "1048576" in fault.detail) == ("malformed", True)


def test_an_unknown_authority_is_a_fault_of_configuration(site, serve, call, wire):
    stranger = trustme.CA()
    server = serve(wire.one, context=site.server_context(stranger.issue_cert("127.0.0.1")))
    fault = fault_of(call(server).search(ISEULT, wire.caller))
    assert (fault.code, fault.kind) == ("tls", "configuration")
    assert "ca_file" in fault.detail


def test_a_server_whose_certificate_is_past_points_at_the_clocks(site, serve, call, wire):
    old = site.authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    server = serve(wire.one, context=site.server_context(old))
    fault = fault_of(call(server).search(ISEULT, wire.caller))
    assert (fault.code, "clock" in fault.detail) == ("tls", True)


def test_a_server_that_refuses_our_certificate_gives_a_fault(site, serve, call, wire):
    context = site.server_context(site.authority.issue_cert("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # its refusal comes within the handshake
    server = serve(wire.one, context=context)
    cert, key = site.client("INSI-INCONNU", authority=trustme.CA())
    tls = ClientTlsSettings(ca_file=site.ca, cert_file=cert, key_file=key)
    fault = fault_of(call(server, tls=tls).search(ISEULT, wire.caller))
    assert (fault.code, fault.kind) == ("tls", "configuration")


def test_our_certificate_once_expired_calls_nobody(site, serve, call, wire):
    server = serve(wire.one)
    cert, key = site.client("INSI-EXPIRE", not_after=datetime.now(UTC) - timedelta(days=1))
    client = call(server, tls=ClientTlsSettings(ca_file=site.ca, cert_file=cert, key_file=key))
    fault = fault_of(client.search(ISEULT, wire.caller))
    assert (fault.code, fault.kind, "expired" in fault.detail) == ("tls", "configuration", True)
    assert server.connections == 0
    assert any("expired" in doubt for doubt in client.doubts())


def test_a_certificate_renewed_is_shown_without_a_restart(site, serve, call, wire, tmp_path):
    server = serve(wire.one)
    cert, key = tmp_path / "insi.pem", tmp_path / "insi.key"

    def install(name, **more):
        for source, target in zip(site.client(name, **more), (cert, key), strict=True):
            target.write_bytes(Path(source).read_bytes())

    install("INSI-EXPIRE", not_after=datetime.now(UTC) - timedelta(days=1))
    client = call(server, tls=ClientTlsSettings(ca_file=site.ca, cert_file=str(cert), key_file=str(key)))
    assert fault_of(client.search(ISEULT, wire.caller)).code == "tls"
    install("INSI-MANU")
    traced = client.search(ISEULT, wire.caller)
    assert (traced.code, traced.certificate, server.names) == ("00", "INSI-MANU", ["INSI-MANU"])
    assert client.doubts() == ()


def test_a_certificate_not_valid_yet_points_at_the_clock(serve, call, wire):
    client = call(serve(wire.one), clock=lambda: datetime(1999, 1, 1, tzinfo=UTC))
    assert "clock" in fault_of(client.search(ISEULT, wire.caller)).detail


def test_a_certificate_under_another_name_is_doubted_before_the_service_refuses_it(site, serve, call, wire):
    cert, key = site.client("INSI-MANUEL")
    client = call(serve(wire.one), tls=ClientTlsSettings(ca_file=site.ca, cert_file=cert, key_file=key))
    (doubt,) = client.doubts()
    assert "desir_560" in doubt


def test_a_certificate_without_unit_leaves_the_emitter_to_a_setting(wire):
    day = timedelta(days=1)
    (doubt,) = OwnCertificate("INSI-AUTO", "", wire.now - day, wire.now + day).doubts(wire.now)
    assert "insi.emitter" in doubt


def test_a_good_certificate_raises_no_doubt_and_none_at_all_does(site, serve, call, wire):
    server = serve(wire.one)
    assert call(server).doubts() == ()
    assert call(server, tls=ClientTlsSettings(ca_file=site.ca)).doubts()


def test_the_clock_of_the_service_is_compared_with_ours(serve, call, wire, monkeypatch):
    monkeypatch.setattr(InsiClient, "certificate", None)
    dated = wire.http(wire.outcome("01", ""), more="Date: Thu, 15 Jan 2026 08:40:00 GMT\r\n")
    client = call(serve(dated, wire.one), clock=lambda: wire.now)
    assert client.search(ISEULT, wire.caller).clock_skew == 600
    assert client.search(ISEULT, wire.caller).clock_skew is None


@pytest.mark.parametrize("endpoint", ["", "services-ps", "ftp://a/b"])
def test_an_address_that_is_none_is_refused_by_name(call, endpoint):
    with pytest.raises(InsiUnusable, match=r"insi\.endpoint"):
        call(endpoint)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (InsiAnswer("00", "OK"), Evidence.ALIVE),
        (InsiAnswer("01", ""), Evidence.ALIVE),
        (InsiFault("insi_24"), Evidence.ALIVE),
        (InsiFault("insi_102", "siram_40"), Evidence.AILING),
        (InsiFault("insi_777", "siram_888"), Evidence.AILING),
        (InsiFault("desir_560"), Evidence.DOWN),
        (InsiFault("timeout"), Evidence.DOWN),
        (InsiFault("unreachable"), Evidence.DOWN),
        (InsiFault("tls"), Evidence.DOWN),
        (InsiFault("http_503", http_status=503), Evidence.DOWN),
    ],
)
def test_what_a_result_tells_about_the_service(result, told):
    assert evidence(result) is told
