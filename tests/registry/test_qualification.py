"""Qualifying our own identities: the transitions of the RNIV, the attributes, what is refused, and who is told."""

import itertools

import pytest
from msgspec.structs import replace

from insigne.ins.status import Status
from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry import events as ev
from insigne.registry.decision import Fault, Refused
from insigne.registry.settings import AuthoritySettings, Policy, RegistrySettings, policy
from insigne.registry.values import Authority, Identifier, Ins, NationalIns, Proof, Traits

from .conftest import Base

OURS = Authority("INSIGNE")
NIR, NIA, NIR_TEST = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10"
INS = Ins("280026912345674", NIR)
OTHER_INS = Ins("279016912345612", NIR)
NATIONAL = Traits("MARTIN", "", "ALICE MARIE JEANNE", "19800214", "F", "69123")
ANSWER = acts.NationalAnswer(INS, NATIONAL, (NationalIns("279026912345611", NIR, "2001-01-01", "2000-12-31"),), "c1")
PASSPORT = Proof("PA", high_trust=True, expiry="2031-01-01")
SEARCH = acts.PriorSearch((("birth_date", "1980-02-14"),), ())
LOCAL = cmd.TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "F", "69123")


class Desk:
    """A reception desk: acts on identities by their number, shows their status and open items."""

    def __init__(self, **settings) -> None:
        self.base = Base(Policy(own=frozenset({"INSIGNE"}), registry=RegistrySettings(**settings)))

    def create(self, number="1", traits=LOCAL, **more):
        act = acts.CreateIdentity(Identifier("PI", OURS, number), traits, cmd.DetailsAssertion(), SEARCH, **more)
        return self.base.acts(act).subject

    def at(self, status: Status, number="1", ins=INS):
        """An identity brought to a status by the shortest way."""
        identity = self.create(number)
        if status in (Status.VALI, Status.QUAL):
            self.prove(identity)
        if status in (Status.RECUP, Status.QUAL):
            self.accept(identity, acts.NationalAnswer(ins, NATIONAL))
        assert self.status(identity) == status
        return identity

    def prove(self, identity, proof=PASSPORT, version=0):
        return self.base.acts(acts.RecordProof(identity, version, proof))

    def accept(self, identity, answer=ANSWER, version=0, first=""):
        return self.base.acts(acts.AcceptIns(identity, version, answer, first))

    def edit(self, identity, version=0, **traits):
        return self.base.acts(acts.EditTraits(identity, version, cmd.TraitsAssertion(**traits), "as on the document"))

    def mark(self, identity, *attributes, version=0):
        return self.base.acts(acts.SetAttributes(identity, version, attributes, "told at the desk"))

    def verify(self, identity, verdict):
        return self.base.acts(acts.RecordVerification(identity, 0, verdict, "v1"))

    def ended(self, identity, outcome):
        return self.base.acts(acts.NoteInsiOutcome(identity, outcome, held=b'{"answer":1}', cause="x"))

    def status(self, identity):
        return self.base.identity(identity).status

    def items(self, identity=""):
        return sorted(item.kind for item in self.base.tasks() if not identity or identity in item.subjects)

    def reasons(self, identity):
        return [past.reason for past in self.base.identity(identity).ins_history]


@pytest.fixture
def desk():
    return Desk()


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value


# --- the 4 × 4 matrix: what brings each status to each other, and that nothing else does

P, R, V, Q = Status.PROV, Status.RECUP, Status.VALI, Status.QUAL
MOVES = {
    "document": lambda desk, i: desk.prove(i),
    "accept": lambda desk, i: desk.accept(i),
    "card": lambda desk, i: desk.base.acts(acts.QualifyByCard(i, 0, ANSWER)),
    "ko": lambda desk, i: desk.verify(i, "KO"),
    "ok": lambda desk, i: desk.verify(i, "OK"),
    "edit": lambda desk, i: desk.edit(i, birth_name="MARTINE"),
    "first name": lambda desk, i: desk.edit(i, first_given_name="ALICE-MARIE"),
    "DOUT": lambda desk, i: desk.mark(i, "DOUT"),
    "FICT": lambda desk, i: desk.mark(i, "FICT"),
    "HOMA": lambda desk, i: desk.mark(i, "HOMA"),
}
#: move → status after it, from PROV, RECUP, VALI and QUAL (RNIV §3.2: T2 to T10); None: refused.
MATRIX = {
    "document": (V, Q, V, Q),
    "accept": (R, R, Q, Q),
    "card": (Q, Q, Q, Q),
    "ko": (None, P, None, V),
    "ok": (None, R, None, Q),
    "edit": (P, P, P, P),
    "first name": (P, R, V, Q),
    "DOUT": (P, P, P, P),
    "FICT": (P, P, P, P),
    "HOMA": (P, R, V, Q),
}


