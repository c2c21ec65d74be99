"""The settled cases about identities, seen from the sender's side: ER7 in, acknowledgement and resulting state out."""

from typing import Any

import pytest

from insigne.ins.status import Status
from insigne.registry.settings import AuthoritySettings, RegistrySettings

ALICE = "2800269123456"
OTHER = "2800269123499"


def qualified(hospital: Any, write: Any, number: str = "1", ins: str = ALICE) -> Any:
    hospital.says("A28", write.pi(number), write.ins(ins), status="VALI")
    person = hospital.person(number)
    assert person.qualified or person.ins.contested
    return person


def test_an_ins_received_with_vali_qualifies_the_identity(hospital: Any, write: Any) -> None:
    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE), status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").status is Status.QUAL
    assert hospital.person("1").ins.ins.matricule == write.matricule(ALICE)


@pytest.mark.parametrize("status", ["PROV", "", "VIDE", "DOUB"])
def test_an_ins_received_without_vali_is_dropped_and_the_message_integrated(
    hospital: Any, write: Any, status: str
) -> None:
    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE), status=status)

    assert reply.code == "AA"
    assert reply.errors == []
    assert hospital.person("1").traits.birth_name == "MARTIN"
    assert hospital.person("1").ins is None
    assert hospital.person("1").status is Status.PROV
    assert "ins-not-validated" in hospital.findings()


def test_a_message_that_lacks_the_ins_does_not_delete_it(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.says("A31", write.pi("1"), status="VALI", pid13="^PRN^PH^^^^^^^^^0102030405")

    assert hospital.person("1").status is Status.QUAL
    assert hospital.person("1").details.telecoms[0].value == "0102030405"


def test_prov_from_its_own_ri_sends_the_ins_to_the_history(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    reply = hospital.says("A31", write.pi("1"), status="PROV")

    person = hospital.person("1")
    assert reply.code == "AA"
    assert (person.status, person.ins) == (Status.PROV, None)
    assert [past.ins.matricule for past in person.ins_history] == [write.matricule(ALICE)]
    assert "ins-to-history" in hospital.findings()


@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_vali_with_a_barring_attribute_is_provisional_and_its_ins_ignored(
    hospital: Any, write: Any, attribute: str
) -> None:
    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE), status=f"VALI~{attribute}")

    person = hospital.person("1")
    assert reply.code == "AA"
    assert (person.status, person.attributes, person.ins) == (Status.PROV, (attribute,), None)
    assert person.reliability == ("VALI", attribute)
    assert "ins-attribute" in hospital.findings()


def test_vali_with_a_barring_attribute_is_said_even_without_an_ins(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), status="VALI~DOUT")

    assert hospital.person("1").status is Status.PROV
    assert "V14" in hospital.findings()


@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_barring_attribute_on_a_qualified_identity_withdraws_its_ins(
    hospital: Any, write: Any, attribute: str
) -> None:
    qualified(hospital, write)

    hospital.says("A31", write.pi("1"), status=f"VALI~{attribute}")

    assert hospital.person("1").status is Status.PROV
    assert hospital.person("1").ins is None
    assert len(hospital.person("1").ins_history) == 1


@pytest.mark.parametrize("code", ["DESA", "CACH", "ANOM", "DOUB", "VIDE", "INVA"])
def test_the_other_codes_of_pid_32_are_kept_verbatim_and_move_no_axis(hospital: Any, write: Any, code: str) -> None:
    qualified(hospital, write)

    reply = hospital.says("A31", write.pi("1"), status=code)

    assert reply.code == "AA"
    assert hospital.person("1").reliability == (code,)
    assert hospital.person("1").status is Status.QUAL


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("PROV~HOMA", ("HOMA",)),
        ("PROV~DOUT", ("DOUT",)),
        ("PROV~FICT", ("FICT",)),
        ("PROV~DOUT~HOMA", ("DOUT", "HOMA")),
        ("PROV~FICT~HOMA", ("FICT",)),
        ("PROV~DOUT~FICT", ("FICT",)),
        ("VALI~HOMA", ("HOMA",)),
    ],
)
def test_only_the_allowed_attribute_sets_are_kept(hospital: Any, write: Any, sent: str, kept: tuple[str, ...]) -> None:
    assert hospital.says("A28", write.pi("1"), status=sent).code == "AA"
    assert sorted(hospital.person("1").attributes) == sorted(kept)


