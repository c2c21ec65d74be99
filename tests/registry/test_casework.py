"""Merging by hand, undoing it, and settling work items, with what was held back applied or not."""

import msgspec
import pytest

from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry import events as ev
from insigne.registry.decision import Fault, Refused
from insigne.registry.settings import Policy, RegistrySettings
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Identifier, Ins, Proof, Traits
from insigne.registry.worklist_kinds import actions_of

from .conftest import Base

OURS, GAM = Authority("INSIGNE"), Authority("GAM")
NIR = "1.2.250.1.213.1.4.8"
INS, OTHER_INS = Ins("280026912345674", NIR), Ins("280026912345998", NIR)
TRAITS = cmd.TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "F", "69123")
OTHER = cmd.TraitsAssertion("DURAND", "PAULE", "PAULE", "19790101", "F", "69123")
NATIONAL = Traits("MARTIN", "", "ALICE MARIE", "19800214", "F", "69123")
SEARCH = acts.PriorSearch((("birth_date", "1980-02-14"),), ())


def pi(number, authority=OURS):
    return Identifier("PI", authority, number)


class Office:
    """The cellule d'identitovigilance: our identities, those of a feed, and what waits for a decision."""

    def __init__(self, **settings) -> None:
        self.base = Base(Policy(own=frozenset({"INSIGNE", "GAM"}), registry=RegistrySettings(**settings)))

    def ours(self, number, ins=None, *, checked=False):
        act = acts.CreateIdentity(Identifier("PI", OURS, number), TRAITS, cmd.DetailsAssertion(), SEARCH)
        identity = self.base.acts(act).subject
        if checked:
            self.base.acts(acts.RecordProof(identity, 0, Proof("PA", high_trust=True)))
        if ins is not None:
            self.base.acts(acts.AcceptIns(identity, 0, acts.NationalAnswer(ins, NATIONAL)))
        return identity

    def told(self, number, traits=TRAITS, status=("PROV",), ins=()):
        pi = Identifier("PI", GAM, number)
        self.base.does(cmd.RecordPatient(cmd.Patient((pi,), ins=ins, reliability=status, traits=traits)))
        return self.base.person(number).id

    def a40(self, prior, survivor):
        patient = cmd.Patient((Identifier("PI", GAM, survivor),))
        return self.base.does(cmd.MergePatients(patient, (Identifier("PI", GAM, prior),)))

    def merge(self, survivor, absorbed):
        return self.base.acts(acts.MergeIdentities(survivor, absorbed, "same person, seen with her passport"))

    def unmerge(self, absorbed):
        return self.base.acts(acts.UnmergeIdentities(absorbed, "two sisters"))

    def close(self, item, *, apply=False, seen=0):
        return self.base.acts(acts.CloseWorkItem(item.id, "seen with the ward", apply, seen))

    def item(self, kind):
        [found] = [item for item in self.base.tasks() if item.kind == kind]
        return found

    def kinds(self):
        return sorted(item.kind for item in self.base.tasks())

    def into(self, identity):
        return self.base.identity(identity).merged_into


@pytest.fixture
def office():
    return Office()


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value


# --- merging


def test_a_merge_keeps_who_it_absorbed_and_why(office):
    one, two = office.ours("1"), office.ours("2")
    assert office.merge(one, two).subject == one
    assert office.into(two) == one
    assert office.base.identity(one).absorbed == (two,)
    [merged] = [r.event for r in office.base.journal if isinstance(r.event, ev.IdentityMerged)]
    assert merged.reason == "same person, seen with her passport"
    assert refusal(office.merge, one, two).fault is Fault.DUPLICATE_KEY
    assert office.base.rebuilt() == office.base.states


def test_identities_with_different_ins_are_not_merged_by_hand(office):
    one, two = office.ours("1", INS), office.ours("2", OTHER_INS)
    refused = refusal(office.merge, one, two)
    assert "different INS" in refused.text
    assert INS.matricule not in refused.text
    assert office.into(two) == ""


