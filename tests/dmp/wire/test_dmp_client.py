"""Calls over mutual TLS: what is answered, what goes wrong, and the trace each leaves."""

import io
import re
import socket
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp import lots
from insigne.dmp.client import DmpClient, DmpUnusable
from insigne.dmp.settings_wire import CallerSettings
from insigne.dmp.wire import answers, iti18, iti41, iti57, soap, td02, vihf
from insigne.dmp.wire.model import DmpFault, Existence, Ins, RegistryAnswer, RegistryError, WireError
from insigne.dmp.wire.rim import RegistryObject
from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import TlsError

SOAP = "application/soap+xml; charset=UTF-8"
UNIQUE = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
PATIENT = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"


@pytest.fixture
def caller(certificates, made):
    return lots.caller(certificates.settings("https://x"), made.document().sender)


@pytest.fixture
def feeding(certificates, made):
    return lots.feeding(
        made.document(),
        io.BytesIO(made.cda()),
        made.ins,
        certificates.settings("https://x"),
        now=made.now,
        new_uuid=made.uuids(),
    )


@pytest.fixture
def answered(server):
    """Have the server answer with a payload made from what it reads."""

    def answer(make, status=200, relates=None):
        def handler(path, headers, body):
            start = body.find(b"<soap:Envelope")
            end = body.find(b"</soap:Envelope>") + len(b"</soap:Envelope>")
            asked = soap.read(body[start:end])
            relates_to = asked.message_id if relates is None else relates
            return status, SOAP, soap.build("a", "urn:uuid:1", make(asked.payload), relates_to=relates_to)

        server.answer = handler

    return answer


def entry(made, unique_id=None, patient=None):
    return RegistryObject(
        "ExtrinsicObject",
        made.entry,
        {"lid": "urn:uuid:l", "status": "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"},
        {"hash": ("ab" * 20,), "size": ("12",)},
        identifiers={
            UNIQUE: unique_id or made.id,
            PATIENT: patient or f"{made.ins.matricule}^^^&{made.ins.oid}&ISO^NH",
        },
    )


def test_existence_is_asked_for_with_our_assertion(client, answered, caller, made, server, calls):
    said = Existence("OK", True, "active", "VALIDE", ins=(made.ins,), acknowledgement="AA")
    answered(lambda asked: td02.build_answer(said, td02.read_query(asked), message="m", now=made.now))
    assert client.existence(made.ins, caller) == said
    ((path, headers, body),) = server.requests
    assert path == "/services/patients"
    assert 'action="urn:hl7-org:v3:PRPA_IN201307UV02"' in headers["Content-Type"]
    (assertion,) = soap.read(body).assertions
    assert vihf.read_assertion(assertion).attributes[vihf.RESOURCE].startswith(made.ins.matricule)
    (call,) = calls
    assert (call.transaction, call.outcome, call.http_status) == ("TD0.2", "ok", 200)
    assert call.request == body
    assert call.message_id.encode() in body
    assert call.endpoint == f"{server.url}/patients"
    assert made.ins.matricule not in repr(call)


def test_an_error_instead_of_an_existence_is_a_fault(client, answered, caller, made):
    said = Existence("AE", False, acknowledgement="AE", details=(("DMPQuelqueChose", "non"),))
    answered(lambda asked: td02.build_answer(said, td02.read_query(asked), message="m", now=made.now))
    with pytest.raises(DmpFault) as caught:
        client.existence(made.ins, caller)
    assert (caught.value.kind, caught.value.code) == ("soap", "DMPQuelqueChose")


def test_an_existence_of_another_patient_stops_the_document(client, answered, caller, made):
    other = Ins("277076322082910", "1.2.250.1.213.1.4.8")
    said = Existence("OK", True, "active", ins=(other,), acknowledgement="AA")
    answered(lambda asked: td02.build_answer(said, td02.read_query(asked), message="m", now=made.now))
    with pytest.raises(DmpFault, match="another INS") as caught:
        client.existence(made.ins, caller)
    assert answers.judge_fault(caught.value).outcome is answers.Outcome.REFUSED
    assert other.matricule not in str(caught.value)