@pytest.mark.parametrize(("move", "source"), list(itertools.product(MATRIX, Status)))
def test_each_move_leads_where_the_table_says(desk, move, source):
    identity = desk.at(source)
    before = desk.base.identity(identity)
    expected = MATRIX[move][list(Status).index(source)]
    if expected is None:
        refusal(MOVES[move], desk, identity)
        assert desk.base.identity(identity) == before
        return
    MOVES[move](desk, identity)
    after = desk.base.identity(identity)
    assert after.status == expected
    assert (after.ins is not None) == (expected in (R, Q))
    assert (after.proof is not None) == (expected in (V, Q))
    assert desk.base.rebuilt() == desk.base.states


def test_every_pair_of_statuses_that_the_rules_join_is_in_the_matrix():
    """None leads from VALI to RECUP, from RECUP to VALI, nor from PROV or RECUP backwards in any other way."""
    reached = {(source, row[list(Status).index(source)]) for row in MATRIX.values() for source in Status}
    assert reached - {(s, None) for s in Status} == {
        (P, P), (P, R), (P, V), (P, Q),
        (R, P), (R, R), (R, Q),
        (V, P), (V, V), (V, Q),
        (Q, P), (Q, V), (Q, Q),
    }  # fmt: skip


@pytest.mark.parametrize("move", ["document", "accept", "card"])
@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_doubtful_or_fictitious_identity_stays_provisional_whatever_is_tried(desk, move, attribute):
    identity = desk.at(P)
    desk.mark(identity, attribute)
    assert refusal(MOVES[move], desk, identity).fault is Fault.FORBIDDEN
    assert desk.status(identity) is P


@pytest.mark.parametrize(("setting", "expected"), [("VALI", V), ("PROV", P)])
def test_a_ko_leaves_the_document_check_or_not_as_the_site_chose(setting, expected):
    desk = Desk(verification_ko=setting)
    identity = desk.at(Q)
    desk.verify(identity, "KO")
    assert desk.status(identity) is expected
    assert desk.reasons(identity) == ["verification KO"]
    assert desk.items() == ["verification-ko"]
    assert desk.base.identity(identity).national.verdict == "KO"


def test_an_ok_dates_the_verification_and_closes_what_a_ko_had_raised(desk):
    identity = desk.at(Q)
    desk.verify(identity, "KO")
    desk.accept(identity)
    assert desk.items() == ["verification-ko"]
    desk.verify(identity, "OK")
    assert desk.items() == []
    assert desk.base.identity(identity).national.verified == desk.base.identity(identity).updated


# --- T1: creating


def test_a_created_identity_is_provisional_and_keeps_the_search_made_before_it(desk):
    first = desk.create("1")
    search = acts.PriorSearch((("birth_date", "1980-02-14"), ("name", "MAR")), (first,))
    act = acts.CreateIdentity(Identifier("PI", OURS, "2"), LOCAL, cmd.DetailsAssertion(), search)
    identity = desk.base.acts(act).subject
    assert desk.status(identity) is P
    made = [r.event for r in desk.base.journal if isinstance(r.event, ev.PriorSearchMade)][-1]
    assert (made.criteria, made.found) == (search.criteria, (first,))
    assert desk.items() == []


@pytest.mark.parametrize("missing", ["birth_name", "first_given_name", "birth_date", "sex", "birth_place"])
def test_no_identity_is_created_without_the_five_traits(desk, missing):
    traits = cmd.TraitsAssertion(**{name: "" if name == missing else getattr(LOCAL, name) for name in MANDATORY})
    assert missing in refusal(desk.create, traits=traits).text


