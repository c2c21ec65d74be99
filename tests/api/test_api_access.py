"""Who gets in: deny by default, and what a refusal looks like."""

from datetime import timedelta

import fhirkit
import pytest
import structlog
from starlette.testclient import TestClient

from insigne.access import Scope
from insigne.api.gate import opened, secured

PROTECTED = ["/", "/metrics", "/fhir/R4/metadata", "/fhir/R4/Patient", "/fhir/R4/Patient/x", "/api/v1/", "/nowhere"]


def bearer(text):
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize("path", PROTECTED)
def test_without_a_token_every_path_but_health_is_refused(anonymous, path):
    answer = anonymous.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="insigne"'


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_open(anonymous, path):
    assert anonymous.get(path).status_code == 200


@pytest.mark.parametrize("given", ["Bearer x", "Basic dTpw", "Bearer insigne_0000000000000000_" + "A" * 43, "Bearer"])
def test_what_is_not_a_token_of_ours_is_refused(anonymous, given):
    assert anonymous.get("/fhir/R4/metadata", headers={"authorization": given}).status_code == 401


def test_a_wrong_secret_is_refused(world, anonymous):
    good = world.token(Scope.FHIR_READ)
    wrong = good[:-2] + ("AA" if not good.endswith("AA") else "BB")
    answer = anonymous.get("/fhir/R4/metadata", headers=bearer(wrong))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert fhirkit.validate(answer.json()) == []


def test_a_refused_token_is_noted_and_too_many_are_answered_429(world, anonymous):
    good = world.token(Scope.FHIR_READ)
    wrong = good[:-2] + ("AA" if not good.endswith("AA") else "BB")
    for text in ("nonsense", wrong):
        assert anonymous.get("/fhir/R4/metadata", headers=bearer(text)).status_code == 401
    assert world.tokens.refusals == [("", "unknown"), (good.split("_")[1], "unknown")]
    world.tokens.wait = 2.5
    answer = anonymous.get("/fhir/R4/metadata", headers=bearer(wrong))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert fhirkit.validate(answer.json()) == []
    assert anonymous.get("/fhir/R4/metadata", headers=bearer(good)).status_code == 200


def test_an_expired_token_is_refused(world, anonymous):
    headers = bearer(world.token(Scope.FHIR_READ, lasts=timedelta(hours=1)))
    assert anonymous.get("/fhir/R4/metadata", headers=headers).status_code == 200
    world.clock.now += timedelta(hours=1)
    assert anonymous.get("/fhir/R4/metadata", headers=headers).status_code == 401


def test_a_revoked_token_is_refused_at_once(world, anonymous):
    headers = bearer(world.token(Scope.FHIR_READ))
    assert anonymous.get("/fhir/R4/metadata", headers=headers).status_code == 200
    for kept in world.tokens.list():
        world.tokens.revoke(kept.id, world.clock.now)
    assert anonymous.get("/fhir/R4/metadata", headers=headers).status_code == 401


@pytest.mark.parametrize("scope", [s for s in Scope if s is not Scope.FHIR_READ])
def test_patients_need_fhir_read_whatever_else_a_token_may_do(world, anonymous, person, scope):
    world.base.add(person())
    answer = anonymous.get("/fhir/R4/Patient/01JMARGOT", headers=bearer(world.token(scope)))
    assert answer.status_code == 403
    assert "LESTREZ" not in answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_metrics_need_admin_or_api_read(world, anonymous):
    statuses = {s: anonymous.get("/metrics", headers=bearer(world.token(s))).status_code for s in Scope}
    assert {s for s, status in statuses.items() if status == 200} == {Scope.ADMIN, Scope.API_READ}
    assert set(statuses.values()) == {200, 403}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/fhir/R4/Patient", "/fhir/R4/Patient/01JMARGOT", "/fhir/R4/metadata"])
def test_writing_is_not_allowed(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["issue"][0]["code"] == "not-supported"


def test_a_path_that_does_not_exist_is_not_found(client):
    assert client.get("/nowhere").json() == {"error": "nothing is served here", "status": 404}
    assert client.get("/fhir/R4/Observation").json()["issue"][0]["code"] == "not-found"


@pytest.mark.parametrize("path", ["/health/live", "/fhir/R4/metadata", "/nowhere"])
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers


def test_an_endless_query_is_refused(client):
    assert client.get("/fhir/R4/Patient?family=" + "a" * 3000).status_code == 400


def test_a_route_cannot_be_declared_without_scopes():
    with pytest.raises(ValueError, match="scopes"):
        secured("/x", lambda request: None)
    with pytest.raises(ValueError, match="needs a scope"):
        opened("/x", lambda request: None)


def test_logs_name_routes_and_no_person(world, client, person):
    world.base.add(person())
    with structlog.testing.capture_logs() as logs:
        client.get("/fhir/R4/Patient/01JMARGOT")
        client.get("/fhir/R4/Patient?birthdate=1985-07-12&family=LESTREZ")
        client.get("/LESTREZ")
    assert [entry["route"] for entry in logs] == ["/fhir/R4/Patient/{id}", "/fhir/R4/Patient", "none"]
    for secret in ("LESTREZ", "01JMARGOT", "1985"):
        assert secret not in str(logs)


def test_an_unexpected_error_says_nothing_of_the_person(world, client):
    world.base.failure = RuntimeError("LESTREZ MARGOT")
    with structlog.testing.capture_logs() as logs:
        answer = client.get("/fhir/R4/Patient/01JMARGOT")
    assert answer.status_code == 500
    assert "LESTREZ" not in answer.text + str(logs)
    assert logs[0]["error"] == "RuntimeError"


def test_the_head_of_a_request_is_counted_in_the_metrics(world, client):
    client.get("/fhir/R4/metadata")
    reading = TestClient(world.app, headers=bearer(world.token(Scope.ADMIN))).get("/metrics").text
    assert 'insigne_http_requests_total{method="GET",route="/fhir/R4/metadata",status="200"} 1.0' in reading
