"""What is sent to INSi, what is refused before, and how far an answer may be from the question."""

from datetime import date

import pytest

from insigne.insi.entry import prepare_search, unlike
from insigne.insi.wire import InsiAnswer, InsiTraits, InsNumber, SearchTraits

TODAY = date(2026, 1, 15)


def prepare(name="Bellanger", given=("Iseult",), sex="F", birth_date="1984-05-07", place=""):
    return prepare_search(name, given, sex, birth_date, place, today=TODAY)


def test_traits_as_typed_are_sent_as_insi_takes_them():
    prepared = prepare("d’Ælbœuf--Çelik", ["anne–laure", "ZOË"], birth_date="19840507", place="37261")
    assert prepared.errors == ()
    assert prepared.search.next() == SearchTraits("D'AELBOEUF--CELIK", "ANNE-LAURE", "F", "1984-05-07")


def test_the_birthplace_is_optional():
    assert prepare().errors == ()
    assert prepare().remarks == ()


def test_an_unknown_birthplace_is_left_out_with_a_remark():
    prepared = prepare(place="99999")
    assert [remark.code for remark in prepared.remarks] == ["birth-place-unknown"]


@pytest.mark.parametrize(
    ("changed", "field", "rule", "character", "position"),
    [
        ({"name": "BELL@NGER"}, "birth_name", "character", "@", 5),
        ({"name": "-BELLANGER"}, "birth_name", "first-character", "-", 1),
        ({"name": ""}, "birth_name", "empty", "", 0),
        ({"given": []}, "first_given_name", "empty", "", 0),
        ({"given": ["ISEULT-"]}, "first_given_name", "last-character", "-", 7),
        ({"given": ["ISEULT", "MARIE", "AN--NE"]}, "given_names[3]", "hyphen", "-", 4),
        ({"sex": "I"}, "sex", "insi", "", 0),
        ({"sex": "X"}, "sex", "code", "", 0),
        ({"birth_date": "1984-05"}, "birth_date", "insi", "", 0),
        ({"birth_date": "1984-13-02"}, "birth_date", "insi", "", 0),
        ({"birth_date": "1984-02-30"}, "birth_date", "calendar", "", 0),
        ({"birth_date": "2026-01-16"}, "birth_date", "range", "", 0),
        ({"birth_date": "hier"}, "birth_date", "shape", "", 0),
        ({"place": "37000"}, "birth_place", "cog", "", 0),
    ],
)
def test_what_insi_would_refuse_is_refused_before_with_its_place_and_the_remedy(
    changed, field, rule, character, position
):
    prepared = prepare(**changed)
    assert prepared.search is None
    (error,) = prepared.errors
    assert (error.field, error.rule, error.character, error.position) == (field, rule, character, position)
    assert error.remedy
    assert error.message_fr


def test_every_fault_is_told_at_once():
    prepared = prepare("B?", ["", "C*"], "", "1984", "AB")
    assert {error.field for error in prepared.errors} == {
        "birth_name",
        "first_given_name",
        "given_names[2]",
        "sex",
        "birth_date",
        "birth_place",
    }


def answer(**traits):
    found = {
        "birth_name": "BELLANGER",
        "given_names": "ISEULT MARIE",
        "sex": "F",
        "birth_date": "1984-05-07",
        "birth_place": "37261",
    } | traits
    return InsiAnswer("00", "OK", InsNumber("2840537261118", "32", "1.2.250.1.213.1.4.8"), (), InsiTraits(**found))


ASKED = SearchTraits("BELLANGER", "ISEULT", "F", "1984-05-07")


def test_the_person_asked_about_is_recognised():
    assert unlike(ASKED, answer()) == ()
    assert unlike(ASKED, answer(given_names="", given_name="ISEULT")) == ()
    assert unlike(ASKED, InsiAnswer("01", "")) == ()


def test_an_answer_for_somebody_else_shows_every_trait_that_differs():
    somebody = answer(birth_name="ROUX", given_names="PAUL", sex="M", birth_date="1950-01-02")
    assert unlike(ASKED, somebody) == ("birth_name", "given_names", "birth_date", "sex")


def test_a_lunar_date_of_the_same_year_is_not_somebody_else():
    assert unlike(ASKED, answer(birth_date="1984-00-00")) == ()