MANDATORY = ("birth_name", "first_given_name", "birth_date", "sex", "birth_place")


def test_no_identity_is_created_without_a_search_nor_under_another_authority_nor_twice(desk):
    nothing = acts.PriorSearch((), ())
    act = acts.CreateIdentity(Identifier("PI", OURS, "1"), LOCAL, cmd.DetailsAssertion(), nothing)
    assert refusal(desk.base.acts, act).fault is Fault.REQUIRED
    act = acts.CreateIdentity(Identifier("PI", Authority("GAM"), "1"), LOCAL, cmd.DetailsAssertion(), SEARCH)
    assert "ri.authorities" in refusal(desk.base.acts, act).text
    desk.create("1")
    assert refusal(desk.create, "1").fault is Fault.DUPLICATE_KEY


def test_an_anonymous_stay_is_fictitious_from_its_first_moment(desk):
    identity = desk.create(attributes=("FICT",), reason="anonymous")
    assert desk.base.identity(identity).attributes == ("FICT",)
    assert desk.items() == []
    assert "DOUT+FICT" in refusal(desk.create, "2", attributes=("FICT", "DOUT")).text


def test_an_unknown_patient_and_a_newborn_are_to_be_completed(desk):
    unknown = desk.create("1", attributes=("DOUT",), reason="unconscious")
    newborn = desk.create("2", newborn=True)
    assert desk.items(unknown) == ["doubtful-to-lift"]
    assert desk.items(newborn) == ["newborn-to-complete"]
    desk.edit(newborn, first_given_name="ALICE", given_names="ALICE ROSE")
    assert desk.items(newborn) == []


def test_an_authority_of_ours_is_ours_by_any_of_its_names():
    known = AuthoritySettings(name="INSIGNE", oid="1.2.250.1.999.3", aliases=("RI",))
    rules = policy("production", (known,), RegistrySettings(), ("INSIGNE",))
    assert rules.own == {"INSIGNE", "RI", "1.2.250.1.999.3"}
    assert rules.trusts("1.2.250.1.999.3")


# --- T3, T5: accepting


def test_accepting_takes_the_traits_of_insi_its_history_and_the_trace(desk):
    identity = desk.create()
    desk.accept(identity)
    held = desk.base.identity(identity)
    assert held.traits == Traits("MARTIN", "ALICE", "ALICE MARIE JEANNE", "19800214", "F", "69123")
    assert held.ins.ins == INS
    assert held.national.history == ANSWER.history
    assert (held.national.mode, held.national.call, held.national.obtained) == ("INSI", "c1", held.updated)
    assert held.details.used_name == ""
    assert desk.items() == ["no-document"]
    desk.prove(identity)
    assert desk.items() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("birth_name", "DURAND"), ("birth_date", "19790214"), ("sex", "M"), ("given_names", "PAULE ALICE")],
)
def test_an_answer_about_somebody_else_is_refused_by_the_name_of_the_trait(desk, field, value):
    identity = desk.create()
    national = Traits(**{name: getattr(NATIONAL, name) for name in Traits.__struct_fields__} | {field: value})
    refused = refusal(desk.accept, identity, acts.NationalAnswer(INS, national))
    assert field in refused.text
    assert value not in refused.text
    assert desk.status(identity) is P


def test_a_refused_answer_leaves_the_reason_and_a_divergence_to_treat(desk):
    identity = desk.create()
    desk.ended(identity, "00")
    desk.base.acts(acts.RefuseIns(identity, 0, "c1", "her given names are in another order"))
    assert desk.items() == ["divergence"]
    assert desk.base.identity(identity).ins is None
    event = desk.base.journal[-3].event
    assert event == ev.NationalAnswerRefused("c1", "her given names are in another order")


def test_an_ins_of_another_environment_is_refused(desk):
    identity = desk.create()
    assert NIR_TEST in refusal(desk.accept, identity, acts.NationalAnswer(Ins("1" * 15, NIR_TEST), NATIONAL)).text


