"""The official test people and scenarios 2.03 to 2.08, by the product's own client and queue, through TLS.

Expected values: public traces and conformity fixtures of the téléservice. In vendor mode nobody found is a technical
fault, at which a search stops: the question then stays in the queue and the identity as it was.
"""

import json
import shutil
from contextlib import closing

import msgspec
import pytest

from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.app.insi import insi_service
from insigne.config import load, store_url
from insigne.ins.matricule import NIA_OID, NIR_OID
from insigne.insi.outcomes import HeldAnswer
from insigne.registry.acts import AcceptIns, CreateIdentity, EditTraits, PriorSearch, RecordProof
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.decision import Refused
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Proof
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.engine import DEFAULT_IDAM
from insigne.simulate.insi.running import running
from insigne.simulate.insi.simulator import SimulatorSettings
from insigne.store import upgrade
from insigne.store.insi import CallFilter

CLAIRE = "user:claire"
MODES = ["production", "vendor"]
UNKNOWN_PLACE = "99999"
AUVERGNE = "63220"
PASSPORT = Proof(type="PA", high_trust=True)

# Birth name, first given name, sex, birth date, COG → matricule, OID, list of given names.
ANSWERED = [
    ("D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN", "M", "2001-06-17", AUVERGNE,
     "101066322075460", NIR_OID, "PIERRE-ALAIN GUNTHER"),
    ("ADRTROIS", "TOUSSAINT", "M", "1960-01-01", "2B020", "160012B02077713", NIR_OID, "TOUSSAINT"),
    # INSi answers 2A020, which is no commune of the COG: nobody can have entered it.
    ("ADRTROIS", "DOMINIQUE", "F", "1997-02-26", UNKNOWN_PLACE, "297022A02077878", NIR_OID, "DOMINIQUE"),
    ("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", AUVERGNE,
     "109076322083489", NIR_OID, "PIERRE-ALAIN MURIEL FLORIANT"),
    ("PROVISOIRE", "MATRICULE", "M", "2009-07-01", AUVERGNE, "109076322088835", NIA_OID, "MATRICULE"),
    ("DE VINCI", "LEONARDO", "M", "2014-02-01", AUVERGNE, "114026322083356", NIR_OID, "LEONARDO PIERO"),
    ("TCHITCHI", "CATARINA", "F", "1936-06-21", AUVERGNE, "236066322083656", NIR_OID, "CATARINA BELLA"),
    ("CORSE", "ANTHONY", "M", "1980-03-02", "2B020", "180032B02040123", NIR_OID, "ANTHONY"),
    ("HERMANN", "GATIEN", "M", "1981-03-24", AUVERGNE, "181036322045660", NIR_OID, "GATIEN"),
    ("NESSI", "NATHALIE", "F", "1977-07-14", AUVERGNE, "277076322082910", NIR_OID, "NATHALIE"),
    ("NESSI", "MICHELANGELO", "M", "2010-08-07", AUVERGNE, "110086322083060", NIR_OID, "MICHELANGELO ANTHONY"),
    ("ADRUN", "ZOE", "F", "1975-12-31", AUVERGNE, "275126322074974", NIR_OID, "ZOE"),
    ("ADRDEUX", "LAURENT", "M", "1981-01-01", AUVERGNE, "181016322075140", NIR_OID, "LAURENT"),
]  # fmt: skip


