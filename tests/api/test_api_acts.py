"""The acts of a person over real HTTP: the matrix of statuses, the sets of attributes, versions, refusals."""

import base64
import http.client
import json
import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import fhirkit
import pytest
import structlog
from prometheus_client import CollectorRegistry

from insigne.access import Scope, issue
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.gate import LARGEST_BODY
from insigne.api.health import Health
from insigne.api.server import HttpServer
from insigne.api.settings import HttpSettings
from insigne.app.acts import acts_of
from insigne.app.base import open_base
from insigne.app.insi import insi_service
from insigne.config import load
from insigne.ins.cog import bundled_cog
from insigne.ins.status import Status
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import ALL_WELL, Effects
from insigne.simulate.insi.simulator import SimulatorSettings
from insigne.store import upgrade
from insigne.store.accounts import StoredUsers
from insigne.store.tokens import StoredTokens

from ..status_matrix import CARD, CASES, FORBIDDEN, SETS, SYMBOL, UNKNOWN_MATRICULE, at, consistent, held, reached, user

SECRET = "un secret bien long"
TRAITS = {
    "birth_name": "ADRUN", "first_given_name": "ZOE", "sex": "F", "birth_date": "1975-12-31", "birth_place": "63220",
}  # fmt: skip


@pytest.fixture(scope="module")
def nation(tmp_path_factory):
    """The simulated téléservice, over TLS."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("nation"))) as service:
        yield service


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A base with users and nobody else, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    upgrade(f"sqlite:///{folder}/insigne.db")
    base = open_base(load(None, [], {}, folder))
    users = StoredUsers(base.store)
    for name, role in (("claire", "identitovigilance"), ("adele", "accueil"), ("quentin", "qualifieur")):
        assert users.add(user(name, role, SECRET))
    base.close()
    return folder


class Site:
    """A server over a base of its own, and the applications and people that use it."""

    def __init__(self, folder, nation, *settings) -> None:
        ready, client = nation.ready, nation.ready["clients"]["INSI-MANU"]
        told = [
            f"insi.endpoint={ready['url']}", f"insi.idam={ready['idam']}", f"insi.tls.ca_file={ready['ca']}",
            f"insi.tls.cert_file={client['cert']}", f"insi.tls.key_file={client['key']}",
            "insi.verification.adapter=simulation", f"insi.verification.endpoint={ready['verification']}", *settings,
        ]  # fmt: skip
        self.base = open_base(load(None, told, {}, folder), wait=5)
        self.now = datetime.now(UTC)
        tokens = StoredTokens(self.base.store, refusals_a_minute=20)
        self.tokens = {}
        for number, scope in enumerate(Scope):
            text, token = issue(scope, [scope], random_bytes=bytes([number + 1]) * 40, now=self.now)
            tokens.add(token)
            self.tokens[scope] = text
        deps = ApiDeps(
            reader=self.base.store.read, tokens=tokens, health=Health({}), now=lambda: self.now, started=self.now,
            version="0.1.0", cog=bundled_cog, metrics=CollectorRegistry(), acts=acts_of(self.base),
        )  # fmt: skip
        self.server = HttpServer(create_app(deps), HttpSettings(port=0))
        self.address = self.server.start()

    def close(self):
        self.server.stop()
        self.base.close()

    def send(self, method, path, body=b"", **headers):
        """Send a request as it stands; the answer, its headers and its document."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        document = json.loads(text) if text else None
        return SimpleNamespace(status=answer.status, headers=answer.headers, json=document, text=text.decode())

    def post(self, path, body=None, *, by="claire", secret=SECRET, seen="*", scope=Scope.API_WRITE, method="POST"):
        """An act of a person who saw this version."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.tokens[scope]}"}
        if by:
            headers["Insigne-As"] = "Basic " + base64.b64encode(f"{by}:{secret}".encode()).decode()
        if seen:
            headers["If-Match"] = seen
        text = json.dumps({} if body is None else body) if method == "POST" else ""
        answer = self.send(method, f"/api/v1/identities{path}", text.encode(), **headers)
        if answer.status < 300 and answer.json.get("resourceType"):
            assert fhirkit.validate(answer.json) == []
            assert answer.headers["etag"] == f'W/"{answer.json["meta"]["versionId"]}"'
        elif answer.status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.json["status"], bool(answer.json["detail_fr"])) == (answer.status, True)
        return answer

    def create(self, none_of=(), **more):
        return self.post("", {"traits": TRAITS, "none_of": list(none_of), **more}, seen="")

    def answer(self, identity):
        """What INSi answered, as the person compares it."""
        return self.post(f"/{identity}/insi-answer", method="GET").json

    def worked(self):
        """The server works through its queue."""
        service = insi_service(self.base, automatic=False)
        try:
            assert service.work() == 1
        finally:
            service.close()


@pytest.fixture
def start(empty, tmp_path, nation):
    """Start a site with settings; its base is fresh."""
    sites = []

    def started(*settings):
        folder = tmp_path / str(len(sites))
        shutil.copytree(empty, folder)
        sites.append(Site(folder, nation, *settings))
        return sites[-1]

    yield started
    for site in sites:
        site.close()
    nation.call(lambda: nation.simulator.control.change(Change(mode="production", effects=ALL_WELL)))


@pytest.fixture
def site(start):
    return start()


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
def test_each_act_leads_by_http_where_the_table_says(site, act, source, expected):
    number = {"matricule": UNKNOWN_MATRICULE} if act == "ko" else {}
    identity = at(site.base, source, **number)
    before = held(site.base, identity)
    answer = MOVES[act](site, identity)
    after = held(site.base, identity)
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


@pytest.mark.parametrize(("asked", "expected"), SETS.items(), ids=str)
@pytest.mark.parametrize("source", Status)
def test_the_eight_sets_of_attributes_by_http(site, asked, expected, source):
    identity = at(site.base, source)
    before = held(site.base, identity)
    answer = site.post(f"/{identity}/set-attribute", {"set": list(asked), "reason": "dit au guichet"})
    after = held(site.base, identity)
    if expected is None:
        assert answer.status == 422
        assert after == before
        return
    forced = bool(expected & {"DOUT", "FICT"})
    assert (answer.status, after.attributes) == (200, expected)
    assert consistent(after, Status.PROV if forced else source)
    assert after.history == int(forced and before.ins)
    lifted = site.post(f"/{identity}/set-attribute", {"lift": list(asked), "reason": "levé"})
    assert lifted.status == 200
    assert held(site.base, identity).attributes == set()
    assert held(site.base, identity).status == (Status.PROV if forced else source)


@pytest.mark.parametrize("act", FORBIDDEN)
@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_doubtful_or_fictitious_identity_stays_provisional(site, act, attribute):
    identity = at(site.base, Status.PROV, [attribute])
    before = held(site.base, identity)
    answer = MOVES[act](site, identity)
    assert answer.status == 422
    assert "EXI ID 26" in answer.json["detail"]
    assert "EXI ID 26" in answer.json["detail_fr"]
    assert held(site.base, identity) == before


# --- from nobody to qualified


def test_from_nobody_to_qualified(site):
    created = site.create(details={"used_name": "Martin"})
    identity = created.json["id"]
    assert (created.status, created.headers["etag"]) == (201, f'W/"{created.json["meta"]["versionId"]}"')
    assert created.headers["location"].endswith(f"/fhir/R4/Patient/{identity}")
    asked = site.post(f"/{identity}/retrieve-ins")
    assert (asked.status, asked.headers["insigne-remarks"]) == (202, "insi-unadvised")
    told = site.answer(identity)
    assert (told["question"]["state"], told["question"]["author"], told["answer"]) == ("waiting", "user:claire", None)
    site.worked()
    told = site.answer(identity)
    assert (told["question"]["outcome"], told["answer"]["verdict"]) == ("00", "tolerated")
    assert told["answer"]["first_given_names"][0] == "ZOE"
    lines = {line["field"]: line for line in told["answer"]["comparison"]}
    assert (lines["birth_name"]["local"], lines["birth_name"]["national"]) == ("ADRUN", "ADRUN")
    assert {name: line["verdict"] for name, line in lines.items() if line["verdict"] != "identical"} == {
        "given_names": "missing"  # nobody typed the list
    }
    accepted = site.post(f"/{identity}/accept", {"call": told["answer"]["call"]}, seen=created.headers["etag"])
    assert accepted.status == 200
    proven = site.post("/INSIGNE%7C1/record-proof", {"type": "PA"}, seen=accepted.headers["etag"], by="quentin")
    assert held(site.base, identity).status == Status.QUAL
    shown = site.send("GET", f"/fhir/R4/Patient/{identity}", Authorization=f"Bearer {site.tokens[Scope.FHIR_READ]}")
    assert shown.json == proven.json
    with site.base.store.read() as view:
        authors = {entry.type: entry.author for entry in view.history(identity)}
    assert (authors["ins-recorded"], authors["proof-recorded"]) == ("user:claire", "user:quentin")


def test_somebody_alike_is_shown_and_nothing_is_created_without_saying_who_it_is_not(site):
    first = site.create().json["id"]
    refused = site.create()
    assert (refused.status, refused.json["type"]) == (409, "urn:insigne:problem:alike")
    assert [patient["id"] for patient in refused.json["candidates"]] == [first]
    second = site.create(none_of=[first])
    assert second.status == 201
    assert {one["id"] for one in site.create(none_of=[first]).json["candidates"]} == {second.json["id"]}
    with site.base.store.read() as view:
        searched = next(e.event for e in view.history(second.json["id"]) if e.type == "prior-search-made")
    assert searched.found == (first,)


def test_every_fault_of_an_entry_is_listed_with_its_rule_and_remedy(site):
    traits = {
        "birth_name": "DUPONT2", "first_given_name": "PAUL_", "sex": "X", "birth_date": "1960-02-30",
        "birth_place": "PARIS",
    }  # fmt: skip
    answer = site.post("", {"traits": traits}, seen="")
    assert (answer.status, answer.json["type"]) == (422, "urn:insigne:problem:entry")
    faults = {fault["field"]: fault for fault in answer.json["errors"]}
    assert set(faults) == {"birth_name", "first_given_name", "sex", "birth_date", "birth_place"}
    assert (faults["birth_name"]["rule"], faults["birth_name"]["position"]) == ("character", 7)
    assert all(fault["remedy"] and fault["remedy_fr"] for fault in faults.values())
    assert "DUPONT" not in answer.text
    empty = site.post("", {"traits": {}}, seen="")
    assert {fault["field"] for fault in empty.json["errors"]} >= {"birth_name", "first_given_name", "sex"}
    listed = site.post("", {"traits": TRAITS | {"given_names": "PAULE ANNE"}}, seen="")
    assert [fault["field"] for fault in listed.json["errors"]] == ["first_given_name"]


def test_an_anonymous_stay_a_newborn_and_an_incomplete_date(site):
    fictitious = site.create(attributes=["FICT"], reason="séjour sous X").json["id"]
    assert held(site.base, fictitious).attributes == {"FICT"}
    newborn = site.post("", {"traits": TRAITS | {"birth_date": "1975-00-00"}, "newborn": True, "none_of": [fictitious]})
    assert newborn.headers["insigne-remarks"] == "birth-date-completed"
    barred = site.post(f"/{newborn.json['id']}/retrieve-ins")
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
def test_of_two_people_who_saw_the_same_version_the_second_is_told(site, act, body):
    identity = at(site.base, Status.PROV)
    seen = f'W/"{held(site.base, identity).version}"'
    assert site.post(f"/{identity}/edit", {"details": {"used_name": "DURAND"}}, seen=seen).status == 200
    before = held(site.base, identity)
    late = site.post(f"/{identity}/{act}", body, seen=seen)
    assert (late.status, late.json["type"]) == (409, "urn:insigne:problem:version")
    assert "look at it again" in late.json["detail"]
    assert held(site.base, identity) == before
    assert site.post(f"/{identity}/{act}", body, seen="").status == 428
    assert site.post(f"/{identity}/{act}", body, seen="3").status == 400


def test_an_answer_that_is_not_the_one_that_was_compared_is_not_accepted(site):
    identity = at(site.base, Status.PROV)
    nothing = site.post(f"/{identity}/accept", {"call": "c"})
    assert (nothing.status, nothing.json["type"]) == (409, "urn:insigne:problem:no-answer")
    first = retrieved(site, identity)
    retrieved(site, identity)
    other = site.post(f"/{identity}/accept", {"call": first})
    assert (other.status, other.json["type"]) == (409, "urn:insigne:problem:other-answer")


def test_an_answer_about_somebody_else_is_shown_and_cannot_be_accepted(site, nation):
    identity = at(site.base, Status.PROV)
    nation.call(lambda: nation.simulator.control.change(Change(effects=Effects(wrong_person=True))))
    call = retrieved(site, identity)
    assert site.answer(identity)["answer"]["verdict"] == "blocking"
    refused = site.post(f"/{identity}/accept", {"call": call})
    assert (refused.status, refused.json["type"]) == (422, "urn:insigne:problem:traits-differ")
    assert "birth_name" in refused.json["detail_fr"]


# --- documents, merges


def test_a_document_that_proves_nothing_is_refused_with_its_reasons_and_those_accepted(site):
    identity = at(site.base, Status.PROV)
    refused = site.post(f"/{identity}/record-proof", {"type": "PC"})
    assert (refused.status, refused.json["errors"][0]["rule"]) == (422, "proof-refused")
    assert "PA" in refused.json["documents"]
    assert site.post(f"/{identity}/record-proof", {}).json["errors"][0]["rule"] == "shape"
    dated = site.post(f"/{identity}/record-proof", {"type": "PA", "expiry": "tomorrow", "second_expiry": "x"})
    assert [fault["field"] for fault in dated.json["errors"]] == ["expiry", "second_expiry"]
    expired = site.post(f"/{identity}/record-proof", {"type": "CN", "expiry": "2020-01-01"})
    assert (expired.status, expired.headers["insigne-remarks"]) == (200, "proof-expired")
    assert held(site.base, identity).status == Status.PROV


def test_a_merge_is_shown_and_undone(site):
    one, two = at(site.base, Status.PROV), at(site.base, Status.VALI)
    merged = site.post(f"/{one}/merge", {"absorbed": "INSIGNE|2", "reason": "même personne"})
    assert merged.json["link"] == [{"other": {"reference": f"Patient/{two}"}, "type": "replaces"}]
    assert merged.headers["insigne-remarks"] == "better-established"
    again = site.post(f"/{two}/unmerge", {"reason": "jumelles"}, seen="")
    assert (again.status, again.json["id"]) == (200, two)
    assert site.post(f"/{two}/unmerge", {"reason": "jumelles"}, seen="").status == 404
    itself = site.post(f"/{one}/merge", {"absorbed": one, "reason": "x"})
    assert (itself.status, itself.json["type"]) == (409, "urn:insigne:problem:merge-itself")
    assert site.post(f"/{one}/merge", {"absorbed": "INSIGNE|99", "reason": "x"}).status == 404


# --- who may


def test_a_token_alone_does_nothing_nor_does_a_person_alone(site):
    identity = at(site.base, Status.PROV)
    path, body = f"/{identity}/record-proof", {"type": "PA"}
    nobody = site.post(path, body, by="")
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, 'Insigne-As realm="insigne"')
    for scope in set(Scope) - {Scope.API_WRITE}:
        assert site.post(path, body, scope=scope).status == 403
    credentials = base64.b64encode(f"claire:{SECRET}".encode()).decode()
    alone = site.send("POST", f"/api/v1/identities{path}", b"{}", Authorization=f"Basic {credentials}")
    assert (alone.status, alone.json["type"]) == (401, "urn:insigne:problem:token")
    assert held(site.base, identity).status == Status.PROV


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
def test_a_person_without_the_right_is_refused_whatever_they_ask(site, by, act, body, right):
    identity = at(site.base, Status.PROV)
    for target in (identity, "nobody"):  # and does not learn who exists
        answer = site.post(f"/{target}/{act}", body, by=by)
        assert (answer.status, answer.json["type"]) == (403, "urn:insigne:problem:right")
        assert right in answer.json["detail"]


@pytest.mark.parametrize(
    "header", ["", "claire", "Basic", "Basic !!!", "Basic Y2xhaXJl", "Bearer x", "Basic " + "A" * 2000]
)
def test_what_names_nobody_is_refused(site, header):
    token = f"Bearer {site.tokens[Scope.API_WRITE]}"
    headers = {"Authorization": token, "Content-Type": "application/json", "Insigne-As": header}
    assert site.send("POST", "/api/v1/identities", b"{}", **headers).status == 401


def test_wrong_secrets_make_the_name_wait_and_are_audited(start):
    site = start("access.attempts=2", "access.first_seconds=30")
    for _ in range(2):
        assert site.post("", {"traits": TRAITS}, secret="un autre secret").status == 401
    waiting = site.create()
    assert (waiting.status, waiting.json["type"]) == (429, "urn:insigne:problem:person-wait")
    assert 0 < int(waiting.headers["retry-after"]) <= 30
    assert site.post("", {"traits": TRAITS}, by="nobody").status == 401
    site.now += timedelta(seconds=31)
    assert site.create().status == 201


# --- what is not an act


def test_bodies_are_bounded_and_must_be_what_is_described(site):
    identity = at(site.base, Status.PROV)
    path = f"/{identity}/set-attribute"
    token = {"Authorization": f"Bearer {site.tokens[Scope.API_WRITE]}", "If-Match": "*"}
    token["Insigne-As"] = "Basic " + base64.b64encode(f"claire:{SECRET}".encode()).decode()
    sent = {"Content-Type": "application/json", **token}
    url = f"/api/v1/identities{path}"
    assert site.send("POST", url, b"x" * (LARGEST_BODY + 1), **sent).status == 413
    assert site.send("POST", url, b"{}", **(sent | {"Content-Type": "text/plain"})).status == 415
    for raw in (b"", b"{", b"\xff"):
        assert site.send("POST", url, raw, **sent).status == 400
    assert site.send("POST", url, b"[" * 10_000, **sent).status == 422
    for body in ({}, {"set": ["X"], "reason": "x"}, {"set": ["HOMA"], "reason": ""}, {"reason": "x", "puts": []}, []):
        answer = site.post(path, body)
        assert (answer.status, answer.json["type"]) == (422, "urn:insigne:problem:shape")
        assert answer.json["errors"][0]["field"]
    wrong = site.post("/x/edit", {"traits": {"birth_name": "A\u0000"}, "reason": "x"})
    assert wrong.json["errors"][0]["field"] == "traits.birth_name"
    assert site.send("GET", url, **token).status == 405
    assert site.post("/nobody/record-proof", {"type": "PA"}).status == 404


def test_without_a_service_nothing_is_queued(start):
    site = start("insi.endpoint=", "insi.verification.adapter=none")
    identity = at(site.base, Status.QUAL)
    assert site.post(f"/{identity}/retrieve-ins").json["type"] == "urn:insigne:problem:insi-unusable"
    assert site.post(f"/{identity}/verify-ins").status == 503
    read = site.post(f"/{at(site.base, Status.PROV)}/read-data-matrix", {"payload": SYMBOL})
    assert (read.status, read.headers["insigne-remarks"]) == (200, "no-verification")
    with site.base.store.read() as view:
        assert view.last_job(identity) is None


def test_reco_pp_03_blocks_the_call_without_document_when_the_site_says_so(start):
    site = start("insi.reco_pp_03=block")
    identity = at(site.base, Status.PROV)
    assert site.post(f"/{identity}/retrieve-ins").json["errors"][0]["rule"] == "insi-unadvised"
    assert site.post(f"/{identity}/retrieve-ins", {"document_at_hand": True}).status == 202


def test_only_an_identity_repository_serves_acts(start):
    site = start('roles=["consumer"]')
    assert site.create().status == 404


def test_logs_name_routes_and_no_person(site):
    with structlog.testing.capture_logs() as logs:
        identity = site.create().json["id"]
        site.post(f"/{identity}/edit", {"traits": {"birth_name": "DUPONT2"}, "reason": "LESTREZ"})
        site.post("/INSIGNE%7C1/qualify-by-card", CARD)
    assert [entry["route"] for entry in logs] == [
        "/api/v1/identities", "/api/v1/identities/{id}/edit", "/api/v1/identities/{id}/qualify-by-card",
    ]  # fmt: skip
    for secret in ("ADRUN", "LESTREZ", "claire", SECRET, identity, CARD["matricule"]):
        assert secret not in str(logs)


def test_the_interface_describes_every_act_it_serves(site):
    document = site.send("GET", "/api/v1/openapi.json", Authorization=f"Bearer {site.tokens[Scope.API_WRITE]}").json
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
        assert site.post(target, method=method.upper(), by="").status == 401