def test_a_birth_date_completed_here_or_incomplete_there_takes_no_ins():
    corrected = cmd.DetailsAssertion(birth_date_corrected="Y")
    desk = Desk()
    act = acts.CreateIdentity(Identifier("PI", OURS, "1"), LOCAL, corrected, SEARCH)
    assert "ZFD-4" in refusal(desk.accept, desk.base.acts(act).subject).text
    lunar = LOCAL.__class__("MARTIN", "ALICE", "ALICE MARIE", "19801300", "F", "69123")
    answer = acts.NationalAnswer(INS, Traits("MARTIN", "", "ALICE MARIE", "19801300", "F", "69123"))
    assert "incomplete" in refusal(desk.accept, desk.create("2", lunar), answer).text
    lenient = Desk(incomplete_answer="accept")
    identity = lenient.create("2", lunar)
    lenient.accept(identity, answer)
    assert lenient.status(identity) is R


def test_an_undetermined_sex_takes_no_ins(desk):
    traits = cmd.TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "I", "69123")
    assert "sex" in refusal(desk.accept, desk.create(traits=traits)).text


def test_a_nia_gives_way_to_the_nir_and_stays_in_the_history(desk):
    identity = desk.create()
    desk.accept(identity, acts.NationalAnswer(Ins("780026912345611", NIA), NATIONAL))
    desk.accept(identity)
    assert desk.base.identity(identity).ins.ins == INS
    assert desk.reasons(identity) == ["NIA became NIR"]


# --- the first birth given name (EXI ID 10)


@pytest.mark.parametrize("first", ["ALICE", "ALICE-MARIE", "ALICE MARIE"])
def test_the_first_given_name_is_chosen_among_the_beginnings_of_the_list(desk, first):
    identity = desk.create()
    desk.accept(identity, first=first)
    assert desk.base.identity(identity).traits.first_given_name == first


@pytest.mark.parametrize("first", ["MARIE", "ALI", "JEANNE"])
def test_a_first_given_name_that_does_not_begin_the_list_is_refused(desk, first):
    identity = desk.create()
    assert refusal(desk.accept, identity, first=first).fault is Fault.FORBIDDEN
    assert refusal(desk.edit, identity, first_given_name=first).fault is Fault.FORBIDDEN


def test_a_compound_name_is_kept_when_insi_writes_it_without_its_hyphen(desk):
    traits = cmd.TraitsAssertion("MARTIN", "ALICE-MARIE", "ALICE-MARIE", "19800214", "F", "69123")
    identity = desk.create(traits=traits)
    desk.accept(identity)
    assert desk.base.identity(identity).traits.first_given_name == "ALICE-MARIE"


def test_a_first_given_name_without_list_is_a_strict_trait_like_the_others(desk):
    traits = cmd.TraitsAssertion("MARTIN", "ALICE", "", "19800214", "F", "69123")
    identity = desk.create(traits=traits)
    desk.prove(identity)
    desk.edit(identity, first_given_name="PAULE")
    assert desk.status(identity) is P


def test_an_edit_keeps_its_reason_and_cannot_empty_a_trait(desk):
    identity = desk.at(Q)
    assert "birth_name" in refusal(desk.edit, identity, birth_name="").text
    desk.edit(identity, birth_name="MARTINE")
    [changed] = [r.event for r in desk.base.journal if isinstance(r.event, ev.TraitsChanged)][-1:]
    assert changed.reason == "as on the document"
    assert desk.reasons(identity) == ["strict trait edited"]
    count = len(desk.base.journal)
    desk.edit(identity, birth_name="MARTINE")
    assert len(desk.base.journal) == count


# --- documents


def test_a_document_of_low_trust_is_noted_and_validates_nothing(desk):
    identity = desk.create()
    desk.prove(identity, Proof("CM", high_trust=False))
    assert desk.status(identity) is P
    assert desk.base.identity(identity).proof.proof.type == "CM"


def test_a_document_of_low_trust_does_not_hide_the_one_the_status_rests_on(desk):
    identity = desk.at(V)
    desk.prove(identity, Proof("CM", high_trust=False))
    assert desk.base.identity(identity).proof.proof == PASSPORT
    assert desk.status(identity) is V