def test_two_holders_of_one_ins_are_merged_and_the_contest_ends(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    assert office.kinds() == ["same-ins"]
    office.merge(two, one)
    assert office.kinds() == []
    assert office.base.identity(two).qualified


@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_doubtful_or_fictitious_identity_is_not_merged(office, attribute):
    one, two = office.ours("1"), office.ours("2")
    office.base.acts(acts.SetAttributes(two, 0, (attribute,), "x"))
    assert refusal(office.merge, one, two).fault is Fault.FORBIDDEN
    assert refusal(office.merge, two, one).fault is Fault.FORBIDDEN


def test_identities_of_two_domains_or_of_others_are_not_merged_by_hand(office):
    theirs, ours = office.told("7"), office.ours("1")
    assert "two domains" in refusal(office.merge, ours, theirs).text
    elsewhere = Office()
    elsewhere.base.policy = Policy(own=frozenset({"INSIGNE"}))
    one, two = elsewhere.told("7"), elsewhere.told("8")
    assert "another repository" in refusal(elsewhere.merge, one, two).text
    elsewhere.a40("8", "7")
    assert "another repository" in refusal(elsewhere.unmerge, two).text


def test_nobody_is_merged_with_somebody_unknown(office):
    assert refusal(office.merge, office.ours("1"), "nobody").fault is Fault.UNKNOWN_KEY
    assert refusal(office.unmerge, office.base.person("1").id).fault is Fault.UNKNOWN_KEY


# --- undoing


def test_an_unmerged_identity_is_as_it_was_and_what_came_since_is_to_sort(office):
    one, two = office.ours("1"), office.ours("2", checked=True)
    before = office.base.identity(two)
    office.merge(one, two)
    assert office.unmerge(two).subject == two
    after = office.base.identity(two)
    assert (after.status, after.traits, after.identifiers, after.merged_into) == (
        before.status,
        before.traits,
        before.identifiers,
        "",
    )
    assert office.base.identity(one).absorbed == ()
    assert office.item("unmerged").subjects == (two, one)
    assert office.item("unmerged").cause == "two sisters"
    assert office.base.rebuilt() == office.base.states


def test_undoing_gives_back_the_ins_that_the_merge_had_taken(office):
    one, two = office.told("1", status=("VALI",), ins=(INS,)), office.told("2", status=("VALI",), ins=(OTHER_INS,))
    office.a40("2", "1")
    assert office.base.identity(two).ins is None
    assert office.kinds() == ["merge-other-ins"]
    office.unmerge(two)
    assert office.base.identity(two).ins.ins == OTHER_INS
    assert office.base.identity(two).qualified
    assert office.base.identity(one).ins.ins == INS
    assert office.kinds() == ["unmerged"]


def test_undoing_the_merge_of_two_holders_of_one_ins_contests_it_again(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    office.merge(one, two)
    office.unmerge(two)
    assert office.base.identity(one).qualified
    assert not office.base.identity(two).qualified
    assert office.kinds() == ["same-ins", "unmerged"]
    assert not any(isinstance(record.event, ev.InsContested) for record in office.base.journal)


def test_undoing_a_merge_has_an_ins_confirmed_that_the_other_holder_lost_meanwhile(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    assert office.base.identity(two).ins.contested
    office.merge(one, two)
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "two sisters"))
    office.unmerge(two)
    assert not office.base.identity(two).qualified
    assert "same-ins" not in office.kinds()
    office.close(office.item("ins-to-confirm"), apply=True)
    assert office.base.identity(two).qualified


def test_undoing_a_merge_contests_an_ins_with_who_holds_it_now(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    office.merge(one, two)
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "two sisters"))
    three = office.ours("3", INS, checked=True)
    office.unmerge(two)
    assert office.base.identity(three).qualified
    assert not office.base.identity(two).qualified
    assert set(office.item("same-ins").subjects) == {two, three}


@pytest.fixture
def to_confirm(office):
    """The first of two holders of an INS lost it by an act: that of the second, checked, waits to be confirmed."""
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "not her card"))
    assert "ins-to-confirm" in office.kinds()
    return one, two


def comes_back_to_be_confirmed(office, identity):
    held = office.base.identity(identity)
    assert (held.ins.ins, held.ins.contested, held.qualified) == (INS, True, False)
    assert office.item("ins-to-confirm").subjects == (identity,)
    assert office.base.rebuilt() == office.base.states
    office.close(office.item("ins-to-confirm"), apply=True)
    assert office.base.identity(identity).qualified


@pytest.mark.parametrize("ins", [None, OTHER_INS], ids=["no INS", "another INS"])
def test_an_ins_to_confirm_is_so_again_once_the_merge_of_its_holder_is_undone(office, to_confirm, ins):
    _, two = to_confirm
    three = office.ours("3", ins, checked=True)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("2"),)))
    assert (office.into(two), "ins-to-confirm" in office.kinds()) == (three, False)
    office.unmerge(two)
    assert office.base.identity(three).qualified == (ins is not None)
    comes_back_to_be_confirmed(office, two)


def test_an_ins_to_confirm_is_so_again_once_its_merge_is_turned_round(office, to_confirm):
    _, two = to_confirm
    three = office.ours("3", OTHER_INS, checked=True)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("2"),)))
    office.base.does(cmd.MergePatients(cmd.Patient((pi("2"),)), (pi("3"),)))
    office.close(office.item("merge-held"), apply=True)
    assert office.into(three) == two
    comes_back_to_be_confirmed(office, two)


