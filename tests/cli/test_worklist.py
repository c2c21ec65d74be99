"""`insigne worklist`: what waits, who treats it, how it is settled."""

import re
from pathlib import Path

import pytest

import insigne.registry
from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.exchange.model import Peer, Received
from insigne.registry.qualification import _OUTCOME_ITEMS
from insigne.registry.worklist_kinds import KINDS, kind_of


@pytest.fixture
def compared(desk):
    """An identity whose answer of INSi waits, and the item."""
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    [item] = desk.lines("worklist", "list")
    return identity, item


def test_an_item_says_what_it_is_and_what_may_be_done(desk, compared):
    identity, item = compared
    assert (item["kind"], item["subjects"], item["age_days"], item["assignee"]) == ("to-compare", [identity], 0, "")
    assert item["label_fr"] == "Réponse INSi à comparer"
    assert item["next"] == ["identity accept", "identity refuse", "identity edit"]
    assert item["cause"] == "tolerated"  # no list of given names was typed
    assert "Réponse INSi à comparer" in desk.run("worklist", "list").out


def test_the_list_is_filtered(desk, compared):
    _, item = compared
    other = desk.create("ANONYME", "X", more=("--attribute", "DOUT", "--reason", "inconnu aux urgences"))
    assert desk.work() == ["to-compare", "doubtful-to-lift"]
    assert desk.work("--kind", "doubtful-to-lift") == ["doubtful-to-lift"]
    assert desk.work("--identity", other) == ["doubtful-to-lift"]
    assert desk.work("--limit", "1") == ["to-compare"]
    desk.act("worklist", "assign", item["id"], "quentin")
    assert desk.work("--assignee", "quentin") == ["to-compare"]
    assert desk.work("--mine", "--as", "Quentin") == ["to-compare"]
    assert desk.work("--mine", "--as", "claire") == []
    assert desk.run("worklist", "list", "--mine").status == 2
    assert desk.run("worklist", "list", "--kind", "any").status == 2


def test_an_item_is_shown_with_its_people_and_what_is_held(desk, compared):
    identity, item = compared
    [shown] = desk.lines("worklist", "show", item["id"])
    assert [patient["id"] for patient in shown["patients"]] == [identity]
    assert shown["held"]["answer"]["traits"]["birth_name"] == "ADRUN"
    assert "identique" in desk.run("worklist", "show", item["id"]).out.lower()
    assert desk.run("worklist", "show", "nothing").status == 1


def test_an_item_is_given_to_a_user_or_to_nobody(desk, compared):
    _, item = compared
    assert desk.act("worklist", "assign", item["id"], "Quentin")[0]["assignee"] == "quentin"
    assert desk.act("worklist", "assign", item["id"], "-")[0]["assignee"] == ""
    assert "no such user" in desk.act("worklist", "assign", item["id"], "robert", status=1)[1]
    assert desk.act("worklist", "assign", item["id"], "quentin", user="adele", status=2)[0] is None
    assert desk.run("worklist", "assign", item["id"], "quentin").status == 2


@pytest.fixture
def doubtful(desk):
    """An item that a person settles."""
    desk.create("ANONYME", "X", more=("--attribute", "DOUT", "--reason", "inconnu aux urgences"))
    [item] = desk.lines("worklist", "list")
    return item


def test_an_answer_that_waits_is_not_dropped_by_closing_its_item(desk, compared):
    identity, item = compared
    _, said = desk.act("worklist", "close", item["id"], "--outcome", "vue", status=1)
    assert "identity refuse" in said
    assert desk.work() == ["to-compare"]
    desk.act("identity", "accept", identity)
    assert desk.work() == ["no-document"]


def test_the_answer_about_an_identity_merged_since_may_be_closed(desk, compared):
    identity, item = compared
    other = desk.create("ADRUN", "ZOE", more=("--despite-matches",))
    desk.act("identity", "merge", other, identity, "--reason", "même personne")
    desk.act("worklist", "close", item["id"], "--outcome", "fusionnée")
    assert desk.work("--kind", "to-compare") == []


def test_a_settled_item_leaves_the_list_and_says_how(desk, doubtful):
    item = doubtful
    closed, _ = desk.act("worklist", "close", item["id"], "--outcome", "vue avec le service", user="quentin")
    assert (closed["outcome"], closed["next"], bool(closed["closed"])) == ("vue avec le service", [], True)
    assert desk.work() == []
    assert desk.work("--closed") == ["doubtful-to-lift"]
    assert "closed" in desk.act("worklist", "close", item["id"], "--outcome", "x", status=1)[1]


def test_what_was_done_settles_the_item_by_itself(desk, compared):
    identity, item = compared
    desk.act("identity", "accept", identity)
    assert desk.work() == ["no-document"]
    assert item["id"] in [one["id"] for one in desk.lines("worklist", "list", "--closed")]


def overlay(name, control_id):
    """An A31 that turns a patient of the hospital into another person."""
    return (
        f"MSH|^~\\&|GAM|CHU|INSIGNE|CHU|20260301080000||ADT^A31^ADT_A05|{control_id}|P|2.5^FRA^2.11"
        "||||||UNICODE UTF-8\r"
        "EVN||20260301080000\r"
        f"PID|1||4071^^^GAM&1.2.250.1.999.7.1&ISO^PI||{name}^PAUL^PAUL^^^^L||19500101|M|||^^^^^^BDL^^75056"
        "||||||||||||||||||||PROV\r"
    ).encode()


