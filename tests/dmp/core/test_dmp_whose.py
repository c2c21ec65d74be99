"""Whose a document is, when identities are merged in chains and stays move from one patient to another."""

from datetime import timedelta

import msgspec
import pytest

from insigne.dmp.acts import abandon, confirm, withdraw
from insigne.dmp.model import StayRef
from insigne.registry.events import IdentifierRetired, InsRecorded, NationalAnswerAccepted
from insigne.registry.values import NationalIns

from .dmp_world import OID, ins_of, pi, stay_of, text_of

PREPARED = [("feed", "fed", "to-withdraw"), ("delete", "to-confirm", "ins-lost")]
PREPARED_FOR_STAY = [("feed", "fed", "to-withdraw"), ("delete", "to-confirm", "stay-moved")]


def test_what_was_fed_after_two_merges_is_found_when_the_first_one_is_undone(world):
    world.admit("C")
    world.qualify("C")
    world.merge("A", "B")
    world.merge("B", "C")
    world.take(1, patient="A")
    world.settle()
    assert world.only().ins == text_of(ins_of("C"))
    world.unmerge("A")
    world.settle()
    assert world.states() == PREPARED
    assert world.open_items() == [("document-to-withdraw", "ins-lost"), ("unmerged", "by mistake")]


def test_what_waits_after_two_merges_leaves_for_its_patient_when_the_first_one_is_undone(world):
    world.admit("C")
    world.merge("A", "B")
    world.merge("B", "C")
    world.take(1, patient="A")
    world.settle()
    world.unmerge("A")
    world.qualify("A")
    world.settle()
    assert world.only().ins == text_of(ins_of("A"))


@pytest.mark.parametrize("settled", ["merge", "number retired"])
@pytest.mark.parametrize("received_for", ["A", "B", "C"])
def test_what_names_several_people_leaves_once_they_are_one(world, settled, received_for):
    world.admit("C")
    document, body = world.document(1, received_for)
    world.receive(msgspec.structs.replace(document, patient=msgspec.json.encode((pi("A"), pi("B")))), body)
    world.settle()
    assert world.states() == [("feed", "waiting-identity", "identifiers-of-several")]
    world.qualify("B")
    if settled == "merge":
        world.merge("A", "B")
    else:
        world.happen(("A", IdentifierRetired(pi("A"), "of somebody else")))
    world.moment += timedelta(minutes=10)
    world.settle()
    assert (world.only().state, world.only().ins) == ("fed", text_of(ins_of("B")))


def test_a_deletion_of_what_is_another_patients_since_a_merge_was_undone_waits_for_a_person(world):
    world.merge("A", "B")
    world.qualify("B", ins_of("A"))
    world.take(1, patient="A")
    world.settle()
    world.qualify("B")
    world.receive(*world.deletion(2, 1, "B"))
    world.unmerge("A")
    world.qualify("A")
    world.settle()
    assert world.states() == [
        ("feed", "fed", "fed"),
        ("delete", "refused", "other-patient"),
    ]
    assert ("document-refused", "other-patient") in world.open_items()


# --- an INS that the nation lists as former


@pytest.fixture
def former(world):
    """A document fed under an INS that, as INSi says later, is a former one of the person."""
    world.qualify("A", ins_of("C"))
    world.take(1)
    world.settle()
    history = (NationalIns(ins_of("C").matricule, OID),)
    recorded = InsRecorded(ins_of("A"), before=ins_of("C"), reason="retrieved")
    world.happen(("A", NationalAnswerAccepted("INSI", "call", history)), ("A", recorded))
    world.settle()
    assert world.states() == [("feed", "fed", "fed")]
    return world


def test_an_ins_that_the_nation_lists_as_former_is_the_same_persons_as_long_as_its_own_is_held(former):
    former.downgrade("A")
    former.settle()
    former.qualify("A")
    former.settle()
    assert former.states() == [("feed", "fed", "fed"), ("delete", "cancelled", "right-again")]


def test_what_the_nation_said_of_an_ins_that_was_somebody_elses_says_nothing_of_the_next_one(former):
    former.downgrade("A")
    former.qualify("A", ins_of("B"))
    former.settle()
    assert former.states() == PREPARED


def test_a_card_that_tells_no_history_says_nothing_of_what_was_held_before(former):
    recorded = InsRecorded(ins_of("B"), before=ins_of("A"), reason="retrieved")
    history = former.identity("A").national.history
    former.happen(("A", NationalAnswerAccepted("AV", "call", history)), ("A", recorded))
    former.settle()
    assert former.states() == PREPARED


