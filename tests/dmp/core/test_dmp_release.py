"""Documents held, released, fed, replaced and deleted, whatever happens to their patients and to the process."""

from datetime import timedelta

import pytest

from insigne.dmp.acts import ActRefused, abandon, confirm, retry, withdraw
from insigne.dmp.reception import ReceptionRefused, receive
from insigne.registry.events import IdentifierAdded, IdentifierRetired, InsRecorded, Recorded
from insigne.registry.values import Ins
from insigne.registry.workingset import WorkingSet

from .dmp_world import NIA_OID, OID, Killed, ins_of, matricule, pi, text_of

FED = [("feed", "fed", "fed")]


def test_a_document_waits_for_the_ins_and_leaves_by_itself_once_it_is_qualified(world):
    [sending] = world.take(1)
    assert (sending.state, sending.reason) == ("waiting-ins", "ins-missing")
    world.settle()
    assert world.dmp.calls == []
    world.qualify("A")
    world.settle()
    assert world.states() == FED
    assert world.dmp.held.keys() == {("1.2.250.1.999.7.1", text_of(ins_of("A")))}
    assert world.answers() == [b"MSH|^~\\&|INSIGNE\rZAM|Z01|C1|Y|\r"]


def test_a_document_of_a_qualified_patient_leaves_at_once(world):
    world.qualify("A")
    [sending] = world.take(1)
    assert (sending.state, sending.reason) == ("ready", "qualified")
    world.settle()
    assert world.states() == FED


@pytest.mark.parametrize(
    ("happens", "state"),
    [
        (lambda world: world.doubt("A"), ("waiting-identity", "doubtful")),
        (lambda world: world.contest("A"), ("waiting-identity", "contested")),
        (lambda world: world.downgrade("A"), ("waiting-ins", "ins-missing")),
        (lambda world: world.complete_birth_date("A"), ("waiting-identity", "traits-incomplete")),
    ],
    ids=["doubt", "contested", "downgrade", "birth date completed"],
)
def test_a_document_about_to_leave_is_held_when_its_patient_is_not_sure_any_more(world, happens, state):
    world.qualify("A")
    world.take(1)
    happens(world)
    world.settle()
    assert world.states() == [("feed", *state)]
    assert world.dmp.calls == []


def test_consent_decides_for_the_dmp_alone(make_world):
    world = make_world(without_consent="hold")
    for name, feeding in (("A", "INO"), ("B", "IO"), ("C", "")):
        world.admit(name, feeding=feeding)
        world.qualify(name)
        world.take(name, name)
    world.settle()
    assert [(one.identity, one.state, one.reason) for one in world.sendings()] == [
        ("A", "fed", "fed"),
        ("B", "refused", "opposition"),
        ("C", "waiting-consent", "consent-unknown"),
    ]
    assert world.answers()[0].endswith(b"ZAM|Z01|CB|N|opposition\r")
    assert world.open_items() == []
    world.consent("C", "INO")
    world.settle()
    assert world.only(identity="C").state == "fed"


def test_a_wrong_key_holds_with_a_work_item_unless_the_site_says_otherwise(make_world):
    for setting, state in (("hold", "waiting-ins"), ("feed", "fed")):
        world = make_world(wrong_matricule=setting)
        world.admit("A")
        world.qualify("A", Ins("284053726111800", OID))
        world.take(1)
        world.settle()
        assert world.only().state == state
        assert world.open_items() == ([("document-held", "ins-key")] if setting == "hold" else [])


def test_the_document_of_a_merged_patient_goes_under_the_ins_of_the_one_that_remains(world):
    world.take(1)
    world.qualify("B")
    world.merge("A", "B")
    world.settle()
    assert world.states() == FED
    assert world.only().ins == text_of(ins_of("B"))


def test_what_was_fed_under_a_lost_ins_has_a_deletion_that_a_person_confirms(world):
    world.qualify("A")
    world.take(1)
    world.settle()
    world.downgrade("A")
    world.settle()
    assert world.states() == [("feed", "fed", "to-withdraw"), ("delete", "to-confirm", "ins-lost")]
    assert world.open_items() == [("document-to-withdraw", "ins-lost")]
    assert len(world.dmp.held) == 1
    world.act(confirm, world.only(action="delete").id)
    assert world.open_items() == []
    world.settle()
    assert world.dmp.held == {}
    assert world.states() == [
        ("feed", "deleted", "deleted"),
        ("delete", "deleted", "deleted"),
        ("feed", "waiting-ins", "ins-missing"),
    ]
    world.qualify("A")
    world.settle()
    assert world.states()[-1] == ("feed", "fed", "fed")


