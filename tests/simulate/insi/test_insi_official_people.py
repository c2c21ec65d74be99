"""The official test people and scenarios 2.03 to 2.08, through TLS. Expected values: public traces and fixtures."""

import pytest

from insigne.ins.matricule import NIA_OID, NIR_OID, key_of
from insigne.insi.wire import InsiFault
from insigne.simulate.insi.people import test_people as official_people

ANSWERED = [
    ("D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN", "M", "2001-06-17", "101066322075460", NIR_OID, "PIERRE-ALAIN GUNTHER"),
    ("ADRTROIS", "TOUSSAINT", "M", "1960-01-01", "160012B02077713", NIR_OID, "TOUSSAINT"),
    ("ADRTROIS", "DOMINIQUE", "F", "1997-02-26", "297022A02077878", NIR_OID, "DOMINIQUE"),
    ("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14", "109076322083489", NIR_OID, "PIERRE-ALAIN MURIEL FLORIANT"),
    ("PROVISOIRE", "MATRICULE", "M", "2009-07-01", "109076322088835", NIA_OID, "MATRICULE"),
    ("TCHITCHI", "CATARINA", "F", "1936-06-21", "236066322083656", NIR_OID, "CATARINA BELLA"),
    ("TCHITCHI", "CATARINA BELLA", "F", "1936-06-21", "236066322083656", NIR_OID, "CATARINA BELLA"),
    ("CORSE", "ANTHONY", "M", "1980-03-02", "180032B02040123", NIR_OID, "ANTHONY"),
    ("HERMANN", "GATIEN", "M", "1981-03-24", "181036322045660", NIR_OID, "GATIEN"),
    ("HERMAN", "GATIEN", "M", "1981-03-24", "181036322045660", NIR_OID, "GATIEN"),
    ("NESSI", "NATHALIE", "F", "1977-07-14", "277076322082910", NIR_OID, "NATHALIE"),
    ("NESSI", "MICHELANGELO", "M", "2010-08-07", "110086322083060", NIR_OID, "MICHELANGELO ANTHONY"),
    ("ADRUN", "ZOE", "F", "1975-12-31", "275126322074974", NIR_OID, "ZOE"),
    ("ADRDEUX", "LAURENT", "M", "1981-01-01", "181016322075140", NIR_OID, "LAURENT"),
]
NOBODY = [
    ("D'AEION", "COEUR", "M", "1987-01-01"),
    ("HOUILLES", "PIERRE", "M", "1993-01-27"),
    ("NESSI", "RUTH", "F", "1977-07-14"),
    ("PATB-QUATRE", "LAURENCE", "F", "1907-05-25"),
]
BAD_KEYS = {"1810363220456", "2810363220456"}


@pytest.mark.parametrize("mode", ["production", "vendor"])
@pytest.mark.parametrize("expected", ANSWERED, ids=lambda one: f"{one[0]}-{one[1]}")
def test_each_test_person_gives_their_answer(caller, mode, expected):
    name, given, sex, date, matricule, oid, given_names = expected
    caller.set(mode=mode, fixtures={"PROVISOIRE": "2.05"})
    answer = caller.search(name, given, sex, date)
    assert (answer.code, answer.label) == ("00", "OK")
    assert (answer.active.matricule, answer.active.oid) == (matricule, oid)
    assert (answer.traits.given_names, answer.traits.sex, answer.traits.birth_date) == (given_names, sex, date)


@pytest.mark.parametrize("asked", NOBODY, ids=lambda one: one[0])
def test_people_whose_answer_nobody_has_seen_are_not_found(caller, asked):
    assert caller.search(*asked).code == "01"
    caller.set(mode="vendor")
    assert caller.search(*asked).code == "insi_102"


def test_the_only_wrong_keys_are_those_of_test_2_08():
    people = official_people()
    numbers = [n for p in (*people.people, *people.variants.values()) for n in (p.ins, *p.history)]
    assert {number.number for number in numbers if key_of(number.number) != number.key} == BAD_KEYS


