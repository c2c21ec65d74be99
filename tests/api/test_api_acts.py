"""The acts of a person over real HTTP: the matrix of statuses, the sets of attributes, versions, refusals by rules."""

import pytest

from insigne.access import Scope
from insigne.ins.status import Status
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.script import Effects

from ..status_matrix import (
    CARD,
    CASES,
    FORBIDDEN,
    SET_NAMES,
    SETS,
    SYMBOL,
    UNKNOWN_MATRICULE,
    at,
    consistent,
    held,
    reached,
)
from .acts_site import TRAITS


def retrieved(site, identity):
    """The call of an answer that was asked for over HTTP and waits."""
    assert site.post(f"/{identity}/retrieve-ins").status == 202
    site.worked()
    return site.answer(identity)["answer"]["call"]


def verified(site, identity):
    answer = site.post(f"/{identity}/verify-ins")
    if answer.status == 202:
        site.worked()
    return answer


def scanned(site, identity):
    answer = site.post(f"/{identity}/read-data-matrix", {"payload": SYMBOL})
    if answer.status == 200:
        site.worked()
    return answer


MOVES = {
    "document": lambda s, i: s.post(f"/{i}/record-proof", {"type": "PA", "expiry": "2099-01-01"}),
    "accept": lambda s, i: s.post(f"/{i}/accept", {"call": retrieved(s, i)}),
    "refuse": lambda s, i: s.post(f"/{i}/refuse", {"call": retrieved(s, i), "reason": "autre personne"}),
    "card": lambda s, i: s.post(f"/{i}/qualify-by-card", CARD),
    "scan": scanned,
    "ok": verified,
    "ko": verified,
    "edit": lambda s, i: s.post(f"/{i}/edit", {"traits": {"birth_name": "ADRUNE"}, "reason": "pièce relue"}),
    "first name": lambda s, i: s.post(f"/{i}/edit", {"traits": {"first_given_name": "ZOE"}, "reason": "choisi"}),
    "HOMA": lambda s, i: s.post(f"/{i}/set-attribute", {"set": ["HOMA"], "reason": "jumelles"}),
    "DOUT": lambda s, i: s.post(f"/{i}/set-attribute", {"set": ["DOUT"], "reason": "usurpation"}),
    "FICT": lambda s, i: s.post(f"/{i}/set-attribute", {"set": ["FICT"], "reason": "test"}),
    "retrieve": lambda s, i: s.post(f"/{i}/retrieve-ins"),
}


# --- the 4 × 4 matrix and the 8 sets


@pytest.mark.parametrize(("act", "source", "expected"), CASES)
def test_each_act_leads_by_http_where_the_table_says(counter, act, source, expected):
    number = {"matricule": UNKNOWN_MATRICULE} if act == "ko" else {}
    identity = at(counter.base, source, **number)
    before = held(counter.base, identity)
    answer = MOVES[act](counter, identity)
    after = held(counter.base, identity)
    if expected is None:
        assert answer.status == 422
        assert answer.json["errors"][0]["remedy_fr"]
        assert after == before
        return
    assert answer.status in (200, 202)
    assert consistent(after, expected)
    assert after.history == before.history + (before.ins and not after.ins)


def test_the_pairs_that_no_act_joins_are_those_of_the_rniv():
    """Neither does any act take a document back and keep the INS, nor give an INS without passing by its status."""
    assert reached()[1] == {
        (Status.RECUP, Status.VALI), (Status.VALI, Status.RECUP), (Status.QUAL, Status.RECUP),
    }  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), SETS.items(), ids=SET_NAMES)
@pytest.mark.parametrize("source", Status)
def test_the_eight_sets_of_attributes_by_http(counter, asked, expected, source):
    identity = at(counter.base, source)
    before = held(counter.base, identity)
    answer = counter.post(f"/{identity}/set-attribute", {"set": list(asked), "reason": "dit au guichet"})
    after = held(counter.base, identity)
    if expected is None:
        assert answer.status == 422
        assert after == before
        return
    forced = bool(expected & {"DOUT", "FICT"})
    assert (answer.status, after.attributes) == (200, expected)
    assert consistent(after, Status.PROV if forced else source)
    assert after.history == int(forced and before.ins)
    lifted = counter.post(f"/{identity}/set-attribute", {"lift": list(asked), "reason": "levé"})
    assert lifted.status == 200
    assert held(counter.base, identity).attributes == set()
    assert held(counter.base, identity).status == (Status.PROV if forced else source)


@pytest.mark.parametrize("act", FORBIDDEN)
@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_doubtful_or_fictitious_identity_stays_provisional(counter, act, attribute):
    identity = at(counter.base, Status.PROV, [attribute])
    before = held(counter.base, identity)
    answer = MOVES[act](counter, identity)
    assert answer.status == 422
    assert "EXI ID 26" in answer.json["detail"]
    assert "EXI ID 26" in answer.json["detail_fr"]
    assert held(counter.base, identity) == before