def test_a_homonym_may_be_qualified(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), write.ins(ALICE), status="VALI~HOMA")

    assert hospital.person("1").status is Status.QUAL
    assert hospital.person("1").attributes == ("HOMA",)


@pytest.mark.parametrize("sex", ["U", "O", "A"])
def test_an_undetermined_sex_is_kept_as_i_and_never_qualified(hospital: Any, write: Any, sex: str) -> None:
    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE), status="VALI", sex=sex)

    assert reply.code == "AA"
    assert hospital.person("1").traits.sex == "I"
    assert hospital.person("1").status is Status.VALI
    assert "ins-traits-missing" in hospital.findings()


def test_a_sex_that_becomes_undetermined_withdraws_the_ins(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.says("A31", write.pi("1"), status="VALI", sex="U")

    assert hospital.person("1").status is Status.VALI
    assert hospital.person("1").ins_history[0].reason == "sex undetermined"


@pytest.mark.parametrize(
    "lacking",
    [{"name": "MARTIN^ALICE^^^^^L"}, {"birth": ""}, {"place": ""}, {"name": "MARTIN^ALICE^ALICE^^^^D"}],
)
def test_an_ins_without_its_traits_is_dropped(hospital: Any, write: Any, lacking: dict[str, str]) -> None:
    hospital.says("A28", write.pi("1"), write.ins(ALICE), status="VALI", **lacking)

    assert hospital.person("1").ins is None
    assert "ins-traits-missing" in hospital.findings()


def test_a_corrected_birth_date_bars_the_ins(hospital: Any, write: Any) -> None:
    hospital.send(
        "A28",
        write.pid(write.pi("1"), write.ins(ALICE), status="VALI"),
        write.segment("PV1", {2: "N"}),
        write.segment("ZFD", {4: "Y"}),
    )

    assert hospital.person("1").status is Status.VALI
    assert "ins-date-corrected" in hospital.findings()


def test_a_wrong_key_is_stored_with_a_finding(hospital: Any, write: Any) -> None:
    good = write.matricule(ALICE)
    bad = good[:13] + f"{(int(good[13:]) + 1) % 97:02d}"

    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE).replace(good, bad), status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").ins.ins.matricule == bad
    assert "ins-key" in hospital.findings()


def test_a_test_oid_in_production_is_ignored_and_the_message_integrated(hospital: Any, write: Any) -> None:
    reply = hospital.says("A28", write.pi("1"), write.ins(ALICE, "TEST"), status="VALI")

    assert (reply.code, reply.errors) == ("AA", [])
    assert hospital.person("1").status is Status.VALI
    assert "ins-environment" in hospital.findings()


