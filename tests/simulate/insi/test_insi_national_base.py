"""Who answers to what: the rules of matching, cards, and the truth file of a generated hospital."""

import pytest

from insigne.insi.wire import InsNumber, SearchTraits, VitaleData
from insigne.simulate.folder import write_hospital
from insigne.simulate.hospital import HospitalSettings
from insigne.simulate.insi.national import NationalBase, Registered
from insigne.simulate.insi.people import national_base, read_truth
from insigne.simulate.truth import PeopleError

NIR = "1.2.250.1.213.1.4.8"


def somebody(number, birth_name="MARCEL-LOUP", given="EDITH JOSEE", date="1958-11-03", place="19031", **more):
    sex = "F" if number.startswith("2") else "M"
    return Registered(birth_name, tuple(given.split()), sex, date, place, InsNumber(number, "01", NIR), **more)


@pytest.fixture
def base():
    edith = somebody("2581119031001", history=(InsNumber("8581119031009", "05", "1.2.250.1.213.1.4.9"),))
    namesake = somebody("2581119031002", given="EDITH PAULE", place="19272")
    son = somebody("1840219031003", "ROC", "PAUL", "1984-02-06", holder="2581119031001")
    first, second = (
        somebody(f"286091903100{rank}", "ROC", name, "1986-09-12", holder="2581119031001")
        for rank, name in ((4, "ANNE"), (5, "LISE"))
    )
    return NationalBase([edith, namesake, son, first, second])


def found(base, given="EDITH", name="MARCEL-LOUP", sex="F", date="1958-11-03", place=""):
    return [person.ins.number[-1] for person in base.search(SearchTraits(name, given, sex, date, place))]


@pytest.mark.parametrize("given", ["EDITH", "EDITH JOSEE"])
def test_the_given_names_asked_are_the_beginning_of_the_list(base, given):
    assert "1" in found(base, given)


@pytest.mark.parametrize("given", ["JOSEE", "EDIT", "EDITH-JOSEE", "EDITH JOSEE ANNE", "JOSEE EDITH", ""])
def test_other_given_names_find_nobody(base, given):
    assert found(base, given) == []


@pytest.mark.parametrize("name", ["MARCEL LOUP", "MARCELLOUP", "MARCEL--LOUP", "MARCEL"])
def test_the_birth_name_is_strict_hyphens_included(base, name):
    assert found(base, name=name) == []


def test_sex_date_and_place_count(base):
    assert found(base) == ["1", "2"]
    assert found(base, place="19272") == ["2"]
    assert found(base, place="19000") == []
    assert found(base, sex="M") == []
    assert found(base, date="1958-11-04") == []


def on_card(base, **read):
    person = base.by_card(VitaleData(**read))
    return person and person.ins.number[-1]


def test_a_card_finds_the_holder_and_each_beneficiary_by_birth_date_and_rank(base):
    holder = "2581119031001"
    assert on_card(base, holder=holder, birth_date="1958-11-03") == "1"
    assert on_card(base, holder=holder, birth_date="1984-02-06", birth_rank="1") == "3"
    assert on_card(base, holder=holder, birth_date="1986-09-12", birth_rank="2") == "5"
    assert on_card(base, holder=holder, birth_date="19860912", birth_rank="1") == "4"
    assert on_card(base, holder=holder, birth_date="1986-09-12", birth_rank="3") is None
    assert on_card(base, holder="2581119031002", birth_date="1984-02-06") is None


def test_the_beneficiary_s_own_number_wins_and_what_else_is_on_the_card_must_agree(base):
    holder, son = "2581119031001", "1840219031003"
    assert on_card(base, holder=holder, individual=son) == "3"
    assert on_card(base, holder=holder, individual=son, birth_name="ROC", birth_date="1984-02-06") == "3"
    assert on_card(base, holder=holder, individual=son, birth_date="1984-02-07") is None
    assert on_card(base, holder=holder, individual=son, birth_name="PIC") is None


def test_a_number_of_the_past_on_the_card_leads_to_the_person(base):
    assert on_card(base, holder="8581119031009", birth_date="1958-11-03") == "1"
    assert on_card(base, holder="", individual="8581119031009") == "1"


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    write_hospital(HospitalSettings(120, seed=11, people=400), folder, split=False, progress=lambda *_: None)
    return folder / "truth.jsonl"


def test_everybody_in_the_truth_file_is_found_by_their_traits_and_place(hospital):
    base = national_base(hospital)
    for person in read_truth(hospital):
        traits = SearchTraits(
            person.birth_name, person.given_names[0], person.sex, person.birth_date, person.birth_place
        )
        assert person.ins in [one.ins for one in base.search(traits)]


def test_a_repeated_record_is_one_person(hospital):
    numbers = [person.ins.number for person in national_base(hospital)]
    assert len(numbers) == len(set(numbers)) > 380


def test_a_newborn_is_a_beneficiary_of_the_mother(hospital):
    children = [person for person in read_truth(hospital) if person.holder]
    assert children
    base = national_base(hospital)
    for child in children:
        answered = base.by_card(VitaleData(child.holder, birth_date=child.birth_date, birth_name=child.birth_name))
        assert answered is not None
        assert answered.holder == child.holder


def test_a_file_that_is_no_truth_file_is_named_with_the_line(tmp_path):
    file = tmp_path / "people.jsonl"
    file.write_text('\n{"person": 3}\n', encoding="utf-8")
    with pytest.raises(PeopleError, match=r"people.jsonl, line 2: .*insigne generate"):
        list(read_truth(file))