def test_an_expired_document_waits_for_a_valid_one(desk):
    identity = desk.create()
    desk.prove(identity, Proof("CN", high_trust=False, expiry="2025-12-31"))
    assert desk.items() == ["expired-document"]
    desk.prove(identity)
    assert (desk.items(), desk.status(identity)) == ([], V)


# --- the 8 sets of attributes (EXI ID 24)

SETS = [set(found) for size in range(4) for found in itertools.combinations(("HOMA", "DOUT", "FICT"), size)]


@pytest.mark.parametrize("wanted", SETS, ids=lambda found: "+".join(sorted(found)) or "none")
@pytest.mark.parametrize("source", Status)
def test_only_the_sets_of_the_rniv_may_be_set(desk, wanted, source):
    identity = desk.at(source)
    if wanted in (set(), {"HOMA"}, {"DOUT"}, {"FICT"}, {"DOUT", "HOMA"}):
        desk.mark(identity, *wanted)
        held = desk.base.identity(identity)
        assert set(held.attributes) == wanted
        assert held.status is (P if wanted & {"DOUT", "FICT"} else source)
        assert desk.items(identity).count("doubtful-to-lift") == ("DOUT" in wanted)
    else:
        assert refusal(desk.mark, identity, *wanted).fault is Fault.FORBIDDEN
        assert desk.status(identity) is source


def test_lifting_the_doubt_restores_nothing_and_closes_its_item(desk):
    identity = desk.at(Q)
    desk.mark(identity, "DOUT", "HOMA")
    assert desk.reasons(identity) == ["attribute DOUT+HOMA"]
    desk.mark(identity, "HOMA")
    held = desk.base.identity(identity)
    assert (held.status, held.attributes, desk.items()) == (P, ("HOMA",), [])
    desk.accept(identity)
    assert desk.status(identity) is R


# --- the ends of searches


def test_each_end_of_a_search_calls_for_its_own_work(desk):
    identity = desk.create()
    for outcome, kind in (("01", "insi-01"), ("02", "insi-02"), ("00", "to-compare")):
        desk.ended(identity, outcome)
        desk.ended(identity, outcome)
        assert desk.items() == [kind]


def test_an_answer_waiting_for_a_person_outlives_an_outage(desk):
    identity = desk.create()
    desk.ended(identity, "00")
    desk.ended(identity, "waiting")
    assert desk.items() == ["insi-waiting", "to-compare"]
    desk.accept(identity)
    assert desk.items() == ["no-document"]


def test_the_last_answer_alone_is_to_be_compared(desk):
    identity = desk.create()
    desk.ended(identity, "00")
    desk.base.acts(acts.NoteInsiOutcome(identity, "00", held=b'{"answer":2}'))
    [item] = desk.base.tasks()
    assert bytes(item.held) == b'{"answer":2}'


def test_an_outcome_about_an_identity_merged_meanwhile_is_dropped(desk):
    one, two = desk.create("1"), desk.create("2")
    desk.base.acts(acts.MergeIdentities(one, two, "same person"))
    desk.ended(two, "01")
    assert desk.items() == []


# --- T7: Data Matrix


def test_a_scanned_ins_waits_for_insi_and_changes_nothing(desk):
    for source, number in ((P, "1"), (V, "2")):
        identity = desk.at(source, number)
        before = desk.base.identity(identity)
        desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
        after = desk.base.identity(identity)
        assert (after.status, after.ins, after.traits) == (source, None, before.traits)
        assert (after.national.candidate, after.national.candidate_traits) == (INS, NATIONAL)


@pytest.mark.parametrize(("source", "expected"), [(P, R), (V, Q)])
def test_a_scanned_ins_that_insi_verifies_is_taken_with_its_traits(desk, source, expected):
    identity = desk.at(source)
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    desk.verify(identity, "OK")
    held = desk.base.identity(identity)
    assert (held.status, held.ins.ins, held.national.candidate) == (expected, INS, None)
    assert (held.traits.given_names, held.traits.first_given_name) == ("ALICE MARIE JEANNE", "ALICE")
    assert (held.national.mode, held.national.verdict) == ("CB", "OK")


