"""Each receiver in its own dialect: edition, character set, authorities, events, rules, relayed segments."""

import pytest

from insigne.hl7 import Message
from insigne.pam.encode import Encoded, FieldRule, Nothing, SubscriptionSettings, Withheld, dialect_of
from insigne.registry.settings import AuthoritySettings

from .conftest import field, ins, lines, message, movement, mrg, pid, segment, visit


@pytest.fixture
def created(repository):
    """The notice of the patient 1001, with its repository."""
    [told] = repository.receives(message("A28", pid(ins=ins(), status="VALI"), "PV1||N"))
    return repository, told


# --- edition


@pytest.mark.parametrize(
    ("edition", "version"),
    [
        ("2.11", "2.5^FRA^2.11"),
        ("2.11.0", "2.5^FRA^2.11"),
        ("2.10", "2.5^FRA^2.10"),
        ("2.4", "2.5^FRA^2.4"),
        ("PAM-2.5", "2.5"),
        ("HL7-2.3.1", "2.3.1"),
    ],
)
def test_msh_12_says_the_edition(created, edition, version):
    repository, told = created
    assert field(repository.written(told, edition=edition), "MSH", 11) == version


def test_evn_1_is_written_for_versions_that_require_it_only(created):
    repository, told = created
    assert field(repository.written(told, edition="HL7-2.4"), "EVN", 1) == "A28"
    assert field(repository.written(told, edition="2.11"), "EVN", 1) == ""


def test_phone_numbers_go_where_each_version_reads_them(repository):
    [told] = repository.receives(message("A28", pid(phone="^PRN^PH^^^^^^^^^0102030405~^NET^Internet^l@v.fr"), "PV1||N"))
    assert field(repository.written(told), "PID", 13) == "^PRN^PH^^^^^^^^^0102030405~^NET^Internet^l@v.fr"
    old = field(repository.written(told, edition="HL7-2.3.1"), "PID", 13)
    assert old == "0102030405^PRN^PH~^NET^Internet^l@v.fr"


def test_codes_and_fields_that_came_after_an_edition_are_left_out(repository):
    """ZFA-10 and 12, and ZFD-7 AV, came with 2.11.1; 2.5 has no ZFD-3 to 8 and no ZFA in an A28."""
    dmp = "ZFA|ACTIF|20260301|||||||INO|20260302|NA|20260303"
    [told] = repository.receives(message("A28", pid(), "PV1||N", dmp, "ZFD|||N|N|INSI|20260301|AV"))
    assert segment(repository.written(told), "ZFA") == dmp
    assert segment(repository.written(told, edition="2.11.0"), "ZFA") == "ZFA|ACTIF|20260301|||||||INO||NA"
    assert segment(repository.written(told, edition="2.5"), "ZFA") == ""
    assert segment(repository.written(told, edition="2.11.0"), "ZFD") == "ZFD|||N|N|INSI|20260301"
    assert segment(repository.written(told, edition="2.5"), "ZFD") == ""


# --- character set


def test_a_message_is_written_in_the_character_set_it_declares(repository):
    [told] = repository.receives(message("A28", pid(address="3 ALLÉE^^VALBRÛME^^69001^FRA^H"), "PV1||N"))
    outcome = repository.written(told, charset="iso8859-15")
    assert isinstance(outcome, Encoded)
    assert "ALLÉE^^VALBRÛME".encode("iso8859-15") in outcome.raw
    assert Message.parse(outcome.raw).declared_charset == "8859/15"


def test_text_that_the_character_set_lacks_is_held_with_its_place(repository):
    [told] = repository.receives(message("A28", pid(address="3 RUE DU CŒUR^^ŁÓDŹ^^69001^POL^H"), "PV1||N"))
    held = repository.written(told, charset="iso8859-15")
    assert isinstance(held, Withheld)
    assert (held.reason_code, "PID-11" in held.text) == ("charset", True)
    assert "ŁÓDŹ" not in held.text + held.text_fr


def test_text_that_the_character_set_lacks_is_transliterated_for_who_accepts_it(repository):
    [told] = repository.receives(message("A28", pid(address="3 RUE DU CŒUR’^^ŁÓDŹ^^69001^POL^H"), "PV1||N"))
    outcome = repository.written(told, charset="iso8859-1", unencodable="transliterate")
    assert "3 RUE DU COEUR'^^LÓDZ^^69001^POL^H".encode("iso8859-1") in outcome.raw