# --- a stay is moved to another patient (A44)


@pytest.fixture
def moving(world):
    """A stay opened for A, who is qualified as B is."""
    world.open_stay("A")
    world.qualify("A")
    world.qualify("B")
    return world


def test_what_was_fed_for_a_stay_moved_since_has_a_deletion_that_a_person_confirms(moving):
    moving.take(1, stay=stay_of("A"))
    moving.take(2)
    moving.settle()
    moving.move_stay("A", "A", "B")
    moving.settle()
    assert moving.states() == [
        ("feed", "fed", "to-withdraw"),
        ("feed", "fed", "fed"),
        ("delete", "to-confirm", "stay-moved"),
    ]
    assert moving.open_items() == [("document-to-withdraw", "stay-moved")]
    moving.act(confirm, moving.only(action="delete").id)
    moving.settle()
    assert moving.dmp.held.keys() == {("1.2.250.1.999.7.2", text_of(ins_of("A")))}
    assert moving.states()[-1] == ("feed", "waiting-identity", "stay-of-another")


def test_what_waits_for_a_stay_moved_since_is_held_until_it_is_moved_back(world):
    world.open_stay("A")
    world.take(1, stay=stay_of("A"))
    world.move_stay("A", "A", "B")
    world.qualify("A")
    world.qualify("B")
    world.settle()
    assert world.states() == [("feed", "waiting-identity", "stay-of-another")]
    assert world.dmp.calls == []
    world.move_stay("A", "B", "A")
    world.settle()
    assert world.only().ins == text_of(ins_of("A"))


def test_a_document_that_comes_for_a_stay_known_as_anothers_is_held_until_they_are_one(moving):
    [sending] = moving.take(1, patient="B", stay=stay_of("A"))
    assert (sending.state, sending.reason) == ("waiting-identity", "stay-of-another")
    moving.settle()
    assert moving.dmp.calls == []
    moving.downgrade("B")
    moving.merge("B", "A")
    moving.settle()
    assert moving.only().ins == text_of(ins_of("A"))


def test_a_stay_moved_back_after_a_merge_cancels_the_deletion(moving):
    moving.admit("C")
    moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.move_stay("A", "A", "B")
    moving.settle()
    moving.merge("A", "C")
    moving.qualify("C", ins_of("A"))
    moving.settle()
    moving.move_stay("A", "B", "C")
    moving.settle()
    assert moving.states() == [("feed", "fed", "fed"), ("delete", "cancelled", "right-again")]


def test_a_stay_moved_back_cancels_the_deletion(moving):
    moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.move_stay("A", "A", "B")
    moving.settle()
    moving.move_stay("A", "B", "A")
    moving.settle()
    assert moving.states() == [("feed", "fed", "fed"), ("delete", "cancelled", "right-again")]
    assert moving.open_items() == []


def test_a_person_may_say_that_a_document_of_a_stay_moved_since_stays_where_it_is(moving):
    moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.move_stay("A", "A", "B")
    moving.settle()
    moving.act(abandon, moving.only(action="delete").id)
    moving.consent("A", "INO")
    moving.settle()
    assert moving.states() == [("feed", "fed", "kept"), ("delete", "cancelled", "abandoned")]


def test_what_a_person_left_where_it_is_whatever_its_stay_is_withdrawn_when_its_ins_is_lost(moving):
    moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.move_stay("A", "A", "B")
    moving.settle()
    moving.act(abandon, moving.only(action="delete").id)
    moving.downgrade("A")
    moving.settle()
    assert moving.states() == [
        ("feed", "fed", "to-withdraw"),
        ("delete", "cancelled", "abandoned"),
        ("delete", "to-confirm", "ins-lost"),
    ]
    moving.act(abandon, moving.only(state="to-confirm").id)
    moving.consent("A", "INO")
    moving.settle()
    assert moving.sendings(state="to-confirm") == []
    assert moving.only(action="feed").reason == "kept"


def test_what_a_person_left_where_it_is_whatever_its_ins_is_not_asked_about_again_for_its_stay(moving):
    moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.downgrade("A")
    moving.settle()
    moving.act(abandon, moving.only(action="delete").id)
    moving.move_stay("A", "A", "B")
    moving.settle()
    assert moving.states() == [("feed", "fed", "kept"), ("delete", "cancelled", "abandoned")]