# --- from nobody to qualified


def test_from_nobody_to_qualified(counter):
    created = counter.create(details={"used_name": "Martin"})
    identity = created.json["id"]
    assert (created.status, created.headers["etag"]) == (201, f'W/"{created.json["meta"]["versionId"]}"')
    assert created.headers["location"].endswith(f"/fhir/R4/Patient/{identity}")
    asked = counter.post(f"/{identity}/retrieve-ins")
    assert (asked.status, asked.headers["insigne-remarks"]) == (202, "insi-unadvised")
    told = counter.answer(identity)
    assert (told["question"]["state"], told["question"]["author"], told["answer"]) == ("waiting", "user:claire", None)
    counter.worked()
    told = counter.answer(identity)
    assert (told["question"]["outcome"], told["answer"]["verdict"]) == ("00", "tolerated")
    assert told["answer"]["first_given_names"][0] == "ZOE"
    lines = {line["field"]: line for line in told["answer"]["comparison"]}
    assert (lines["birth_name"]["local"], lines["birth_name"]["national"]) == ("ADRUN", "ADRUN")
    assert {name: line["verdict"] for name, line in lines.items() if line["verdict"] != "identical"} == {
        "given_names": "missing"  # nobody typed the list
    }
    accepted = counter.post(f"/{identity}/accept", {"call": told["answer"]["call"]}, seen=created.headers["etag"])
    assert accepted.status == 200
    proven = counter.post("/INSIGNE%7C1/record-proof", {"type": "PA"}, seen=accepted.headers["etag"], by="quentin")
    assert held(counter.base, identity).status == Status.QUAL
    shown = counter.send(
        "GET", f"/fhir/R4/Patient/{identity}", Authorization=f"Bearer {counter.tokens[Scope.FHIR_READ]}"
    )
    assert shown.json == proven.json
    with counter.base.store.read() as view:
        authors = {entry.type: entry.author for entry in view.history(identity)}
    assert (authors["ins-recorded"], authors["proof-recorded"]) == ("user:claire", "user:quentin")


def test_somebody_alike_is_shown_and_nothing_is_created_without_saying_who_it_is_not(counter):
    first = counter.create().json["id"]
    refused = counter.create()
    assert (refused.status, refused.json["type"]) == (409, "urn:insigne:problem:alike")
    assert [patient["id"] for patient in refused.json["candidates"]] == [first]
    second = counter.create(none_of=[first])
    assert second.status == 201
    assert {one["id"] for one in counter.create(none_of=[first]).json["candidates"]} == {second.json["id"]}
    with counter.base.store.read() as view:
        searched = next(e.event for e in view.history(second.json["id"]) if e.type == "prior-search-made")
    assert searched.found == (first,)


def test_those_it_is_not_are_named_by_id_or_by_identifier(counter):
    first = counter.create()
    [local] = [one["value"] for one in first.json["identifier"] if one["use"] == "usual"]
    assert counter.create(none_of=["INSIGNE|999", "nobody"]).status == 409
    assert counter.create(none_of=[f"INSIGNE|{local}"]).status == 201


def test_every_fault_of_an_entry_is_listed_with_its_rule_and_remedy(counter):
    traits = {
        "birth_name": "DUPONT2", "first_given_name": "PAUL_", "sex": "X", "birth_date": "1960-02-30",
        "birth_place": "PARIS",
    }  # fmt: skip
    answer = counter.post("", {"traits": traits}, seen="")
    assert (answer.status, answer.json["type"]) == (422, "urn:insigne:problem:entry")
    faults = {fault["field"]: fault for fault in answer.json["errors"]}
    assert set(faults) == {"birth_name", "first_given_name", "sex", "birth_date", "birth_place"}
    assert (faults["birth_name"]["rule"], faults["birth_name"]["position"]) == ("character", 7)
    assert all(fault["remedy"] and fault["remedy_fr"] for fault in faults.values())
    assert "DUPONT" not in answer.text
    empty = counter.post("", {"traits": {}}, seen="")
    assert {fault["field"] for fault in empty.json["errors"]} >= {"birth_name", "first_given_name", "sex"}
    listed = counter.post("", {"traits": TRAITS | {"given_names": "PAULE ANNE"}}, seen="")
    assert [fault["field"] for fault in listed.json["errors"]] == ["first_given_name"]