def test_a_scanned_ins_that_insi_denies_is_forgotten(desk):
    identity = desk.at(V)
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    desk.verify(identity, "KO")
    held = desk.base.identity(identity)
    assert (held.status, held.ins, held.national.candidate) == (V, None, None)
    assert desk.items() == ["verification-ko"]


def test_a_symbol_of_somebody_else_or_of_a_qualified_identity_is_refused(desk):
    identity = desk.at(P)
    stranger = acts.NationalAnswer(OTHER_INS, Traits("DURAND", "", "PAUL", "19790101", "M", "69123"))
    assert "birth_name" in refusal(desk.base.acts, acts.ReadDataMatrix(identity, 0, stranger)).text
    qualified = desk.at(Q, "2")
    assert refusal(desk.base.acts, acts.ReadDataMatrix(qualified, 0, ANSWER)).fault is Fault.FORBIDDEN


def test_a_scanned_ins_is_not_taken_once_the_traits_were_changed(desk):
    identity = desk.at(P)
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    desk.edit(identity, birth_name="DURAND")
    assert refusal(desk.verify, identity, "OK").fault is Fault.FORBIDDEN


def told(desk, *status):
    """What a feed of our authority says of the identity."""
    desk.base.does(cmd.RecordPatient(cmd.Patient((Identifier("PI", OURS, "1"),), reliability=status, traits=LOCAL)))


@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
@pytest.mark.parametrize("by", ["person", "feed"])
def test_an_ins_read_on_a_symbol_does_not_outlive_a_doubtful_or_fictitious_identity(desk, attribute, by):
    """EXI ID 26: matricule and OID are invalidated; once the doubt is lifted the cycle starts again."""
    identity = desk.create()
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    if by == "person":
        desk.mark(identity, attribute)
    else:
        told(desk, "PROV", attribute)
    held = desk.base.identity(identity)
    assert (held.read_ins, held.national.candidate_traits) == (None, Traits())
    if by == "person":
        desk.mark(identity)
    else:
        told(desk, "PROV")
    assert refusal(desk.verify, identity, "OK").code == "no-ins"
    assert (desk.status(identity), desk.base.identity(identity).ins) == (P, None)
    assert desk.base.rebuilt() == desk.base.states
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))  # the person is there again
    desk.verify(identity, "OK")
    assert desk.status(identity) is R


@pytest.mark.parametrize("lift", [lambda desk, i: desk.mark(i, "HOMA"), lambda desk, _: told(desk, "PROV")])
def test_an_ins_that_an_earlier_release_kept_under_a_doubt_is_dropped_with_it(desk, lift):
    identity = desk.create()
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    kept = desk.base.identity(identity).national
    desk.mark(identity, "DOUT")
    desk.base.states["identity", identity] = replace(desk.base.identity(identity), national=kept)
    lift(desk, identity)
    assert desk.base.identity(identity).read_ins is None


def test_an_ins_read_on_a_symbol_stays_under_what_bars_no_ins(desk):
    identity = desk.create()
    desk.base.acts(acts.ReadDataMatrix(identity, 0, ANSWER))
    desk.mark(identity, "HOMA")
    told(desk, "PROV")
    assert desk.base.identity(identity).read_ins == INS


# --- T6: Application carte Vitale


def test_the_application_carte_vitale_is_recorded_as_the_proof(desk):
    identity = desk.create()
    desk.base.acts(acts.QualifyByCard(identity, 0, ANSWER))
    held = desk.base.identity(identity)
    assert (held.status, held.proof.proof.type, held.national.mode) == (Q, "AV", "AV")
    assert desk.items() == []


@pytest.mark.parametrize("matricule", ["ABC", "2800269123456", "2800269123456 74"])
def test_a_card_gives_no_ins_that_is_not_a_matricule(desk, matricule):
    identity = desk.create()
    with pytest.raises(Refused, match="matricule"):
        desk.base.acts(acts.QualifyByCard(identity, 0, acts.NationalAnswer(Ins(matricule, NIR), NATIONAL)))
    assert desk.base.identity(identity).status == P