def test_a_contested_ins_whose_other_holder_lost_it_during_a_merge_is_to_confirm_once_it_is_undone(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    office.ours("3", OTHER_INS, checked=True)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("2"),)))
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "not her card"))
    office.unmerge(two)
    comes_back_to_be_confirmed(office, two)


def test_an_ins_to_confirm_that_a_third_one_holds_is_both_again_once_a_merge_is_undone(office, to_confirm):
    _, two = to_confirm
    three = office.ours("3", INS, checked=True)
    office.ours("4")
    open_before = office.kinds()
    assert {"ins-to-confirm", "same-ins"} <= set(open_before)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("4"),)), (pi("2"),)))
    office.unmerge(two)
    assert office.kinds() == sorted([*open_before, "unmerged"])
    office.base.does(cmd.RecordPatient(cmd.Patient((pi("3"),), reliability=("PROV",))))  # its repository says so
    assert office.base.identity(three).ins is None
    comes_back_to_be_confirmed(office, two)


def test_the_contest_that_a_merge_ended_is_on_both_sides_again_once_it_is_undone(office, to_confirm):
    one, two = to_confirm
    office.base.acts(acts.SetAttributes(one, 0, (), "her card after all"))
    office.base.acts(acts.RecordProof(one, 0, Proof("PA", high_trust=True)))
    office.base.acts(acts.AcceptIns(one, 0, acts.NationalAnswer(INS, NATIONAL)))
    office.merge(one, two)
    assert office.base.identity(one).qualified
    office.unmerge(two)
    assert [office.base.identity(i).qualified for i in (one, two)] == [False, False]
    assert office.kinds() == ["ins-to-confirm", "same-ins", "unmerged"]


def test_an_ins_freed_by_a_merge_is_contested_again_once_the_merge_is_undone(office):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    office.ours("3")
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("1"),)))
    assert office.base.identity(two).qualified  # its repository says that one identity alone holds it
    office.unmerge(one)
    assert [office.base.identity(i).qualified for i in (one, two)] == [False, False]
    assert "same-ins" in office.kinds()


def test_an_ins_that_was_contested_by_nobody_comes_back_usable(office):
    two, three = office.ours("2", INS, checked=True), office.ours("3", OTHER_INS, checked=True)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("2"),)))
    office.unmerge(two)
    assert [office.base.identity(i).qualified for i in (two, three)] == [True, True]
    assert office.kinds() == ["unmerged"]


def test_an_ins_of_a_merge_that_an_earlier_release_wrote_comes_back_to_be_confirmed(office):
    """Its event does not say whether the INS was contested, so nobody but a person can."""
    two = office.ours("2", INS, checked=True)
    office.ours("3", OTHER_INS, checked=True)
    office.base.does(cmd.MergePatients(cmd.Patient((pi("3"),)), (pi("2"),)))
    for rank, record in enumerate(office.base.journal):
        if isinstance(record.event, ev.IdentityMerged):
            payload = msgspec.json.decode(ev.encode(record.event))
            payload.pop("contest", None)
            event = ev.decode(msgspec.json.encode(payload))
            office.base.journal[rank] = msgspec.structs.replace(record, event=event)
    office.base.states = office.base.rebuilt()
    office.unmerge(two)
    comes_back_to_be_confirmed(office, two)


NIA = Ins(INS.matricule, "1.2.250.1.213.1.4.9")


@pytest.fixture
def nia_to_confirm(office):
    one, two = office.ours("1", NIA, checked=True), office.ours("2", NIA, checked=True)
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "not her card"))
    assert office.item("ins-to-confirm").subjects == (two,)
    return two


def test_an_ins_to_confirm_is_still_so_once_its_authority_alone_changed(office, nia_to_confirm):
    """A NIA keeps its number when it becomes a NIR: that the feed says so does not tell whose it is."""
    said = cmd.Patient((pi("2"),), ins=(INS,), reliability=("VALI",), traits=TRAITS)
    office.base.does(cmd.RecordPatient(said))
    comes_back_to_be_confirmed(office, nia_to_confirm)


def test_who_accepts_an_ins_to_confirm_under_another_authority_confirms_it(office, nia_to_confirm):
    office.base.acts(acts.AcceptIns(nia_to_confirm, 0, acts.NationalAnswer(INS, NATIONAL)))
    assert office.base.identity(nia_to_confirm).qualified
    assert "ins-to-confirm" not in office.kinds()


def test_a_verification_of_the_symbol_read_confirms_no_ins_to_confirm(office, to_confirm):
    """A person compared nothing: the INS is right, which does not say whose it is."""
    _, two = to_confirm
    office.base.acts(acts.ReadDataMatrix(two, 0, acts.NationalAnswer(INS, NATIONAL, mode="CB")))
    office.base.acts(acts.RecordVerification(two, 0, "OK", "call"))
    comes_back_to_be_confirmed(office, two)