def test_a_test_oid_in_a_test_environment_is_accepted(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(environment="test")

    hospital.says("A28", write.pi("1"), write.ins(ALICE, "TEST"), status="VALI")

    assert hospital.person("1").status is Status.QUAL


def test_a_billing_nir_is_not_an_ins(hospital: Any, write: Any) -> None:
    """Same OID, other type (CX-5): only INS is an INS."""
    nir = write.ins(ALICE).replace("^INS", "^NH")

    hospital.says("A28", write.pi("1"), nir, status="VALI")

    assert hospital.person("1").ins is None
    assert hospital.person("1").status is Status.VALI
    assert hospital.person("1").identifiers[1].identifier.type == "NH"


# --- one INS, two identities


def test_the_same_ins_on_a_second_identity_of_the_domain_is_contested(hospital: Any, write: Any) -> None:
    qualified(hospital, write, "1")

    reply = hospital.says("A28", write.pi("2"), write.ins(ALICE), status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").status is Status.QUAL
    assert hospital.person("2").ins.contested
    assert hospital.person("2").status is Status.VALI
    assert hospital.person("1").id != hospital.person("2").id
    assert hospital.kinds() == ["same-ins"]
    assert set(hospital.tasks()[0].subjects) == {hospital.person("1").id, hospital.person("2").id}


def test_the_same_ins_in_two_domains_is_no_contest(hospital: Any, write: Any) -> None:
    qualified(hospital, write, "1")

    hospital.says("A28", write.pi("2", "CLINIC&1.2.250.1.999.2&ISO"), write.ins(ALICE), status="VALI")

    assert hospital.person("2").status is Status.QUAL
    assert hospital.tasks() == []


def test_a_contest_ends_when_the_two_identities_are_merged(hospital: Any, write: Any) -> None:
    qualified(hospital, write, "1")
    qualified(hospital, write, "2")

    hospital.merge(write.pi("2"), write.pi("1"))

    assert hospital.person("2").status is Status.QUAL
    assert hospital.tasks() == []


# --- creation and update


def test_an_a28_on_a_known_identifier_updates_it(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.says("A28", write.pi("1"), name="MARTINEZ^ALICE^ALICE MARIE^^^^L")

    assert reply.code == "AA"
    assert [identity.traits.birth_name for identity in hospital.identities()] == ["MARTINEZ"]


def test_an_a31_on_an_unknown_patient_creates_it(hospital: Any, write: Any) -> None:
    assert hospital.says("A31", write.pi("7")).code == "AA"
    assert hospital.person("7").traits.birth_name == "MARTIN"


def test_an_empty_field_says_nothing_and_two_quotes_delete(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), pid15="fr", pid26="FRA")

    hospital.says("A31", write.pi("1"), birth="", pid15='""')

    assert hospital.person("1").traits.birth_date == "19800214"
    assert hospital.person("1").details.language == ""
    assert hospital.person("1").details.nationality == "FRA"


def test_identifiers_absent_from_a_message_stay(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), "900^^^REGION&1.2.250.1.999.9&ISO^PN")

    hospital.says("A31", write.pi("1"))

    assert [h.identifier.value for h in hospital.person("1").identifiers if h.current] == ["1", "900"]


def test_phones_and_addresses_are_replaced_as_lists_and_the_birthplace_is_not(hospital: Any, write: Any) -> None:
    home = "1 RUE HAUTE^^LYON^^69001^FRA^H"
    hospital.says("A28", write.pi("1"), pid11=f"^^^^^^BDL^^69123~{home}", pid13="^PRN^PH^^^^^^^^^01~^ORN^CP^^^^^^^^^06")

    hospital.says("A31", write.pi("1"), pid11="2 RUE BASSE^^LYON^^69002^FRA^H", pid13="^PRN^PH^^^^^^^^^02")

    person = hospital.person("1")
    assert [address.street for address in person.details.addresses] == ["2 RUE BASSE"]
    assert [telecom.value for telecom in person.details.telecoms] == ["02"]
    assert person.traits.birth_place == "69123"


@pytest.mark.parametrize(("birthplace", "left"), [("^^^^^^BDL^^13201", "13201"), ('""', ""), ('^^^^^^BDL^^""', "")])
def test_the_birthplace_changes_by_another_bdl_or_by_deletion(
    hospital: Any, write: Any, birthplace: str, left: str
) -> None:
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("1"), pid11=birthplace)

    assert hospital.person("1").traits.birth_place == left


def test_an_identifier_is_matched_by_its_authority(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("1", "CLINIC&1.2.250.1.999.2&ISO"), name="DURAND^PAUL^PAUL^^^^L", sex="M")

    assert [identity.traits.birth_name for identity in hospital.identities()] == ["MARTIN", "DURAND"]


def test_identifiers_without_an_authority_never_join_two_people(hospital: Any, write: Any) -> None:
    """Two senders may both write 5^^^^PI: a bare number belongs to nobody."""
    hospital.says("A28", write.pi("1"), "5^^^^PI")
    hospital.says("A28", write.pi("2", "CLINIC&1.2.250.1.999.2&ISO"), "5^^^^PI", name="DURAND^PAUL^PAUL^^^^L", sex="M")

    assert [identity.traits.birth_name for identity in hospital.identities()] == ["MARTIN", "DURAND"]


def test_a_patient_without_a_usable_identifier_is_refused(hospital: Any, write: Any) -> None:
    reply = hospital.says("A28", "5^^^^PI")

    assert reply.code == "AE"
    assert reply.errors == [("PID^1^3", "101", "E")]
    assert hospital.identities() == []


def test_identifiers_of_two_known_people_are_not_moved_and_a_task_is_opened(hospital: Any, write: Any) -> None:
    clinic = "CLINIC&1.2.250.1.999.2&ISO"
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2", clinic), name="DURAND^PAUL^PAUL^^^^L", sex="M")

    reply = hospital.says("A31", write.pi("1"), write.pi("2", clinic))

    assert reply.code == "AA"
    assert hospital.person("2").traits.birth_name == "DURAND"
    assert hospital.kinds() == ["identifier-conflict"]


# --- A47


REGION = "REGION&1.2.250.1.999.9&ISO"