@pytest.fixture
def overlaid(desk, hospital):
    """A desk whose hospital sent an overlay."""
    desk.folder = hospital.folder
    desk._run("--data", desk.folder, "user", "add", "claire", "--role", "identitovigilance", "--json")
    received(desk, overlay("DURAND", "C9"))
    return desk


def test_an_overlay_that_a_later_message_changed_is_applied_by_who_saw_that_one(overlaid):
    desk = overlaid
    received(desk, overlay("DUBOIS", "C10"))
    received(desk, overlay("DUBOIS", "C11"))
    [item] = desk.lines("worklist", "list", "--kind", "overlay")
    assert item["messages"] == 3
    [shown] = desk.lines("worklist", "show", item["id"])
    names = [one["held"] and one["held"]["traits"]["birth_name"] for one in shown["received"]]
    assert names == ["DURAND", "DUBOIS", None]
    told = desk._run("--data", desk.folder, "worklist", "show", item["id"]).out
    for one, content in zip(shown["received"], ("retenu", "retenu", "même contenu"), strict=True):
        assert f"{one['cause']['id']}  {content}" in told
    assert ["nom", "de", "naissance", "LESTREZ", "DUBOIS"] in [line.split() for line in told.splitlines()]
    _, said = desk.act("worklist", "close", item["id"], "--outcome", "vue", "--apply", status=1)
    assert "--seen" in said
    desk.act("worklist", "close", item["id"], "--outcome", "vue", "--apply", "--seen", "3")
    [patient] = desk.lines("identity", "show", "GAM|4071")
    assert patient["name"][0]["family"] == "DUBOIS"


def test_an_overlay_that_the_feed_took_back_is_shown_as_such_and_not_applied(overlaid):
    desk = overlaid
    again = overlay("LESTREZ", "C10").replace(b"PAUL^PAUL", b"MARGOT^MARGOT ZOE")
    received(desk, again.replace(b"19500101|M", b"19850712|F").replace(b"75056", b"63113"))
    [item] = desk.lines("worklist", "list", "--kind", "overlay")
    assert (item["superseded"], item["next"]) == (True, ["worklist close"])
    [shown] = desk.lines("worklist", "show", item["id"])
    assert [(one["change"], bool(one["held"])) for one in shown["received"]] == [(None, True), ("superseded", False)]
    told = desk._run("--data", desk.folder, "worklist", "show", item["id"]).out
    assert "l’émetteur dit autre chose depuis" in told
    for seen in ("1", "2"):
        options = ("--outcome", "vue", "--apply", "--seen", seen)
        _, said = desk.act("worklist", "close", item["id"], *options, status=1)
        assert "dit autre chose depuis" in said or "said otherwise since" in said
    desk.act("worklist", "close", item["id"], "--outcome", "vue, GAM prévenue")
    assert desk.work("--kind", "overlay") == []


def test_an_overlay_applied_by_policy_is_shown_with_nothing_held(overlaid):
    desk = overlaid
    desk.act("worklist", "close", desk.lines("worklist", "list")[0]["id"], "--outcome", "vue")
    received(desk, overlay("DUBOIS", "C10"), "registry.overlay=apply")
    [item] = desk.lines("worklist", "list", "--kind", "overlay")
    told = desk._run("--data", desk.folder, "worklist", "show", item["id"])
    assert (told.status, "DUBOIS" in told.out) == (0, True)


@pytest.mark.parametrize(("options", "name"), [(("--apply",), "DURAND"), ((), "LESTREZ")])
def test_an_overlay_of_a_feed_is_applied_or_dropped(overlaid, options, name):
    desk = overlaid
    [item] = desk.lines("worklist", "list", "--kind", "overlay")
    told = desk._run("--data", desk.folder, "worklist", "show", item["id"]).out
    assert ["nom", "de", "naissance", "LESTREZ", "DURAND"] in [line.split() for line in told.splitlines()]
    assert "date de naissance, sexe" in told
    assert "PI GAM 4071" in told
    desk.act("worklist", "close", item["id"], "--outcome", "tranché", *options)
    [patient] = desk.lines("identity", "show", "GAM|4071")
    assert patient["name"][0]["family"] == name
    assert desk.work("--kind", "overlay") == []


def received(desk, raw, *settings):
    """Take a message in, as the server does."""
    base = open_base(load(desk.config, list(settings), {}, desk.folder))
    try:
        base.intake.process([Received(raw, Peer("mllp", "GAM"), rfc3339_now())])
    finally:
        base.close()


def test_every_kind_the_rules_raise_is_described():
    room = Path(insigne.registry.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in room.glob("*.py"))
    raised = set(re.findall(r'raise_item\(\s*"([a-z0-9-]+)"', source)) | set(_OUTCOME_ITEMS.values())
    assert raised
    assert raised <= set(KINDS)
    assert all(one.actions and one.label and one.label_fr for one in KINDS.values())
    assert kind_of("of-a-later-release").actions == ("close",)