# --- assigning and closing


def test_an_item_goes_to_somebody_and_back_to_nobody(office):
    office.merge(office.ours("1"), office.ours("2"))
    office.unmerge(office.base.person("2").id)
    item = office.item("unmerged")
    office.base.acts(acts.AssignWorkItem(item.id, "alice"))
    assert office.item("unmerged").assignee == "alice"
    count = len(office.base.journal)
    office.base.acts(acts.AssignWorkItem(item.id, "alice"))
    assert len(office.base.journal) == count
    office.base.acts(acts.AssignWorkItem(item.id, ""))
    assert office.item("unmerged").assignee == ""


def test_a_closed_item_is_closed_once_and_says_how(office):
    office.told("1")
    office.told("1", OTHER)
    item = office.item("overlay")
    office.close(item)
    closed = office.base.work_item(item.id)
    assert (closed.outcome, bool(closed.closed)) == ("seen with the ward", True)
    assert refusal(office.close, item).fault is Fault.UNKNOWN_KEY
    assert refusal(office.base.acts, acts.AssignWorkItem(item.id, "bob")).fault is Fault.UNKNOWN_KEY


def test_an_item_that_holds_nothing_is_not_applied(office):
    one, two = office.ours("1"), office.ours("2")
    office.merge(one, two)
    office.unmerge(two)
    item = office.item("unmerged")
    assert "nothing was held back" in refusal(office.close, item, apply=True).text
    assert not office.base.work_item(item.id).closed
    compared = acts.NoteInsiOutcome(two, "00", held=b'{"answer":1}')
    office.base.acts(compared)
    for apply in (True, False):
        assert "identity refuse" in refusal(office.close, office.item("to-compare"), apply=apply).text


@pytest.mark.parametrize("apply", [True, False])
def test_the_item_of_an_ins_that_two_identities_hold_stays_open_until_one_of_them_has_it_no_more(office, apply):
    one, two = office.ours("1", INS, checked=True), office.ours("2", INS, checked=True)
    refused = refusal(office.close, office.item("same-ins"), apply=apply)
    assert (refused.code, refused.fault) == ("same-ins-held", Fault.FORBIDDEN)
    assert office.kinds() == ["same-ins"]
    office.base.acts(acts.SetAttributes(one, 0, ("DOUT",), "not her card"))
    assert "same-ins" not in office.kinds()
    assert not office.base.identity(two).qualified


def test_the_item_of_an_ins_held_twice_that_was_left_open_may_be_closed_once_it_is_not(office):
    one, two = office.ours("1", INS), office.ours("2", INS)
    item = office.item("same-ins")
    state = office.base.identity(one)
    office.base.states["identity", one] = msgspec.structs.replace(state, ins=None)  # as an earlier release left it
    office.close(item)
    assert "same-ins" not in office.kinds()
    assert office.base.identity(two).ins.contested


def test_an_overlay_that_was_applied_already_is_only_closed():
    office = Office(overlay="apply")
    office.told("1")
    office.told("1", OTHER)
    assert refusal(office.close, office.item("overlay"), apply=True).fault is Fault.FORBIDDEN
    office.close(office.item("overlay"))
    assert office.kinds() == []


# --- what was held back


@pytest.mark.parametrize(("apply", "name"), [(True, "DURAND"), (False, "MARTIN")])
def test_the_traits_of_an_overlay_are_applied_or_discarded(office, apply, name):
    identity = office.told("1")
    office.told("1", OTHER, status=("VALI",), ins=())
    office.close(office.item("overlay"), apply=apply)
    held = office.base.identity(identity)
    assert held.traits.birth_name == name
    assert held.checked == apply
    assert office.kinds() == []


def test_the_traits_of_an_overlay_are_not_given_to_whom_its_identity_was_merged_into(office):
    one, two = office.told("1"), office.told("2")
    office.told("1", OTHER, status=("VALI",), ins=())
    office.a40("1", "2")
    before = office.base.identity(two)
    assert "undo the merge" in refusal(office.close, office.item("overlay"), apply=True).text
    assert office.base.identity(two) == before
    office.close(office.item("overlay"))
    assert (office.into(one), office.kinds()) == (two, [])


def test_of_an_overlay_of_an_authority_that_is_not_trusted_the_traits_alone_are_applied(office):
    office.base.policy = Policy(trusted=frozenset({"HOSP"}))
    identity = office.told("1")
    office.told("1", OTHER, status=("VALI",), ins=(INS,))
    office.close(office.item("overlay"), apply=True)
    held = office.base.identity(identity)
    assert (held.traits.birth_name, held.checked, held.ins) == ("DURAND", False, None)