def test_a_card_and_a_symbol_keep_the_national_history_that_insi_gave(desk):
    identity = desk.create()
    desk.accept(identity)
    desk.base.acts(acts.QualifyByCard(identity, 0, replace(ANSWER, history=())))
    assert desk.base.identity(identity).national.history == ANSWER.history
    desk.accept(identity, replace(ANSWER, history=()))
    assert desk.base.identity(identity).national.history == ()


@pytest.mark.parametrize("verdict", ["OK", "KO"])
def test_an_ins_that_a_feed_gave_is_not_replaced_by_one_read_before_on_a_symbol(desk, verdict):
    identity = desk.create()
    desk.base.acts(acts.ReadDataMatrix(identity, 0, replace(ANSWER, ins=OTHER_INS, mode="CB")))
    patient = cmd.Patient(
        (Identifier("PI", OURS, "1"),),
        ins=(INS,),
        reliability=("VALI",),
        traits=replace(LOCAL, given_names="ALICE MARIE"),
    )
    desk.base.does(cmd.RecordPatient(patient))
    assert desk.base.identity(identity).ins.ins == INS
    desk.verify(identity, verdict)
    after = desk.base.identity(identity)
    assert after.ins is None if verdict == "KO" else after.ins.ins == INS
    assert OTHER_INS not in [past.ins for past in after.ins_history]


def test_the_national_history_of_an_ins_does_not_pass_to_another_one(desk):
    """It may be somebody else's: the former INS may have been wrong."""
    identity = desk.create()
    desk.accept(identity)
    assert ANSWER.history
    desk.base.acts(acts.QualifyByCard(identity, 0, replace(ANSWER, ins=OTHER_INS, history=())))
    held = desk.base.identity(identity)
    assert (held.ins.ins, held.national.history) == (OTHER_INS, ())


# --- the same INS on two identities


@pytest.fixture
def two_holders(desk):
    """The first of two people is qualified with an INS that the second one holds too."""
    first = desk.at(Q, "1")
    second = desk.create("2")
    desk.prove(second)
    desk.accept(second)
    assert (desk.status(first), desk.status(second)) == (Q, V)
    assert desk.items() == ["same-ins"]
    return first, second


