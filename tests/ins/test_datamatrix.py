"""The text of the INS Data Matrix: golden payloads, separators, refusals, and reading in any order."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.datamatrix import FIELDS, GS, HEADER, DatamatrixError, read_payload, write_payload
from insigne.ins.matricule import INS_C_OID, NIA_OID, NIR_DEMO_OID, NIR_OID, NIR_TEST_OID, key_of
from insigne.ins.traits import StrictTraits

MATRICULE = "1710301340076" + key_of("1710301340076")
PERSON = StrictTraits(
    birth_name="D'AUBREVAL-KERMOR",
    first_given_name="JEAN CHRISTOPHE",
    given_names="JEAN CHRISTOPHE PIERRE",
    birth_date="19710308",
    sex="M",
    birth_place="01340",
)

# Header: IS, version 01, 22 zeros. S1 fixed, S2 of 19 characters out of 20 then GS, S3 and S4 each with GS,
# S5 and S6 fixed (day-month-year), S7 fixed and last.
WITH_NIR = (
    "IS010000000000000000000000"
    f"S1{MATRICULE}"
    "S21.2.250.1.213.1.4.8\x1d"
    "S3JEAN CHRISTOPHE PIERRE\x1d"
    "S4D'AUBREVAL-KERMOR\x1d"
    "S5M"
    "S608-03-1971"
    "S701340"
)
# The test OID has the full 20 characters: no GS after S2. No birthplace: S6 is last.
WITH_TEST_OID_WITHOUT_PLACE = (
    "IS010000000000000000000000"
    f"S1{MATRICULE}"
    "S21.2.250.1.213.1.4.10"
    "S3JEAN CHRISTOPHE PIERRE\x1d"
    "S4D'AUBREVAL-KERMOR\x1d"
    "S5M"
    "S608-03-1971"
)


def payload(*fields: str) -> str:
    return HEADER + "".join(fields)


S1, S2, S3, S4, S5, S6, S7 = (
    f"S1{MATRICULE}", f"S2{NIR_OID}{GS}", f"S3JEAN PIERRE{GS}", f"S4KERMOR{GS}", "S5M", "S608-03-1971", "S701340",
)  # fmt: skip


def fault(text: str) -> tuple[str, str]:
    with pytest.raises(DatamatrixError) as caught:
        read_payload(text)
    return caught.value.field, caught.value.rule


def refusal(traits: StrictTraits = PERSON, matricule: str = MATRICULE, oid: str = NIR_OID) -> tuple[str, str]:
    with pytest.raises(DatamatrixError) as caught:
        write_payload(traits, matricule, oid)
    return caught.value.field, caught.value.rule


def test_a_payload_is_written_as_the_format_says():
    assert write_payload(PERSON, MATRICULE, NIR_OID) == WITH_NIR


def test_a_full_oid_has_no_separator_and_an_unknown_birthplace_is_left_out():
    assert write_payload(replace(PERSON, birth_place=""), MATRICULE, NIR_TEST_OID) == WITH_TEST_OID_WITHOUT_PLACE


def test_a_name_of_the_maximum_length_has_no_separator_and_one_letter_less_has_one():
    hundred, less = "A" * 50 + " " + "B" * 49, "C" * 99
    text = write_payload(replace(PERSON, given_names=hundred, birth_name=less), MATRICULE, NIR_OID)
    assert f"S3{hundred}S4{less}{GS}S5M" in text
    assert read_payload(text).traits.given_names == hundred


def test_the_longest_payload_has_291_characters():
    text = write_payload(replace(PERSON, given_names="A" * 100, birth_name="B" * 100), MATRICULE, NIR_TEST_OID)
    assert len(text) == 26 + 7 * 2 + 15 + 20 + 100 + 100 + 1 + 10 + 5 == 291


def test_names_are_written_in_capitals_without_accents():
    text = write_payload(replace(PERSON, birth_name="d’Aubréval-Kermor"), MATRICULE, NIR_OID)
    assert text == WITH_NIR


def test_a_payload_gives_back_matricule_oid_and_traits():
    read = read_payload(WITH_NIR)
    assert (read.matricule, read.oid, read.unknown) == (MATRICULE, NIR_OID, {})
    assert read.traits == replace(PERSON, first_given_name="")  # the list does not tell where it ends


def test_fields_are_read_in_any_order():
    text = payload(S7, S6, S5, S2, S1, S3, "S4KERMOR")  # S4 is last: no separator
    assert read_payload(text).traits.birth_name == "KERMOR"
    assert list(read_payload(text).fields) == ["S7", "S6", "S5", "S2", "S1", "S3", "S4"]


def test_a_payload_without_birthplace_is_read():
    assert read_payload(WITH_TEST_OID_WITHOUT_PLACE).traits.birth_place == ""


def test_unknown_fields_are_kept():
    text = payload(S1, S2, f"S9SOMETHING 12{GS}", S3, S4, S5, S6, "T1MORE")
    assert read_payload(text).unknown == {"S9": "SOMETHING 12", "T1": "MORE"}


def test_a_separator_too_many_is_passed_over():
    assert read_payload(payload(S1, GS, S2, S3, S4, S5, GS, S6, S7, GS)).traits.birth_place == "01340"


def test_a_lunar_date_is_read_as_it_stands():
    assert read_payload(payload(S1, S2, S3, S4, S5, "S600-13-1971")).traits.birth_date == "19711300"


def test_corsican_matricules_and_birthplaces_are_read_and_written():
    born = "171032A004076"
    text = write_payload(replace(PERSON, birth_place="2A004"), born + key_of(born), NIR_OID)
    assert read_payload(text).matricule[5:10] == "2A004"
    assert read_payload(text).traits.birth_place == "2A004"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("header", "header")),
        ("DC04FR0000011E581E58B201FR", ("header", "header")),  # a 2D-Doc
        ("IS01" + "0" * 21, ("header", "header")),
        ("IS02" + "0" * 22, ("header", "version")),
        ("IS01" + "0" * 3000, ("header", "length")),
        (payload(S1, S2, S3, S4, S6), ("S5", "missing")),
        (HEADER, ("S1", "missing")),
        (payload(S1, S1, S2, S3, S4, S5, S6), ("S1", "repeated")),
        (payload(S1[:-1] + GS, S2, S3, S4, S5, S6), ("S1", "length")),
        (payload("S1ABCDEFGHIJKLMNO", S2, S3, S4, S5, S6), ("S1", "shape")),
        (payload(S1, f"S21.2.250.1{GS}", S3, S4, S5, S6), ("S2", "length")),
        (payload(S1, f"S2{NIR_OID}", S3, S4, S5, S6), ("S2", "shape")),  # its separator forgotten
        (payload(S1, S2, f"S3{GS}", S4, S5, S6), ("S3", "length")),
        (payload(S1, S2, "S3JEAN", S4, S5, S6), ("S3", "shape")),  # its separator forgotten
        (payload(S1, S2, S3, f"S4{'A' * 101}{GS}", S5, S6), ("S4", "end")),
        (payload(S1, S2, S3, f"S4{'A' * 102}{GS}", S5, S6), ("S4", "end")),
        (payload(S1, S2, S3, f"S4Kermor{GS}", S5, S6), ("S4", "shape")),
        (payload(S1, S2, S3, S4, "S5I", S6), ("S5", "shape")),
        (payload(S1, S2, S3, S4, S5, "S61971-03-08"), ("S6", "shape")),
        (payload(S1, S2, S3, S4, S5, "S608-03-71"), ("S6", "length")),
        (payload(S1, S2, S3, S4, S5, "S608-03-0000"), ("S6", "shape")),
        (payload(S1, S2, S3, S4, S5, "S660-03-1971"), ("S6", "shape")),
        (payload(S1, S2, S3, S4, S5, S6, "S70134"), ("S7", "length")),
        (payload(S1, S2, S3, S4, S5, S6, "S7RENNE"), ("S7", "shape")),
        (payload(S1, S2, S3, S4, S5, S6, S7, "?"), ("S7", "end")),
        (payload("?"), ("header", "end")),
    ],
)
def test_a_faulty_payload_is_refused_by_field_and_rule(text, expected):
    assert fault(text) == expected


def test_an_error_names_the_field_in_both_languages_and_quotes_no_value():
    with pytest.raises(DatamatrixError) as caught:
        read_payload(payload(S1, S2, S3, S4, "S5I", S6))
    assert str(caught.value) == "S5 (sex): rule shape: F or M; an undetermined sex has no INS"
    assert caught.value.message_fr == "S5 (sexe) : F ou M ; un sexe indéterminé n’a pas d’INS"


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"sex": "I"}, ("S5", "shape")),
        ({"sex": ""}, ("S5", "length")),
        ({"birth_date": "1971"}, ("S6", "calendar")),
        ({"birth_date": "19711308"}, ("S6", "calendar")),
        ({"birth_date": ""}, ("S6", "calendar")),
        ({"given_names": ""}, ("S3", "length")),
        ({"birth_name": "A" * 101}, ("S4", "length")),
        ({"birth_name": f"KERMOR{GS}S5F"}, ("S4", "shape")),
        ({"birth_place": "FRANCE"}, ("S7", "length")),
    ],
)
def test_traits_that_no_qualified_identity_has_are_not_written(traits, expected):
    assert refusal(replace(PERSON, **traits)) == expected


@pytest.mark.parametrize("oid", [INS_C_OID, "1.2.250.1.213.1.4.5", ""])
def test_an_oid_that_is_not_of_the_ins_is_not_written(oid):
    assert refusal(oid=oid) == ("S2", "oid")


def test_a_matricule_without_its_key_is_not_written():
    assert refusal(matricule=MATRICULE[:13]) == ("S1", "length")


WORDS = st.text("ABCXYZ", min_size=1, max_size=20)
PEOPLE = st.builds(
    StrictTraits,
    birth_name=st.lists(WORDS, min_size=1, max_size=3).map("--".join) | st.just("D" * 100),
    given_names=st.lists(WORDS, min_size=1, max_size=4).map(" ".join) | st.just("P" * 100),
    birth_date=st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8)),
    sex=st.sampled_from("MF"),
    birth_place=st.sampled_from(["", "01340", "2A004", "99351", "99999"]),
)
OIDS = st.sampled_from([NIR_OID, NIA_OID, NIR_TEST_OID, NIR_DEMO_OID])


@given(PEOPLE, OIDS)
def test_what_is_written_is_read_back(traits, oid):
    read = read_payload(write_payload(traits, MATRICULE, oid))
    assert (read.traits, read.matricule, read.oid) == (traits, MATRICULE, oid)


@given(PEOPLE, OIDS, st.data())
def test_the_order_of_fields_changes_nothing(traits, oid, data):
    read = read_payload(write_payload(traits, MATRICULE, oid))
    order = data.draw(st.permutations(list(read.fields.items())))
    text = HEADER
    for position, (id_, value) in enumerate(order):
        ended = len(value) < FIELDS[id_].maximum and position + 1 < len(order)
        text += id_ + value + GS * ended
    assert dict(read_payload(text).fields) == dict(read.fields)


@given(st.text("IS0123456789ABM'- \x1d.é", max_size=80), st.sampled_from(["", HEADER, WITH_NIR]))
def test_any_text_is_read_or_refused_by_the_format(text, start):
    with suppress(DatamatrixError):
        assert read_payload(start + text).traits.birth_name