def test_an_overlay_of_an_authority_that_is_not_trusted_is_not_applied_over_a_trusted_one(office):
    office.base.policy = Policy(trusted=frozenset({"HOSP"}))
    identity = office.told("1")
    office.told("1", OTHER)
    trusted = (Identifier("PI", Authority("HOSP"), "7"), Identifier("PI", GAM, "1"))
    office.base.does(cmd.RecordPatient(cmd.Patient(trusted, reliability=("VALI",), traits=TRAITS)))
    before = office.base.identity(identity)
    assert before.trusted
    assert refusal(office.close, office.item("overlay"), apply=True).code == "held-untrusted"
    assert office.base.identity(identity) == before
    office.close(office.item("overlay"))
    assert office.kinds() == []


@pytest.mark.parametrize(("apply", "corrected"), [(True, "N"), (False, "Y")])
def test_what_an_overlay_says_of_the_birth_date_is_held_with_it(office, apply, corrected):
    pi = (Identifier("PI", GAM, "1"),)
    for traits, details in (
        (TRAITS, cmd.DetailsAssertion(birth_date_corrected="Y")),
        (OTHER, cmd.DetailsAssertion(birth_date_corrected="N", language="fr")),
    ):
        patient = cmd.Patient(pi, reliability=("VALI",), traits=traits, details=details)
        office.base.does(cmd.RecordPatient(patient))
    identity = office.base.person("1").id
    held = office.base.identity(identity).details
    assert (held.collection.birth_date_corrected, held.language) == ("Y", "fr")
    office.close(office.item("overlay"), apply=apply)
    assert office.base.identity(identity).details.collection.birth_date_corrected == corrected


@pytest.mark.parametrize("apply", [True, False])
def test_traits_of_an_untrusted_feed_are_not_trusted_because_those_of_a_trusted_one_wait(office, apply):
    office.base.policy = Policy(trusted=frozenset({"HOSP"}))
    identity = office.told("1")
    both = (Identifier("PI", Authority("HOSP"), "7"), Identifier("PI", GAM, "1"))
    office.base.does(cmd.RecordPatient(cmd.Patient(both, reliability=("VALI",), traits=OTHER)))
    assert not office.base.identity(identity).trusted
    office.close(office.item("overlay"), apply=apply)
    assert office.base.identity(identity).trusted == apply


@pytest.mark.parametrize("apply", [True, False])
def test_a_merge_swapped_afterwards_is_turned_round_or_left(office, apply):
    one, two = office.told("1"), office.told("2")
    office.a40("1", "2")
    office.a40("2", "1")
    office.close(office.item("merge-held"), apply=apply)
    assert (office.into(one), office.into(two)) == (("", one) if apply else (two, ""))
    assert office.base.rebuilt() == office.base.states


def test_a_merge_into_a_third_identity_leaves_the_second_alone(office):
    one, two, three = office.told("1"), office.told("2"), office.told("3")
    office.a40("1", "2")
    office.a40("1", "3")
    office.close(office.item("merge-held"), apply=True)
    assert (office.into(one), office.into(two), office.into(three)) == (three, "", "")
    assert office.base.identity(two).absorbed == ()


def test_a_merge_held_for_an_unknown_survivor_cannot_be_applied(office):
    office.told("1"), office.told("2")
    office.a40("1", "2")
    office.a40("1", "99")
    item = office.item("merge-held")
    assert refusal(office.close, item, apply=True).fault is Fault.UNKNOWN_KEY
    office.close(item)
    assert office.kinds() == []


def test_a_merge_held_for_an_unknown_survivor_takes_nobody_who_came_since(office):
    """The item shows the identity to be merged alone: who has the number now was not there to be looked at."""
    one, two = office.told("1"), office.told("2")
    office.a40("1", "2")
    office.a40("1", "99")
    item = office.item("merge-held")
    assert item.subjects == (two,)
    stranger = office.told("99", OTHER)
    assert refusal(office.close, item, apply=True).code == "merge-moved"
    assert (office.into(one), office.into(two), office.base.identity(stranger).absorbed) == (two, "", ())
    office.a40("1", "99")  # sent again, both are shown
    [shown] = [item for item in office.base.tasks() if item.kind == "merge-held" and stranger in item.subjects]
    office.close(shown, apply=True)
    assert office.into(one) == stranger


def test_a_merge_held_takes_nobody_whose_number_it_names_since(office):
    office.base.policy = Policy(trusted=frozenset({"HOSP"}))
    hospital, region = Authority("HOSP"), Authority("REGION")
    for number in ("1", "2"):
        numbers = (pi(number, hospital), Identifier("PN", region, number))
        office.base.does(cmd.RecordPatient(cmd.Patient(numbers, reliability=("PROV",), traits=TRAITS)))
    one, two = office.base.identities()
    prior = (pi("7", GAM), Identifier("PN", region, "1"))
    office.base.does(cmd.MergePatients(cmd.Patient((pi("2", hospital),)), prior))
    item = office.item("merge-held")
    assert set(item.subjects) == {one.id, two.id}
    stranger = office.told("7", OTHER)
    assert refusal(office.close, item, apply=True).code == "merge-moved"
    assert [office.into(identity) for identity in (one.id, two.id, stranger)] == ["", "", ""]


