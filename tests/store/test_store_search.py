"""Searching people as the RNIV wants it: by birth date first, then the first letters of names."""

import pytest

from insigne.registry.events import IdentityMerged, InsRecorded
from insigne.registry.values import Authority, Identifier, Ins, Traits

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")


@pytest.fixture
def find(hospital):
    people = {
        "A": (Traits("LE GALL", "ANNE-LISE", "ANNE-LISE SOPHIE", "19840229", "F", "29019"), "D'ARGENT"),
        "B": (Traits("LEGALLAIS", "YANN", "YANN ANSELME", "19840229", "M", "29019"), ""),
        "C": (Traits("LE GALL", "ANNE-LISE", "ANNE-LISE SOPHIE", "19840301", "F", "29019"), ""),
        "D": (Traits("ÉTIENNE", "", "ZOÉ", "198402", "F", "99999"), ""),
    }
    for number, (name, (traits, used_name)) in enumerate(people.items()):
        hospital.admit(name, Identifier("PI", HOSPITAL, str(number)), traits=traits, used_name=used_name)

    def ask(birth_date, **criteria):
        with hospital.store.read() as view:
            return [identity.id for identity in view.search(birth_date, **criteria)]

    return ask


def test_the_birth_date_alone_finds_all_born_that_day_by_name(find):
    assert find("1984-02-29") == ["A", "B"]
    assert find("19840229") == ["A", "B"]
    assert find("1984-02-28") == []


def test_an_incomplete_birth_date_is_found_as_it_is_known(find):
    assert find("1984-02") == ["D"]


def test_the_first_letters_of_the_birth_name_are_enough_however_they_are_typed(find):
    for typed in ["leg", "LE GALL", "Le-Ga", "l'é", "Lé"]:
        assert "A" in find("1984-02-29", name=typed), typed


def test_the_used_name_is_searched_too(find):
    assert find("1984-02-29", name="darg") == ["A"]


def test_letters_inside_a_name_do_not_count(find):
    assert find("1984-02-29", name="gall") == []


def test_any_given_name_is_searched(find):
    for typed in ["ann", "anne-l", "Anne Lise", "anneli", "lise", "sop"]:
        assert find("1984-02-29", given=typed) == ["A"], typed


def test_criteria_add_up(find):
    assert find("1984-02-29", name="leg", sex="M") == ["B"]
    assert find("1984-02-29", name="leg", given="yan", sex="F") == []


def test_the_matricule_is_a_criterion(find, hospital):
    hospital.record(("identity", "A", InsRecorded(INS)))
    assert find("1984-02-29", ins=INS.matricule) == ["A"]
    assert find("1984-03-01", ins=INS.matricule) == []


def test_no_more_than_the_limit_is_given(find):
    assert find("1984-02-29", limit=1) == ["A"]


def test_a_merged_identity_is_not_offered(find, hospital):
    with hospital.store.read() as view:
        before = view.identity("B")
    hospital.record(("identity", "B", IdentityMerged("A", before)))
    assert find("1984-02-29") == ["A"]
