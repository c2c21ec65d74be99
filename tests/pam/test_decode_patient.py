"""What PID and the French segments say of a person: values, silence and deletion."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import Hl7Error, Message
from insigne.pam.decode import decode
from insigne.registry.commands import LinkPatients, MergePatients, Patient, RecordPatient, ReplaceIdentifiers
from insigne.registry.values import Authority, Identifier, Ins

HOSP = "HOSP&1.2.250.1.999.1&ISO"
AUTHORITY = Authority("HOSP", "1.2.250.1.999.1", "ISO")
NIR = "1.2.250.1.213.1.4.8"


def message(event: str, *segments: str, version: str = "2.5^FRA^2.11") -> Message:
    header = f"MSH|^~\\&|GAM|HOSP|X|Y|20260301||ADT^{event}|1|P|{version}||||||UNICODE UTF-8"
    return Message.parse("".join(f"{line}\r" for line in (header, *segments)).encode())


def pid(**fields: str) -> str:
    numbers = {int(name.removeprefix("pid")): value for name, value in fields.items()}
    return "|".join(["PID", *(numbers.get(n, "") for n in range(1, max(numbers) + 1))])


def patient(*segments: str, version: str = "2.5^FRA^2.11", **fields: str) -> Patient:
    command = decode(message("A31", pid(**{"pid3": f"1^^^{HOSP}^PI"} | fields), *segments, version=version))
    assert isinstance(command, RecordPatient)
    return command.patient


# --- identifiers


@pytest.mark.parametrize(
    ("repetition", "expected"),
    [
        (f"12^^^{HOSP}^PI", Identifier("PI", AUTHORITY, "12")),
        (f"12^^^{HOSP}", Identifier("PI", AUTHORITY, "12")),
        ("12^^^HOSP^PI", Identifier("PI", Authority("HOSP"), "12")),
        ("12^^^&350000121&M^PI", Identifier("PI", Authority("", "350000121", "M"), "12")),
        (f"12^^^{HOSP}^PN", Identifier("PN", AUTHORITY, "12")),
        (
            f"280026912345674^^^ASIP-SANTE-NIR&{NIR}&ISO^NH^^20260101",
            Identifier("NH", Authority("ASIP-SANTE-NIR", NIR, "ISO"), "280026912345674"),
        ),
        (
            "A\\F\\B^^^CNOP&1.2.250.1.176.1.2&ISO^NDP",
            Identifier("NDP", Authority("CNOP", "1.2.250.1.176.1.2", "ISO"), "A|B"),
        ),
    ],
)
def test_an_identifier_is_a_value_under_a_type_and_an_authority(repetition: str, expected: Identifier) -> None:
    assert patient(pid3=repetition).identifiers == (expected,)


@pytest.mark.parametrize("repetition", ["", "^^^HOSP^PI", f'""^^^{HOSP}^PI'])
def test_an_identifier_without_a_value_is_none(repetition: str) -> None:
    assert patient(pid3=f"{repetition}~2^^^{HOSP}^PI").identifiers == (Identifier("PI", AUTHORITY, "2"),)


def test_the_ins_is_told_from_the_billing_nir_by_its_type_alone() -> None:
    said = patient(
        pid3=f"280026912345674^^^ASIP-SANTE-INS-NIR&{NIR}&ISO^INS~280026912345674^^^ASIP-SANTE-NIR&{NIR}&ISO^NH~"
        f"280026912345674^^^ASIP-SANTE-INS-NIR&{NIR}&ISO"
    )

    assert said.ins == (Ins("280026912345674", NIR),)
    assert [identifier.type for identifier in said.identifiers] == ["NH", ""]


def test_the_oid_of_an_ins_may_be_found_by_its_namespace() -> None:
    assert patient(pid3="280026912345674^^^ASIP-SANTE-INS-NIR^INS").ins == (Ins("280026912345674", NIR),)


def test_two_ins_are_both_read_in_their_order() -> None:
    said = patient(pid3=f"1^^^&1.2.250.1.213.1.4.9&ISO^INS~2^^^&{NIR}&ISO^INS")

    assert [ins.matricule for ins in said.ins] == ["1", "2"]


# --- names


@pytest.mark.parametrize(
    ("names", "birth", "used"),
    [
        ("MARTIN^ALICE^ALICE MARIE^^Mme^^L~DURAND^LILI^^^^^D", ("MARTIN", "ALICE", "ALICE MARIE"), ("DURAND", "LILI")),
        ("DURAND^LILI^^^^^D~MARTIN^ALICE^ALICE MARIE^^^^L", ("MARTIN", "ALICE", "ALICE MARIE"), ("DURAND", "LILI")),
        ("MARTIN^ALICE", ("MARTIN", "ALICE", None), (None, None)),
        ("MARTIN^ALICE~AUTRE^NOM", ("MARTIN", "ALICE", None), (None, None)),
        ("AUTRE^NOM~MARTIN^ALICE^ALICE^^^^L", ("MARTIN", "ALICE", "ALICE"), (None, None)),
        ("MARTIN^ALICE^ALICE^^^^L~AUTRE^NOM^^^^^L", ("MARTIN", "ALICE", "ALICE"), (None, None)),
        ('""^ALICE^ALICE^^^^L~""^^^^^^D', ("", "ALICE", "ALICE"), ("", None)),
        (" ^^^^^^L", (None, None, None), (None, None)),
        ("D\\T\\AUBIGN\\X27\\Y^ALICE^^^^^L", ("D&AUBIGN'Y", "ALICE", None), (None, None)),
    ],
)
def test_birth_and_used_names_are_told_apart_by_their_type(
    names: str, birth: tuple[str | None, ...], used: tuple[str | None, ...]
) -> None:
    said = patient(pid5=names)

    assert (said.traits.birth_name, said.traits.first_given_name, said.traits.given_names) == birth
    assert (said.details.used_name, said.details.used_given_name) == used


def test_names_of_other_types_are_kept() -> None:
    said = patient(pid5="MARTIN^ALICE^ALICE^^^^L~ZORRO^^^^^^S~X^Y^^^^^U")

    assert said.details.other_names == (("S", "ZORRO", ""), ("U", "X", "Y"))


@pytest.mark.parametrize(
    ("version", "further", "expected"),
    [
        ("2.5^FRA^2.11", "ALICE MARIE", "ALICE MARIE"),
        ("2.5^FRA^2.11", "MARIE", "MARIE"),
        ("2.5", "MARIE ROSE", "ALICE MARIE ROSE"),
        ("2.5", "ALICE MARIE", "ALICE MARIE"),
        ("2.3.1", "", None),
        ("2.5", '""', ""),
    ],
)
def test_xpn_3_is_the_whole_list_in_france_and_the_further_names_elsewhere(
    version: str, further: str, expected: str | None
) -> None:
    assert patient(version=version, pid5=f"MARTIN^ALICE^{further}^^^^L").traits.given_names == expected


# --- the other traits


@pytest.mark.parametrize(
    ("sent", "sex"), [("M", "M"), ("F", "F"), ("f", "F"), ("U", "I"), ("O", "I"), ("", None), ('""', "")]
)
def test_the_sex_is_m_f_or_undetermined(sent: str, sex: str | None) -> None:
    assert patient(pid8=sent).traits.sex == sex


@pytest.mark.parametrize("date", ["19800214", "198002", "1980", "19800231", "19800214103000+0100"])
def test_the_birth_date_is_kept_as_received(date: str) -> None:
    assert patient(pid7=date).traits.birth_date == date


def test_the_birthplace_is_the_bdl_repetition_and_the_others_are_addresses() -> None:
    said = patient(pid11="1 RUE HAUTE^BAT A^LYON^^69001^FRA^H^^69381~^^VILLEURBANNE^^^FRA^BDL^^69266~^^^^^^C")

    assert said.traits.birth_place == "69266"
    assert said.details.birth_city == "VILLEURBANNE"
    assert said.details.addresses is not None
    first = said.details.addresses[0]
    assert (first.street, first.complement, first.city, first.postal_code, first.country, first.use, first.commune) == (
        "1 RUE HAUTE",
        "BAT A",
        "LYON",
        "69001",
        "FRA",
        "H",
        "69381",
    )


def test_the_birthplace_alone_says_nothing_of_the_addresses() -> None:
    assert patient(pid11="^^^^^^BDL^^69266").details.addresses is None


def test_two_quotes_delete_the_addresses_and_the_birthplace() -> None:
    said = patient(pid11='""')

    assert (said.traits.birth_place, said.details.addresses) == ("", ())


def test_two_quotes_inside_an_address_are_an_empty_part() -> None:
    said = patient(pid11='1 RUE HAUTE^""^LYON^^69001^FRA^H')

    assert said.details.addresses is not None
    assert said.details.addresses[0].complement == ""


def test_phones_and_mails_are_read_where_old_and_new_senders_write_them() -> None:
    said = patient(pid13="^PRN^PH^^^^^^^^^0102~^NET^Internet^a@example.org~0304^PRN^PH", pid14="^WPN^PH^^^^^^^^^0506")

    assert said.details.telecoms is not None
    assert [(t.use, t.value) for t in said.details.telecoms] == [
        ("PRN", "0102"),
        ("NET", "a@example.org"),
        ("PRN", "0304"),
        ("WPN", "0506"),
    ]


def test_two_quotes_delete_the_phones() -> None:
    assert patient(pid13='""').details.telecoms == ()


def test_pid_32_is_kept_verbatim_in_its_order() -> None:
    assert patient(pid32="PROV~ANOM~DOUT").reliability == ("PROV", "ANOM", "DOUT")
    assert patient(pid32="").reliability == ()


def test_the_plain_fields_are_said_kept_or_deleted() -> None:
    said = patient(
        "PD1||H||||||||||Y", pid15="fr", pid16='""', pid23="LYON", pid24="Y", pid25="2", pid26="FRA", pid29="20260101"
    ).details

    assert (said.language, said.marital_status, said.birth_place_text) == ("fr", "", "LYON")
    assert (said.multiple_birth, said.birth_order, said.nationality, said.death_date) == ("Y", "2", "FRA", "20260101")
    assert (said.living_arrangement, said.protected, said.death_indicator) == ("H", "Y", None)


# --- French segments


def test_zfd_says_how_the_identity_was_obtained() -> None:
    """ZFD-1 is day^month^year: a lunar date of month 13 stays as written, most significant part first."""
    said = patient("ZFD|15^13^1980|38|Y|N|INSI|20260228|PA|20300101").details

    assert said.lunar_birth_date == "1980-13-15"
    assert (said.gestation_weeks, said.sms_consent, said.birth_date_corrected) == ("38", "Y", "N")
    assert (said.collection_mode, said.insi_date, said.proof, said.proof_expiry) == (
        "INSI",
        "20260228",
        "PA",
        "20300101",
    )


def test_zfp_zfa_and_zfs_are_read() -> None:
    said = patient(
        "ZFA|ACTIF|20260101|||||||INO|20260102|IC|",
        "ZFP|5|54",
        "ZFS|1|S1^HOSP^1.2.250.1.999.1^ISO|20260101|20260201|INSERT|SDT^Soins|4|note",
        "ZFS|2|S2^HOSP|20260103||CANCEL|SPI",
    ).details

    assert (said.occupation, said.occupation_group) == ("5", "54")
    assert said.dmp is not None
    assert (said.dmp.status, said.dmp.feeding, said.dmp.consulting, said.dmp.closed_date) == (
        "ACTIF",
        "INO",
        "IC",
        None,
    )
    assert said.legal_care_modes is not None
    [(action, mode), (second, _)] = said.legal_care_modes
    assert (action, mode.id, mode.mode, mode.rimp_code, mode.end) == (
        "INSERT",
        "1.2.250.1.999.1|S1",
        "SDT",
        "4",
        "20260201",
    )
    assert second == "CANCEL"


# --- events of identities


def test_a40_names_the_prior_identity_in_mrg() -> None:
    command = decode(message("A40", pid(pid3=f"1^^^{HOSP}^PI"), f"MRG|2^^^{HOSP}^PI~3^^^{HOSP}^PI"))

    assert isinstance(command, MergePatients)
    assert [identifier.value for identifier in command.prior] == ["2", "3"]


def test_a47_tells_a_replacement_from_a_deletion() -> None:
    mrg = f"MRG|280026912345674^^^&{NIR}&ISO^INS"
    replaced = decode(message("A47", pid(pid3=f"1^^^{HOSP}^PI~9^^^&{NIR}&ISO^INS"), mrg))
    deleted = decode(message("A47", pid(pid3=f'1^^^{HOSP}^PI~""^^^&{NIR}&ISO^INS'), mrg))

    assert isinstance(replaced, ReplaceIdentifiers)
    assert isinstance(deleted, ReplaceIdentifiers)
    assert (replaced.prior_ins, replaced.patient.ins, replaced.patient.ins_deleted) == (
        (Ins("280026912345674", NIR),),
        (Ins("9", NIR),),
        False,
    )
    assert (deleted.patient.ins, deleted.patient.ins_deleted) == ((), True)


@pytest.mark.parametrize(("event", "unlink"), [("A24", False), ("A37", True)])
def test_a24_and_a37_name_two_patients(event: str, unlink: bool) -> None:
    command = decode(message(event, pid(pid3=f"1^^^{HOSP}^PI"), pid(pid3=f"2^^^{HOSP}^PI")))

    assert isinstance(command, LinkPatients)
    assert command.unlink is unlink
    assert [p.identifiers[0].value for p in (command.first, command.second)] == ["1", "2"]


@pytest.mark.parametrize(
    ("event", "segments", "place", "condition"),
    [
        ("A28", (), "PID", "100"),
        ("A40", ("PID|||1^^^H^PI",), "MRG", "100"),
        ("A47", ("PID|||1^^^H^PI",), "MRG", "100"),
        ("A24", ("PID|||1^^^H^PI",), "PID(2)", "100"),
        ("A44", ("PID|||1^^^H^PI",), "MRG", "100"),
        ("A49", ("PID|||1^^^H^PI", "MRG|1|||"), "PID-18", "101"),
        ("A60", (), "MSH-9.2", "201"),
    ],
)
def test_what_an_event_lives_by_must_be_there(
    event: str, segments: tuple[str, ...], place: str, condition: str
) -> None:
    with pytest.raises(Hl7Error) as caught:
        decode(message(event, *segments))

    assert (str(caught.value.location), caught.value.condition) == (place, condition)


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict | list):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)
    elif isinstance(tree, str):
        yield tree


_NULLS = st.sampled_from(('""', '""^A^""', 'A^""&""~""'))
_TEXT = st.one_of(_NULLS, st.text("AZ1 ^~&\\\"'é", max_size=12))


@given(st.lists(_TEXT, min_size=40, max_size=40), st.sampled_from(["A28", "A31", "A40", "A47", "A01", "Z99", "A44"]))
def test_reading_never_fails_on_the_content_of_fields(fields: list[str], event: str) -> None:
    content = "|".join(fields)
    segments = [f"{name}|{content}" for name in ("PID", "MRG", "PV1", "ZBE", "ZFA", "ZFV", "ZFM", "ZFD", "ZFS")]

    command = decode(message(event, *segments))

    assert '""' not in set(_leaves(msgspec.to_builtins(command)))


# --- lists that no patient has


@pytest.mark.parametrize(("event", "field"), [("A31", "PID-3"), ("A40", "MRG-1"), ("A47", "MRG-1")])
def test_a_list_of_identifiers_that_no_patient_has_is_refused_with_its_place(event: str, field: str) -> None:
    one = f"1^^^{HOSP}^PI"
    many = "~".join(f"{number}^^^{HOSP}^PI" for number in range(1_000))
    segments = (pid(pid3=many if field == "PID-3" else one), f"MRG|{many if field == 'MRG-1' else '2' + one[1:]}")
    with pytest.raises(Hl7Error) as raised:
        decode(message(event, *segments))
    assert (raised.value.ack, raised.value.condition, str(raised.value.location)) == ("AE", "102", field)


def test_a_patient_of_two_hundred_identifiers_is_read() -> None:
    many = "~".join(f"{number}^^^{HOSP}^PI" for number in range(200))
    assert len(patient(pid3=many).identifiers) == 200
