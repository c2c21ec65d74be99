import pytest

from insigne.documents.agreement import closest, differences
from insigne.ins.datamatrix import read_payload
from insigne.registry.values import Ins


def fields(kit, identity):
    return [
        (found.field, found.document, found.registry) for found in differences(read_payload(kit.ANS_PATIENT), identity)
    ]


def test_a_symbol_agrees_with_the_identity_it_was_made_for(kit):
    assert fields(kit, kit.person()) == []


def test_accents_that_a_consumer_received_are_the_same_name(kit):
    assert fields(kit, kit.person(birth_name="Pat-Troïs", given_names="Dominique Marie-Louise")) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"birth_name": "PAT-TROYES"}, ("S4", "PAT-TROIS", "PAT-TROYES")),
        ({"given_names": "DOMINIQUE"}, ("S3", "DOMINIQUE MARIE-LOUISE", "DOMINIQUE")),
        ({"sex": "M"}, ("S5", "F", "M")),
        ({"birth_date": "19790329"}, ("S6", "28-03-1979", "29-03-1979")),
        ({"birth_place": "51214"}, ("S7", "51215", "51214")),
        ({"ins": Ins("279035121518989", "1.2.250.1.213.1.4.8")}, ("S2", "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8")),
    ],
)
def test_each_trait_that_differs_is_told_with_both_values(kit, changes, expected):
    assert fields(kit, kit.person(**changes)) == [expected]


def test_an_identity_no_longer_qualified_differs_by_its_status(kit):
    assert fields(kit, kit.person(checked=False)) == [("status", "QUAL", "RECUP")]
    assert [field for field, *_ in fields(kit, kit.person(ins=None, checked=False))] == ["S1", "S2", "status"]


def test_a_birthplace_absent_from_the_symbol_is_not_compared(kit):
    payload = read_payload(kit.ANS_PATIENT.removesuffix("S751215"))
    assert differences(payload, kit.person()) == ()


def test_of_several_holders_the_closest_is_compared(kit):
    payload = read_payload(kit.ANS_PATIENT)
    assert closest(payload, [kit.person(sex="M", checked=False), kit.person()]) == (kit.person(), ())
    assert closest(payload, []) is None