@pytest.mark.parametrize("by", ["sender", "person"])
def test_what_was_fed_for_a_stay_moved_since_is_deleted_as_it_is_asked(moving, by):
    [sending] = moving.take(1, stay=stay_of("A"))
    moving.settle()
    moving.move_stay("A", "A", "B")
    if by == "sender":
        moving.receive(*moving.deletion(2, 1, stay=stay_of("A")))
    else:
        moving.act(withdraw, sending.id)
    moving.settle()
    assert moving.dmp.held == {}
    assert moving.only(id=sending.id).state == "deleted"
    assert moving.sendings(state="to-confirm") == []


def test_a_site_may_leave_documents_of_stays_moved_since_where_they_are(make_world):
    world = make_world(stay_of_another="feed")
    for name in ("A", "B"):
        world.admit(name)
        world.qualify(name)
    world.open_stay("A")
    world.take(1, stay=stay_of("A"))
    world.move_stay("A", "A", "B")
    world.settle()
    assert world.states() == [("feed", "fed", "fed")]


def test_a_stay_that_came_while_two_were_merged_holds_no_document_once_they_are_apart(world):
    world.merge("A", "B")
    world.open_stay("A")
    world.take(1, patient="A", stay=stay_of("A"))
    world.unmerge("A")
    world.qualify("A")
    world.settle()
    assert world.only().ins == text_of(ins_of("A"))


# --- a stay that is opened for another patient after its document came


def test_a_stay_first_opened_for_another_patient_has_what_was_fed_under_its_number_deleted_by_a_person(world):
    world.qualify("A")
    world.take(1, stay=stay_of("B"))
    world.take(2)
    world.settle()
    world.open_stay("B")
    world.settle()
    assert world.states() == [
        ("feed", "fed", "to-withdraw"),
        ("feed", "fed", "fed"),
        ("delete", "to-confirm", "stay-moved"),
    ]
    assert world.open_items() == [("document-to-withdraw", "stay-moved")]


def test_a_stay_first_opened_for_another_patient_holds_what_waits_under_its_number(world):
    world.take(1, stay=stay_of("B"))
    world.open_stay("B")
    world.settle()
    assert world.states() == [("feed", "waiting-identity", "stay-of-another")]


def test_a_stay_first_opened_for_the_patient_of_its_document_changes_nothing(world):
    world.qualify("A")
    world.take(1, stay=stay_of("A"))
    world.settle()
    world.open_stay("A")
    world.settle()
    assert world.states() == [("feed", "fed", "fed")]


def test_the_same_number_of_another_authority_is_another_stay(world):
    world.qualify("A")
    world.take(1, stay=StayRef(account="1.2.250.1.999.8|DOS-B"))
    world.settle()
    world.open_stay("B")
    world.settle()
    assert world.states() == [("feed", "fed", "fed")]


def test_an_account_that_takes_the_number_of_a_document_of_another_patient_is_noticed(world):
    world.qualify("A")
    world.take(1, stay=stay_of("NOUVEAU"))
    world.settle()
    world.open_stay("B")
    world.renumber_stay("B", "NOUVEAU")
    world.settle()
    assert world.states() == PREPARED_FOR_STAY
    world.renumber_stay("B", "B", prior="NOUVEAU")
    world.settle()
    assert world.states() == [("feed", "fed", "fed"), ("delete", "cancelled", "right-again")]


# --- once a purge erased what a document says of its patient


def test_what_was_fed_to_whom_a_merge_undone_gave_it_back_stays_there_after_a_purge(world):
    world.merge("A", "B")
    world.qualify("B")
    world.take(1, patient="A")
    world.settle()
    world.unmerge("A")
    world.qualify("A")
    world.settle()
    world.act(confirm, world.only(action="delete").id)
    world.settle()
    assert world.only(state="fed").ins == text_of(ins_of("A"))
    world.moment += timedelta(days=4000)
    world.purge()
    world.consent("A", "INO")
    world.consent("B", "INO")
    world.settle()
    assert world.states() == [("feed", "deleted", "deleted"), ("delete", "deleted", "deleted"), ("feed", "fed", "fed")]


def test_what_is_to_be_looked_at_again_keeps_what_it_says_of_its_patient_until_then(world):
    world.merge("A", "B")
    world.qualify("B")
    world.take(1, patient="A")
    world.settle()
    world.moment += timedelta(days=4000)
    world.unmerge("A")
    world.purge()
    world.settle()
    assert world.states() == PREPARED
