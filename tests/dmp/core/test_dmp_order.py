"""Versions and deletions that come in any order, while calls are under way, and after calls nobody knows the end of."""

import pytest

from insigne.dmp.acts import ActRefused, abandon, retry, withdraw
from insigne.registry.values import Ins

from .dmp_world import OID, ins_of, text_of


def named(number, patient="A"):
    """How the DMP holds that document of a patient."""
    return (f"1.2.250.1.999.7.{number}", text_of(ins_of(patient)))


def test_a_replacement_that_comes_before_its_version_goes_after_it(world):
    world.qualify("A")
    world.receive(*world.replacement(2, 1))
    world.settle()
    assert world.states() == [("replace", "refused", "predecessor-unknown")]
    world.take(1)
    world.settle()
    assert world.states() == [("replace", "fed", "fed"), ("feed", "replaced", "replaced")]
    assert world.dmp.held.keys() == {named(2)}
    assert world.open_items() == []


def test_a_version_that_comes_during_the_call_of_its_replacement_is_fed_before_it(world):
    world.qualify("A")
    checked = world.dmp.check

    def comes_meanwhile(errand):
        checked(errand)
        world.dmp.check = checked
        world.take(1)

    world.dmp.check = comes_meanwhile
    world.receive(*world.replacement(2, 1))
    world.settle()
    assert world.states() == [("replace", "fed", "fed"), ("feed", "replaced", "replaced")]
    assert world.dmp.held.keys() == {named(2)}


def test_the_second_version_that_comes_after_the_third_is_fed_between_the_two_others(world):
    world.qualify("A")
    world.take(1)
    world.settle()
    world.receive(*world.replacement(3, 2))
    world.settle()
    assert world.states()[-1] == ("replace", "refused", "predecessor-unknown")
    world.receive(*world.replacement(2, 1))
    world.settle()
    assert world.dmp.created == [named(1), named(2), named(3)]
    assert world.dmp.held.keys() == {named(3)}


def test_versions_that_wait_for_the_ins_leave_in_their_order_whatever_that_of_their_coming(world):
    world.receive(*world.replacement(3, 2))
    world.take(1)
    world.receive(*world.replacement(2, 1))
    world.qualify("A")
    world.settle()
    assert world.dmp.created == [named(1), named(2), named(3)]


def test_a_version_that_comes_after_its_replacement_left_is_not_fed_beside_it(world):
    world.qualify("A")
    world.dmp.held[named(1)] = "fed before this base was there"
    world.receive(*world.replacement(2, 1))
    world.settle()
    world.take(1)
    world.settle()
    assert world.states() == [("replace", "fed", "fed"), ("feed", "replaced", "replaced")]
    assert world.dmp.held.keys() == {named(2)}


def test_a_document_that_comes_after_its_deletion_does_not_leave(world):
    world.qualify("A")
    world.receive(*world.deletion(2, 1))
    world.settle()
    assert world.states() == [("delete", "refused", "predecessor-unknown")]
    world.take(1)
    world.settle()
    assert world.states() == [("delete", "deleted", "nothing-there"), ("feed", "cancelled", "withdrawn-by-sender")]
    assert world.dmp.created == []
    assert world.open_items() == []


def test_a_document_deleted_by_its_sender_during_a_call_that_failed_does_not_leave_any_more(world):
    world.qualify("A")
    world.take(1)
    checked = world.dmp.check

    def deleted_meanwhile(errand):
        checked(errand)
        world.dmp.check = checked
        world.receive(*world.deletion(2, 1))

    world.dmp.check = deleted_meanwhile
    world.dmp.script = ["down"]
    world.settle()
    assert world.states() == [("feed", "cancelled", "withdrawn-by-sender"), ("delete", "deleted", "nothing-there")]
    assert world.dmp.created == []


def test_hundreds_of_versions_that_wait_are_refused_one_after_the_other(make_world):
    world = make_world(without_consent="hold")
    world.admit("A")
    world.take(1)
    for number in range(2, 300):
        world.receive(*world.replacement(number, number - 1))
    world.qualify("A")
    world.consent("A", "IO")
    world.settle()
    assert {(one.state, one.reason) for one in world.sendings()} == {("refused", "opposition")}


# --- refused after a call of unknown outcome


@pytest.fixture
def unsure(world):
    """A document that arrived; the answer never came, and the next one was a refusal."""
    world.qualify("A")
    world.take(1)
    world.dmp.script = ["lost", "refuse"]
    world.settle()
    assert (world.only().state, world.dmp.held.keys()) == ("refused", {named(1)})
    return world


def test_what_may_have_arrived_before_it_was_refused_is_replaced(unsure):
    unsure.receive(*unsure.replacement(2, 1))
    unsure.settle()
    assert unsure.dmp.held.keys() == {named(2)}
    assert unsure.states() == [("feed", "replaced", "replaced"), ("replace", "fed", "fed")]
    assert unsure.open_items() == []


def test_what_may_have_arrived_before_it_was_refused_is_deleted_when_a_person_withdraws_it(unsure):
    [sending] = unsure.sendings()
    unsure.act(withdraw, sending.id)
    unsure.settle()
    assert unsure.dmp.held == {}
    assert unsure.states() == [("feed", "cancelled", "withdrawn"), ("delete", "deleted", "deleted")]
    assert unsure.open_items() == []


def test_an_older_version_is_not_tried_again_while_a_newer_one_may_have_left(world):
    world.qualify("A")
    [first] = world.take(1)
    world.dmp.script = ["refuse"]
    world.settle()
    world.receive(*world.replacement(2, 1))
    world.dmp.script = ["lost"]
    world.drain()
    with pytest.raises(ActRefused, match="newer version"):
        world.act(retry, first.id)
    world.settle()
    assert world.dmp.held.keys() == {named(2)}
    assert world.states()[-1] == ("replace", "fed", "fed")


def test_what_its_sender_deleted_is_not_sent_again_when_a_person_abandons_the_deletion_prepared_for_it(world):
    world.qualify("A")
    world.take(1)
    world.dmp.script = ["lost"]
    world.drain()
    world.downgrade("A")
    world.settle()
    world.receive(*world.deletion(2, 1))
    prepared = world.only(state="to-confirm")
    world.act(abandon, prepared.id)
    world.qualify("A", ins_of("C"))
    world.settle()
    assert world.dmp.created == [named(1)]
    assert world.only(action="feed").state == "cancelled"


# --- what people are told


def test_the_sender_of_what_was_refused_is_not_told_again_when_a_person_withdraws_it(world):
    world.qualify("A")
    [sending] = world.take(1)
    world.dmp.script = ["refuse"]
    world.settle()
    world.act(withdraw, sending.id)
    assert world.answers() == [b"MSH|^~\\&|INSIGNE\rZAM|Z01|C1|N|XDSRegistryError\r"]


def test_the_work_item_of_a_wrong_key_is_closed_once_the_documents_leave(world):
    world.qualify("A", Ins("284053726111800", OID))
    world.take(1)
    world.settle()
    assert world.open_items() == [("document-held", "ins-key")]
    world.qualify("A")
    world.settle()
    assert (world.only().state, world.open_items()) == ("fed", [])
