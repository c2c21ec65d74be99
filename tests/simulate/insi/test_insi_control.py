"""`/control` and `/verification`."""

import json

import pytest

from insigne.insi.wire.verification import (
    BatchDeposit,
    BatchState,
    BatchTicket,
    UnitVerdict,
    VerificationLine,
    decode,
    encode,
)
from insigne.simulate.calls import criteria_hash

ZOE = ("ADRUN", "ZOE", "F", "1975-12-31")
NIR = "1.2.250.1.213.1.4.8"


def test_a_change_keeps_what_it_does_not_name(caller):
    caller.set(mode="vendor", deviations=["D9", "D2"])
    state = caller.set(fixtures={"HOUILLES": "REP_CR01"})
    assert (state["mode"], state["deviations"]) == ("vendor", ["D2", "D9"])
    assert caller.set(deviations=None)["deviations"] == ["D1", "D2", "D7", "D9"]
    assert caller.control()["fixtures"] == {"HOUILLES": "REP_CR01"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mode": "test"}, "mode"),
        ({"deviations": ["D10"]}, "D10"),
        ({"effects": {"outage": "refused"}}, "write a script"),
        ({"effects": {"latence": 1}}, "latence"),
        ({"colour": "red"}, "colour"),
        ({"clock": -1}, "clock"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(caller, change, said):
    before = caller.control()
    answer = caller.http("PATCH", "/control", json.dumps(change | {"mode": change.get("mode", "vendor")}))
    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]
    assert caller.control()["mode"] == before["mode"]


def test_whether_a_call_was_made_once_can_be_asked_by_its_criteria(caller):
    for given in ("OLA", "CATARINA", "OLA"):
        caller.search("TCHITCHI", given, "F", "1936-06-21")
    caller.card(holder="2770763220829", birth_date="1977-07-14", birth_rank="1")

    def count(*values):
        return caller.control(path=f"/calls?criteria={criteria_hash(*values)}")["count"]

    assert count("TCHITCHI", "OLA", "F", "1936-06-21", "") == 2
    assert count("TCHITCHI", "CATARINA", "F", "1936-06-21", "") == 1
    assert count("TCHITCHI", "BELLA", "F", "1936-06-21", "") == 0
    assert count("2770763220829", "", "", "1977-07-14", "1") == 1
    assert caller.control(path="/calls?operation=vitale")["count"] == 1


def test_calls_are_forgotten_on_demand(caller):
    caller.search(*ZOE)
    caller.control("DELETE", "/calls")
    assert caller.control(path="/calls") == {"count": 0, "calls": []}


def test_an_authorisation_number_can_be_added(caller):
    assert caller.search(*ZOE, idam="AUTRE0000001").code == "desir_550"
    caller.set(idams=["INSIGNESIMU1", "AUTRE0000001"])
    assert caller.search(*ZOE, idam="AUTRE0000001").code == "00"


def line(reference="1", matricule="275126322074974", **changes):
    traits = {"birth_name": "ADRUN", "given_names": "ZOE", "sex": "F", "birth_date": "1975-12-31"}
    return VerificationLine(reference, matricule, NIR, **(traits | changes))


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (line(), "OK"),
        (line(birth_place="63220"), "OK"),
        (line(birth_place="63113"), "KO"),
        (line(birth_name="ADRUM"), "KO"),
        (line(given_names="ZOE ANNE"), "KO"),
        (line(sex="M"), "KO"),
        (line(birth_date="1975-12-30"), "KO"),
        (line(matricule="275126322074973"), "KO"),
        (line(matricule="1010663220754"), "KO"),
        (line(matricule=""), "KO"),
    ],
)
def test_one_ins_is_verified_against_its_traits(caller, asked, verdict):
    answer = caller.http("POST", "/verification/unit", encode(asked))
    assert decode(answer.body, UnitVerdict) == UnitVerdict("1", verdict)


def test_a_batch_is_pending_then_done_with_a_verdict_a_line(caller):
    deposit = BatchDeposit((line("a"), line("b", birth_name="ADRUM")))
    answer = caller.http("POST", "/verification/batch", encode(deposit))
    assert answer.status == 202
    path = f"/verification/batch/{decode(answer.body, BatchTicket).ticket}"
    assert decode(caller.http("GET", path).body, BatchState) == BatchState("pending")
    caller.set(clock=1000)
    done = decode(caller.http("GET", path).body, BatchState)
    assert [(one.reference, one.verdict) for one in done.verdicts] == [("a", "OK"), ("b", "KO")]


def test_verification_refuses_strangers_unknown_tickets_and_other_documents(caller, call_as):
    assert call_as("AUTRE-CN").http("POST", "/verification/unit", encode(line())).status == 403
    assert caller.http("GET", "/verification/batch/lot-999999").status == 404
    assert caller.http("POST", "/verification/unit", b'{"matricule":"1"}').status == 400
    assert caller.http("GET", "/verification/unit").status == 404


def test_verification_shares_the_outages_of_the_service(caller):
    caller.set(effects={"http": 503})
    assert caller.http("POST", "/verification/unit", encode(line())).status == 503