def test_two_local_numbers_are_two_people_though_a_foreign_number_is_the_same(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), write.pi("9", REGION))

    hospital.says("A28", write.pi("2"), write.pi("9", REGION), name="MARTIN^ALINE^ALINE^^^^L")
    hospital.says("A31", write.pi("2"), write.pi("9", REGION), name="MARTIN^ALINE^ALINE^^^^L")

    assert hospital.person("1").id != hospital.person("2").id
    assert hospital.person("1").traits.first_given_name == "ALICE"
    assert [held.identifier.value for held in hospital.person("2").identifiers] == ["2"]
    assert hospital.person("9").id == hospital.person("1").id
    assert hospital.kinds() == ["identifier-conflict"]
    assert "identifier-conflict" in hospital.findings()


def test_a_message_that_lists_both_local_numbers_says_that_they_are_one_person(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("2"), write.pi("1"))

    assert hospital.person("1").id == hospital.person("2").id
    assert hospital.tasks() == []


def test_a_foreign_number_leads_a_second_site_to_the_person_it_does_not_know_yet(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), write.pi("9", REGION))

    hospital.says("A28", write.pi("77", "SITEB&1.2.250.1.999.7&ISO"), write.pi("9", REGION))

    assert hospital.person("77").id == hospital.person("1").id
    assert hospital.tasks() == []


def test_an_a40_goes_to_nobody_whom_a_foreign_number_alone_names(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), write.pi("9", REGION))
    hospital.says("A28", write.pi("3"))

    hospital.merge(write.pi("5") + "~" + write.pi("9", REGION), write.pi("3"))

    assert hospital.person("3").merged_into == ""
    assert hospital.person("5").id == hospital.person("3").id
    assert hospital.person("9").id == hospital.person("1").id
    assert hospital.kinds() == ["identifier-conflict"]


def test_nia_becomes_nir_and_only_the_nir_is_kept(hospital: Any, write: Any) -> None:
    qualified_nia = hospital.says("A28", write.pi("1"), write.ins(ALICE, "NIA"), status="VALI")
    assert qualified_nia.code == "AA"

    hospital.says("A31", write.pi("1"), write.ins(ALICE, "NIA"), write.ins(OTHER), status="VALI")

    person = hospital.person("1")
    assert person.ins.ins.matricule == write.matricule(OTHER)
    assert [past.ins.matricule for past in person.ins_history] == [write.matricule(ALICE)]
    assert hospital.tasks() == []


