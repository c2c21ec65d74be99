"""The feed of changes: its order, its cursor, who may read it."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import fhirkit
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from insigne.access import Scope
from insigne.api.app import create_app
from insigne.app.base import open_base
from insigne.config import load
from insigne.exchange.model import Peer, Received
from insigne.fhir.changes import change_at, change_item
from insigne.store import upgrade

GAM = "GAM&1.2.250.1.999.1&ISO"
NOW = "20260301083000+0100"


def adt(control_id, ipp, event="A28", name="BÉRANGER"):
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^{event}^ADT_A05|{control_id}|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
        f"EVN||{NOW}\rPID|||{ipp}^^^{GAM}^PI||{name}^MAËLLE^MAËLLE JEANNE^^^^L||19810412|F|||\rPV1||N\r"
    ).encode()


def merge(control_id, kept, gone):
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|{NOW}||ADT^A40^ADT_A39|{control_id}|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
        f"EVN||{NOW}\rPID|||{kept}^^^{GAM}^PI||BÉRANGER^MAËLLE^^^^^L||19810412|F\rMRG|{gone}^^^{GAM}^PI\r"
    ).encode()


@pytest.fixture
def site(tmp_path, world):
    """A real base under the interface: `feed` sends messages, `get` reads the feed."""
    upgrade(f"sqlite:///{tmp_path}/insigne.db")
    base = open_base(load(None, [], {}, tmp_path))
    deps = replace(world.deps, reader=base.store.read, metrics=CollectorRegistry())
    client = TestClient(create_app(deps), base_url="http://127.0.0.1:8380", raise_server_exceptions=False)

    def feed(*messages):
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        answers = base.intake.process([Received(raw, Peer("gam", "mllp"), now) for raw in messages])
        assert [answer.code for answer in answers] == ["AA"] * len(messages)

    def get(path="/api/v1/changes", *scopes, **parameters):
        headers = {"authorization": f"Bearer {world.token(*(scopes or (Scope.API_READ,)))}"}
        return client.get(path, params=parameters, headers=headers)

    yield SimpleNamespace(feed=feed, get=get, base=base, client=client)
    base.close()


def told(page):
    return [(item["event"], item["patient"]["identifier"][0]["value"]) for item in page["items"]]


def test_a_change_is_told_once_with_the_patient_as_identity_show_gives_it(site):
    site.feed(adt("M1", "9001"))
    page = site.get().json()
    [item] = page["items"]
    assert item["event"] == "identity-created"
    assert item["time"].endswith("Z")
    assert item["patient"]["resourceType"] == "Patient"
    assert fhirkit.validate(item["patient"]) == []
    assert page["next"] == item["cursor"]


def test_reading_goes_on_from_the_cursor_and_misses_nothing(site):
    site.feed(adt("M1", "9001"), adt("M2", "9002"), adt("M3", "9003"))
    seen, after = [], ""
    for _ in range(4):
        page = site.get(after=after, limit=1).json()
        seen += told(page)
        after = page["next"]
    assert seen == [("identity-created", ipp) for ipp in ("9001", "9002", "9003")]
    assert site.get(after=after).json() == {"items": [], "next": after}
    site.feed(adt("M4", "9002", "A31", "BÉRANGER-ROUX"))
    assert told(site.get(after=after).json()) == [("traits-changed", "9002")]


def test_a_merge_tells_of_both_and_shows_the_survivor(site):
    site.feed(adt("M1", "9001"), adt("M2", "9002"))
    after = site.get().json()["next"]
    site.feed(merge("M3", "9001", "9002"))
    page = site.get(after=after).json()
    assert sorted(item["event"] for item in page["items"]) == ["identity-absorbed", "identity-merged"]
    assert len({item["patient"]["id"] for item in page["items"]}) == 1
    one_by_one = [site.get(after=after, limit=1).json()["items"][0]]
    one_by_one += site.get(after=one_by_one[0]["cursor"], limit=1).json()["items"]
    assert one_by_one == page["items"]


def test_what_is_told_of_a_version_is_the_item_of_the_feed(site):
    site.feed(adt("M1", "9001"), adt("M2", "9001", "A31", "BÉRANGER-ROUX"))
    items = site.get().json()["items"]
    with site.base.store.read() as view:
        identity = view.identity(items[-1]["patient"]["id"])
        assert change_item(view, change_at(view, identity.id, identity.version)) == items[-1]
        assert change_at(view, identity.id, 0) is None
        assert change_at(view, "nobody", 1) is None


def test_the_feed_needs_the_scope_to_read_the_interface(site):
    assert site.client.get("/api/v1/changes").status_code == 401
    assert site.get("/api/v1/changes", Scope.FHIR_READ).status_code == 403


@pytest.mark.parametrize(
    "parameters", [{"after": "x"}, {"after": "-1"}, {"after": "9" * 30}, {"limit": "all"}, {"since": "1"}]
)
def test_parameters_that_cannot_be_used_are_refused(site, parameters):
    answer = site.get(**parameters)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400


def test_a_cursor_of_another_base_is_refused_rather_than_waited_for(site):
    site.feed(adt("M1", "9001"))
    assert site.get(after="4000").status_code == 400


def test_the_interface_describes_itself(site):
    document = site.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    served = {route.path for route in site.client.app.routes if route.path.startswith("/api/")}
    assert served <= set(document["paths"])
    for path, operations in document["paths"].items():
        assert set(operations["get"]["responses"]) >= {"200"}, path
        if path.startswith("/api/"):
            assert site.client.get(path).status_code == 401