def renumbered(office, prior, number):
    """The A47 of a local number."""
    patient = cmd.Patient((pi(number, GAM),))
    office.base.does(cmd.ReplaceIdentifiers(patient, (pi(prior, GAM),), ()))


def test_a_merge_held_whose_two_numbers_are_one_identitys_since_is_not_applied(office):
    one = office.told("1")
    renumbered(office, "1", "2")
    office.a40("1", "3")
    item = office.item("merge-held")
    renumbered(office, "2", "3")
    assert refusal(office.close, item, apply=True).code == "merge-itself"
    assert (office.into(one), office.base.identity(one).absorbed) == ("", ())
    office.close(item)
    assert office.kinds() == []


def test_a_merge_held_is_applied_once_the_merge_it_contradicts_was_undone_by_hand(office):
    one, two, three = (office.told(number) for number in "123")
    office.a40("1", "2")
    office.a40("1", "3")
    assert set(office.item("merge-held").subjects) == {two, three}
    office.unmerge(one)
    office.close(office.item("merge-held"), apply=True)
    assert [office.into(identity) for identity in (one, two, three)] == [three, "", ""]


@pytest.mark.parametrize("then", [("2", "3"), ("3", "2")], ids=["into the other", "the other into it"])
def test_a_merge_held_whose_two_identities_are_one_since_undoes_nothing(office, then):
    one, two, three = (office.told(number) for number in "123")
    office.a40("1", "2")
    office.a40("1", "3")
    item = office.item("merge-held")
    office.a40(*then)
    merges = [office.into(identity) for identity in (one, two, three)]
    office.close(item, apply=True)
    assert [office.into(identity) for identity in (one, two, three)] == merges
    assert office.kinds() == []


def test_a_merge_held_whose_subject_was_merged_meanwhile_is_still_applied_to_it(office):
    one, two, three, four = (office.told(number) for number in "1234")
    office.a40("1", "2")
    office.a40("1", "3")
    office.a40("2", "4")
    office.close(office.item("merge-held"), apply=True)
    assert [office.into(identity) for identity in (one, two, three, four)] == [three, four, "", ""]


LATER = cmd.TraitsAssertion("DUBOIS", "PAULE", "PAULE", "19790102", "F", "69123")


def test_the_latest_of_the_overlays_held_is_applied_once_it_was_seen(office):
    identity = office.told("1")
    office.told("1", OTHER, status=("VALI",))
    seen = office.item("overlay")
    office.told("1", LATER, status=("VALI",))
    stale = refusal(office.close, seen, apply=True)
    assert (stale.code, stale.fault) == ("held-since", Fault.CONFLICT)
    assert refusal(office.close, seen, apply=True, seen=1).code == "held-since"
    assert office.base.identity(identity).traits.birth_name == "MARTIN"
    item = office.item("overlay")
    assert (item.id, item.messages, item.cause) == (seen.id, 2, "birth_name, given_names, birth_date")
    office.close(item, apply=True, seen=2)
    assert office.base.identity(identity).traits.birth_name == "DUBOIS"
    assert office.base.rebuilt() == office.base.states


def test_an_overlay_said_again_is_counted_and_stays_what_was_seen(office):
    identity = office.told("1")
    for _ in range(3):
        office.told("1", OTHER, status=("VALI",))
    item = office.item("overlay")
    assert (item.messages, item.held_since) == (3, 1)
    office.close(item, apply=True)
    assert office.base.identity(identity).traits.birth_name == "DURAND"


def says(office, traits=None, status=(), ins=(), number="1", authority=GAM, **more):
    """A message of the feed that says only this of a patient."""
    said = traits or cmd.TraitsAssertion()
    office.base.does(
        cmd.RecordPatient(cmd.Patient((pi(number, authority),), ins, reliability=status, traits=said, **more))
    )


def corrects_the_name_alone(office):
    says(office, cmd.TraitsAssertion("DURAND", "ALICE", "ALICE MARIE", "19800214", "F", "69123"), ("PROV",))


def deletes_the_ins(office):
    patient = cmd.Patient((pi("1", GAM),), ins_deleted=True)
    office.base.does(cmd.ReplaceIdentifiers(patient, (), (INS,)))


def replaces_the_ins(office):
    patient = cmd.Patient((pi("1", GAM),), ins=(OTHER_INS,), reliability=("VALI",))
    office.base.does(cmd.ReplaceIdentifiers(patient, (), (INS,)))