def test_a_feeding_that_is_refused_is_answered_with_its_codes(client, answered, feeding, calls):
    said = RegistryAnswer("failure", (RegistryError("XDSDuplicateUniqueIdInRegistry", "déjà connu"),))
    answered(lambda asked: answers.build_response(said))
    assert client.feed(feeding) == said
    assert calls[0].outcome == "XDSDuplicateUniqueIdInRegistry"
    assert b"ClinicalDocument" not in calls[0].request


def test_a_deletion_names_the_entry(client, answered, certificates, made, server):
    seen = []
    answered(lambda asked: seen.append(iti57.read_update(asked)) or answers.build_response(RegistryAnswer("success")))
    deletion = lots.deletion(
        made.document(), made.entry, made.ins, certificates.settings("https://x"), now=made.now, new_uuid=made.uuids()
    )
    assert client.delete(deletion).success
    assert seen[0].target == made.entry
    assert server.requests[0][0] == "/services/registry"


def test_a_reference_is_found(client, answered, caller, made):
    answered(lambda asked: iti18.build_found("success", (entry(made),)))
    (one,) = client.find(made.id, made.ins, caller)
    assert (one.entry_uuid, one.unique_id, one.hash, one.size, one.ins) == (
        made.entry,
        made.id,
        "ab" * 20,
        12,
        made.ins,
    )


def test_no_reference_is_an_empty_answer(client, answered, caller, made):
    answered(lambda asked: iti18.build_found("success", ()))
    assert client.find(made.id, made.ins, caller) == []


@pytest.mark.parametrize("other", [{"unique_id": "1.2.3"}, {"patient": "1^^^&1.2.250.1.213.1.4.8&ISO^NH"}], ids=str)
def test_a_reference_of_something_else_is_no_answer(client, answered, caller, made, other):
    answered(lambda asked: iti18.build_found("success", (entry(made, **other),)))
    with pytest.raises(DmpFault, match="another"):
        client.find(made.id, made.ins, caller)


def test_a_search_that_is_refused_says_why(client, answered, caller, made):
    answered(lambda asked: iti18.build_found("failure", (), (RegistryError("XDSRegistryError", "non"),)))
    with pytest.raises(DmpFault) as caught:
        client.find(made.id, made.ins, caller)
    assert (caught.value.kind, caught.value.code) == ("refused", "XDSRegistryError")


def test_an_answer_in_a_multipart_message_is_read(client, answered, feeding, server):
    answered(lambda asked: answers.build_response(RegistryAnswer("success")))
    plain = server.answer

    def wrapped(path, headers, body):
        status, _, content = plain(path, headers, body)
        whole = b"--x\r\nContent-ID: <r>\r\n\r\n" + content + b"\r\n--x--\r\n"
        return status, 'multipart/related; boundary="x"; start="<r>"', whole

    server.answer = wrapped
    assert client.feed(feeding).success


def test_an_answer_to_another_question_is_none(client, answered, feeding):
    answered(lambda asked: answers.build_response(RegistryAnswer("success")), relates="urn:uuid:of-somebody-else")
    with pytest.raises(DmpFault, match="another question"):
        client.feed(feeding)


def _fault(**given_):
    return soap.build_fault(soap.Fault(**{"role": "Sender", "text": "Jeton refusé", **given_}), "urn:uuid:1")


@pytest.mark.parametrize(
    ("status", "kind", "body", "fault"),
    [
        (500, SOAP, _fault(code="wsse:InvalidSecurityToken"), ("soap", "InvalidSecurityToken", "Jeton refusé")),
        (200, SOAP, _fault(), ("soap", "Sender", "Jeton refusé")),
        (403, "text/html", b"<html>no</html>", ("refused", "HTTP 403", "")),
        (503, "text/html", b"<html>later</html>", ("malformed", "HTTP 503", "")),
        (200, "text/html", b"<html>portal</html>", ("malformed", "", "not a SOAP 1.2 envelope")),
        (200, SOAP, b"", ("malformed", "", "not well-formed XML (line 1, column 0)")),
        (200, SOAP, b"<!DOCTYPE a><a/>", ("malformed", "", "XML with a DOCTYPE: refused")),
    ],
    ids=["token", "under-200", "forbidden", "unavailable", "portal", "empty", "doctype"],
)
def test_what_is_no_answer_is_a_fault_told_by_kind(client, server, feeding, calls, status, kind, body, fault):
    server.answer = lambda path, headers, sent: (status, kind, body)
    with pytest.raises(DmpFault) as caught:
        client.feed(feeding)
    assert (caught.value.kind, caught.value.code, caught.value.text) == fault
    assert caught.value.status == status
    assert calls[0].outcome == ":".join(part for part in fault[:2] if part)


