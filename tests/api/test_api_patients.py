"""Reading and searching Patients."""

from dataclasses import replace

import fhirkit
import pytest
from starlette.testclient import TestClient

from insigne.access import Scope
from insigne.api.app import create_app
from insigne.exchange.errors import StoreBusy

BASE = "http://127.0.0.1:8380/fhir/R4"


def found(answer):
    bundle = answer.json()
    assert answer.status_code == 200, bundle
    assert fhirkit.validate(bundle) == []
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def test_a_patient_is_read_as_fhir_json(world, client, person):
    world.base.add(person())
    answer = client.get("/fhir/R4/Patient/01JMARGOT")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["etag"] == 'W/"3"'
    assert answer.headers["last-modified"] == "Mon, 02 Mar 2026 09:30:00 GMT"
    assert fhirkit.validate(answer.json()) == []
    assert answer.json()["name"][0]["family"] == "LESTREZ"


def test_a_patient_already_known_is_not_sent_again(world, client, person):
    world.base.add(person())
    answer = client.get("/fhir/R4/Patient/01JMARGOT", headers={"if-none-match": 'W/"2", W/"3"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_an_unknown_patient_is_not_found(client):
    answer = client.get("/fhir/R4/Patient/01JNOBODY")
    assert answer.status_code == 404
    assert fhirkit.validate(answer.json()) == []


def test_a_merged_patient_answers_by_its_survivor(world, client, person):
    world.base.add(
        person("01JGONE", "9999", merged_into="01JMARGOT", ins=None), person("01JMARGOT", absorbed=("01JGONE",))
    )
    answer = client.get("/fhir/R4/Patient/01JGONE")
    assert answer.json()["id"] == "01JMARGOT"
    assert answer.json()["link"] == [{"other": {"reference": "Patient/01JGONE"}, "type": "replaces"}]
    assert answer.headers["content-location"] == f"{BASE}/Patient/01JMARGOT"
    old = [i["value"] for i in answer.json()["identifier"] if i["use"] == "old"]
    assert old == ["9999"]


@pytest.mark.parametrize(
    "token",
    [
        "urn:oid:1.2.250.1.999.7.1|4071",
        "1.2.250.1.999.7.1|4071",
        "GAM|4071",
        "urn:oid:1.2.250.1.213.1.4.8|285076311304226",
    ],
)
def test_a_patient_is_found_by_identifier(world, client, person, token):
    world.base.add(person(), person("01JOTHER", "1", ins=None))
    assert found(client.get("/fhir/R4/Patient", params={"identifier": token})) == ["01JMARGOT"]


def test_two_identifiers_of_one_person_find_one_patient(world, client, person):
    world.base.add(person("01JGONE", merged_into="01JMARGOT", ins=None), person("01JMARGOT", absorbed=("01JGONE",)))
    assert found(client.get("/fhir/R4/Patient", params={"identifier": "GAM|4071"})) == ["01JMARGOT"]


def test_an_unknown_identifier_finds_an_empty_bundle(client):
    answer = client.get("/fhir/R4/Patient?identifier=GAM|0")
    assert found(answer) == []
    assert answer.json()["total"] == 0


def test_people_are_found_by_birth_date_and_names(world, client, person):
    world.base.add(person(), person("01JZOE", "2"))
    assert len(found(client.get("/fhir/R4/Patient?birthdate=1985-07-12"))) == 2
    assert found(client.get("/fhir/R4/Patient?birthdate=1985-07-12&family=lest&given=mar&gender=female"))
    assert found(client.get("/fhir/R4/Patient?birthdate=1985-07-12&gender=male")) == []
    assert found(client.get("/fhir/R4/Patient?birthdate=eq1985-07-13")) == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "family=LESTREZ",
        "identifier=4071",
        "birthdate=1985",
        "birthdate=12/07/1985",
        "birthdate=ge1985-07-12",
        "birthdate=1985-07-12&gender=femme",
        "birthdate=1985-07-12&phone=06",
        "birthdate=1985-07-12&birthdate=1986-07-12",
        "birthdate=1985-07-12&_count=x",
        "identifier=GAM|1&family=A",
    ],
)
def test_a_search_that_cannot_be_answered_rightly_is_refused(client, query):
    answer = client.get(f"/fhir/R4/Patient?{query}")
    assert answer.status_code == 400
    assert fhirkit.validate(answer.json()) == []


def test_pages_follow_one_another_to_the_end(world, client, person):
    world.base.add(*(person(f"01J{n:02}", str(n), ins=None) for n in range(5)))
    answer = client.get("/fhir/R4/Patient?birthdate=1985-07-12&_count=2")
    seen = found(answer)
    while following := [link["url"] for link in answer.json()["link"] if link["relation"] == "next"]:
        answer = client.get(following[0])
        seen += found(answer)
    assert seen == [f"01J{n:02}" for n in range(5)]


def test_no_page_is_larger_than_the_bound(world, client, person):
    world.base.add(*(person(f"01J{n:03}", str(n), ins=None) for n in range(210)))
    assert len(found(client.get("/fhir/R4/Patient?birthdate=1985-07-12&_count=1000"))) == 200


def test_the_server_says_what_it_can_do(client):
    statement = client.get("/fhir/R4/metadata").json()
    assert fhirkit.validate(statement) == []
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == BASE


def test_links_are_those_users_reach_us_by(world, person):
    world.base.add(person())
    app = create_app(replace(world.deps, public_url="https://insigne.example/", metrics=type(world.deps.metrics)()))
    headers = {"authorization": f"Bearer {world.token(Scope.FHIR_READ)}"}
    bundle = TestClient(app, headers=headers).get("/fhir/R4/Patient?identifier=GAM|4071").json()
    assert bundle["entry"][0]["fullUrl"] == "https://insigne.example/fhir/R4/Patient/01JMARGOT"


def test_a_busy_base_asks_to_try_again(world, client):
    world.base.failure = StoreBusy("read: busy")
    answer = client.get("/fhir/R4/Patient/01JMARGOT")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