def test_a_deletion_is_cancelled_when_the_ins_is_right_again_before_it_is_confirmed(world):
    world.qualify("A")
    world.take(1)
    world.settle()
    world.downgrade("A")
    world.settle()
    world.qualify("A")
    world.settle()
    assert world.states() == [("feed", "fed", "fed"), ("delete", "cancelled", "right-again")]
    assert world.open_items() == []


def test_a_deletion_abandoned_is_not_prepared_again_for_the_same_loss(world):
    world.qualify("A")
    world.take(1)
    world.settle()
    world.downgrade("A")
    world.settle()
    world.act(abandon, world.only(action="delete").id)
    world.doubt("A")
    world.settle()
    assert world.states() == [("feed", "fed", "kept"), ("delete", "cancelled", "abandoned")]
    world.doubt("A", doubtful=False)
    world.qualify("A")
    world.settle()
    world.downgrade("A")
    world.settle()
    assert world.states()[-1] == ("delete", "to-confirm", "ins-lost")


def test_what_was_fed_after_a_merge_goes_back_to_its_patient_once_it_is_undone(world):
    world.qualify("B")
    world.merge("A", "B")
    world.settle()
    document, body = world.document(1, "A")
    world.receive(document, body)
    world.settle()
    assert world.only().ins == text_of(ins_of("B"))
    world.unmerge("A")
    world.settle()
    deletion = world.only(action="delete")
    assert (deletion.state, deletion.identity, deletion.ins) == ("to-confirm", "A", text_of(ins_of("B")))
    world.qualify("A")
    world.act(confirm, deletion.id)
    world.settle()
    assert world.dmp.held.keys() == {(document.unique_id, text_of(ins_of("A")))}


def test_a_nia_that_became_a_nir_is_no_loss_but_any_other_replacement_is(world):
    nia = Ins(matricule("7840537261117"), NIA_OID)
    world.qualify("A", nia)
    world.take(1)
    world.settle()
    world.qualify("A")
    world.settle()
    assert world.states() == FED
    world.qualify("A", ins_of("C"))
    world.settle()
    assert world.states()[-1] == ("delete", "to-confirm", "ins-lost")


def test_a_nia_of_another_birth_that_a_nir_took_the_place_of_was_somebody_elses(world):
    world.qualify("A", Ins(matricule("7840637261117"), NIA_OID))
    world.take(1)
    world.settle()
    world.qualify("A")
    world.settle()
    assert world.states() == [("feed", "fed", "to-withdraw"), ("delete", "to-confirm", "ins-lost")]


def test_a_number_given_to_another_patient_since_changes_nothing(world):
    world.take(1, patient="A")
    world.admit("C")
    world.happen(("A", IdentifierRetired(pi("A"), "replaced")), ("C", IdentifierAdded(pi("A"))))
    world.qualify("C")
    world.settle()
    assert world.states() == [("feed", "waiting-ins", "ins-missing")]


def test_a_document_may_come_with_its_patient_in_one_transaction(world):
    document, body = world.document(1, "C")
    with world.store.begin(5.0) as transaction:
        changes = WorkingSet(transaction)
        for version, event in enumerate((world.creation("C"), InsRecorded(ins_of("C"))), 1):
            changes.add(Recorded("identity", "C", version, world.now(), "gam", "message", "M", event))
        child = WorkingSet(changes)
        [sending] = receive(transaction, document, [body], child.identity("C"), world.site, child)
        for follower in world.followers:
            follower.follow(changes, transaction)
        transaction.write(changes, ())
        transaction.commit()
    assert (sending.state, sending.reason) == ("ready", "qualified")
    world.settle()
    assert world.states() == FED


# --- the process dies, the DMP does not answer


@pytest.mark.parametrize("step", ["killed", "killed-before", "lost", "down"])
def test_a_document_is_fed_once_whatever_happens_to_the_call(world, step):
    world.qualify("A")
    world.take(1)
    world.dmp.script = [step]
    if step.startswith("killed"):
        with pytest.raises(Killed):
            world.drain()
        world.die()
    world.settle()
    assert world.states() == FED
    assert world.dmp.created == [("1.2.250.1.999.7.1", text_of(ins_of("A")))]