def test_an_ins_does_not_go_with_a_name_that_transliteration_altered(repository):
    names = "ŁUKASIK^LUCE^LUCE^^^^L"
    [told] = repository.receives(message("A28", pid(ins=ins(), status="VALI", names=names), "PV1||N"))
    outcome = repository.written(told, charset="iso8859-1", unencodable="transliterate")
    assert b"LUKASIK^LUCE" in outcome.raw
    assert b"^INS" not in outcome.raw


# --- what it sees


def test_a_receiver_sees_the_identifiers_of_its_authorities_only(repository):
    both = "1001^^^HOSP&1.2.250.1.999.1&ISO^PI~R77^^^REGION&1.2.250.1.999.7&ISO^PN"
    source = pid().replace("1001^^^HOSP&1.2.250.1.999.1&ISO^PI", both)
    [told] = repository.receives(message("A28", source, "PV1||N"))
    seen = repository.written(told, authorities=["1.2.250.1.999.1"])
    assert field(seen, "PID", 3) == "1001^^^HOSP&1.2.250.1.999.1&ISO^PI"
    assert field(repository.written(told, identifier_types=["PN"]), "PID", 3).startswith("R77^")
    assert repository.written(told, authorities=["1.2.250.1.999.8"]) == Nothing("not-visible")


def test_a_merge_whose_survivor_a_receiver_may_not_see_is_held(repository):
    repository.receives(message("A28", pid("1001"), "PV1||N"))
    region = pid().replace("1001^^^HOSP&1.2.250.1.999.1&ISO^PI", "R77^^^REGION&1.2.250.1.999.7&ISO^PI")
    repository.receives(message("A28", region, "PV1||N"))
    [told] = repository.receives(message("A40", region, mrg("1001")))
    held = repository.written(told, authorities=["HOSP"])
    assert isinstance(held, Withheld)
    assert held.reason_code == "not-visible"
    assert "1001 (HOSP)" in held.text
    assert repository.written(told, authorities=["1.2.250.1.999.7"]) == Nothing("prior-not-visible")


def test_a_receiver_of_one_domain_is_told_of_its_patients_only(created):
    repository, told = created
    assert repository.written(told, domains=["1.2.250.1.999.8"]) == Nothing("other-domain")
    assert isinstance(repository.written(told, domains=["1.2.250.1.999.1"]), Encoded)


@pytest.mark.parametrize(
    ("authority", "written"),
    [
        ("HOSP&1.2.250.1.999.1", "HOSP&1.2.250.1.999.1&ISO"),
        ("HOSP&1.2.250.1.999.1&L", "HOSP&1.2.250.1.999.1&ISO"),
        ("HOSP&990000019", "HOSP&990000019&N"),
        ("HOSP&990000019&M", "HOSP&990000019&M"),
        ("HOSP&2A0000197", "HOSP&2A0000197&N"),
        ("&1.2.250.1.999.1&ISO", "VALBRUME&1.2.250.1.999.1&ISO"),
        ("SITE&valbrume.test", "SITE&valbrume.test&DNS"),
    ],
)
def test_the_type_of_a_universal_id_is_set_right(repository, authority, written):
    source = pid().replace("HOSP&1.2.250.1.999.1&ISO", authority)
    [told] = repository.receives(message("A28", source, "PV1||N"))
    known = [AuthoritySettings(name="VALBRUME", oid="1.2.250.1.999.1")]
    outcome = repository.written(told, known_authorities=known)
    assert field(outcome, "PID", 3) == f"1001^^^{written}^PI"


# --- what it is told


def test_events_a_receiver_did_not_ask_for_are_not_told(repository):
    _, told = repository.receives(
        message("A01", pid(account="601"), visit(), movement("10", "202603010900"), structure="ADT_A01")
    )
    assert repository.written(told, events=["A28", "A31", "A40", "A47"]) == Nothing("not-wanted")


def test_a_receiver_is_not_told_what_it_said_itself_unless_it_asks(repository):
    [told] = repository.receives(message("A28", pid(), "PV1||N"), author="DPI|HOSP")
    assert repository.written(told) == Nothing("its-own")
    assert isinstance(repository.written(told, echo=True), Encoded)
    [told] = repository.receives(message("A28", pid("2002"), "PV1||N"), author="GAM|HOSP")
    assert isinstance(repository.written(told), Encoded)


def test_a_creation_is_told_by_an_a31_to_who_takes_no_a28(created):
    repository, told = created
    outcome = repository.written(told, events=["A31", "A40", "A47"])
    assert outcome.event == "ADT^A31^ADT_A05"


