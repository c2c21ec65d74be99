"""Identities of former times: whose they are, and that nobody is taken when it is not sure. Whom to qualify first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.columns import ColumnsError
from insigne.dmp.migration.legacy import INS_C_OID, LegacyLine, legacy_id, owner_of, read_legacy
from insigne.dmp.migration.queue import ToQualify, next_act, ordered
from insigne.registry.state import HeldIns, Identity
from insigne.registry.values import Details, Ins, Traits

AUDE = Traits("ÉTÉ-MARTIN", "AUDE", "AUDE LUCIE", "19700101", "F", "63113")


def person(name="A", traits=AUDE, **fields):
    return Identity(name, "D", 1, "", "", traits, **fields)


def line(**traits):
    return LegacyLine(2, traits=Traits(**{"birth_date": "19700101", "sex": "F"} | traits))


def test_the_local_number_names_its_holder():
    assert owner_of(line(), [person()], []) == ("A", "identifier")
    assert owner_of(LegacyLine(2), [person()], []) == ("A", "identifier")


@pytest.mark.parametrize(
    "traits",
    [{"birth_date": "19700102"}, {"sex": "M"}, {"birth_name": "DURAND", "given_names": "PAULE"}],
    ids=["another day", "another sex", "both names"],
)
def test_traits_that_contradict_the_local_number_give_it_to_nobody(traits):
    assert owner_of(line(**traits), [person()], [person()]) == ("", "differs")


@pytest.mark.parametrize(
    "traits",
    [{"birth_name": "DURAND", "given_names": "Aude"}, {"birth_name": "Petit", "given_names": "PAULE"}],
    ids=["one name differs", "the used name"],
)
def test_one_name_that_differs_does_not_contradict_a_local_number(traits):
    assert owner_of(line(**traits), [person(details=Details(used_name="PETIT"))], []) == ("A", "identifier")


def test_a_local_number_of_two_people_is_nobody_s():
    assert owner_of(line(), [person("A"), person("B")], []) == ("", "several")


def test_all_traits_name_one_person_however_they_are_written():
    found = line(birth_name="Eté Martin", given_names="aude")
    assert owner_of(found, [], [person(), person("B", Traits("AUTRE", "AUDE", "AUDE", "19700101", "F"))]) == (
        "A",
        "traits",
    )
    assert owner_of(found, [], [person("A"), person("B")]) == ("", "several")


full = {"birth_name": "ETE MARTIN", "given_names": "AUDE", "birth_date": "19700101", "sex": "F"}


@given(st.sampled_from(sorted(full)), st.sampled_from(["", "X"]))
def test_a_trait_that_is_missing_or_differs_names_nobody(name, value):
    assert owner_of(line(**full | {name: value}), [], [person()]) == ("", "nobody")


def test_a_line_is_read_and_has_one_name_whatever_is_around_it():
    header = "Kind,Value,Local_Authority,Local_Value,Birth_Date\n"
    [first] = read_legacy([header, " insc , 12 34 ab ,CH,7,1970-01-01\n"])
    assert (first.kind, first.value, first.authority, first.traits.birth_date) == (
        "ins-c",
        "1234AB",
        INS_C_OID,
        "19700101",
    )
    [second] = read_legacy([header, "INS-C,1234ab,CH,7,\n"])
    assert legacy_id(first) == legacy_id(second)
    [other] = read_legacy([header, "INS-C,1234ab,CH,8,\n"])
    assert legacy_id(other) != legacy_id(first)


@pytest.mark.parametrize(
    "row",
    ["nir;1;;;;", "ins-c;;;;;", "ins-c;é;;;;", "ins-c;1;CH;;;", "ins-c;1;;7;;", "ins-c;1;;;1970;", "ins-c;1;;;;X"],
)
def test_a_wrong_line_is_told_without_its_values(row):
    [found] = read_legacy(["kind;value;local_authority;local_value;birth_date;sex\n", f"{row}\n"])
    assert found.problem
    assert found.number == 2
    assert "1970;" not in found.problem


def test_a_file_without_the_right_columns_is_refused():
    with pytest.raises(ColumnsError):
        list(read_legacy(["value;name\n"]))


def test_a_quote_never_closed_is_told():
    with pytest.raises(ColumnsError, match="row 2"):
        list(read_legacy(["kind;value\n", '"' + "x" * 2000]))


# --- the queue


def test_documents_come_first_then_stays_then_time():
    waiting = [
        ToQualify("a", 1, "2026-03-02", 0),
        ToQualify("b", 1, "2026-03-01", 0),
        ToQualify("c", 1, "2026-03-03", 2),
        ToQualify("d", 9, "2026-03-09", 0),
        ToQualify("e", 0, "", 5),
    ]
    assert [one.identity for one in ordered(waiting)] == ["d", "c", "b", "a", "e"]


INS = HeldIns(Ins("284022901900127", "1.2.250.1.213.1.4.8"), "")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "récupérer l’INS (INSi) et contrôler"),
        ({"checked": True}, "récupérer l’INS (INSi)"),
        ({"ins": INS}, "contrôler une pièce"),
        ({"ins": INS, "checked": True}, "qualifiée"),
        ({"attributes": ("DOUT",)}, "lever le doute"),
        ({"attributes": ("FICT",)}, "fictive"),
        ({"ins": HeldIns(INS.ins, "", contested=True), "checked": True}, "contesté"),
    ],
    ids=["provisional", "validated", "retrieved", "qualified", "doubtful", "fictitious", "contested"],
)
def test_each_comes_with_what_qualifies_it(fields, said):
    assert said in next_act(person(**fields))[1]
