"""Scripts and `/control`: a DMP that is down, slow, busy, or answers anything."""

import http.client
import socket
import ssl
import time

import pytest
from lxml import etree

from insigne.simulate.dmp.engine import Behaviour
from insigne.simulate.dmp.running import running
from insigne.simulate.dmp.script import parse_script, read_script
from insigne.simulate.dmp.simulator import SimulatorSettings
from insigne.simulate.timeline import ScriptError

_PATIENCE = 30


def accepts(caller):
    try:
        socket.create_connection((caller.connection.host, caller.connection.port), 5).close()
    except OSError:
        return False
    return True


def wait_until(condition):
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end


CUT = (http.client.HTTPException, ConnectionError, ssl.SSLError)


def test_a_script_says_who_has_no_dmp_and_what_goes_wrong_when(tmp_path, call_as, patient):
    script = parse_script(
        b"""
        mode = "production"
        [site]
        vihf_versions = ["3.0"]
        [[step]]
        from = "2m"
        to = "5m"
        outage = "refused"
        [[step]]
        from = "5m"
        error = "XDSRegistryBusy"
        transaction = "TD2.1"
        """
    )
    behaviour = Behaviour(script.site, script)
    with running(SimulatorSettings(tmp_path, behaviour=behaviour)) as started:
        caller = call_as("ORG_AUTH_CLI", started.ready)
        assert caller.feed(patient).fault == "wsse:InvalidSecurityToken"
        assert caller.feed(patient, version="3.0").success

        started.call(lambda: started.simulator.set_clock(150))
        wait_until(lambda: not accepts(caller))
        with pytest.raises(CUT):
            caller.exists(patient)

        started.call(lambda: started.simulator.set_clock(301))
        wait_until(lambda: accepts(caller))
        answer = caller.feed(patient, version="3.0")
        assert answer.codes == ["XDSRegistryBusy"]
        assert caller.exists(patient, version="3.0").status == 200


def test_a_work_done_and_not_told_is_found_afterwards(caller, patient, written):
    caller.control("PATCH", effects={"unanswered": True, "transaction": "TD2.1"})
    lot = written.Lot(caller.ready, patient)

    with pytest.raises(CUT):
        caller.post("repository", lot.body, lot.kind)

    assert [one["unique_id"] for one in caller.documents(patient)] == [lot.unique_id]
    assert len(caller.find(patient, lot.unique_id).entries) == 1


def test_half_an_answer_comes_after_the_work_is_done(caller, patient, written):
    caller.control("PATCH", effects={"drop": True})
    lot = written.Lot(caller.ready, patient)

    with pytest.raises(http.client.IncompleteRead):
        caller.post("repository", lot.body, lot.kind)

    assert len(caller.documents(patient)) == 1


def test_an_outage_does_nothing(caller, patient):
    caller.control("PATCH", effects={"outage": "closed"})
    with pytest.raises(CUT):
        caller.feed(patient)

    caller.control("PATCH", effects={"http": 503})
    answer = caller.feed(patient)

    assert (answer.status, b"<html>" in answer.body) == (503, True)
    assert caller.documents(patient) == []


def test_errors_and_faults_by_code(caller, patient):
    caller.control("PATCH", effects={"error": "XDSRegistryNotAvailable"})
    assert caller.feed(patient).codes == ["XDSRegistryNotAvailable"]
    found = caller.exists(patient).tree
    assert found.find(".//{urn:hl7-org:v3}acknowledgement/{*}typeCode").get("code") == "AE"
    assert found.find(".//{urn:hl7-org:v3}acknowledgementDetail/{*}code").get("code") == "XDSRegistryNotAvailable"

    caller.control("PATCH", effects={"fault": "DMPIndisponible"})
    assert caller.feed(patient).fault == "simu:DMPIndisponible"
    assert caller.documents(patient) == []


def test_effects_may_be_about_one_patient(caller, patient, somebody_else):
    caller.control("PATCH", effects={"error": "XDSRegistryBusy", "matricule": patient.matricule})

    assert caller.feed(patient).codes == ["XDSRegistryBusy"]
    assert caller.feed(somebody_else).success