class Desk:
    """A référentiel d'identités and the person who works at it."""

    def __init__(self, base):
        self.base = base
        self.service = insi_service(base, automatic=False)
        self._numbers = iter(range(1, 1000))

    def close(self):
        self.service.close()
        self.base.close()

    def act(self, act):
        return self.base.registrar.act(act, Source(rfc3339_now(), CLAIRE, "user", "claire", local=True)).subject

    def create(self, birth_name, given_names, sex, birth_date, place=UNKNOWN_PLACE):
        """Create an identity; the first word of the list is the first given name."""
        number = Identifier("PI", Authority("INSIGNE"), str(next(self._numbers)))
        traits = self.traits(birth_name, given_names, sex, birth_date, place)
        return self.act(
            CreateIdentity(number, traits, DetailsAssertion(), PriorSearch((("birth_name", birth_name),), ()))
        )

    @staticmethod
    def traits(birth_name, given_names, sex, birth_date, place):
        first = given_names.partition(" ")[0]
        return TraitsAssertion(birth_name, first, given_names, birth_date.replace("-", ""), sex, place)

    def retrieve(self, identity):
        return self.service.ask_now(identity, "retrieve", CLAIRE)

    def held(self, identity):
        """What INSi answered and waits for a person."""
        with self.base.store.read() as view:
            return msgspec.json.decode(
                bytes(view.work_item(view.open_work_item(f"to-compare|{identity}")).held), type=HeldAnswer
            )

    def accept(self, identity):
        self.act(AcceptIns(identity, self.identity(identity).version, self.held(identity).answer))

    def identity(self, identity):
        with self.base.store.read() as view:
            return view.identity(identity)

    def status(self, identity):
        return str(self.identity(identity).status)

    def ins(self, identity):
        held = self.identity(identity).ins
        return (held.ins.matricule, held.ins.oid) if held is not None else None

    def history(self, identity):
        """The past INS that INSi gave, as received: matricule and period."""
        return [(past.matricule, past.start, past.end) for past in self.identity(identity).national.history]

    def work(self, identity):
        """The kinds of the work items open about an identity."""
        kinds = ("to-compare", "insi-01", "insi-02", "insi-waiting", "divergence", "no-document", "same-ins")
        with self.base.store.read() as view:
            return [kind for kind in kinds if view.open_work_item(f"{kind}|{identity}")]

    def calls(self, identity):
        """Given name(s) asked about, place and code of each call traced, in order."""
        with self.base.store.read() as view:
            traced = [view.call(one.id) for one in view.calls(CallFilter(identity=identity))]
        assert all(call.raw and call.author == CLAIRE and call.mode == "INSI-MANU" for call in traced)
        asked = [(json.loads(call.criteria), call.code) for call in reversed(traced)]
        return [(criteria["given_name"], criteria["birth_place"], code) for criteria, code in asked]