def test_a_plain_hl7_receiver_may_be_told_of_people_by_a08(repository):
    """ADT^A08^ADT_A01 with EVN-1 in 2.3.1, and a PV1 of no visit; what was deleted is told."""
    settings = {"edition": "HL7-2.3.1", "unsupported": {"A28": "a08", "A31": "a08"}}
    [created] = repository.receives(message("A28", pid(phone="^PRN^PH^^^^^^^^^0102030405"), "PV1||N"))
    [updated] = repository.receives(message("A31", pid(phone='""'), "PV1||N"))
    first, second = repository.written(created, **settings), repository.written(updated, **settings)
    assert (first.event, field(first, "EVN", 1)) == ("ADT^A08^ADT_A01", "A08")
    assert (second.event, field(second, "PID", 13)) == ("ADT^A08^ADT_A01", '""')


@pytest.mark.parametrize("settings", [{"events": ["A28", "A31"]}, {"unsupported": {"A47": "hold"}}])
def test_a_changed_number_is_held_for_who_takes_no_a47_with_what_its_users_must_do(repository, settings):
    repository.receives(message("A28", pid(), "PV1||N"))
    [told] = repository.receives(message("A47", pid("2002"), mrg("1001")))
    held = repository.written(told, **settings)
    assert isinstance(held, Withheld)
    assert (held.reason_code, held.blocking) == ("unsupported", True)
    assert held.text == (
        "DPI does not take the event A47. The number 1001 (HOSP) of the patient became 2002 (HOSP): change it; "
        "create no second patient."
    )
    assert held.text_fr == (
        "DPI ne reçoit pas l’événement A47. Le numéro 1001 (HOSP) du patient devient 2002 (HOSP) : changez-le, "
        "sans créer un second patient."
    )


def test_a_merge_is_held_for_who_takes_no_a40(repository):
    repository.receives(message("A28", pid("1001"), "PV1||N"))
    repository.receives(message("A28", pid("2002"), "PV1||N"))
    [told] = repository.receives(message("A40", pid("1001"), mrg("2002")))
    held = repository.written(told, events=["A28", "A31"])
    assert held.text.endswith("Merge the patient 2002 (HOSP) into 1001 (HOSP), which stays.")
    assert repository.written(told, unsupported={"A40": "drop"}) == Nothing("not-wanted")


def test_texts_for_people_hold_no_trait_and_no_matricule(repository):
    repository.receives(message("A28", pid(ins=ins(), status="VALI"), "PV1||N"))
    [told] = repository.receives(message("A47", pid(ins=ins().replace(ins()[:15], '""'), status="VALI"), mrg(ins())))
    held = repository.written(told, events=["A28", "A31"])
    for secret in ("VERMILLON", "LUCE", "1980", ins()[:15]):
        assert secret not in held.text + held.text_fr


# --- rules


def rule(action, **more):
    return FieldRule(action=action, **more)


def test_rules_drop_fix_and_map_fields(repository):
    [told] = repository.receives(message("A28", pid(phone="^PRN^PH^^^^^^^^^0102030405"), "PD1||A", "PV1||N"))
    outcome = repository.written(
        told,
        rules=[
            rule("drop", path="PID-13"),
            rule("drop", path="PD1"),
            rule("constant", path="PID-26", value="FRA"),
            rule("map", path="PID-5.5", codes={"Mme": "MME"}, events=["A28"]),
            rule("map", path="PID-5.5", codes={"MME": "Madame"}, events=["A31"]),
        ],
    )
    assert (field(outcome, "PID", 13), segment(outcome, "PD1"), field(outcome, "PID", 26)) == ("", "", "FRA")
    assert field(outcome, "PID", 5) == "VERMILLON^LUCE^LUCE ADELE^^MME^^L"


def test_an_authority_is_renamed_wherever_it_is_written(repository):
    renaming = rule("rename-authority", authority="1.2.250.1.999.1", namespace="LABO", universal_id="1.2.250.1.999.55")
    repository.receives(message("A28", pid(), "PV1||N"))
    [told] = repository.receives(message("A47", pid("2002"), mrg("1001")))
    outcome = repository.written(told, rules=[renaming])
    assert field(outcome, "PID", 3) == "2002^^^LABO&1.2.250.1.999.55&ISO^PI"
    assert segment(outcome, "MRG") == "MRG|1001^^^LABO&1.2.250.1.999.55&ISO^PI"


