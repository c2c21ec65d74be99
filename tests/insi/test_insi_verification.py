"""Verification behind its port, by the JSON of the simulator: not the official contract."""

import json

import pytest

from insigne.ins import StrictTraits
from insigne.insi.client import InsiUnusable
from insigne.insi.settings import InsiSettings, VerificationSettings
from insigne.insi.verification import Verifiable, VerificationFailed, make_verifier
from insigne.net.settings import ClientTlsSettings

CONTRACT = "insigne-simulation, not the official contract"
ISEULT = Verifiable(
    "id-1", "284053726111832", "1.2.250.1.213.1.4.8",
    StrictTraits("BELLANGER", "ISEULT", "ISEULT MARIE", "1984-05-07", "F", "37261"),
)  # fmt: skip


@pytest.fixture
def verifier(site):
    made = []

    def making(server, lines=10):
        tls = ClientTlsSettings(ca_file=site.ca, cert_file=site.cert, key_file=site.key)
        settings = VerificationSettings(
            adapter="simulation", endpoint=getattr(server, "url", server), batch_lines=lines
        )
        made.append(make_verifier(InsiSettings(tls=tls, verification=settings)))
        return made[-1]

    yield making
    for one in made:
        one.close()


@pytest.fixture
def answer(wire):
    def answering(status="200 OK", **document):
        return wire.http(json.dumps(document | {"contract": CONTRACT}).encode(), status, "application/json")

    return answering


def sent(server):
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    return head.split(b" HTTP")[0], json.loads(body) if body else None


@pytest.mark.parametrize("verdict", ["OK", "KO"])
def test_one_identity_is_verified(serve, verifier, answer, verdict):
    server = serve(answer(reference="id-1", verdict=verdict))
    assert verifier(server).verify_one(ISEULT).verdict == verdict
    line, document = sent(server)
    assert line == b"POST /lps/unit"
    assert document == {
        "reference": "id-1",
        "matricule": "284053726111832",
        "oid": "1.2.250.1.213.1.4.8",
        "birth_name": "BELLANGER",
        "given_names": "ISEULT MARIE",
        "sex": "F",
        "birth_date": "1984-05-07",
        "birth_place": "37261",
        "contract": CONTRACT,
    }


def test_a_batch_is_deposited_then_collected_once_it_is_done(serve, verifier, answer):
    done = answer(state="done", verdicts=[{"reference": "id-1", "verdict": "KO", "contract": CONTRACT}])
    server = serve(answer("202 Accepted", ticket="t-1"), answer(state="pending"), done)
    client = verifier(server)
    assert client.submit_batch([ISEULT]).ticket == "t-1"
    assert len(sent(server)[1]["lines"]) == 1
    assert client.collect("t-1") is None
    assert sent(server)[0] == b"GET /lps/batch/t-1"
    collected = client.collect("t-1")
    assert collected.verdicts == {"id-1": "KO"}
    assert collected.raw in done
    assert client.certificate == "INSI-MANU"


def test_a_batch_has_a_size(serve, verifier, answer):
    client = verifier(serve(answer()), lines=2)
    for items in ([], [ISEULT] * 3):
        with pytest.raises(ValueError, match="batch_lines"):
            client.submit_batch(items)


def test_a_ticket_the_service_forgot_is_told_apart(serve, verifier, answer):
    with pytest.raises(VerificationFailed) as failed:
        verifier(serve(answer("404 Not Found"))).collect("t-1")
    assert failed.value.gone


@pytest.mark.parametrize("ticket", ["", "../unit", "a b", "é", "t\n"])
def test_a_ticket_is_no_path(serve, verifier, answer, ticket):
    with pytest.raises(VerificationFailed) as failed:
        verifier(serve(answer())).collect(ticket)
    assert failed.value.gone  # such a batch cannot be collected: it is deposited again


@pytest.mark.parametrize("ticket", ["", "../unit", "t" * 65])
def test_a_batch_with_an_odd_ticket_was_not_deposited(serve, verifier, answer, ticket):
    with pytest.raises(VerificationFailed, match="ticket"):
        verifier(serve(answer("202 Accepted", ticket=ticket))).submit_batch([ISEULT])


def test_a_line_with_two_verdicts_has_none(serve, verifier, answer):
    said = [("id-1", "OK"), ("id-2", "KO"), ("id-3", "OK"), ("id-1", "KO"), ("id-3", "OK")]
    verdicts = [{"reference": reference, "verdict": verdict, "contract": CONTRACT} for reference, verdict in said]
    collected = verifier(serve(answer(state="done", verdicts=verdicts))).collect("t-1")
    assert collected.verdicts == {"id-2": "KO", "id-3": "OK"}


def test_what_is_no_verdict_is_a_technical_failure(serve, verifier, answer, wire):
    spoiled = [
        wire.http(b"{", kind="application/json"),
        wire.http(b'{"reference": "id-1", "verdict": "OK", "contract": "official"}'),
        answer(reference="id-1", verdict="PERHAPS"),
        answer(reference="id-2", verdict="OK"),
        answer("500 Oops", reference="id-1", verdict="OK"),
        lambda peer: peer.unwrap(),
    ]
    client = verifier(serve(*spoiled))
    for _ in spoiled:
        with pytest.raises(VerificationFailed) as failed:
            client.verify_one(ISEULT)
        assert not failed.value.gone
        assert "BELLANGER" not in str(failed.value)


def test_without_configuration_nothing_verifies():
    assert make_verifier(InsiSettings()) is None
    with pytest.raises(InsiUnusable, match=r"insi\.verification\.endpoint"):
        make_verifier(InsiSettings(verification=VerificationSettings(adapter="simulation")))
