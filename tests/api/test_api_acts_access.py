"""Who may act over HTTP, what is not an act, and what is described."""

import base64
import json
from datetime import timedelta

import pytest
import structlog

from insigne.access import Scope
from insigne.api.gate import LARGEST_BODY
from insigne.ins.status import Status

from ..status_matrix import CARD, SYMBOL, at, held
from .acts_site import SECRET, TRAITS

# --- who may


def test_a_token_alone_does_nothing_nor_does_a_person_alone(counter):
    identity = at(counter.base, Status.PROV)
    path, body = f"/{identity}/record-proof", {"type": "PA"}
    nobody = counter.post(path, body, by="")
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, 'Insigne-As realm="insigne"')
    for scope in set(Scope) - {Scope.API_WRITE}:
        assert counter.post(path, body, scope=scope).status == 403
    credentials = base64.b64encode(f"claire:{SECRET}".encode()).decode()
    alone = counter.send("POST", f"/api/v1/identities{path}", b"{}", Authorization=f"Basic {credentials}")
    assert (alone.status, alone.json["type"]) == (401, "urn:insigne:problem:token")
    assert held(counter.base, identity).status == Status.PROV


@pytest.mark.parametrize(
    ("by", "act", "body", "right"),
    [
        ("adele", "record-proof", {"type": "PA"}, "identity.qualify"),
        ("adele", "edit", {"details": {"used_name": "X"}}, "identity.edit"),
        ("quentin", "merge", {"absorbed": "x", "reason": "x"}, "identity.merge"),
        ("quentin", "unmerge", {"reason": "x"}, "identity.merge"),
        ("quentin", "set-attribute", {"set": ["HOMA"], "reason": "x"}, "identity.attribute"),
    ],
)
def test_a_person_without_the_right_is_refused_whatever_they_ask(counter, by, act, body, right):
    identity = at(counter.base, Status.PROV)
    for target in (identity, "nobody"):  # and does not learn who exists
        answer = counter.post(f"/{target}/{act}", body, by=by)
        assert (answer.status, answer.json["type"]) == (403, "urn:insigne:problem:right")
        assert right in answer.json["detail"]


@pytest.mark.parametrize(
    "header", ["", "claire", "Basic", "Basic !!!", "Basic Y2xhaXJl", "Bearer x", "Basic " + "A" * 2000]
)
def test_what_names_nobody_is_refused(counter, header):
    token = f"Bearer {counter.tokens[Scope.API_WRITE]}"
    headers = {"Authorization": token, "Content-Type": "application/json", "Insigne-As": header}
    assert counter.send("POST", "/api/v1/identities", b"{}", **headers).status == 401


def test_wrong_secrets_make_the_name_wait_and_are_audited(acts_start):
    site = acts_start("access.attempts=2", "access.first_seconds=30")
    for _ in range(2):
        assert site.post("", {"traits": TRAITS}, secret="un autre secret").status == 401
    waiting = site.create()
    assert (waiting.status, waiting.json["type"]) == (429, "urn:insigne:problem:person-wait")
    assert 0 < int(waiting.headers["retry-after"]) <= 30
    assert site.post("", {"traits": TRAITS}, by="nobody").status == 401
    site.now += timedelta(seconds=31)
    assert site.create().status == 201


# --- what is not an act


def test_bodies_are_bounded_and_must_be_what_is_described(counter):
    identity = at(counter.base, Status.PROV)
    path = f"/{identity}/set-attribute"
    token = {"Authorization": f"Bearer {counter.tokens[Scope.API_WRITE]}", "If-Match": "*"}
    token["Insigne-As"] = "Basic " + base64.b64encode(f"claire:{SECRET}".encode()).decode()
    sent = {"Content-Type": "application/json", **token}
    url = f"/api/v1/identities{path}"
    assert counter.send("POST", url, b"x" * (LARGEST_BODY + 1), **sent).status == 413
    assert counter.send("POST", url, b"{}", **(sent | {"Content-Type": "text/plain"})).status == 415
    for raw in (b"", b"{", b"\xff"):
        assert counter.send("POST", url, raw, **sent).status == 400
    assert counter.send("POST", url, b"[" * 10_000, **sent).status == 422
    for body in ({}, {"set": ["X"], "reason": "x"}, {"set": ["HOMA"], "reason": ""}, {"reason": "x", "puts": []}, []):
        answer = counter.post(path, body)
        assert (answer.status, answer.json["type"]) == (422, "urn:insigne:problem:shape")
        assert answer.json["errors"][0]["field"]
    wrong = counter.post("/x/edit", {"traits": {"birth_name": "A\u0000"}, "reason": "x"})
    assert wrong.json["errors"][0]["field"] == "traits.birth_name"
    assert counter.send("GET", url, **token).status == 405
    assert counter.post("/nobody/record-proof", {"type": "PA"}).status == 404


def test_without_a_service_nothing_is_queued(acts_start):
    site = acts_start("insi.endpoint=", "insi.verification.adapter=none")
    identity = at(site.base, Status.QUAL)
    assert site.post(f"/{identity}/retrieve-ins").json["type"] == "urn:insigne:problem:insi-unusable"
    assert site.post(f"/{identity}/verify-ins").status == 503
    read = site.post(f"/{at(site.base, Status.PROV)}/read-data-matrix", {"payload": SYMBOL})
    assert (read.status, read.headers["insigne-remarks"]) == (200, "no-verification")
    with site.base.store.read() as view:
        assert view.last_job(identity) is None


def test_reco_pp_03_blocks_the_call_without_document_when_the_site_says_so(acts_start):
    site = acts_start("insi.reco_pp_03=block")
    identity = at(site.base, Status.PROV)
    assert site.post(f"/{identity}/retrieve-ins").json["errors"][0]["rule"] == "insi-unadvised"
    assert site.post(f"/{identity}/retrieve-ins", {"document_at_hand": True}).status == 202


def test_only_an_identity_repository_serves_acts(acts_start):
    site = acts_start('roles=["consumer"]')
    assert site.create().status == 404


def test_logs_name_routes_and_no_person(counter):
    with structlog.testing.capture_logs() as logs:
        identity = counter.create().json["id"]
        counter.post(f"/{identity}/edit", {"traits": {"birth_name": "DUPONT2"}, "reason": "LESTREZ"})
        counter.post("/INSIGNE%7C1/qualify-by-card", CARD)
    assert [entry["route"] for entry in logs] == [
        "/api/v1/identities", "/api/v1/identities/{id}/edit", "/api/v1/identities/{id}/qualify-by-card",
    ]  # fmt: skip
    for secret in ("ADRUN", "LESTREZ", "claire", SECRET, identity, CARD["matricule"]):
        assert secret not in str(logs)


def test_the_interface_describes_every_act_it_serves(counter):
    document = counter.send(
        "GET", "/api/v1/openapi.json", Authorization=f"Bearer {counter.tokens[Scope.API_WRITE]}"
    ).json
    acts = {path.rpartition("/")[2] for path in document["paths"] if path.startswith("/api/v1/identities")}
    assert acts == {
        "identities", "edit", "set-attribute", "merge", "unmerge", "retrieve-ins", "verify-ins", "insi-answer",
        "accept", "refuse", "record-proof", "qualify-by-card", "read-data-matrix",
    }  # fmt: skip
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    for path, item in document["paths"].items():
        if not path.startswith("/api/v1/identities"):
            continue
        [(method, operation)] = item.items()
        assert operation["security"] == [{"token": [], "person": []}]
        target = path.removeprefix("/api/v1/identities").replace("{id}", "nobody")
        assert counter.post(target, method=method.upper(), by="").status == 401
