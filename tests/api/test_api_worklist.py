"""Work lists over HTTP: what waits, who treats it, and how it is settled, by a named person."""

import base64
import json

import fhirkit
import pytest

from insigne.access import Scope
from insigne.app.clock import rfc3339_now
from insigne.exchange.model import Peer, Received
from insigne.ins.status import Status
from insigne.registry.worklist_kinds import KINDS

from ..status_matrix import at
from .acts_site import SECRET, acts_empty, acts_nation, acts_start, counter

__all__ = ["acts_empty", "acts_nation", "acts_start", "counter"]

PATH = "/api/v1/worklist"


def ask(site, path="", body=None, *, by="claire", token=Scope.API_WRITE):
    """Read with GET, act with POST when there is a body."""
    who = base64.b64encode(f"{by}:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Bearer {site.tokens[token]}", "Content-Type": "application/json"}
    headers |= {"Insigne-As": f"Basic {who}"} if by else {}
    return site.send("GET" if body is None else "POST", f"{PATH}{path}", json.dumps(body or {}).encode(), **headers)


@pytest.fixture
def doubtful(counter):
    """Three doubtful identities, and the work items about them, oldest first."""
    people = [at(counter.base, Status.PROV, ("DOUT",)) for _ in range(3)]
    items = ask(counter).json["items"]
    assert [item["subjects"] for item in items] == [[one] for one in people]
    return people, [item["id"] for item in items]


def test_what_waits_is_listed_with_its_age_its_cause_and_what_may_be_done(counter, doubtful):
    people, ids = doubtful
    found = ask(counter, f"?kind=doubtful-to-lift&identity={people[1]}")
    assert (found.status, found.json["next"]) == (200, None)
    [item] = found.json["items"]
    assert (item["id"], item["age_days"], item["cause"], item["assignee"]) == (ids[1], 0, "setup", "")
    assert item["next"] == list(KINDS["doubtful-to-lift"].actions)
    assert ask(counter, "?kind=overlay").json == {"items": [], "next": None}
    assert ask(counter, "?state=closed").json["items"] == []


def test_a_page_tells_where_the_next_one_begins(counter, doubtful):
    _, ids = doubtful
    first = ask(counter, "?limit=2").json
    assert ([item["id"] for item in first["items"]], first["next"]) == (ids[:2], ids[1])
    second = ask(counter, f"?limit=2&after={first['next']}").json
    assert ([item["id"] for item in second["items"]], second["next"]) == (ids[2:], None)


def test_an_item_is_shown_with_its_people_and_what_it_holds(counter):
    identity = counter.create().json["id"]
    counter.post(f"/{identity}/retrieve-ins", {"document_at_hand": True})
    counter.worked()
    [item] = ask(counter, "?kind=to-compare").json["items"]
    shown = ask(counter, f"/{item['id']}").json
    [patient] = shown["patients"]
    assert (patient["id"], fhirkit.validate(patient)) == (identity, [])
    assert shown["held"]["call"] == counter.answer(identity)["answer"]["call"]
    refused = ask(counter, f"/{item['id']}/close", {"outcome": "vu"})
    assert (refused.status, refused.json["type"]) == (422, "urn:insigne:problem:answer-waits")


def test_what_later_messages_changed_is_applied_to_who_says_how_many_were_seen(counter):
    for control, (name, born) in enumerate((("MARTIN", "19800214"), ("DURAND", "19790101"), ("DUBOIS", "19790101"))):
        raw = (
            f"MSH|^~\\&|GAM|CHU|INSIGNE|CHU|20260301080000||ADT^A31^ADT_A05|C{control}|P|2.5^FRA^2.11\r"
            f"EVN||20260301080000\rPID|1||7^^^GAM^PI||{name}^ALICE^ALICE^^^^L||{born}|F\r"
        )
        counter.base.intake.process([Received(raw.encode(), Peer("mllp", "GAM"), rfc3339_now())])
    [item] = ask(counter, "?kind=overlay").json["items"]
    assert item["messages"] == 2
    close = f"/{item['id']}/close"
    refused = ask(counter, close, {"outcome": "vu", "apply": True, "seen": 1})
    assert (refused.status, refused.json["type"]) == (409, "urn:insigne:problem:held-since")
    assert ask(counter, close, {"outcome": "vu", "apply": True, "seen": -1}).status == 422
    assert ask(counter, close, {"outcome": "vu", "apply": True, "seen": 2}).status == 200


def test_an_item_is_given_to_somebody_then_settled(counter, doubtful):
    _, ids = doubtful
    given = ask(counter, f"/{ids[0]}/assign", {"assignee": "Quentin"}, by="quentin")
    assert (given.status, given.json["assignee"]) == (200, "quentin")
    assert [item["id"] for item in ask(counter, "?assignee=quentin").json["items"]] == [ids[0]]
    assert ask(counter, f"/{ids[0]}/assign", {"assignee": "nobody"}).status == 422
    settled = ask(counter, f"/{ids[0]}/close", {"outcome": "pièce revue"})
    assert (settled.json["outcome"], bool(settled.json["closed"]), settled.json["next"]) == ("pièce revue", True, [])
    again = ask(counter, f"/{ids[0]}/close", {"outcome": "pièce revue"})
    assert (again.status, again.json["type"]) == (404, "urn:insigne:problem:unknown-item")
    assert [item["id"] for item in ask(counter, "?state=closed").json["items"]] == [ids[0]]


@pytest.mark.parametrize(
    "query", ["kind=nothing", "state=all", "limit=x", "limit=1&limit=2", "name=DUPONT", "after=" + "x" * 300]
)
def test_a_parameter_that_is_none_is_refused_with_its_name(counter, query):
    answer = ask(counter, f"?{query}")
    assert (answer.status, answer.json["detail"].partition(":")[0]) == (400, query.partition("=")[0])


def test_work_lists_are_for_named_people_with_the_right(counter, doubtful):
    _, ids = doubtful
    assert ask(counter, by="").status == 401
    assert ask(counter, token=Scope.FHIR_READ).status == 403
    assert ask(counter, by="adele").status == 200
    assert ask(counter, f"/{ids[0]}/close", {"outcome": "x"}, by="adele").status == 403
    assert ask(counter, "/nothing").status == 404


def test_the_interface_describes_the_work_lists(counter):
    token = f"Bearer {counter.tokens[Scope.API_WRITE]}"
    document = counter.send("GET", "/api/v1/openapi.json", Authorization=token).json
    served = {path: list(item) for path, item in document["paths"].items() if path.startswith(PATH)}
    assert served == {
        PATH: ["get"], f"{PATH}/{{item}}": ["get"], f"{PATH}/{{item}}/assign": ["post"],
        f"{PATH}/{{item}}/close": ["post"],
    }  # fmt: skip
    names = [one["name"] for one in document["paths"][PATH]["get"]["parameters"]]
    assert names == ["kind", "assignee", "identity", "state", "after", "limit"]
    assert {"Assign", "Close"} <= document["components"]["schemas"].keys()