CONTRARY = {
    "the old traits again": lambda office: says(office, TRAITS, ("PROV",)),
    "one trait of the old ones": lambda office: says(office, cmd.TraitsAssertion(birth_date="19800214")),
    "one other trait": corrects_the_name_alone,
    "PROV": lambda office: says(office, status=("PROV",)),
    "another INS": lambda office: says(office, status=("VALI",), ins=(OTHER_INS,)),
    "the date is real": lambda office: says(office, details=cmd.DetailsAssertion(birth_date_corrected="N")),
    "A47 that deletes the INS": deletes_the_ins,
    "A47 that replaces the INS": replaces_the_ins,
}


def overlaid(office):
    """A provisional identity, and the overlay of its feed: another person, with an INS."""
    identity = office.told("1")
    corrected = cmd.DetailsAssertion(birth_date_corrected="Y")
    says(office, OTHER, ("VALI",), (INS,), details=corrected)
    assert b"DURAND" in bytes(office.item("overlay").held)
    return identity


@pytest.mark.parametrize("contradict", CONTRARY.values(), ids=CONTRARY)
def test_an_overlay_that_its_sender_contradicts_offers_nothing_any_more(office, contradict):
    identity = overlaid(office)
    contradict(office)
    item, before = office.item("overlay"), office.base.identity(identity)
    assert (bytes(item.held), item.superseded, actions_of(item)) == (b"null", True, ("close",))
    for seen in (0, 1, item.messages):
        stale = refusal(office.close, item, apply=True, seen=seen)
        assert (stale.code, stale.fault) == ("superseded", Fault.CONFLICT)
    assert office.base.identity(identity) == before
    assert office.base.rebuilt() == office.base.states
    office.close(item)
    assert (office.base.identity(identity), office.kinds()) == (before, [])


def test_a_sender_is_told_that_what_was_held_of_it_is_offered_no_more(office):
    overlaid(office)
    again = cmd.RecordPatient(cmd.Patient((pi("1", GAM),), reliability=("PROV",), traits=TRAITS))
    assert "overlay-superseded" in [notice.code for notice in office.base.does(again).notices]
    count = len(office.base.journal)
    assert office.base.does(again).notices == ()
    assert len(office.base.journal) == count


@pytest.mark.parametrize(
    "message",
    [
        says,
        lambda office: says(office, details=cmd.DetailsAssertion(language="fr")),
        lambda office: says(office, cmd.TraitsAssertion(sex="F"), ("VALI",)),
        lambda office: says(office, TRAITS, ("PROV",), number="2"),
        lambda office: says(office, TRAITS, ("PROV",), number="9", authority=Authority("LAB")),
    ],
    ids=["nothing", "a language", "a part of the same", "another patient", "another authority"],
)
def test_an_overlay_stays_as_long_as_its_sender_does_not_contradict_it(office, message):
    overlaid(office)
    both = (pi("9", Authority("LAB")), pi("1", GAM))
    office.base.does(cmd.RecordPatient(cmd.Patient(both)))
    message(office)
    item = office.item("overlay")
    assert (item.superseded, item.messages, actions_of(item)) == (False, 1, ("apply", "close"))
    assert b"DURAND" in bytes(item.held)


def test_an_overlay_said_anew_after_it_was_contradicted_is_offered_to_who_saw_that(office):
    identity = overlaid(office)
    says(office, TRAITS, ("PROV",))
    office.told("1", LATER, status=("VALI",))
    item = office.item("overlay")
    assert (item.superseded, item.messages, item.held_since) == (False, 3, 3)
    assert refusal(office.close, item, apply=True, seen=2).code == "held-since"
    office.close(item, apply=True, seen=3)
    assert office.base.identity(identity).traits.birth_name == "DUBOIS"
    assert office.base.rebuilt() == office.base.states


def test_a_message_that_may_not_overwrite_contradicts_its_own_overlay_all_the_same(office):
    office.base.policy = Policy(trusted=frozenset({"HOSP"}))
    identity = overlaid(office)
    trusted = (pi("7", Authority("HOSP")), pi("1", GAM))
    office.base.does(cmd.RecordPatient(cmd.Patient(trusted, reliability=("VALI",), traits=TRAITS)))
    assert not office.item("overlay").superseded
    says(office, TRAITS, ("PROV",))
    assert office.item("overlay").superseded
    assert office.base.identity(identity).checked


def test_the_overlays_held_before_stay_in_the_journal(office):
    office.told("1")
    office.told("1", OTHER)
    first = bytes(office.item("overlay").held)
    office.told("1", LATER)
    [again] = [r.event for r in office.base.journal if isinstance(r.event, ev.WorkItemHeldAgain)]
    assert (bytes(again.before), bytes(again.held)) == (first, bytes(office.item("overlay").held))