def is_whole(body):
    try:
        etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError:
        return False
    return True


@pytest.mark.parametrize(
    ("malformed", "whole", "holds", "size"),
    [
        ("xml", False, b"", 0),
        ("truncated", False, b"", 0),
        ("dtd", True, b"<!DOCTYPE", 0),
        ("namespace", True, b"urn:simulateur:autre-espace-de-noms", 0),
        ("oversized", True, b"PRPA_IN201308UV02", 64 << 20),
    ],
)
def test_answers_are_spoilt(caller, patient, written, malformed, whole, holds, size):
    caller.control("PATCH", effects={"malformed": malformed})
    body = written.question(patient, written.vihf(caller.ready, patient))

    answer = caller.http("POST", f"{written.services}/patients", body, {"Content-Type": "application/soap+xml"})

    assert answer.status == 200
    assert is_whole(answer.body) is whole
    assert holds in answer.body
    assert len(answer.body) >= size


def test_a_late_answer_delays_no_other_client(caller, call_as, patient, somebody_else):
    caller.control("PATCH", effects={"latency_ms": 300, "matricule": patient.matricule})
    begun = time.monotonic()
    assert caller.exists(patient).status == 200
    assert time.monotonic() - begun >= 0.25
    assert call_as("ORG_AUTH_CLI").exists(somebody_else).status == 200


def test_the_calls_are_counted_without_any_trait(caller, patient):
    caller.exists(patient)
    caller.feed(patient)

    calls = caller.control("GET", "/calls")["calls"]

    assert [(one["operation"], one["code"]) for one in calls] == [("TD0.2", "OK"), ("TD2.1", "Success")]
    assert patient.matricule not in str(calls)
    assert calls[0]["criteria"] == calls[1]["criteria"] != ""
    caller.control("DELETE", "/calls")
    assert caller.control()["calls"] == 0


def test_what_cannot_be_changed_changes_nothing(caller):
    before = caller.control()

    for change in ({"effects": {"outage": "refused"}}, {"mode": "test"}, {"site": {"sha1": "yes"}}, {"other": 1}):
        assert "error" in caller.control("PATCH", **change)

    assert caller.control() | {"clock": 0} == before | {"clock": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[site]\nvihf = 1", "vihf"),
        ("[[step]]\nerreur = 'X'", "step 1"),
        ("[[step]]\nfrom = '5m'\nto = '2m'\ndrop = true", "not before"),
        ("[patients]\nnone = 'X'", "none"),
    ],
)
def test_a_wrong_script_is_refused_with_its_page(tmp_path, text, said):
    path = tmp_path / "day.toml"
    path.write_text(text)

    with pytest.raises(ScriptError, match=r"dmp-simulator\.md") as refused:
        read_script(path)

    assert said in str(refused.value)
    assert "day.toml" in str(refused.value)


def test_a_share_of_the_patients_is_always_the_same_one():
    step = parse_script(b'[[step]]\nerror = "XDSRegistryBusy"\nshare = 0.3\n')
    numbers = [f"1{number:012d}" for number in range(1000)]

    struck = [one for one in numbers if step.effects(0, 1, "TD2.1", one + "00").any]

    assert 200 < len(struck) < 400
    assert struck == [one for one in numbers if step.effects(9, 7, "TD0.2", one).any]


def test_a_client_that_leaves_in_the_middle_of_a_large_document_disturbs_nobody(caller, patient, written):
    lot = written.Lot(caller.ready, patient, text="QUJD" * (1 << 19))
    caller.connection.connect()
    head = f"POST {written.services}/repository HTTP/1.1\r\nHost: x\r\nContent-Length: {len(lot.body)}\r\n\r\n"
    caller.connection.sock.sendall(head.encode() + lot.body[: len(lot.body) // 2 + (1 << 18)])
    caller.connection.close()

    assert caller.documents(patient) == []
    assert caller.feed(patient).success
