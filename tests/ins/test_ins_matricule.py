"""The matricule INS and its authorities. Every number here is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from insigne.ins.matricule import (
    INS_C_OID,
    NAMESPACES,
    NIA_OID,
    NIR_DEMO_OID,
    NIR_OID,
    NIR_TEST_OID,
    OIDS,
    Nature,
    Plausibility,
    check_matricule,
    compact,
    key_of,
    kind_of,
    nature_of,
    oid_allowed,
)


def codes(value: str, **options) -> list[str]:
    return [remark.code for remark in check_matricule(value, **options)]


@pytest.mark.parametrize(
    ("first13", "key"),
    [("253072A073004", "43"), ("253072B073004", "70"), ("2951099126111", "93"), ("2530720073004", "16")],
)
def test_the_key_is_97_minus_the_remainder_with_corsica_read_as_19_and_18(first13, key):
    assert key_of(first13) == key


roots = st.from_regex(r"[1-478][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|9[0-5]|2A|2B|97|99)[0-9]{6}", fullmatch=True)


@given(roots)
def test_the_key_agrees_with_python_stdnum(first13):
    assert key_of(first13) == nir.calc_check_digits(first13)


@given(roots)
def test_a_matricule_with_its_key_draws_no_remark_about_the_key(first13):
    assert "matricule-key" not in codes(first13 + key_of(first13))


@given(roots, st.integers(1, 96))
def test_any_other_key_draws_a_remark_and_nothing_else(first13, shift):
    wrong = (int(key_of(first13)) - 1 + shift) % 97 + 1
    assert "matricule-key" in codes(f"{first13}{wrong:02d}")
    assert all(code.startswith("matricule-") for code in codes(f"{first13}{wrong:02d}"))


@pytest.mark.parametrize(
    "first13", ["", "253072C073004", "2A307200730041", "25307200730", "２５３０７２００７３００４"]
)
def test_the_key_of_something_else_than_13_characters_of_a_nir_is_refused_without_quoting_it(first13):
    with pytest.raises(ValueError, match="13 digits") as refused:
        key_of(first13)
    assert not first13 or first13 not in str(refused.value)


def test_a_good_matricule_draws_no_remark():
    assert codes("253072007300416") == []
    assert codes("253072A07300443") == []


def test_a_wrong_key_only_warns_in_both_languages():
    (remark,) = check_matricule("253072007300417")
    assert remark.code == "matricule-key"
    assert "97" in remark.message
    assert "clé" in remark.message_fr
    assert "253072007300417" not in remark.message + remark.message_fr


def test_a_matricule_printed_in_groups_is_read_and_its_spelling_noted():
    assert codes("2 53 07 20 073 004 16") == ["matricule-spelling"]
    assert codes("2 53 07 2a 073 004 43") == ["matricule-spelling"]
    assert compact("2 53 07 2a\N{NO-BREAK SPACE}073 004 43") == "253072A07300443"


@pytest.mark.parametrize("value", ["", "2530720073004", "0411886319605719371016", "25307200730041X", "25307200730041٦"])
def test_a_value_without_the_15_characters_draws_the_format_alone(value):
    assert codes(value) == ["matricule-format"]


def with_key(first13: str) -> str:
    return first13 + key_of(first13)


@pytest.mark.parametrize(
    ("first13", "code"),
    [
        ("0530720073004", "matricule-first-digit"),
        ("2531520073004", "matricule-month"),
        ("2534520073004", "matricule-month"),
        ("2530700073004", "matricule-place"),
        ("2530720000004", "matricule-place"),
        ("2530720073000", "matricule-order"),
    ],
)
def test_an_implausible_part_draws_its_own_remark(first13, code):
    assert codes(with_key(first13)) == [code]


@pytest.mark.parametrize("month", ["20", "42", "50", "99"])
def test_the_month_codes_of_incomplete_acts_are_plausible(month):
    assert codes(with_key(f"253{month}20073004")) == []


def test_the_digits_7_and_8_of_temporary_numbers_are_plausible_whatever_the_nature():
    assert codes(with_key("7530720073004")) == []
    assert codes(with_key("8530720073004")) == []


def test_what_is_plausible_is_a_setting():
    assert codes(with_key("7530720073004"), plausible=Plausibility(first_digits="12")) == ["matricule-first-digit"]
    assert codes(with_key("2531520073004"), plausible=Plausibility(months=range(1, 16))) == []


def test_the_nature_comes_from_the_oid():
    assert nature_of(NIR_OID) is Nature.NIR
    assert nature_of(NIA_OID) is Nature.NIA
    assert nature_of(INS_C_OID) is None
    assert nature_of("1.2.250.1.213.1.4.5") is None


def test_the_kind_tells_production_test_demonstration_and_the_obsolete_identifier():
    assert [kind_of(oid) for oid in (NIR_OID, NIA_OID, NIR_TEST_OID, NIR_DEMO_OID, INS_C_OID, "1.2.3")] == [
        "production",
        "production",
        "test",
        "demo",
        "ins-c",
        None,
    ]


def test_every_authority_has_its_namespace():
    assert set(NAMESPACES) == set(OIDS)
    assert NAMESPACES[NIA_OID] == "ASIP-SANTE-INS-NIA"


def test_production_refuses_test_and_demonstration_authorities():
    assert [oid for oid in OIDS if oid_allowed(oid, "production")] == [NIR_OID, NIA_OID]
    assert [oid for oid in OIDS if oid_allowed(oid, "test")] == [NIR_OID, NIA_OID, NIR_TEST_OID, NIR_DEMO_OID]


def test_an_unknown_environment_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match="'preprod' is not one of production, test"):
        oid_allowed(NIR_OID, "preprod")