def test_an_overlay_dropped_needs_no_count(office):
    identity = office.told("1")
    office.told("1", OTHER)
    office.told("1", LATER)
    office.close(office.item("overlay"))
    assert (office.base.identity(identity).traits.birth_name, office.kinds()) == ("MARTIN", [])


def test_the_latest_of_two_contrary_merges_held_is_the_one_applied():
    office = Office()
    hospital = Authority("HOSP")
    office.base.policy = Policy(own=frozenset({"INSIGNE"}), trusted=frozenset({"HOSP"}))
    for number in ("1", "2"):
        both = (Identifier("PI", hospital, number), Identifier("PI", GAM, number))
        office.base.does(cmd.RecordPatient(cmd.Patient(both, reliability=("PROV",), traits=TRAITS)))
    one, two = office.base.person("1").id, office.base.person("2").id
    office.a40("1", "2")
    office.a40("2", "1")
    item = office.item("merge-held")
    assert item.messages == 2
    assert refusal(office.close, item, apply=True).code == "held-since"
    office.close(item, apply=True, seen=2)
    assert (office.into(one), office.into(two)) == ("", one)


def test_all_the_movements_held_of_a_stay_are_applied_in_their_order(office):
    two = [office.told("1"), office.told("2")][1]
    office.base.does(admission("1"))
    for number, trigger in (("2", "A01"), ("3", "A02"), ("3", "A02"), ("4", "A03")):
        office.base.does(admission("2", trigger=trigger, movement=number))
    item = office.item("stay-of-another")
    assert (item.messages, item.held_since) == (4, 4)
    assert refusal(office.close, item, apply=True, seen=3).code == "held-since"
    office.close(item, apply=True, seen=4)
    [stay] = office.base.stays()
    assert (stay.identity, [m.id for m in stay.movements]) == (two, ["M-1", "M-2", "M-3", "M-4"])
    assert stay.status == "finished"
    assert office.base.rebuilt() == office.base.states


def test_a_stay_that_went_to_a_third_identity_is_not_taken_from_it(office):
    for number in ("1", "2", "3"):
        office.told(number)
    account = Identifier("AN", GAM, "A1")
    office.base.does(admission("1", account=account))
    office.base.does(admission("2"))
    item = office.item("stay-of-another")
    third = cmd.Patient((Identifier("PI", GAM, "3"),))
    office.base.does(cmd.MoveAccounts((cmd.MoveAccount(third, (Identifier("PI", GAM, "1"),), account),)))
    assert refusal(office.close, item, apply=True).code == "stay-moved"
    [stay] = office.base.stays()
    assert stay.identity == office.base.person("3").id
    office.close(item)
    assert office.kinds() == []


def test_the_cancellation_of_an_unknown_movement_keeps_no_other_movement_held(office):
    two = [office.told("1"), office.told("2")][1]
    office.base.does(admission("1"))
    for number, trigger, action in (("9", "A11", "CANCEL"), ("2", "A02", "INSERT")):
        office.base.does(admission("2", trigger=trigger, movement=number, action=action))
    office.close(office.item("stay-of-another"), apply=True, seen=2)
    [stay] = office.base.stays()
    assert (stay.identity, [m.id for m in stay.movements]) == (two, ["M-1", "M-2"])


def test_two_stays_of_another_are_two_items(office):
    office.told("1"), office.told("2")
    for visit in ("V1", "V2"):
        office.base.does(admission("1", visit))
        office.base.does(admission("2", visit))
    assert office.kinds() == ["stay-of-another", "stay-of-another"]


def admission(number, visit="V1", trigger="A01", movement="", action="INSERT", account=None):
    movement = cmd.MovementAssertion((f"M-{movement or number}",), trigger, action, "20260301")
    patient = cmd.Patient((Identifier("PI", GAM, number),), traits=TRAITS)
    return cmd.RecordMovement(patient, StayHeader(), (), Identifier("VN", GAM, visit), account, movement)


@pytest.mark.parametrize("apply", [True, False])
def test_a_movement_on_the_stay_of_another_takes_the_stay_or_is_dropped(office, apply):
    one, two = office.told("1"), office.told("2")
    office.base.does(admission("1"))
    office.base.does(admission("2"))
    office.close(office.item("stay-of-another"), apply=apply)
    [stay] = office.base.stays()
    assert stay.identity == (two if apply else one)
    assert [m.id for m in stay.movements] == (["M-1", "M-2"] if apply else ["M-1"])


def test_what_was_held_is_the_command_itself(office):
    office.told("1")
    office.told("1", OTHER)
    held = msgspec.json.decode(bytes(office.item("overlay").held), type=cmd.Patient)
    assert held.traits == OTHER
