"""Synthetic citizens: plausible for the nation, and each one of a kind."""

import re
from datetime import date
from random import Random

import pytest
from stdnum.fr import nir

from insigne.ins.matricule import NIR_OID, check_matricule
from insigne.simulate.hospital_plan import DOCTORS, FINESS
from insigne.simulate.people import Matricules, Population, imprecise, misspelt
from insigne.simulate.places import COMMUNES

POPULATION = Population(date(2026, 1, 5))
FAMILY = re.compile(r"[A-Z']+(?:(?: |'|-|--)[A-Z']+)*")
GIVEN = re.compile(r"[A-Z]+(?:-[A-Z]+)*")


@pytest.fixture(scope="module")
def citizens():
    rng = Random("citizens")
    return [POPULATION.citizen(rng) for _ in range(3000)]


def test_birth_and_given_names_are_in_the_character_set_of_insi(citizens):
    assert [c.birth_name for c in citizens if not FAMILY.fullmatch(c.birth_name)] == []
    assert [name for c in citizens for name in c.given_names if not GIVEN.fullmatch(name)] == []


def test_names_have_the_shapes_that_trip_programs(citizens):
    families = {c.birth_name for c in citizens}
    for shape in ("'", "-", "--", " "):
        assert any(shape in name for name in families), shape
    assert any("-" in name for c in citizens for name in c.given_names)
    assert any(c.used_name and c.used_name != c.birth_name for c in citizens)


def test_a_birthplace_is_a_code_in_force_at_birth(citizens):
    years = {c.code: range(c.since, c.until + 1) for c in COMMUNES}
    assert all(c.birth.year in years[c.birth_place] for c in citizens if not c.foreign)
    departments = {c.birth_place[:2]: c for c in citizens}
    assert {"2A", "2B", "20", "97", "99", "93", "78"} <= set(departments)
    assert all(c.birth.year >= 1968 for c in citizens if c.birth_place[:2] in {"91", "92", "93", "94", "95"})


def test_matricules_have_the_right_key_and_are_given_once(citizens):
    rng, matricules = Random(1), Matricules()
    issued = [matricules.issue(rng, citizen) for citizen in citizens]
    assert len(set(issued)) == len(issued)
    assert [number for number in issued if check_matricule(number) or not nir.is_valid(number)] == []


def test_a_matricule_says_sex_year_month_and_place_of_birth(citizens):
    matricules = Matricules()
    for citizen in citizens[:50]:
        number = matricules.issue(Random(2), citizen)
        sex = "1" if citizen.sex == "M" else "2"
        assert number[:10] == f"{sex}{citizen.birth:%y%m}{citizen.birth_place}"
        assert matricules.issue(Random(3), citizen, temporary=True)[0] == {"1": "7", "2": "8"}[sex]


def test_a_hundred_children_of_one_day_and_place_still_get_different_matricules(citizens):
    matricules = Matricules()
    assert len({matricules.issue(Random(4), citizens[0]) for _ in range(900)}) == 900


def test_homonyms_share_name_first_given_name_and_sex(citizens):
    rng = Random(5)
    for citizen in citizens[:200]:
        other = POPULATION.homonym(rng, citizen)
        assert (other.birth_name, other.given_names[0], other.sex) == (
            citizen.birth_name,
            citizen.given_names[0],
            citizen.sex,
        )
        assert other.birth.year == citizen.birth.year


def test_twins_have_a_rank_and_their_mother_s_address():
    rng = Random(6)
    mother = POPULATION.mother(rng)
    first, second = (POPULATION.newborn(rng, mother, date(2026, 2, 3), rank) for rank in (1, 2))
    assert (first.order, second.order) == (1, 2)
    assert first.birth == second.birth == date(2026, 2, 3)
    assert first.street == mother.street
    assert mother.sex == "F"


def test_an_unknown_day_and_month_of_birth_become_31_december(citizens):
    vague = imprecise(Random(7), citizens[0])
    assert (vague.birth.month, vague.birth.day, vague.imprecise) == (12, 31, True)
    assert vague.birth_place.startswith("99")


def test_a_slip_of_the_keyboard_keeps_most_of_the_name():
    rng = Random(8)
    for name in ("LAMBERT", "D'AUBRAC", "DE LA SALLE", "ROC"):
        for _ in range(50):
            slip = misspelt(rng, name)
            assert abs(len(slip) - len(name)) <= 1
            assert set(slip) <= set(name)
            assert slip == slip.strip()


def test_the_numbers_of_the_hospital_pass_their_own_key():
    def luhn(digits):
        doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
        return sum(d - 9 if d > 9 else d for d in doubled) % 10

    assert [luhn(doctor.rpps) for doctor in DOCTORS] == [0] * len(DOCTORS)
    assert len(FINESS) == 9
    assert NIR_OID.endswith(".8")