@pytest.mark.parametrize(
    "settings",
    [
        {"rules": [rule("drop", path="PID-3")]},
        {"rules": [rule("constant", path="PID-32", value="VALI")]},
        {"rules": [rule("drop", path="PID")]},
        {"rules": [rule("map", path="nowhere")]},
        {"rules": [rule("constant", path="PV1", value="x")]},
        {"rules": [rule("rename-authority", authority="HOSP")]},
        {"edition": "1.0"},
        {"events": ["A99"]},
        {"unsupported": {"A47": "a31"}},
        {"unsupported": {"A40": "a31"}},
        {"unsupported": {"A31": "a08"}},
        {"unsupported": {"A31": "a31"}},
        {"time_zone": "Europe/Valbrume"},
        {"relay_segments": ["PID"]},
        {"relay_segments": ["MSH-10"]},
    ],
)
def test_settings_that_cannot_be_followed_are_refused_with_the_remedy(settings):
    with pytest.raises(ValueError, match=r"\w+.*[:;]"):
        dialect_of(SubscriptionSettings(**settings))


def test_a_rule_that_makes_messages_wrong_holds_them(created):
    repository, told = created
    outcome = repository.written(told, rules=[rule("drop", path="PID-7")])
    assert isinstance(outcome, Withheld)
    assert [finding.rule for finding in outcome.findings] == ["V13"]


# --- relayed and left out


def test_segments_that_the_registry_does_not_keep_are_copied_in_the_order_of_the_structure(repository):
    contact = (
        "NK1|1|VERMILLON^PAUL^^^^^L|SPO||^PRN^PH^^^^^^^^^0102030406||C" + "|" * 26 + "9^^^HOSP&1.2.250.1.999.5&ISO^PN"
    )
    doctor = "ROL||UC|ODRP|10999000010^MIREVAL^JUDITH^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS"
    payer = "IN1|1|AMO|99^^^CPAM&1.2.250.1.999.9&ISO^NH" + "|" * 14 + "SEL"
    received = message(
        "A01",
        pid(account="601"),
        doctor,
        contact,
        visit(f21="03"),
        movement("10", "202603010900"),
        payer,
        "IN2|1",
        structure="ADT_A01",
    )
    created, told = repository.receives(received)
    relay = {"relay_segments": ["NK1", "ROL", "IN1", "IN2", "PV1-21"], "original": received}
    outcome = repository.written(told, **relay)
    assert [line[:3] for line in lines(outcome)] == ["MSH", "EVN", "PID", "ROL", "NK1", "PV1", "ZBE", "IN1", "IN2"]
    assert segment(outcome, "NK1") == contact
    assert field(outcome, "PV1", 21) == "03"
    first = repository.written(created, **relay)
    assert [line[:3] for line in lines(first)] == ["MSH", "EVN", "PID", "ROL", "NK1", "PV1", "IN1", "IN2"]


def test_an_optional_field_that_the_edition_refuses_is_left_out_and_named(repository):
    """PID-29 is not a date that exists: the rest of the message goes."""
    source = pid(status="").rstrip("|") + "|" * 18 + "20261399|||PROV"
    [told] = repository.receives(message("A28", source, "PV1||N"))
    outcome = repository.written(told)
    assert isinstance(outcome, Encoded)
    assert outcome.left_out == ("PID-29",)
    assert field(outcome, "PID", 29) == ""


def test_times_are_written_in_the_zone_of_the_receiver(created):
    repository, told = created
    assert field(repository.written(told, time_zone="America/Cayenne"), "EVN", 2) == "20260302080000-0300"
    assert field(repository.written(told, time_zone="UTC"), "EVN", 2) == "20260302110000+0000"


@pytest.mark.parametrize(
    "changed",
    [
        rule("constant", path="PID-5.1", value="X"),
        rule("map", path="PID-8", codes={"F": "M"}),
        rule("constant", path="PID-7", value="19800101"),
        rule("constant", path="PID-11.9", value="99999"),
    ],
)
def test_an_ins_does_not_go_with_a_strict_trait_that_a_rule_changed(repository, changed):
    [told] = repository.receives(message("A28", pid(ins=ins(), status="VALI"), "PV1||N"))
    assert "INS" in field(repository.written(told, rules=[rule("drop", path="PID-5.5")]), "PID", 3)
    assert "INS" not in field(repository.written(told, rules=[changed]), "PID", 3)


def test_what_is_relayed_of_one_person_does_not_go_with_the_other_of_a_link(repository):
    for number in ("1001", "2002"):
        repository.receives(message("A28", pid(number), "PV1||N"))
    first = pid("1001").replace("|||||||||||||PROV", "|9999||||||||||||PROV")
    received = message("A24", first, pid("2002"), structure="ADT_A24")
    [told] = repository.receives(received)
    outcome = repository.written(told, relay_segments=["PID-19"], original=received)
    assert [line for line in lines(outcome) if "9999" in line.split("|")] == []
