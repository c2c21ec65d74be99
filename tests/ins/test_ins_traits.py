"""How far two sets of strict traits may differ and still be one person."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.cog import Cog, Place
from insigne.ins.traits import Sex, StrictTraits, Tolerance, departures

PERSON = StrictTraits(
    birth_name="VAUBLANC",
    first_given_name="ELOISE",
    given_names="ELOISE MARGOT",
    birth_date="19840217",
    sex="F",
    birth_place="35238",
)


def changed(before: StrictTraits = PERSON, **changes: str) -> tuple[str, ...]:
    return departures(before, replace(before, **changes))


def test_the_same_traits_do_not_depart():
    assert changed() == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_name": "Vaublanc"},
        {"birth_name": "VAU-BLANC"},
        {"first_given_name": "Éloïse", "given_names": "Éloïse, Margot"},
        {"given_names": "ELOISE"},
        {"given_names": "ELOISE MARGOT LUCE"},
        {"given_names": "ELOISE-MARGOT"},
        {"first_given_name": "ELOISE MARGOT"},
        {"birth_date": "1984-02-17"},
        {"birth_date": "198402"},
        {"birth_date": "1984"},
        {"sex": "I"},
        {"birth_place": "99999"},
    ],
)
def test_a_tolerated_difference_does_not_count(changes):
    assert changed(**changes) == ()


@pytest.mark.parametrize(
    ("changes", "trait"),
    [
        ({"birth_name": "VAUBLANC MOREL"}, "birth_name"),
        ({"birth_name": "VAUBLANCHE"}, "birth_name"),
        ({"given_names": "MARGOT ELOISE"}, "given_names"),
        ({"first_given_name": "MARGOT"}, "given_names"),
        ({"birth_date": "19840218"}, "birth_date"),
        ({"birth_date": "1985"}, "birth_date"),
        ({"sex": "M"}, "sex"),
        ({"birth_place": "35001"}, "birth_place"),
        ({"birth_place": "99109"}, "birth_place"),
    ],
)
def test_a_real_difference_counts_under_its_trait(changes, trait):
    assert changed(**changes) == (trait,)


def test_first_given_name_and_list_count_once():
    assert changed(first_given_name="LUCE", given_names="LUCE ANNE") == ("given_names",)


def test_another_person_departs_everywhere():
    other = StrictTraits("QUEMENER", "TUGDUAL", "TUGDUAL", "19510203", "M", "29019")
    assert departures(PERSON, other) == ("birth_name", "given_names", "birth_date", "sex", "birth_place")


def test_filling_what_was_unknown_does_not_count():
    unknown = StrictTraits(birth_place="99999", sex="I")
    assert departures(unknown, PERSON) == ()


def test_a_trait_that_the_newer_side_leaves_out_does_not_count():
    assert departures(PERSON, StrictTraits()) == ()


def test_a_single_given_name_is_compared_to_the_list_when_the_other_has_only_that():
    alone = replace(PERSON, given_names="")
    assert departures(alone, PERSON) == ()
    assert departures(replace(alone, first_given_name="MARGOT"), PERSON) == ("given_names",)


def test_a_long_name_cut_by_an_older_system_is_the_same_name():
    long = replace(PERSON, birth_name="VAUBLANC DE LA ROCHE SAINT ANDRE")
    assert changed(long, birth_name="VAUBLANC DE LA ROCHE SAI") == ()
    assert changed(long, birth_name="VAUBLANC DE LA") == ("birth_name",)


def test_the_length_that_makes_a_cut_plausible_is_a_setting():
    long = replace(PERSON, birth_name="VAUBLANC DE LA ROCHE SAINT ANDRE")
    cut = replace(long, birth_name="VAUBLANC DE LA")
    assert departures(long, cut, tolerance=Tolerance(truncated_length=10)) == ()


@pytest.mark.parametrize(
    ("birth_date", "one", "other"),
    [
        ("19500314", "20004", "2A004"),  # Ajaccio before and after the split of Corsica
        ("19500314", "78572", "95572"),  # Seine-et-Oise, then Val-d'Oise
        ("19500314", "91105", "99352"),  # French Algeria
        ("19840217", "01340", "01015"),  # merged in 2016
        ("19840217", "75056", "75112"),  # Paris and one of its arrondissements
    ],
)
def test_another_code_of_the_same_place_does_not_count(birth_date, one, other):
    before = replace(PERSON, birth_date=birth_date, birth_place=one)
    after = replace(before, birth_place=other)
    assert departures(before, after) == ()
    assert departures(after, before) == ()


def test_a_code_of_essonne_is_not_algeria_for_someone_born_there():
    assert changed(replace(PERSON, birth_place="91228"), birth_place="99352") == ("birth_place",)


def test_the_table_of_places_can_be_given():
    cog = Cog.of([Place("35238", "Rennes", "commune", "", "2030-01-01", "35999"), Place("35999", "Rennes", "commune")])
    assert departures(PERSON, replace(PERSON, birth_place="35999"), cog=cog) == ()


def test_the_sexes_are_those_of_the_rniv():
    assert [sex.value for sex in Sex] == ["M", "F", "I"]


any_traits = st.builds(
    StrictTraits,
    st.text(max_size=10),
    st.text(max_size=10),
    st.text(max_size=10),
    st.sampled_from(["", "1950", "19500101", "19501332", "x"]),
    st.sampled_from(["", "M", "F", "I", "?"]),
    st.sampled_from(["", "99999", "75056", "75101", "ZZZZZ", "91228"]),
)


@given(any_traits, any_traits)
def test_departures_take_any_received_text_and_do_not_depend_on_the_order(one, other):
    assert departures(one, one) == ()
    assert departures(one, other) == departures(other, one)