@pytest.fixture(scope="module")
def nation(tmp_path_factory):
    """The téléservice, over TLS."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("nation"))) as service:
        yield service


@pytest.fixture(scope="module")
def site(nation, tmp_path_factory):
    """The configuration of a site that calls it, and an empty base to copy."""
    ready, folder = nation.ready, tmp_path_factory.mktemp("site")
    keys = {"endpoint": ready["url"], "idam": DEFAULT_IDAM, "rate": 1000, "burst": 100}
    for table, name in (("tls", "INSI-MANU"), ("auto_tls", "INSI-AUTO")):
        client = ready["clients"][name]
        keys |= {f"{table}.ca_file": ready["ca"]}
        keys |= {f"{table}.cert_file": client["cert"], f"{table}.key_file": client["key"]}
    settings = [f"insi.{key}={value}" for key, value in keys.items()]
    upgrade(store_url(load(None, settings, {}, folder)))
    return settings, folder


@pytest.fixture
def desk(site, tmp_path):
    settings, template = site
    folder = tmp_path / "data"
    shutil.copytree(template, folder)
    with closing(Desk(open_base(load(None, settings, {}, folder), wait=5.0))) as one:
        yield one


@pytest.fixture
def play(nation):
    """`play(mode, BIRTH_NAME=fixture)` sets how the téléservice answers, until the end of the test."""

    def setting(mode, **fixtures):
        nation.call(lambda: nation.simulator.control.change(Change(mode=mode, fixtures=fixtures)))

    yield setting
    setting("production")


def qualify(desk, identity, matricule, oid):
    """From an answer that waits to a qualified identity, the status being right after each step."""
    assert (desk.status(identity), desk.ins(identity)) == ("PROV", None)
    assert desk.work(identity) == ["to-compare"]
    desk.accept(identity)
    assert (desk.status(identity), desk.ins(identity)) == ("RECUP", (matricule, oid))
    assert desk.work(identity) == ["no-document"]
    desk.act(RecordProof(identity, desk.identity(identity).version, PASSPORT))
    assert (desk.status(identity), desk.ins(identity)) == ("QUAL", (matricule, oid))
    assert desk.work(identity) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("person", ANSWERED, ids=lambda one: f"{one[0]}-{one[1]}")
def test_each_test_person_gives_their_answer_and_is_qualified_by_a_document(desk, play, mode, person):
    *traits, matricule, oid, given_names = person
    play(mode, PROVISOIRE="2.05")
    identity = desk.create(*traits)
    assert desk.status(identity) == "PROV"
    job = desk.retrieve(identity)
    assert (job.state, job.outcome) == ("done", "00")
    assert desk.held(identity).answer.traits.given_names == given_names
    qualify(desk, identity, matricule, oid)
    held = desk.identity(identity)
    assert (held.traits.first_given_name, held.traits.given_names) == (traits[1], given_names)
    assert held.national.mode == "INSI"


@pytest.mark.parametrize("mode", MODES)
def test_a_validated_identity_is_qualified_as_soon_as_its_ins_is_accepted(desk, play, mode):
    play(mode)
    identity = desk.create("ADRUN", "ZOE", "F", "1975-12-31", AUVERGNE)
    desk.act(RecordProof(identity, 0, PASSPORT))
    assert desk.status(identity) == "VALI"
    desk.retrieve(identity)
    assert desk.status(identity) == "VALI"
    desk.accept(identity)
    assert (desk.status(identity), desk.ins(identity)) == ("QUAL", ("275126322074974", NIR_OID))


@pytest.mark.parametrize("mode", MODES)
class TestScenariosTheSameInBothModes:
    @pytest.mark.parametrize("place", [UNKNOWN_PLACE, AUVERGNE])
    def test_2_03_case_1_apostrophes_spaces_and_hyphen_with_and_without_cog(self, desk, play, mode, place):
        play(mode)
        identity = desk.create("D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN", "M", "2001-06-17", place)
        assert desk.retrieve(identity).outcome == "00"
        assert desk.calls(identity) == [("PIERRE-ALAIN", "", "00")]

    def test_2_03_case_2_corsica(self, desk, play, mode):
        play(mode)
        identity = desk.create("ADRTROIS", "TOUSSAINT", "M", "1960-01-01", "2B020")
        desk.retrieve(identity)
        qualify(desk, identity, "160012B02077713", NIR_OID)

    def test_2_04_case_1_one_past_ins_whose_period_ends_before_it_begins_is_kept(self, desk, play, mode):
        play(mode)
        identity = desk.create("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "109076322083489", NIR_OID)
        assert desk.history(identity) == [("209076322083439", "2019-03-01", "2019-02-28")]

    def test_2_04_case_2_two_past_ins_with_the_dates_first(self, desk, play, mode):
        play(mode, ECETINSI="2.04-2")
        identity = desk.create("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "109076322083489", NIR_OID)
        assert [matricule for matricule, *_ in desk.history(identity)] == ["209076322083439", "209066322012355"]

    def test_1_10_a_nia_gives_way_to_the_nir_that_follows(self, desk, play, mode):
        play(mode, ECETINSI="1.10")
        identity = desk.create("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "109076322083489", NIA_OID)
        play(mode)
        desk.retrieve(identity)
        desk.accept(identity)
        assert (desk.status(identity), desk.ins(identity)) == ("QUAL", ("109076322083489", NIR_OID))
        [past] = desk.identity(identity).ins_history
        assert (past.ins.oid, past.reason) == (NIA_OID, "NIA became NIR")

    def test_2_06_case_1_several_people_without_cog_wait_for_a_person(self, desk, play, mode):
        play(mode)
        identity = desk.create("DE VINCI", "LEONARDO", "M", "2014-02-01")
        job = desk.retrieve(identity)
        assert (job.state, job.outcome) == ("done", "02")
        assert desk.calls(identity) == [("LEONARDO", "", "02")]
        assert (desk.status(identity), desk.work(identity)) == ("PROV", ["insi-02"])

    def test_2_06_case_2_the_cog_tells_them_apart(self, desk, play, mode):
        play(mode)
        identity = desk.create("DE VINCI", "LEONARDO", "M", "2014-02-01", AUVERGNE)
        desk.retrieve(identity)
        assert desk.calls(identity) == [("LEONARDO", "", "02"), ("LEONARDO", AUVERGNE, "00")]
        qualify(desk, identity, "114026322083356", NIR_OID)

    def test_2_07_case_2_nobody_in_four_attempts_with_the_fixture(self, desk, play, mode):
        play(mode, HOUILLES="REP_CR01")
        identity = desk.create("HOUILLES", "PIERRE PAUL JACQUES", "M", "1993-01-27")
        assert desk.retrieve(identity).outcome == "01"
        names = ["PIERRE", "PAUL", "JACQUES", "PIERRE PAUL JACQUES"]
        assert desk.calls(identity) == [(name, "", "01") for name in names]
        assert (desk.status(identity), desk.work(identity)) == ("PROV", ["insi-01"])

    def test_2_08_case_1_the_active_ins_among_the_past_ones_is_kept_as_received(self, desk, play, mode):
        play(mode)
        identity = desk.create("CORSE", "ANTHONY", "M", "1980-03-02", "2B020")
        desk.retrieve(identity)
        qualify(desk, identity, "180032B02040123", NIR_OID)
        assert [matricule for matricule, *_ in desk.history(identity)] == ["180032B02040123"]

    def test_2_08_case_2_keys_that_fail_the_check_are_taken_as_returned(self, desk, play, mode):
        play(mode)
        identity = desk.create("HERMANN", "GATIEN", "M", "1981-03-24", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "181036322045660", NIR_OID)
        assert [matricule for matricule, *_ in desk.history(identity)] == ["181036322045660", "281036322045610"]

    def test_2_08_case_2_asked_as_herman_is_another_name_which_nobody_accepts(self, desk, play, mode):
        play(mode)
        identity = desk.create("HERMAN", "GATIEN", "M", "1981-03-24", AUVERGNE)
        assert desk.retrieve(identity).outcome == "00"
        assert desk.held(identity).answer.ins.matricule == "181036322045660"
        with pytest.raises(Refused, match="birth_name"):
            desk.accept(identity)
        assert (desk.status(identity), desk.ins(identity)) == ("PROV", None)


class TestScenariosInProduction:
    def test_2_03_case_3_ligatures_are_written_in_letters_and_nobody_is_found(self, desk, play):
        play("production")
        identity = desk.create("D'ÆION", "CŒUR", "M", "1987-01-01")
        assert desk.retrieve(identity).outcome == "01"
        assert desk.calls(identity) == [("COEUR", "", "01")]
        assert (desk.status(identity), desk.work(identity)) == ("PROV", ["insi-01"])

    def test_2_05_a_nia_qualifies_as_well(self, desk, play):
        play("production")
        identity = desk.create("PROVISOIRE", "MATRICULE", "M", "2009-07-01", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "109076322088835", NIA_OID)

    def test_2_07_case_1_found_by_the_second_given_name_and_accepted_once_the_first_is_corrected(self, desk, play):
        play("production")
        asked = ("TCHITCHI", "OLA CATARINA BELLA", "F", "1936-06-21", AUVERGNE)
        identity = desk.create(*asked)
        assert desk.retrieve(identity).outcome == "00"
        assert desk.calls(identity) == [("OLA", "", "01"), ("CATARINA", "", "00")]
        with pytest.raises(Refused, match="first_given_name"):
            desk.accept(identity)
        right = desk.traits("TCHITCHI", "CATARINA BELLA", *asked[2:])
        desk.act(EditTraits(identity, desk.identity(identity).version, right, "acte de naissance"))
        desk.retrieve(identity)
        qualify(desk, identity, "236066322083656", NIR_OID)

    def test_2_07_case_2_nobody_in_four_attempts(self, desk, play):
        play("production")
        identity = desk.create("HOUILLES", "PIERRE PAUL JACQUES", "M", "1993-01-27", AUVERGNE)
        assert desk.retrieve(identity).outcome == "01"
        assert [code for *_, code in desk.calls(identity)] == ["01"] * 4
        assert (desk.status(identity), desk.work(identity)) == ("PROV", ["insi-01"])


class TestScenariosInVendorMode:
    """The search stops at the first fault: the question waits in the queue, nothing is concluded."""

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            (("D'ÆION", "CŒUR", "M", "1987-01-01"), "COEUR"),
            (("PROVISOIRE", "MATRICULE", "M", "2009-07-01", AUVERGNE), "MATRICULE"),
            (("TCHITCHI", "OLA CATARINA BELLA", "F", "1936-06-21", AUVERGNE), "OLA"),
            (("HOUILLES", "PIERRE PAUL JACQUES", "M", "1993-01-27"), "PIERRE"),
        ],
        ids=["2.03-3", "2.05", "2.07-1", "2.07-2"],
    )
    def test_the_first_attempt_ends_in_the_fault_and_the_question_waits(self, desk, play, asked, given):
        play("vendor")
        identity = desk.create(*asked)
        job = desk.retrieve(identity)
        assert (job.state, job.error, job.outcome) == ("waiting", "insi_102", "")
        assert job.due > job.created
        assert desk.calls(identity) == [(given, "", "insi_102")]
        assert (desk.status(identity), desk.work(identity)) == ("PROV", [])

    def test_2_05_is_found_when_its_fixture_is_chosen(self, desk, play):
        play("vendor", PROVISOIRE="2.05")
        identity = desk.create("PROVISOIRE", "MATRICULE", "M", "2009-07-01", AUVERGNE)
        desk.retrieve(identity)
        qualify(desk, identity, "109076322088835", NIA_OID)

    def test_the_question_that_waited_is_answered_when_it_is_asked_again(self, desk, play):
        play("vendor")
        identity = desk.create("TCHITCHI", "CATARINA OLA", "F", "1936-06-21", AUVERGNE)
        play("vendor", TCHITCHI="REP_INSI_102")
        waiting = desk.retrieve(identity)
        play("vendor")
        answered = desk.retrieve(identity)
        assert (waiting.state, answered.state, answered.outcome) == ("waiting", "done", "00")
        assert answered.id == waiting.id
        assert [code for *_, code in desk.calls(identity)] == ["insi_102", "00"]