def play(caller, name, given_names, sex, date, place=""):
    """Search as a client should: each given name, then all of them; stop at 00, 02 or a fault."""
    attempts = [*given_names, " ".join(given_names)] if len(given_names) > 1 else given_names
    played = []
    for given in attempts:
        result = caller.search(name, given, sex, date, place)
        played.append(result)
        if isinstance(result, InsiFault) or result.code != "01":
            break
    return played


def codes(played):
    return [result.code for result in played]


@pytest.mark.parametrize("mode", ["production", "vendor"])
class TestScenariosTheSameInBothModes:
    def test_2_03_case_1_apostrophes_spaces_and_hyphen_with_and_without_cog(self, caller, mode):
        caller.set(mode=mode)
        for place in ("", "63220"):
            [found] = play(caller, "D'ARTAGNAN DE L'HERAULT", ["PIERRE-ALAIN"], "M", "2001-06-17", place)
            assert found.active.matricule == "101066322075460"
            assert found.traits.birth_place == "63220"

    def test_2_03_case_2_corsica(self, caller, mode):
        caller.set(mode=mode)
        [found] = play(caller, "ADRTROIS", ["TOUSSAINT"], "M", "1960-01-01", "2B020")
        assert found.active.matricule == "160012B02077713"

    def test_2_04_case_1_one_past_ins_whose_period_ends_before_it_begins(self, caller, mode):
        caller.set(mode=mode)
        [found] = play(caller, "ECETINSI", ["PIERRE-ALAIN", "MURIEL"], "M", "2009-07-14")
        assert [(past.matricule, past.start, past.end) for past in found.history] == [
            ("209076322083439", "2019-03-01", "2019-02-28")
        ]

    def test_2_04_case_2_two_past_ins_with_the_dates_first(self, caller, written, mode):
        caller.set(mode=mode, fixtures={"ECETINSI": "2.04-2"})
        answer = caller.post(written("ECETINSI", "PIERRE-ALAIN", "M", "2009-07-14"))
        past = answer.body.partition(b"<INSHISTO>")[2]
        assert past.startswith(b"<DateDeb>")
        [found] = play(caller, "ECETINSI", ["PIERRE-ALAIN"], "M", "2009-07-14")
        assert [past.matricule for past in found.history] == ["209076322083439", "209066322012355"]

    def test_1_10_the_same_person_as_nia(self, caller, mode):
        caller.set(mode=mode, fixtures={"ECETINSI": "1.10"})
        [found] = play(caller, "ECETINSI", ["PIERRE-ALAIN"], "M", "2009-07-14")
        assert (found.active.matricule, found.active.oid) == ("109076322083489", NIA_OID)

    def test_2_06_several_without_cog_then_one_with_it(self, caller, mode):
        caller.set(mode=mode)
        [several] = play(caller, "DE VINCI", ["LEONARDO"], "M", "2014-02-01")
        assert (several.code, several.active) == ("02", None)
        [found] = play(caller, "DE VINCI", ["LEONARDO"], "M", "2014-02-01", "63220")
        assert (found.active.matricule, found.traits.given_names) == ("114026322083356", "LEONARDO PIERO")

    def test_2_07_case_2_nobody_in_four_attempts_with_the_fixture(self, caller, mode):
        caller.set(mode=mode, fixtures={"HOUILLES": "REP_CR01"})
        assert codes(play(caller, "HOUILLES", ["PIERRE", "PAUL", "JACQUES"], "M", "1993-01-27")) == ["01"] * 4

    def test_2_08_case_1_the_active_ins_among_the_past_ones(self, caller, mode):
        caller.set(mode=mode)
        [found] = play(caller, "CORSE", ["ANTHONY"], "M", "1980-03-02")
        assert [past.matricule for past in found.history] == [found.active.matricule] == ["180032B02040123"]

    def test_2_08_case_2_keys_that_fail_the_check(self, caller, mode):
        caller.set(mode=mode)
        [found] = play(caller, "HERMANN", ["GATIEN"], "M", "1981-03-24")
        assert found.active.matricule == "181036322045660"
        assert [past.matricule for past in found.history] == ["181036322045660", "281036322045610"]