def test_a_nia_never_takes_the_place_of_a_nir(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    reply = hospital.says("A31", write.pi("1"), write.ins(OTHER, "NIA"), status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").ins.ins.matricule == write.matricule(ALICE)
    assert "ins-nia-late" in hospital.findings()


def test_another_ins_without_a47_is_taken_and_shown_to_a_person(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.says("A31", write.pi("1"), write.ins(OTHER), status="VALI")

    assert hospital.person("1").ins.ins.matricule == write.matricule(OTHER)
    assert hospital.kinds() == ["ins-changed"]


def test_an_a47_replaces_the_ins(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    reply = hospital.replace(write.pi("1"), write.ins(OTHER), prior=write.ins(ALICE), status="VALI")

    person = hospital.person("1")
    assert reply.code == "AA"
    assert (person.ins.ins.matricule, person.status) == (write.matricule(OTHER), Status.QUAL)
    assert [past.ins.matricule for past in person.ins_history] == [write.matricule(ALICE)]


def test_an_ins_without_vali_does_not_name_anybody(hospital: Any, write: Any) -> None:
    qualified(hospital, write)
    before = hospital.snapshot()

    reply = hospital.says("A31", write.ins(ALICE), status="PROV", name="DURAND^ALICE^ALICE^^^^L")

    assert (reply.code, reply.errors) == ("AE", [("PID^1^3", "101", "E")])
    assert hospital.snapshot() == before


def test_a_message_with_a_validated_ins_alone_is_about_the_one_who_holds_it(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    assert hospital.says("A31", write.ins(ALICE), status="VALI", pid15="fr").code == "AA"

    assert hospital.person("1").details.language == "fr"


def test_a_message_without_a_local_number_is_not_trusted_when_authorities_are_configured(
    open_hospital: Any, write: Any
) -> None:
    hospital = open_hospital(authorities=TRUSTING)
    qualified(hospital, write)

    hospital.says("A31", write.ins(ALICE), status="VALI", name="MARTINEZ^ALICE^ALICE MARIE^^^^L")

    assert hospital.person("1").traits.birth_name == "MARTIN"


def test_an_a47_may_repeat_the_local_number_in_mrg(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    prior = f"{write.ins(ALICE)}~{write.pi('1')}"
    reply = hospital.replace(write.pi("1"), write.ins(OTHER), prior=prior, status="VALI")

    assert reply.code == "AA"
    assert hospital.person("1").ins.ins.matricule == write.matricule(OTHER)


def test_an_a47_is_no_update_of_the_traits(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.replace(
        write.pi("1"), write.ins(OTHER), prior=write.ins(ALICE), status="VALI", name="AUTRE^ALICE^ALICE^^^^L"
    )

    assert hospital.person("1").traits.birth_name == "MARTIN"


def test_an_a47_with_two_quotes_deletes_the_ins_and_leaves_the_status_it_carries(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    reply = hospital.replace(write.pi("1"), write.ins('""'), prior=write.ins(ALICE), status="VALI")

    person = hospital.person("1")
    assert reply.code == "AA"
    assert (person.ins, person.status) == (None, Status.VALI)
    assert person.ins_history[0].reason == "deleted by A47"


def test_an_a47_deletion_without_pid_32_leaves_the_status(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.replace(write.pi("1"), write.ins('""'), prior=write.ins(ALICE), status="")

    assert hospital.person("1").status is Status.VALI


def test_an_a47_downgrade_deletes_the_ins_and_makes_the_identity_provisional(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.replace(write.pi("1"), write.ins('""'), prior=write.ins(ALICE), status="PROV")

    assert hospital.person("1").status is Status.PROV
    assert hospital.person("1").ins is None


def test_an_a47_with_an_ins_not_validated_takes_neither(hospital: Any, write: Any) -> None:
    qualified(hospital, write)

    hospital.replace(write.pi("1"), write.ins(OTHER), prior=write.ins(ALICE), status="PROV")

    assert hospital.person("1").ins is None
    assert "ins-not-validated" in hospital.findings()


def test_an_a47_to_an_ins_held_by_another_is_contested(hospital: Any, write: Any) -> None:
    qualified(hospital, write, "1", ALICE)
    qualified(hospital, write, "2", OTHER)

    reply = hospital.replace(write.pi("2"), write.ins(ALICE), prior=write.ins(OTHER), status="VALI")

    assert reply.code == "AA"
    assert hospital.person("2").ins.contested
    assert hospital.person("1").status is Status.QUAL
    assert hospital.kinds() == ["same-ins"]


def test_an_a47_renumbers_a_patient(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.replace(write.pi("9"), prior=write.pi("1"))

    assert reply.code == "AA"
    assert [(h.identifier.value, h.current) for h in hospital.person("9").identifiers] == [("1", False), ("9", True)]


def test_an_a47_to_the_number_of_another_patient_is_refused(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    before = hospital.snapshot()

    reply = hospital.replace(write.pi("2"), prior=write.pi("1"))

    assert reply.code == "AE"
    assert reply.errors == [("PID^1^3", "205", "E")]
    assert hospital.snapshot() == before


@pytest.mark.parametrize("prior", ["404", "INS"])
def test_an_a47_on_an_unknown_mrg_does_nothing(hospital: Any, write: Any, prior: str) -> None:
    hospital.says("A28", write.pi("1"))
    before = hospital.snapshot()

    number = write.ins(ALICE) if prior == "INS" else write.pi(prior)
    reply = hospital.replace(write.pi("1"), write.ins(OTHER), prior=number, status="VALI")

    assert (reply.code, reply.errors) == ("AA", [])
    assert hospital.snapshot() == before


# --- A40


def test_an_a40_retires_the_prior_identity(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"), name="AUTRE^ALICE^ALICE^^^^L")

    reply = hospital.merge(write.pi("1"), write.pi("2"))

    assert reply.code == "AA"
    assert hospital.person("2").merged_into == hospital.person("1").id
    assert hospital.person("1").absorbed == (hospital.person("2").id,)
    assert hospital.person("1").traits.birth_name == "MARTIN"


def test_an_a40_on_an_unknown_mrg_does_nothing(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    before = hospital.snapshot()

    reply = hospital.merge(write.pi("1"), write.pi("404"))

    assert (reply.code, reply.errors) == ("AA", [])
    assert hospital.snapshot() == before


def test_an_a40_to_an_unknown_survivor_changes_the_identifier(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("2"))

    reply = hospital.merge(write.pi("9"), write.pi("2"))

    assert reply.code == "AA"
    assert len(hospital.identities()) == 1
    assert [(h.identifier.value, h.current) for h in hospital.person("9").identifiers] == [("2", False), ("9", True)]


def test_an_a40_repeated_does_nothing(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("1"), write.pi("2"))
    before = hospital.snapshot()

    reply = hospital.merge(write.pi("1"), write.pi("2"))

    assert (reply.code, reply.errors) == ("AA", [])
    assert hospital.snapshot() == before


def test_an_a40_swapped_afterwards_is_held_for_a_person(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("1"), write.pi("2"))
    before = hospital.identities()

    reply = hospital.merge(write.pi("2"), write.pi("1"))

    assert reply.code == "AA"
    assert hospital.identities() == before
    assert hospital.kinds() == ["merge-held"]


def test_an_a40_on_itself_is_refused_at_the_mrg(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.merge(write.pi("1"), write.pi("1"))

    assert reply.code == "AE"
    assert reply.errors == [("MRG^1^1", "205", "E")]
    assert hospital.person("1").merged_into == ""


def test_a_chain_of_a40_leads_to_one_survivor(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))

    hospital.merge(write.pi("2"), write.pi("3"))
    hospital.merge(write.pi("1"), write.pi("2"))

    assert hospital.person("3").merged_into == hospital.person("2").id
    assert hospital.person("2").merged_into == hospital.person("1").id
    assert hospital.person("1").merged_into == ""


def test_an_a40_towards_a_merged_identity_goes_to_its_survivor(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))
    hospital.merge(write.pi("1"), write.pi("2"))

    reply = hospital.merge(write.pi("2"), write.pi("3"))

    assert reply.code == "AA"
    assert hospital.person("3").merged_into == hospital.person("1").id


def test_an_a40_that_closes_a_circle_is_held(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))
    hospital.merge(write.pi("1"), write.pi("2"))
    hospital.merge(write.pi("2"), write.pi("3"))

    reply = hospital.merge(write.pi("3"), write.pi("1"))

    assert reply.code == "AA"
    assert hospital.person("1").merged_into == ""
    assert hospital.kinds() == ["merge-held"]


def test_an_a40_of_a_merged_identity_elsewhere_is_held(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))
    hospital.merge(write.pi("1"), write.pi("2"))

    hospital.merge(write.pi("3"), write.pi("2"))

    assert hospital.person("2").merged_into == hospital.person("1").id
    assert hospital.kinds() == ["merge-held"]


def test_an_a40_of_two_different_ins_keeps_that_of_the_survivor(hospital: Any, write: Any) -> None:
    qualified(hospital, write, "1", ALICE)
    qualified(hospital, write, "2", OTHER)

    reply = hospital.merge(write.pi("1"), write.pi("2"))

    assert reply.code == "AA"
    assert hospital.person("1").ins.ins.matricule == write.matricule(ALICE)
    assert hospital.person("1").status is Status.QUAL
    assert [past.ins.matricule for past in hospital.person("2").ins_history] == [write.matricule(OTHER)]
    assert hospital.kinds() == ["merge-other-ins"]


@pytest.mark.parametrize("event", ["A28", "A31"])
def test_a_message_on_a_merged_identifier_is_refused_and_the_survivor_named(
    hospital: Any, write: Any, event: str
) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("1"), write.pi("2"))
    before = hospital.snapshot()

    reply = hospital.says(event, write.pi("2"))

    assert reply.code == "AE"
    assert reply.errors == [("PID^1^3", "204", "E")]
    assert "it is now 1" in reply.text
    assert hospital.snapshot() == before


def test_the_survivor_is_not_named_to_a_sender_of_another_authority(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("771"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("771"), write.pi("2"))

    reply = hospital.says("A31", write.pi("88", "CLINIC&1.2.250.1.999.2&ISO"), write.pi("2"))

    assert reply.code == "AE"
    assert "771" not in reply.text


def test_a_survivor_does_not_take_the_merged_number_back(hospital: Any, write: Any) -> None:
    """Some senders list every number a patient ever had: the merged one stays merged."""
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.merge(write.pi("1"), write.pi("2"))

    assert hospital.says("A31", write.pi("1"), write.pi("2")).code == "AA"

    assert [h.identifier.value for h in hospital.person("1").identifiers] == ["1"]
    assert hospital.says("A31", write.pi("2")).code == "AE"


# --- A24, A37


def test_an_a24_links_two_identities_and_creates_the_unknown_one(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    reply = hospital.send("A24", write.pid(write.pi("1")), write.pid(write.pi("2")))

    first, second = hospital.person("1"), hospital.person("2")
    assert reply.code == "AA"
    assert (first.links, second.links) == ((second.id,), (first.id,))


def test_an_a37_undoes_the_link(hospital: Any, write: Any) -> None:
    hospital.send("A24", write.pid(write.pi("1")), write.pid(write.pi("2")))

    reply = hospital.send("A37", write.pid(write.pi("1")), write.pid(write.pi("2")))

    assert reply.code == "AA"
    assert [identity.links for identity in hospital.identities()] == [(), ()]


def test_an_a37_of_what_is_not_linked_does_nothing(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    before = hospital.snapshot()

    assert hospital.send("A37", write.pid(write.pi("1")), write.pid(write.pi("2"))).code == "AA"
    assert hospital.snapshot() == before


def test_an_a24_on_a_merged_identifier_links_the_survivor(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))
    hospital.merge(write.pi("1"), write.pi("2"))

    assert hospital.send("A24", write.pid(write.pi("2")), write.pid(write.pi("3"))).code == "AA"

    assert hospital.person("1").links == (hospital.person("3").id,)
    assert len(hospital.identities()) == 3


# --- overlay


TWO_TRAITS = {"name": "DURAND^PAUL^PAUL^^^^L", "sex": "M"}


def test_an_overlay_is_held_with_the_ins_and_pid_32_and_the_rest_applied(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"), status="PROV")

    reply = hospital.says("A31", write.pi("1"), write.ins(ALICE), status="VALI", pid15="fr", **TWO_TRAITS)

    person = hospital.person("1")
    assert (reply.code, reply.errors) == ("AA", [])
    assert (person.traits.birth_name, person.traits.sex) == ("MARTIN", "F")
    assert (person.status, person.ins, person.reliability) == (Status.PROV, None, ("PROV",))
    assert person.details.language == "fr"
    assert hospital.kinds() == ["overlay"]
    assert b"DURAND" in bytes(hospital.tasks()[0].held)


def test_the_deletion_of_several_traits_is_an_overlay(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("1"), birth='""', place='""')

    assert hospital.person("1").traits.birth_date == "19800214"
    assert hospital.kinds() == ["overlay"]


def test_a_held_overlay_does_not_block_later_messages(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A31", write.pi("1"), **TWO_TRAITS)

    hospital.says("A31", write.pi("1"), write.ins(ALICE), status="VALI")

    assert hospital.person("1").status is Status.QUAL


def test_an_overlay_repeated_opens_one_task(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A31", write.pi("1"), **TWO_TRAITS)
    hospital.says("A31", write.pi("1"), **TWO_TRAITS)

    assert hospital.kinds() == ["overlay"]


def test_an_overlay_may_be_applied_by_policy_and_still_opens_a_task(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(registry=RegistrySettings(overlay="apply"))
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("1"), **TWO_TRAITS)

    assert hospital.person("1").traits.birth_name == "DURAND"
    assert hospital.kinds() == ["overlay"]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, {"name": "DURAND^ALICE^ALICE MARIE^^^^L"}),
        ({"place": "99999", "sex": "U"}, {"name": "DURAND^ALICE^ALICE MARIE^^^^L"}),
        ({"place": ""}, {"name": "DURAND^ALICE^ALICE MARIE^^^^L"}),
        ({}, {"name": "MÀRTIN^ALICE^ALICE MARIE ROSE^^^^L", "sex": "M"}),
        ({"birth": "198002"}, {"birth": "19800214", "sex": "M"}),
    ],
)
def test_fewer_than_two_real_changes_are_no_overlay(
    hospital: Any, write: Any, known: dict[str, str], said: dict[str, str]
) -> None:
    hospital.says("A28", write.pi("1"), **known)

    hospital.says("A31", write.pi("1"), **said)

    assert hospital.tasks() == []
    assert hospital.person("1").version > 1


def test_a_changed_given_name_and_list_count_once(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("1"), name="MARTIN^PAUL^PAUL HENRI^^^^L")

    assert hospital.person("1").traits.first_given_name == "PAUL"
    assert hospital.tasks() == []


def test_the_overlay_guard_covers_movements_too(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))

    assert hospital.moves("A01", write.pi("1"), "M1", **TWO_TRAITS).code == "AA"

    assert hospital.person("1").traits.birth_name == "MARTIN"
    assert len(hospital.stays()) == 1
    assert hospital.kinds() == ["overlay"]


# --- authorities


CLINIC = "CLINIC&1.2.250.1.999.2&ISO"
TRUSTING = (
    AuthoritySettings(name="HOSP", oid="1.2.250.1.999.1"),
    AuthoritySettings(name="CLINIC", oid="1.2.250.1.999.2", trusted=False),
)


def test_an_untrusted_authority_is_stored_and_its_ins_ignored(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=TRUSTING)

    reply = hospital.says("A28", write.pi("8", CLINIC), write.ins(ALICE), status="VALI")

    assert reply.code == "AA"
    assert not hospital.person("8").trusted
    assert hospital.person("8").status is Status.PROV
    assert "ins-untrusted" in hospital.findings()


def test_an_authority_that_is_not_configured_is_untrusted(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=TRUSTING)

    hospital.says("A28", write.pi("8", "UNKNOWN&1.2.250.1.999.77&ISO"))

    assert not hospital.person("8").trusted


def test_an_untrusted_feed_never_overwrites_a_trusted_identity(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=TRUSTING)
    shared = "900^^^REGION&1.2.250.1.999.9&ISO^PN"
    hospital.says("A28", write.pi("1"), shared, write.ins(ALICE), status="VALI")

    reply = hospital.says("A31", write.pi("8", CLINIC), shared, status="PROV", name="AUTRE^ALICE^ALICE^^^^L")

    person = hospital.person("1")
    assert reply.code == "AA"
    assert (person.traits.birth_name, person.status) == ("MARTIN", Status.QUAL)
    assert "8" in [h.identifier.value for h in person.identifiers]
    assert "not-overwritten" in hospital.findings()


def test_a_less_qualified_authority_never_overwrites_a_better_one(hospital: Any, write: Any) -> None:
    shared = "900^^^REGION&1.2.250.1.999.9&ISO^PN"
    hospital.says("A28", write.pi("1"), shared, write.ins(ALICE), status="VALI")

    hospital.says("A31", write.pi("8", CLINIC), shared, status="VALI", name="AUTRE^ALICE^ALICE^^^^L")

    assert hospital.person("1").traits.birth_name == "MARTIN"
    assert hospital.person("1").status is Status.QUAL


def test_a_trusted_authority_completes_what_an_untrusted_one_began(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=TRUSTING)
    shared = "900^^^REGION&1.2.250.1.999.9&ISO^PN"
    hospital.says("A28", write.pi("8", CLINIC), shared)

    hospital.says("A31", write.pi("1"), shared, write.ins(ALICE), status="VALI")

    assert hospital.person("1").trusted
    assert hospital.person("1").status is Status.QUAL


def test_an_untrusted_feed_does_not_merge_trusted_identities(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=TRUSTING)
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"), "5^^^CLINIC&1.2.250.1.999.2&ISO^PI")

    reply = hospital.merge(write.pi("1"), write.pi("5", CLINIC))

    assert reply.code == "AA"
    assert hospital.person("2").merged_into == ""
    assert hospital.kinds() == ["merge-held"]


def test_a_namespace_without_oid_is_joined_to_the_configured_one(open_hospital: Any, write: Any) -> None:
    hospital = open_hospital(authorities=(AuthoritySettings(name="HOSP", oid="1.2.250.1.999.1", aliases=("HOPITAL",)),))
    hospital.says("A28", write.pi("1"))

    hospital.says("A31", write.pi("1", "HOSP"), pid15="fr")
    hospital.says("A31", write.pi("1", "HOPITAL"), pid16="M")

    assert len(hospital.identities()) == 1
    assert (hospital.person("1").details.language, hospital.person("1").details.marital_status) == ("fr", "M")


def test_an_a40_that_names_a_third_identity_tells_a_person(hospital: Any, write: Any) -> None:
    for number in "123":
        hospital.says("A28", write.pi(number))

    hospital.merge(write.pi("1"), write.pi("2"), write.pi("3"))

    assert hospital.person("2").merged_into == hospital.person("1").id
    assert hospital.person("3").merged_into == ""
    assert hospital.kinds() == ["identifier-conflict"]
