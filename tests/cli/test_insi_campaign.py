"""`insigne insi campaign`: verifying a base again, at a pace, stopped and gone on with."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from insigne.insi.campaigns import CampaignPump, report_of
from insigne.insi.jobs import Campaign
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.script import Effects
from insigne.store import open_store

from .conftest import status_of

TOMORROW = "2099-01-01"
PEOPLE = (("ADRUN", "ZOE", "F", "1975-12-31", "63220"), ("ADRTROIS", "TOUSSAINT", "M", "1960-01-01", "2B020"))


@pytest.fixture
def base(desk):
    """Two people whose INS was accepted, and one without; the ids of the first two."""
    found = []
    for name, given, sex, born, place in PEOPLE:
        identity = desk.create(name, given, sex=sex, born=born, place=place)
        desk.act("identity", "retrieve-ins", identity)
        desk.act("identity", "accept", identity)
        found.append(identity)
    desk.create("DURAND", "PAULE", born="1980-01-01")
    return found


def start(desk, *options):
    document, _ = desk.act("insi", "campaign", "start", "--older-than", TOMORROW, "--per-minute", "6000", *options)
    return document


def test_a_campaign_verifies_those_who_hold_an_ins_and_reports(desk, base):
    started = start(desk, "--name", "triennale")
    assert (started["total"], started["state"], started["remaining"]) == (2, "running", 2)
    run = desk.run("insi", "campaign", "run", started["id"], "--json")
    assert run.status == 0, run.err
    [shown] = desk.lines("insi", "campaign", "list")
    assert (shown["ok"], shown["ko"], shown["failed"], shown["remaining"]) == (2, 0, 0, 0)
    assert (shown["state"], shown["finished"], shown["name"]) == ("done", True, "triennale")
    assert shown == desk.lines("insi", "campaign", "show", started["id"])[0]
    assert shown == desk.lines("insi", "campaign", "show", started["id"], "--follow")[0]
    for identity in base:
        assert status_of(desk.lines("identity", "show", identity)[0]) == "RECUP"
        assert desk.events(identity)[-1] == "ins-verified"


def test_an_ins_that_is_not_confirmed_is_counted_withdrawn_and_to_treat(desk, base):
    desk.act("identity", "edit", base[0], "--first-given", "ZOE", "--reason", "x")
    ins = desk.nation.simulator.engine.base.by_matricule("2751263220749")
    wrong = ins.__class__(**{name: getattr(ins, name) for name in ins.__slots__} | {"birth_date": "1970-01-01"})
    numbers = desk.nation.simulator.engine.base._by_number
    desk.nation.call(lambda: numbers.__setitem__("2751263220749", wrong))
    try:
        run = desk.run("insi", "campaign", "run", start(desk)["id"], "--json")
    finally:
        desk.nation.call(lambda: numbers.__setitem__("2751263220749", ins))
    assert run.status == 0, run.err
    [shown] = desk.lines("insi", "campaign", "list")
    assert (shown["ok"], shown["ko"]) == (1, 1)
    assert status_of(desk.lines("identity", "show", base[0])[0]) == "PROV"
    assert "verification-ko" in desk.work("--identity", base[0])


def test_what_was_verified_since_is_left_alone(desk, base):
    assert base
    document, _ = desk.act("insi", "campaign", "start")
    assert document["total"] == 0
    assert document["older_than"] < document["created"]


def test_a_paused_campaign_waits_and_goes_on(desk, base):
    campaign = start(desk)["id"]
    assert desk.act("insi", "campaign", "pause", campaign)[0]["state"] == "paused"
    run = desk.run("insi", "campaign", "run", campaign, "--json")
    assert run.status == 0, run.err
    assert desk.lines("insi", "queue", "--state", "all", "--kind", "verify") == []
    desk.act("insi", "campaign", "pause", campaign, status=1)
    assert desk.act("insi", "campaign", "resume", campaign)[0]["state"] == "running"
    desk.run("insi", "campaign", "run", campaign)
    assert desk.lines("insi", "campaign", "show", campaign)[0]["ok"] == len(base)


def test_a_campaign_whose_questions_are_all_queued_is_said_to_be_and_not_done(desk, base):
    assert base
    campaign = start(desk)["id"]
    with closing(open_store(f"sqlite:///{desk.folder / 'insigne.db'}")) as store:
        assert CampaignPump(store, new_id=iter(["J1", "J2"]).__next__).pump(datetime.now(UTC)) == 2
    assert desk.lines("insi", "campaign", "show", campaign)[0]["state"] == "running"
    assert "queued as a whole already" in desk.act("insi", "campaign", "pause", campaign, status=1)[1]
    assert desk.act("insi", "campaign", "cancel", campaign)[0]["dropped"] == 2


def test_an_outage_leaves_the_questions_in_the_queue(desk, base):
    campaign = start(desk)["id"]
    desk.nation.call(lambda: desk.nation.simulator.control.change(Change(effects=Effects(http=503))))
    run = desk.run("insi", "campaign", "run", campaign, "--json")
    assert run.status == 3
    assert "en file" in run.err
    assert [job["state"] for job in desk.lines("insi", "queue")] == ["waiting"] * len(base)
    cancelled, _ = desk.act("insi", "campaign", "cancel", campaign)
    assert (cancelled["state"], cancelled["dropped"], cancelled["remaining"]) == ("cancelled", 2, 0)
    assert cancelled["finished"]


def test_who_may_not_or_cannot_is_told(desk):
    desk.act("insi", "campaign", "start", user="quentin", status=2)
    assert "--hours" in desk.act("insi", "campaign", "start", "--hours", "late", status=2)[1]
    for wrong in ("soon", "0001-01-01", "9999-12-31"):
        assert "--older-than" in desk.act("insi", "campaign", "start", "--older-than", wrong, status=2)[1]
    assert "no such campaign" in desk.act("insi", "campaign", "pause", "x", status=1)[1]
    assert desk.run("insi", "campaign", "run", "x").status == 1
    desk.configure(adapter="none")
    assert "insi.verification.adapter" in desk.act("insi", "campaign", "start", status=2)[1]


@pytest.mark.parametrize(
    ("state", "queued", "ends", "remaining", "finished"),
    [
        ("running", 0, {}, 10, False),
        ("running", 4, {("done", "OK"): 2, ("waiting", ""): 1, ("failed", "fault"): 1}, 7, False),
        ("done", 10, {("done", "OK"): 8, ("done", "KO"): 1, ("calling", ""): 1}, 1, False),
        ("done", 10, {("done", "OK"): 9, ("cancelled", "merged"): 1}, 0, True),
        ("cancelled", 4, {("done", "OK"): 4}, 0, True),
    ],
)
def test_what_remains_is_what_is_not_queued_and_what_is_not_answered(state, queued, ends, remaining, finished):
    campaign = Campaign("c", "", "a", "t", "o", 60, 0, 0, state=state, total=10, queued=queued)
    report = report_of(campaign, ends)
    assert (report.remaining, report.finished) == (remaining, finished)
