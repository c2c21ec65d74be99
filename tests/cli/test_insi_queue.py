"""`insigne insi queue`: what is asked of INSi, asked again, given up."""

import pytest

from insigne.simulate.insi.control import Change
from insigne.simulate.insi.script import Effects


@pytest.fixture
def waiting(desk):
    """An identity whose search met an outage: its question waits."""
    identity = desk.create()
    desk.nation.call(lambda: desk.nation.simulator.control.change(Change(effects=Effects(http=503))))
    desk.act("identity", "retrieve-ins", identity, status=3)
    [job] = desk.lines("insi", "queue")
    return job


def test_an_empty_queue_says_so(desk):
    assert desk.lines("insi", "queue") == []
    assert "nothing" in desk.run("insi", "queue").out


def test_what_waits_is_listed_with_its_fault_and_no_trait(desk, waiting):
    assert (waiting["kind"], waiting["state"], waiting["error"]) == ("retrieve", "waiting", "http_503")
    assert waiting["due"] > waiting["created"]
    assert desk.lines("insi", "queue", "--identity", "INSIGNE|1") == [waiting]
    assert desk.lines("insi", "queue", "--kind", "verify") == []
    assert desk.lines("insi", "queue", "--state", "done") == []
    assert "ADRUN" not in desk.run("insi", "queue").out


def test_a_question_is_asked_again_at_once_or_given_up(desk, waiting):
    assert desk.act("insi", "queue", "retry", waiting["id"])[0]["attempts"] == 0
    assert desk.act("insi", "queue", "cancel", waiting["id"])[0]["state"] == "cancelled"
    assert desk.lines("insi", "queue") == []
    assert [job["id"] for job in desk.lines("insi", "queue", "--state", "all")] == [waiting["id"]]
    assert "only what waits" in desk.act("insi", "queue", "cancel", waiting["id"], status=1)[1]
    assert desk.act("insi", "queue", "retry", waiting["id"])[0]["state"] == "waiting"


def test_one_question_that_cannot_be_changed_changes_none(desk, waiting):
    assert "no such question" in desk.act("insi", "queue", "cancel", waiting["id"], "nothing", status=1)[1]
    assert [job["state"] for job in desk.lines("insi", "queue")] == ["waiting"]


def test_what_is_asked_already_is_not_asked_twice(desk, waiting):
    desk.act("insi", "queue", "cancel", waiting["id"])
    desk.act("identity", "retrieve-ins", "INSIGNE|1", status=3)
    assert "asked already" in desk.act("insi", "queue", "retry", waiting["id"], status=1)[1]


def test_changing_the_queue_needs_a_person(desk, waiting):
    assert desk.run("insi", "queue", "cancel", waiting["id"], "--json").status == 2


@pytest.mark.parametrize("options", [("--state", "lost"), ("--kind", "ask")])
def test_a_wrong_filter_is_named_with_exit_2(desk, options):
    assert desk.run("insi", "queue", *options).status == 2