def test_nobody_listens(certificates, made, caller, calls):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = certificates.settings(f"https://127.0.0.1:{port}/services")
    client = DmpClient(settings, lambda: made.now, made.uuids(), calls.append)
    with pytest.raises(DmpFault) as caught:
        client.existence(made.ins, caller)
    assert (caught.value.kind, caught.value.sent) == ("unreachable", False)
    assert (calls[0].http_status, calls[0].outcome) == (0, "unreachable")


def test_a_server_that_is_not_believed_is_not_spoken_to(certificates, server, made, caller, tmp_path):
    other = tmp_path / "other.pem"
    certificates.other_ca.cert_pem.write_to_path(other)
    cert, key = certificates.auth
    tls = ClientTlsSettings(ca_file=str(other), cert_file=str(cert), key_file=str(key))
    client = DmpClient(certificates.settings(server.url, tls=tls), lambda: made.now, made.uuids())
    with pytest.raises(DmpFault) as caught:
        client.existence(made.ins, caller)
    assert caught.value.kind == "tls"
    assert server.requests == []


def test_only_the_suites_listed_are_offered(certificates, made, caller):
    """A listener of bare sockets reads the ClientHello: version and suites, by their numbers."""
    greetings = []

    def take():
        connection, _ = listener.accept()
        with connection:
            greetings.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        settings = certificates.settings(f"https://127.0.0.1:{listener.getsockname()[1]}", connect_seconds=5)
        taking = threading.Thread(target=take)
        taking.start()
        with pytest.raises(DmpFault):
            DmpClient(settings, lambda: made.now, made.uuids()).existence(made.ins, caller)
        taking.join()
    hello = greetings[0]
    # record header 5, handshake header 4, version 2 (0303: TLS 1.2), random 32, session id
    assert hello[9:11] == b"\x03\x03"
    at = 43 + 1 + hello[43]
    size = int.from_bytes(hello[at : at + 2])
    suites = {hello[at + 2 + n : at + 4 + n].hex() for n in range(0, size, 2)}
    # c030: ECDHE-RSA-AES256-GCM-SHA384, c02f: …AES128-GCM-SHA256, c028: …AES256-CBC-SHA384, 00ff: renegotiation signal
    assert suites <= {"c030", "c02f", "c028", "00ff"}
    assert {"c030", "c02f"} <= suites


def test_a_pkcs12_file_signs_as_well(certificates, server, answered, caller, made, tmp_path):
    key = certificates.signing_key()
    protected = pkcs12.serialize_key_and_certificates(
        b"sign", key.key, key.certificates[0], None, BestAvailableEncryption(b"secret")
    )
    (tmp_path / "sign.p12").write_bytes(protected)
    (tmp_path / "password").write_text("secret\n")
    settings = certificates.settings(
        server.url,
        sign_cert_file=str(tmp_path / "sign.p12"),
        sign_key_file="",
        sign_key_password_file=str(tmp_path / "password"),
    )
    answered(lambda asked: iti18.build_found("success", ()))
    client = DmpClient(settings, lambda: made.now, made.uuids())
    assert client.find(made.id, made.ins, caller) == []
    client.close()


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"endpoint": ""}, DmpUnusable, "dmp.service.endpoint"),
        ({"endpoint": "ftp://x"}, DmpUnusable, "dmp.service.endpoint"),
        ({"sign_cert_file": ""}, DmpUnusable, "sign_cert_file"),
        ({"ciphers": ("NOT-A-SUITE",)}, DmpUnusable, "ciphers"),
        ({"sign_key_file": "/nowhere"}, TlsError, "nowhere"),
    ],
    ids=["no-endpoint", "endpoint", "no-signature", "suite", "key"],
)
def test_settings_that_cannot_be_used_name_their_key(certificates, made, change, error, word):
    with pytest.raises(error, match=word):
        DmpClient(certificates.settings("https://x", **change), lambda: made.now, made.uuids())


