"""What an answer by carte Vitale leads to: it waits for a person, about the identity as it was when INSi was asked."""

import msgspec
import pytest
from msgspec.structs import replace

from insigne.insi.card import outcome_by_card
from insigne.insi.outcomes import HeldAnswer
from insigne.insi.wire import InsiAnswer, InsiFault

from .insi_base import FOUND, queue_site

__all__ = ["queue_site"]


@pytest.fixture
def asked(queue_site):
    """The identity whose card was read."""
    identity = queue_site.create()
    with queue_site.store.read() as view:
        return view.identity(identity)


@pytest.fixture
def outcome(queue_site, asked):
    def told(result, now=asked):
        return outcome_by_card(asked, now, result, "01JCALL", queue_site.policy)

    return told


def test_the_identity_found_waits_with_its_comparison_its_call_and_the_card(outcome, asked):
    told = outcome(FOUND)
    held = msgspec.json.decode(told.held, type=HeldAnswer)
    assert (told.identity, told.outcome, told.cause) == (asked.id, "00", "identical")
    assert (held.call, held.answer.call, held.answer.mode) == ("01JCALL", "01JCALL", "CV")


@pytest.mark.parametrize("result", [InsiAnswer("01", "Aucune"), InsiAnswer("02", "Plusieurs"), InsiFault("siram_40")])
def test_nobody_several_people_and_a_fault_teach_nothing_of_the_identity(outcome, result):
    assert outcome(result) is None


def test_an_answer_about_an_identity_that_changed_meanwhile_is_nobodys(outcome, asked):
    edited = replace(asked, traits=replace(asked.traits, birth_date="19800215"))
    for now in (None, edited, replace(asked, merged_into="01JOTHER"), replace(asked, attributes=("DOUT",))):
        assert outcome(FOUND, now) is None
    assert outcome(FOUND, replace(asked, version=asked.version + 1)) is not None