def test_an_anonymous_stay_a_newborn_and_an_incomplete_date(counter):
    fictitious = counter.create(attributes=["FICT"], reason="séjour sous X").json["id"]
    assert held(counter.base, fictitious).attributes == {"FICT"}
    newborn = counter.post(
        "", {"traits": TRAITS | {"birth_date": "1975-00-00"}, "newborn": True, "none_of": [fictitious]}
    )
    assert newborn.headers["insigne-remarks"] == "birth-date-completed"
    barred = counter.post(f"/{newborn.json['id']}/retrieve-ins")
    assert (barred.status, barred.json["errors"][0]["rule"]) == (422, "birth-date-completed")


# --- versions


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("record-proof", {"type": "PA"}), ("set-attribute", {"set": ["HOMA"], "reason": "x"}),
        ("edit", {"details": {"used_name": "MARTIN"}}), ("edit", {"traits": {"birth_name": "X"}, "reason": "x"}),
        ("accept", {"call": "c"}), ("refuse", {"call": "c", "reason": "x"}), ("qualify-by-card", CARD),
        ("read-data-matrix", {"payload": SYMBOL}), ("merge", {"absorbed": "INSIGNE|1", "reason": "x"}),
    ],
)  # fmt: skip
def test_of_two_people_who_saw_the_same_version_the_second_is_told(counter, act, body):
    identity = at(counter.base, Status.PROV)
    seen = f'W/"{held(counter.base, identity).version}"'
    assert counter.post(f"/{identity}/edit", {"details": {"used_name": "DURAND"}}, seen=seen).status == 200
    before = held(counter.base, identity)
    late = counter.post(f"/{identity}/{act}", body, seen=seen)
    assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:version")
    assert "look at it again" in late.json["detail"]
    assert held(counter.base, identity) == before
    assert counter.post(f"/{identity}/{act}", body, seen="").status == 428
    assert counter.post(f"/{identity}/{act}", body, seen="3").status == 400


def test_an_answer_that_is_not_the_one_that_was_compared_is_not_accepted(counter):
    identity = at(counter.base, Status.PROV)
    nothing = counter.post(f"/{identity}/accept", {"call": "c"})
    assert (nothing.status, nothing.json["type"]) == (409, "urn:insigne:problem:no-answer")
    first = retrieved(counter, identity)
    retrieved(counter, identity)
    other = counter.post(f"/{identity}/accept", {"call": first})
    assert (other.status, other.json["type"]) == (409, "urn:insigne:problem:other-answer")


def test_an_answer_about_somebody_else_is_shown_and_cannot_be_accepted(counter, acts_nation):
    identity = at(counter.base, Status.PROV)
    acts_nation.call(lambda: acts_nation.simulator.control.change(Change(effects=Effects(wrong_person=True))))
    call = retrieved(counter, identity)
    assert counter.answer(identity)["answer"]["verdict"] == "blocking"
    refused = counter.post(f"/{identity}/accept", {"call": call})
    assert (refused.status, refused.json["type"]) == (422, "urn:insigne:problem:traits-differ")
    assert "birth_name" in refused.json["detail_fr"]


# --- documents, merges


def test_a_document_that_proves_nothing_is_refused_with_its_reasons_and_those_accepted(counter):
    identity = at(counter.base, Status.PROV)
    refused = counter.post(f"/{identity}/record-proof", {"type": "PC"})
    assert (refused.status, refused.json["errors"][0]["rule"]) == (422, "proof-refused")
    assert "PA" in refused.json["documents"]
    assert counter.post(f"/{identity}/record-proof", {}).json["errors"][0]["rule"] == "shape"
    dated = counter.post(f"/{identity}/record-proof", {"type": "PA", "expiry": "tomorrow", "second_expiry": "x"})
    assert [fault["field"] for fault in dated.json["errors"]] == ["expiry", "second_expiry"]
    expired = counter.post(f"/{identity}/record-proof", {"type": "CN", "expiry": "2020-01-01"})
    assert (expired.status, expired.headers["insigne-remarks"]) == (200, "proof-expired")
    assert held(counter.base, identity).status == Status.PROV


def test_a_merge_is_shown_and_undone(counter):
    one, two = at(counter.base, Status.PROV), at(counter.base, Status.VALI)
    merged = counter.post(f"/{one}/merge", {"absorbed": "INSIGNE|2", "reason": "même personne"})
    assert merged.json["link"] == [{"other": {"reference": f"Patient/{two}"}, "type": "replaces"}]
    assert merged.headers["insigne-remarks"] == "better-established"
    again = counter.post(f"/{two}/unmerge", {"reason": "jumelles"}, seen="")
    assert (again.status, again.json["id"]) == (200, two)
    assert counter.post(f"/{two}/unmerge", {"reason": "jumelles"}, seen="").status == 404
    itself = counter.post(f"/{one}/merge", {"absorbed": one, "reason": "x"})
    assert (itself.status, itself.json["type"]) == (409, "urn:insigne:problem:merge-itself")
    assert counter.post(f"/{one}/merge", {"absorbed": "INSIGNE|99", "reason": "x"}).status == 404