def test_the_key_of_another_certificate_is_refused(certificates, made):
    with pytest.raises(TlsError, match="not that of the certificate"):
        DmpClient(
            certificates.settings("https://x", sign_key_file=str(certificates.auth[1])), lambda: made.now, made.uuids()
        )


def test_a_call_in_nobodys_name_is_not_made(client, certificates, made, server):
    settings = certificates.settings("https://x", caller=CallerSettings(structure="1750000001"))
    nobody = lots.caller(settings, made.document(sender=lots.Sender()).sender)
    with pytest.raises(WireError, match="name_id"):
        client.existence(made.ins, nobody)
    assert server.requests == []


READERS = (
    answers.read_response,
    iti18.read_found,
    iti18.read_query,
    iti41.read_provide,
    iti57.read_update,
    td02.read_answer,
    td02.read_query,
    soap.read_fault,
)


@pytest.fixture(scope="session")
def seen(certificates, made):
    """One envelope of each kind, as the client or a service writes it."""
    settings = certificates.settings("https://x")
    given_ = {"now": made.now, "new_uuid": made.uuids()}
    feeding = lots.feeding(made.document(), io.BytesIO(made.cda()), made.ins, settings, **given_)
    deletion = lots.deletion(made.document(), made.entry, made.ins, settings, **given_)
    query = td02.build_query(made.ins, sender="1.2", software="x", message="m", query="q", now=made.now)
    said = Existence("OK", True, "active", "VALIDE", True, False, True, (made.ins,), "AA")
    question = td02.ExistenceQuery(made.ins, "TEST_EXST", ("1.2", "m"), ("1.2", "q"), "1.2")
    payloads = (
        iti41.build_provide(feeding.lot, "a", "b"),
        iti57.build_deletion(deletion),
        query,
        td02.build_answer(said, question, message="m", now=made.now),
        iti18.build_get_documents((made.id,)),
        iti18.build_found("success", (entry(made),)),
        answers.build_response(RegistryAnswer("failure", (RegistryError("a", "b"),))),
    )
    return [soap.build("a", "urn:uuid:1", payload) for payload in payloads] + [_fault()]


@given(st.data())
def test_damage_is_refused_or_read_never_anything_else(seen, data):
    envelope = data.draw(st.sampled_from(seen))
    at = data.draw(st.integers(0, len(envelope)))
    if data.draw(st.booleans()):
        damaged = envelope[:at] + data.draw(st.binary(max_size=6)) + envelope[at + data.draw(st.integers(0, 40)) :]
    else:  # an attribute or a text emptied, an element renamed: still well-formed more often than not
        words = re.findall(rb'"[^"]*"', envelope)
        damaged = envelope.replace(data.draw(st.sampled_from(words)), b'""')
    try:
        payload = soap.read(damaged).payload
    except WireError:
        return
    for read in READERS:
        try:
            read(payload)
        except WireError:
            continue


def test_what_is_beyond_measure_is_refused():
    many = b"<r:Slot/>" * 21_000
    body = (
        b'<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" '
        b'xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><r:RegistryObjectList>'
        + many
        + b"</r:RegistryObjectList>"
        b"</q:AdhocQueryResponse>"
    )
    whole = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' + body + b"</s:Body></s:Envelope>"
    with pytest.raises(WireError, match="elements"):
        iti18.read_found(soap.read(whole).payload)
    with pytest.raises(WireError, match="bytes"):
        soap.read(whole, 1000)


def test_a_tls_context_of_the_default_suites_has_no_ceiling(certificates, made):
    assert DmpClient(certificates.settings("https://x", ciphers=()), lambda: made.now, made.uuids())
    assert ssl.HAS_TLSv1_3


def test_another_ins_than_that_of_the_lot_never_goes_in_the_assertion(client, answered, feeding, server, made):
    answered(lambda asked: answers.build_response(RegistryAnswer("success")))
    client.feed(feeding)
    body = server.requests[0][2]
    told = re.findall(rb"([0-9AB]{15})\^\^\^&amp;", body.partition(b"ClinicalDocument")[0])
    assert set(told) == {made.ins.matricule.encode()}
    assert Ins(told[0].decode(), made.ins.oid) == made.ins