@pytest.mark.parametrize("step", ["killed", "lost"])
def test_what_may_have_been_fed_under_an_ins_lost_since_has_a_deletion_too(world, step):
    world.qualify("A")
    world.take(1)
    world.dmp.script = [step]
    if step == "killed":
        with pytest.raises(Killed):
            world.drain()
        world.die()
    else:
        world.drain()
    world.qualify("A", ins_of("C"))
    world.settle()
    assert world.states() == [
        ("feed", "waiting-predecessor", "deletion-pending"),
        ("delete", "to-confirm", "ins-lost"),
    ]
    world.act(confirm, world.only(action="delete").id)
    world.settle()
    assert world.dmp.held.keys() == {("1.2.250.1.999.7.1", text_of(ins_of("C")))}
    assert world.only(action="feed").state == "fed"


def test_an_identity_that_changes_during_the_call_is_found_out_when_it_is_recorded(world):
    world.qualify("A")
    world.take(1)
    checked = world.dmp.check

    def lost_meanwhile(errand):
        checked(errand)
        world.downgrade("A")

    world.dmp.check = lost_meanwhile
    world.drain()
    assert world.states() == [("feed", "fed", "to-withdraw"), ("delete", "to-confirm", "ins-lost")]


def test_an_identity_that_changes_after_the_claim_is_seen_before_the_call(world, monkeypatch):
    world.qualify("A")
    world.take(1)
    claim = world.service._claim

    def claimed_then_lost():
        found = claim()
        world.downgrade("A")
        return found

    monkeypatch.setattr(world.service, "_claim", claimed_then_lost)
    world.service.call()
    monkeypatch.undo()
    world.settle()
    assert world.dmp.calls == []
    assert world.states() == [("feed", "waiting-ins", "ins-missing")]
    assert world.only().ins == ""


def test_a_claim_that_another_worker_took_over_is_not_carried_any_more(world):
    world.qualify("A")
    world.take(1)
    slow, found = world.service, world.service._claim()
    world.moment += timedelta(hours=1)
    world.service = world.new_service()
    world.settle()
    slow._record([slow._called(one) for one in found])
    slow.close()
    assert world.states() == FED
    assert len(world.dmp.calls) == 1


def test_a_claim_whose_lease_ran_out_is_not_carried_any_more(world):
    world.qualify("A")
    world.take(1)
    found = world.service._claim()
    world.moment += timedelta(hours=1)
    world.service._record([world.service._called(one) for one in found])
    assert world.dmp.calls == []
    world.settle()
    assert world.states() == FED


def test_a_fault_that_lasts_calls_a_person_and_is_still_tried(world):
    world.qualify("A")
    world.take(1)
    world.dmp.script = ["down"] * world.site.settings.queue.retry.attempts
    for _ in range(world.site.settings.queue.retry.attempts):
        world.drain()
        world.die(hours=3)
    assert world.open_items() == [("document-late", "unreachable")]
    world.settle()
    assert (world.states(), world.open_items()) == (FED, [])


# --- versions


def test_a_replacement_waits_for_the_version_it_replaces(world):
    world.take(1)
    world.receive(*world.replacement(2, 1))
    assert [one.reason for one in world.sendings()] == ["ins-missing", "ins-missing"]
    world.qualify("A")
    world.settle()
    assert world.states() == [("feed", "replaced", "replaced"), ("replace", "fed", "fed")]
    assert world.dmp.calls[1] == ("replace", "1.2.250.1.999.7.2", text_of(ins_of("A")))


def test_a_replacement_of_what_was_refused_is_a_first_version(world):
    world.qualify("A")
    world.take(1)
    world.receive(*world.replacement(2, 1))
    world.dmp.script = ["refuse"]
    world.settle()
    assert world.states() == [("feed", "refused", "refused"), ("replace", "fed", "fed")]
    assert [call[0] for call in world.dmp.calls] == ["feed", "feed"]