class TestScenariosInProduction:
    def test_2_03_case_3_ligatures_are_refused_and_their_letters_find_nobody(self, caller):
        assert codes(play(caller, "D'ÆION", ["CŒUR"], "M", "1987-01-01")) == ["simu_nom"]
        assert codes(play(caller, "D'AEION", ["COEUR"], "M", "1987-01-01")) == ["01"]

    def test_2_05_a_nia(self, caller):
        [found] = play(caller, "PROVISOIRE", ["MATRICULE"], "M", "2009-07-01")
        assert (found.active.matricule, found.active.oid) == ("109076322088835", NIA_OID)

    def test_2_07_case_1_found_by_the_second_given_name(self, caller):
        assert codes(play(caller, "TCHITCHI", ["OLA", "CATARINA", "BELLA"], "F", "1936-06-21")) == ["01", "00"]

    def test_2_07_case_2_nobody_in_four_attempts(self, caller):
        played = play(caller, "HOUILLES", ["PIERRE", "PAUL", "JACQUES"], "M", "1993-01-27")
        assert [(result.code, result.label) for result in played] == [("01", "Aucune identite trouvee")] * 4


class TestScenariosInVendorMode:
    """Nobody found is a technical fault there, at which a client stops."""

    @pytest.mark.parametrize(
        "asked",
        [
            ("D'AEION", ["COEUR"], "M", "1987-01-01"),
            ("PROVISOIRE", ["MATRICULE"], "M", "2009-07-01"),
            ("TCHITCHI", ["OLA", "CATARINA", "BELLA"], "F", "1936-06-21"),
            ("HOUILLES", ["PIERRE", "PAUL", "JACQUES"], "M", "1993-01-27"),
        ],
        ids=["2.03-3", "2.05", "2.07-1", "2.07-2"],
    )
    def test_the_first_attempt_ends_in_the_fault(self, caller, asked):
        caller.set(mode="vendor")
        [fault] = play(caller, *asked)
        assert (fault.http_status, fault.subcode, fault.code, fault.role) == (500, "siram_40", "insi_102", "Receiver")

    def test_a_card_of_nobody_has_its_own_code(self, caller):
        caller.set(mode="vendor")
        fault = caller.card(holder="1550163220001", birth_date="1955-01-01")
        assert (fault.subcode, fault.code) == ("siram_40", "insi_101")


def test_a_fixture_gives_any_name_the_answer_of_another_code(caller):
    caller.set(mode="vendor", fixtures={"ADRUN": "REP_CR02", "CORSE": "REP_INSI_102"})
    assert caller.search("ADRUN", "ZOE", "F", "1975-12-31").code == "02"
    assert caller.search("CORSE", "ANTHONY", "M", "1980-03-02").code == "insi_102"


def test_a_fixture_that_does_not_exist_is_named_with_those_that_do(caller):
    answer = caller.control("PATCH", fixtures={"ECETINSI": "9.99"})
    assert "'9.99'" in answer["error"]
    assert "1.10, 2.04-2, REP_CR01" in answer["error"]


def test_the_people_and_their_scenarios_can_be_listed(caller):
    listed = caller.control(path="/people")
    hermann = next(one for one in listed["people"] if one["birth_name"] == "HERMANN")
    assert hermann["matricule"] == "181036322045660"
    assert hermann["scenario"].startswith("2.08 case 2")
    assert {one["birth_name"] for one in listed["unanswered"]} == {name for name, *_ in NOBODY}
