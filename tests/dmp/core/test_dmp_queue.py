"""The queue at work: while the base is held by others, and during an outage."""

import sqlite3
from random import Random
from types import SimpleNamespace

import pytest

from insigne.dmp import judging, ledger
from insigne.dmp import service as at_work
from insigne.dmp.ports import Declined, Failed
from insigne.dmp.service import DmpService
from insigne.net.breaker import BreakerState


def test_what_came_of_a_call_while_another_program_writes_is_written_once_it_has_ended(world, monkeypatch):
    """Given up, the document would be sent again, and only once the lease of its call is over."""
    monkeypatch.setattr(at_work, "_WRITE_WAIT", 0.0)
    file = world.url.removeprefix("sqlite:///")
    other, waited = sqlite3.connect(file, isolation_level=None, check_same_thread=False), []
    world.qualify("A")
    world.take(1)
    world.dmp.check = lambda errand: other.execute("BEGIN IMMEDIATE")
    service = DmpService(
        world.store,
        world.site,
        {"dmp": world.dmp},
        clock=lambda: world.moment,
        chance=Random(1),
        sleep=lambda seconds: (waited.append(seconds), other.rollback()),
    )
    service.work()
    service.close()
    other.close()
    assert len(waited) == 1
    assert world.states() == [("feed", "fed", "fed")]
    assert len(world.dmp.calls) == 1


def test_a_document_found_unfit_before_its_call_does_not_end_an_outage(make_world, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(at_work, "time", SimpleNamespace(monotonic=lambda: now[0]))
    world = make_world(queue={"batch": 5, "parallel": 1})
    world.admit("A")
    world.qualify("A")
    for number in range(1, 7):
        world.take(number)
    down, unfit = Failed("unreachable", "no connection", sent=False), Declined("904", "other traits", "content")
    answers = [down] * 5 + [unfit]
    monkeypatch.setattr(world.dmp, "carry", lambda errand: answers.pop(0))
    breaker = world.service.breakers["dmp"]
    world.service.call()
    assert breaker.state(now[0]) is BreakerState.OPEN
    now[0] += 16
    world.service.call()
    assert answers == []
    assert breaker.state(now[0]) is BreakerState.HALF_OPEN
    assert breaker.allows(now[0])


@pytest.mark.parametrize("when", ["looked at again", "claimed"])
def test_a_document_that_a_defect_of_ours_is_about_holds_no_other_back(world, monkeypatch, when):
    [first] = world.take(1)
    second, third = (world.take(number)[0] for number in (2, 3))
    if when == "claimed":
        world.qualify("A")
        world.service.look_again()
    evaluate = judging.evaluate

    def defective(document, sending, *rest):
        if sending.id == second.id:
            raise RecursionError
        return evaluate(document, sending, *rest)

    monkeypatch.setattr(judging, "evaluate", defective)
    world.qualify("A")
    world.drain()
    states = {one.id: one.state for one in world.sendings()}
    assert (states[first.id], states[third.id]) == ("fed", "fed")
    assert states[second.id] in {"waiting-ins", "ready"}
    monkeypatch.undo()
    world.consent("A", "INO")
    world.settle()
    assert {one.state for one in world.sendings()} == {"fed"}


def test_an_answer_that_a_defect_of_ours_keeps_from_being_written_holds_no_other_back(world, monkeypatch):
    first, second, third = (world.take(number)[0] for number in (1, 2, 3))
    tell = ledger.answer

    def defective(transaction, site, document, *rest, **more):
        if document.control_id == "C2":
            raise RecursionError
        return tell(transaction, site, document, *rest, **more)

    monkeypatch.setattr(ledger, "answer", defective)
    world.qualify("A")
    world.drain()
    states = {one.id: (one.state, one.reason, bool(one.ins)) for one in world.sendings()}
    assert states[first.id] == states[third.id] == ("fed", "fed", True)
    assert states[second.id] == ("ready", "fault", True), "it may be there: nobody says that it is not"
    monkeypatch.undo()
    world.settle()
    assert {one.state for one in world.sendings()} == {"fed"}
    assert len(world.dmp.created) == 3