def test_a_replacement_of_what_is_another_patients_since_a_merge_was_undone_waits_for_a_person(world):
    world.take(1, patient="B")
    world.merge("A", "B")
    world.receive(*world.replacement(2, 1, "A"))
    world.unmerge("A")
    world.qualify("A")
    world.qualify("B")
    world.settle()
    assert world.states() == [("feed", "fed", "fed"), ("replace", "refused", "other-patient")]
    assert world.open_items()[0] == ("document-refused", "other-patient")


def test_a_deletion_withdraws_what_waits(world):
    world.take(1)
    [sending] = world.receive(*world.deletion(2, 1))
    assert (sending.state, sending.reason) == ("waiting-ins", "ins-missing")
    world.qualify("A")
    world.settle()
    assert world.states() == [("feed", "cancelled", "withdrawn-by-sender"), ("delete", "deleted", "nothing-there")]
    assert world.dmp.calls == []


def test_a_deletion_deletes_what_was_fed(world):
    world.qualify("A")
    world.take(1)
    world.settle()
    world.receive(*world.deletion(2, 1))
    world.settle()
    assert world.states() == [("feed", "deleted", "deleted"), ("delete", "deleted", "deleted")]
    assert world.dmp.held == {}
    assert [raw.split(b"|")[3:6] for raw in world.answers()] == [[b"Z01", b"C1", b"Y"], [b"Z01", b"C2", b"Y"]]


def test_the_same_document_again_changes_nothing_and_another_content_is_refused(world):
    document, body = world.document(1)
    first = world.receive(document, body)
    assert world.receive(*world.document(1)) == first
    with pytest.raises(ReceptionRefused) as refused:
        world.receive(*world.document(1, content=b"other"))
    assert refused.value.code == "900"
    with pytest.raises(ReceptionRefused) as refused:
        world.receive(*world.document(1, patient="B"))
    assert refused.value.code in {"900", "904"}


def described(world, **fields):
    """A PDF that came with its description."""
    return world.document(1, description=b'{"title": "Lettre de liaison"}', **fields)


def test_the_same_document_again_is_the_same_after_a_purge_erased_it(world):
    world.qualify("A")
    world.receive(*described(world))
    world.settle()
    world.moment += timedelta(days=4000)
    world.purge()
    before = world.sendings()
    assert world.receive(*described(world)) == before
    world.settle()
    assert world.states() == [("feed", "fed", "fed")]
    assert world.sendings() == before


@pytest.mark.parametrize(
    "other",
    [{"content": b"other"}, {"type_code": "11488-4"}, {"version": 2}, {"created": "2026-03-01T09:00:00.000Z"}],
)
def test_another_document_under_the_id_of_one_that_a_purge_erased_is_refused(world, other):
    world.qualify("A")
    world.receive(*described(world))
    world.settle()
    world.moment += timedelta(days=4000)
    world.purge()
    with pytest.raises(ReceptionRefused, match="another content or description") as refused:
        world.receive(*described(world, **other))
    assert refused.value.code == "900"


def test_what_the_patient_opposed_and_a_purge_erased_is_not_sent_empty_when_it_comes_again(world):
    """Nothing of it is left to send: its sender learns what to do, instead of a failure of the DMP later."""
    world.qualify("A")
    world.consent("A", "IO")
    world.receive(*described(world))
    world.settle()
    assert world.states() == [("feed", "refused", "opposition")]
    world.moment += timedelta(days=4000)
    world.purge()
    world.consent("A", "INO")
    with pytest.raises(ReceptionRefused, match="erased") as refused:
        world.receive(*described(world))
    assert refused.value.code == "906"
    with pytest.raises(ActRefused, match="erased"):
        world.act(retry, world.sendings()[0].id)
    assert world.states() == [("feed", "refused", "opposition")]
    [again] = world.receive(*described(world, unique_id="1.2.250.1.999.7.2"))
    assert again.state == "ready"


@pytest.mark.parametrize("by", ["a person", "its sender"])
def test_the_deletion_of_what_a_purge_erased_is_tried_again_once_it_was_refused(world, by):
    """Nothing of the document is needed to take it away from the INS its patient lost."""
    world.qualify("A")
    world.receive(*described(world))
    world.settle()
    world.moment += timedelta(days=4000)
    world.purge()
    world.downgrade("A")
    world.settle()
    prepared = world.only(action="delete")
    world.act(confirm, prepared.id)
    world.dmp.script = ["refuse"]
    world.settle()
    assert world.only(id=prepared.id).state == "refused"
    if by == "a person":
        world.act(retry, prepared.id)
    else:
        world.receive(*described(world))
    world.settle()
    assert world.only(id=prepared.id).state == "deleted"
    assert world.dmp.held == {}