LOSSES = {
    "edit": lambda desk, first: desk.edit(first, birth_name="MARTINE"),
    "DOUT": lambda desk, first: desk.mark(first, "DOUT"),
    "FICT": lambda desk, first: desk.mark(first, "FICT"),
    "verification KO": lambda desk, first: desk.base.acts(acts.RecordVerification(first, 0, "KO", "c9")),
    "another INS": lambda desk, first: desk.accept(first, replace(ANSWER, ins=Ins("280026912345998", NIR))),
    "merged into a third": lambda desk, first: desk.base.acts(acts.MergeIdentities(desk.create("3"), first, "same")),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_what_takes_an_ins_from_the_first_holder_qualifies_the_second_only_once_a_person_confirms(
    desk, two_holders, loss
):
    first, second = two_holders
    loss(desk, first)
    assert desk.status(second) is V
    assert desk.base.identity(second).ins.contested
    assert "same-ins" not in desk.items()
    item = next(item for item in desk.base.tasks() if item.kind == "ins-to-confirm")
    assert item.subjects == (second,)
    with pytest.raises(Refused, match="waits to be confirmed"):
        desk.base.acts(acts.CloseWorkItem(item.id, "seen"))
    assert desk.base.acts(acts.CloseWorkItem(item.id, "seen with her passport", apply=True)).subject == second
    assert desk.status(second) is Q
    assert "ins-to-confirm" not in desk.items()
    assert desk.base.rebuilt() == desk.base.states


def test_an_answer_of_insi_accepted_again_confirms_the_ins_too(desk, two_holders):
    first, second = two_holders
    desk.mark(first, "DOUT")
    desk.accept(second)
    assert desk.status(second) is Q
    assert "ins-to-confirm" not in desk.items()


def test_an_ins_to_confirm_is_nobodys_while_a_third_one_holds_it(desk, two_holders):
    first, second = two_holders
    third = desk.create("3")
    desk.prove(third)
    desk.accept(third)
    desk.mark(first, "DOUT")
    item = next(item for item in desk.base.tasks() if item.key == f"ins-to-confirm|{second}")
    with pytest.raises(Refused, match="another identity holds this INS"):
        desk.base.acts(acts.CloseWorkItem(item.id, "seen", apply=True))
    desk.edit(third, birth_name="MARTINE")
    assert (desk.status(second), desk.status(third)) == (V, P)
    assert [item.subjects for item in desk.base.tasks() if item.kind == "ins-to-confirm"] == [(second,)]


def test_the_first_holder_who_takes_its_ins_back_finds_it_contested(desk, two_holders):
    first, second = two_holders
    desk.mark(first, "DOUT")
    desk.mark(first)
    desk.prove(first)
    desk.accept(first)
    assert (desk.status(first), desk.status(second)) == (V, V)
    item = next(item for item in desk.base.tasks() if item.kind == "ins-to-confirm")
    with pytest.raises(Refused, match="another identity holds this INS"):
        desk.base.acts(acts.CloseWorkItem(item.id, "seen", apply=True))
    desk.base.acts(acts.MergeIdentities(first, second, "same person"))
    assert desk.status(first) is Q
    assert not {"ins-to-confirm", "same-ins"} & set(desk.items())


def test_an_ins_to_confirm_that_its_holder_lost_waits_for_nobody(desk, two_holders):
    first, second = two_holders
    desk.mark(first, "DOUT")
    desk.edit(second, birth_name="MARTINE")
    assert desk.items() == ["doubtful-to-lift"]


# --- two people at once, others' identities


ACTS = {
    "accept": lambda desk, i, version: desk.accept(i, version=version),
    "document": lambda desk, i, version: desk.prove(i, version=version),
    "edit": lambda desk, i, version: desk.edit(i, version=version, birth_name="MARTINE"),
    "attribute": lambda desk, i, version: desk.mark(i, "DOUT", version=version),
    "card": lambda desk, i, version: desk.base.acts(acts.QualifyByCard(i, version, ANSWER)),
    "refuse": lambda desk, i, version: desk.base.acts(acts.RefuseIns(i, version, "c1", "no")),
    "scan": lambda desk, i, version: desk.base.acts(acts.ReadDataMatrix(i, version, ANSWER)),
    "details": lambda desk, i, version: desk.base.acts(
        acts.EditDetails(i, version, cmd.DetailsAssertion(used_name="DUPONT"))
    ),
}


@pytest.mark.parametrize("first", ACTS)
@pytest.mark.parametrize("second", ACTS)
def test_of_two_people_who_saw_the_same_identity_the_second_is_told(desk, first, second):
    identity = desk.create()
    seen = desk.base.identity(identity).version
    ACTS[first](desk, identity, seen)
    won = desk.base.identity(identity)
    assert refusal(ACTS[second], desk, identity, seen).fault is Fault.CONFLICT
    assert desk.base.identity(identity) == won


@pytest.mark.parametrize("act", ACTS)
def test_what_another_repository_owns_and_what_was_merged_is_not_changed_here(desk, act):
    desk.base.does(cmd.RecordPatient(cmd.Patient((Identifier("PI", Authority("GAM"), "1"),), traits=LOCAL)))
    theirs = desk.base.person("1").id
    assert refusal(ACTS[act], desk, theirs, 0).fault is Fault.FORBIDDEN
    one, two = desk.create("11"), desk.create("12")
    desk.base.acts(acts.MergeIdentities(one, two, "same person"))
    assert refusal(ACTS[act], desk, two, 0).fault is Fault.UNKNOWN_KEY
    assert refusal(ACTS[act], desk, "nobody", 0).fault is Fault.UNKNOWN_KEY


def test_complementary_traits_change_no_status_and_nobody_fills_them_but_people(desk):
    identity = desk.at(Q)
    desk.base.acts(acts.EditDetails(identity, 0, cmd.DetailsAssertion(used_name="DUPONT")))
    held = desk.base.identity(identity)
    assert (held.status, held.details.used_name, held.traits.birth_name) == (Q, "DUPONT", "MARTIN")
