"""Entry of the strict traits at the admission desk."""

from dataclasses import replace
from datetime import date

import pytest

from insigne.ins.entry import enter_traits
from insigne.ins.traits import StrictTraits

TODAY = date(2026, 3, 2)
TYPED = StrictTraits("Le Gœff", "Anne‑Lise", "Anne‑Lise, Céleste", "19840217", "F", "29019")


def faults(**changes: str) -> list[tuple[str, str]]:
    return [(error.field, error.rule) for error in enter_traits(replace(TYPED, **changes), TODAY).errors]


def test_good_traits_are_normalised_without_error_nor_remark():
    entry = enter_traits(TYPED, TODAY)
    assert entry.traits == StrictTraits("LE GOEFF", "ANNE-LISE", "ANNE-LISE CELESTE", "19840217", "F", "29019")
    assert (entry.errors, entry.remarks, entry.date_completed) == ((), (), False)


def test_all_errors_are_given_at_once_and_the_faulty_traits_kept_as_typed():
    entry = enter_traits(StrictTraits("R2", "", "A-", "demain", "X", "35000"), TODAY)
    assert [(error.field, error.rule) for error in entry.errors] == [
        ("birth_name", "character"),
        ("first_given_name", "empty"),
        ("given_names", "last-character"),
        ("birth_date", "shape"),
        ("sex", "code"),
        ("birth_place", "cog"),
    ]
    assert entry.traits.birth_name == "R2"
    assert all(error.message_fr for error in entry.errors)


def test_the_list_of_given_names_may_be_left_out():
    assert faults(given_names="") == []


def test_a_first_given_name_that_does_not_begin_the_list_draws_a_remark_only():
    entry = enter_traits(replace(TYPED, first_given_name="Céleste"), TODAY)
    assert [remark.code for remark in entry.remarks] == ["first-given-name"]
    assert entry.errors == ()


@pytest.mark.parametrize(
    ("typed", "held"),
    [("198400", "19841231"), ("19840200", "19840201"), ("1984-00-17", "19840117"), ("19841332", "19841231")],
)
def test_an_incomplete_or_lunar_date_is_completed_and_flagged(typed, held):
    entry = enter_traits(replace(TYPED, birth_date=typed), TODAY)
    assert (entry.traits.birth_date, entry.date_completed, entry.errors) == (held, True, ())


@pytest.mark.parametrize("typed", ["19840230", "19840431"])
def test_a_day_that_the_month_lacks_is_a_mistake_and_not_a_lunar_date(typed):
    assert faults(birth_date=typed) == [("birth_date", "calendar")]


def test_a_date_completed_by_convention_is_said():
    entry = enter_traits(replace(TYPED, birth_date="19840200"), TODAY)
    assert [remark.code for remark in entry.remarks] == ["birth-date-completed"]


@pytest.mark.parametrize("typed", ["20260303", "2027", "18491231"])
def test_a_birth_is_neither_to_come_nor_of_another_age(typed):
    assert faults(birth_date=typed) == [("birth_date", "range")]


def test_a_birth_of_today_is_accepted():
    assert faults(birth_date="20260302") == []


def test_an_undetermined_sex_is_accepted_locally():
    assert faults(sex="I") == []


def test_a_place_is_checked_on_the_day_of_birth():
    assert faults(birth_place="20004") == [("birth_place", "cog")]  # Corsica was split eight years before
    assert faults(birth_place="20004", birth_date="19500314") == []


def test_an_unknown_place_is_accepted_with_a_remark():
    entry = enter_traits(replace(TYPED, birth_place="99999"), TODAY)
    assert entry.errors == ()
    assert [remark.code for remark in entry.remarks] == ["birth-place-unknown"]