def test_only_the_last_version_is_replaced_or_deleted(world):
    world.take(1)
    world.receive(*world.replacement(2, 1))
    for late in (world.replacement(3, 1), world.deletion(4, 1)):
        with pytest.raises(ReceptionRefused) as refused:
            world.receive(*late)
        assert refused.value.code == "900"


def test_a_deletion_asks_for_what_may_have_arrived_before_it_was_refused(world):
    world.qualify("A")
    world.take(1)
    world.dmp.script = ["lost", "refuse"]
    world.settle()
    assert world.only().state == "refused"
    world.receive(*world.deletion(2, 1))
    world.settle()
    assert world.states() == [("feed", "refused", "refused"), ("delete", "deleted", "deleted")]
    assert world.dmp.held == {}


def test_a_deletion_of_what_a_person_kept_is_refused_until_that_person_withdraws_it(world):
    world.qualify("A")
    [sending] = world.take(1)
    world.settle()
    world.downgrade("A")
    world.settle()
    world.act(abandon, world.only(action="delete").id)
    world.qualify("A", ins_of("C"))
    world.settle()
    [asked] = world.receive(*world.deletion(2, 1))
    assert (asked.state, asked.reason) == ("refused", "deletion-abandoned")
    assert world.open_items() == [("document-refused", "deletion-abandoned")]
    assert world.answers()[-1].endswith(b"ZAM|Z01|C2|N|deletion-abandoned\r")
    world.act(withdraw, sending.id)
    world.settle()
    world.act(retry, asked.id)
    world.settle()
    assert world.dmp.held == {}
    assert world.only(document=asked.document).state == "deleted"
    assert world.open_items() == []


# --- acts of a person


@pytest.mark.parametrize("after", ["replacement", "deletion"])
def test_what_was_refused_is_not_fed_beside_what_came_after_it(world, after):
    world.qualify("A")
    [sending] = world.take(1)
    world.dmp.script = ["refuse"]
    world.settle()
    world.receive(*(world.replacement(2, 1) if after == "replacement" else world.deletion(2, 1)))
    world.settle()
    held = dict(world.dmp.held)
    world.act(retry, sending.id)
    world.settle()
    assert world.only(id=sending.id).state in {"replaced", "cancelled"}
    assert world.dmp.held == held


def test_a_refused_document_raises_a_work_item_until_it_is_tried_again(world):
    world.qualify("A")
    world.take(1)
    world.dmp.script = ["refuse"]
    world.settle()
    assert world.states() == [("feed", "refused", "refused")]
    assert world.open_items() == [("document-refused", "XDSRegistryError")]
    assert world.answers()[-1].endswith(b"ZAM|Z01|C1|N|XDSRegistryError\r")
    world.act(retry, world.only().id)
    world.settle()
    assert (world.states(), world.open_items()) == (FED, [])


def test_a_person_withdraws_what_waits_and_what_was_fed(world):
    world.take(1)
    world.act(withdraw, world.only().id)
    assert world.states() == [("feed", "cancelled", "withdrawn")]
    world.qualify("B")
    [sending] = world.take(2, patient="B")
    world.settle()
    world.act(withdraw, sending.id)
    world.settle()
    assert world.states(identity="B") == [("feed", "deleted", "deleted"), ("delete", "deleted", "deleted")]
    assert world.dmp.held == {}


def test_an_act_that_does_not_fit_is_refused(world):
    [sending] = world.take(1)
    for act in (confirm, abandon, retry):
        with pytest.raises(ActRefused, match="waiting-ins"):
            world.act(act, sending.id)
    with pytest.raises(ActRefused, match="there is no sending"):
        world.act(confirm, "none")


# --- an outage


def test_an_outage_is_announced_once_and_documents_leave_when_it_is_over(world):
    world.qualify("A")
    for number in range(20):
        world.take(number)
    world.dmp.script = ["down"] * 20
    world.drain()
    assert world.service.counters.outages == 1
    world.settle()
    assert {one.state for one in world.sendings()} == {"fed"}
    assert len(world.dmp.created) == 20
