"""What is incoherent is refused with its code, and leaves nothing behind."""

import pytest

from insigne.dmp.model import Intent
from insigne.dmp.settings import DmpSettings
from insigne.dmp.settings_intake import IntakeSettings
from insigne.dmp.settings_mss import MssSettings

V1, V2, V3 = "1.2.250.1.999.7.1", "1.2.250.1.999.7.2", "1.2.250.1.999.7.3"


def said(ack):
    """(MSA-1, ERR-3, ERR-5) of the first error."""
    error = ack.errors[0]
    return ack.code, error.condition, error.application_code


@pytest.fixture
def refused(pfi):
    """Send a message that must be refused, and check that nothing is left of it."""

    def send(message, site=pfi):
        before = site.everything()
        [ack] = site.post(message)
        assert site.everything() == before
        return said(ack)

    return send


# --- trigger, ORC-1, OBX-11


@pytest.mark.parametrize(
    ("trigger", "order", "result"),
    [
        ("T02", "RO", "F"),
        ("T02", "NW", "C"),
        ("T02", "CA", "D"),
        ("T10", "NW", "F"),
        ("T10", "RO", "F"),
        ("T10", "CA", "C"),
        ("T04", "CA", "F"),
        ("T04", "RO", "C"),
        ("T04", "NW", "D"),
        ("T02", "XX", "F"),
        ("T02", "", "F"),
        ("T02", "NW", ""),
    ],
)
def test_an_mdm_whose_marks_contradict_each_other_is_refused(pfi, refused, trigger, order, result):
    message = pfi.mdm(pfi.cda(), unique=V1, trigger=trigger, order=order, result=result)
    assert refused(message) == ("AE", "103", "")


@pytest.mark.parametrize(
    ("order", "result"), [("NW", "C"), ("NW", "D"), ("RO", "F"), ("RO", "D"), ("CA", "F"), ("CA", "C")]
)
def test_an_oru_whose_marks_contradict_each_other_is_refused(pfi, refused, order, result):
    message = pfi.oru(pfi.cda(code="11502-2"), order=order, result=result)
    assert refused(message) == ("AE", "103", "")


def test_the_second_document_of_an_oru_has_the_same_mark(pfi, refused):
    message = pfi.oru(pfi.cda(code="11502-2"), pfi.cda(V2, code="11502-2"))
    assert refused(message.replace("||||||F|\rOBX|3|CE", "||||||C|\rOBX|3|CE", 1)) == ("AE", "103", "")


def test_other_events_are_not_for_documents(pfi, refused):
    assert refused(pfi.mdm(pfi.cda(), unique=V1).replace("MDM^T02", "MDM^T01")) == ("AR", "201", "")


def test_an_unknown_version_of_hl7_is_refused(pfi, refused):
    assert refused(pfi.mdm(pfi.cda(), unique=V1).replace("|P|2.6|", "|P|9.9|")) == ("AR", "203", "")


def test_a_test_message_is_refused_in_production(open_pfi, refused):
    site = open_pfi(environment="production")
    assert refused(site.mdm(b"<x/>", unique=V1).replace("|P|2.6|", "|T|2.6|"), site) == ("AR", "202", "")


# --- segments


@pytest.mark.parametrize("name", ["PID", "ORC", "TXA"])
def test_a_message_without_a_segment_it_needs_is_refused(pfi, refused, name):
    lines = pfi.mdm(pfi.cda(), unique=V1).split("\r")
    message = "\r".join(line for line in lines if not line.startswith(name))
    assert refused(message) == ("AE", "100", "")


def test_a_message_without_a_document_is_refused(pfi, refused):
    assert refused(pfi.oru()) == ("AE", "100", "")


def test_an_mdm_has_one_document(pfi, refused):
    message = pfi.mdm(pfi.cda(), unique=V1)
    [document] = [line for line in message.split("\r") if line.startswith("OBX|1|")]
    assert refused(message.replace(document, f"{document}\r{document}", 1)) == ("AE", "198", "")


def test_a_document_cut_short_is_refused(pfi, refused):
    message = pfi.mdm(pfi.cda(), unique=V1)
    start = message.index("Base64^") + 4000
    end = message.index("|", start)
    assert refused(message[: end - 3] + message[end:]) == ("AE", "102", "")


def test_an_mdm_without_the_id_of_its_document_is_refused(pfi, refused):
    assert refused(pfi.mdm(pfi.cda())) == ("AE", "101", "")


def test_types_of_document_that_differ_are_refused(pfi, refused):
    message = pfi.mdm(pfi.cda(), unique=V1).replace("TXA|1|18748-4|", "TXA|1|11490-0|")
    assert refused(message) == ("AE", "103", "")


def test_a_document_of_another_type_than_announced_is_refused(pfi, refused):
    assert refused(pfi.mdm(pfi.cda(code="11490-0"), unique=V1)) == ("AE", "207", "906")


def test_a_document_of_another_id_than_announced_is_refused(pfi, refused):
    assert refused(pfi.mdm(pfi.cda(), unique=V2)) == ("AE", "207", "906")


@pytest.mark.parametrize("document", [b"%PDF-1.4 hello", b"<a/>", b"<!DOCTYPE a><ClinicalDocument/>"])
def test_what_is_not_a_cda_is_refused(pfi, refused, document):
    assert refused(pfi.oru(document)) == ("AE", "207", "906")


def test_a_document_larger_than_the_site_takes_is_refused(open_pfi, refused):
    site = open_pfi(settings=DmpSettings(intake=IntakeSettings(max_bytes=1000)))
    assert refused(site.mdm(site.cda(), unique=V1), site) == ("AE", "207", "906")


# --- what the DMP would refuse


def test_a_document_whose_id_has_an_extension_is_refused(pfi, refused):
    cda = pfi.cda().replace(f'<id root="{V1}"/>'.encode(), b'<id root="1.2.250.1.999.7" extension="1"/>')
    assert refused(pfi.mdm(cda, unique="1^^1.2.250.1.999.7^ISO")) == ("AE", "207", "906")


def test_a_type_of_document_that_the_dmp_does_not_take_is_refused(open_pfi, refused):
    site = open_pfi(type_codes=("11490-0",))
    assert refused(site.mdm(site.cda(), unique=V1), site) == ("AE", "207", "906")


# --- flags and destinations


def test_a_flag_that_is_neither_yes_nor_no_is_refused(pfi, forms, refused):
    message = pfi.oru(pfi.cda(code="11502-2")).replace(
        "MASQUE_PS^Masqué aux professionnels de Santé^MetaDMPMSS||N", "MASQUE_PS^^MetaDMPMSS||O"
    )
    assert refused(message) == ("AE", "103", "")


def test_a_flag_said_twice_otherwise_is_refused(pfi, forms, refused):
    flags = forms.block("CE", 2, ("DESTDMP",))
    flags.append(flags[0].replace("||N^", "||Y^"))
    assert refused(pfi.oru(pfi.cda(code="11502-2"), flags=flags)) == ("AE", "198", "")


def test_a_message_that_does_not_say_if_it_is_for_the_dmp_is_refused(pfi, forms, refused):
    flags = forms.block("CE", 2, (), names=forms.FLAGS[:5])
    assert refused(pfi.oru(pfi.cda(code="11502-2"), flags=flags)) == ("AE", "101", "")


def test_a_document_for_nobody_is_refused(pfi, refused):
    assert refused(pfi.oru(pfi.cda(code="11502-2"), yes=())) == ("AE", "207", "906")


def test_a_document_hidden_from_all_is_refused(pfi, refused):
    yes = ("DESTDMP", "MASQUE_PS", "INVISIBLE_PATIENT")
    assert refused(pfi.oru(pfi.cda(code="11502-2"), yes=yes)) == ("AE", "207", "906")


@pytest.mark.parametrize(
    "yes",
    [
        ("MASQUE_PS", "DESTMSSANTEPS"),
        ("INVISIBLE_PATIENT", "DESTMSSANTEPAT"),
        ("MASQUE_PS", "DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT"),
        ("CONNEXION_SECRETE", "DESTMSSANTEPAT"),
    ],
    ids=["masked to those mailed", "hidden from the patient mailed", "masked, both mailed", "secret, patient mailed"],
)
def test_a_document_mailed_to_who_may_not_see_it_is_refused(pfi, forms, refused, yes):
    prt = (forms.SB, forms.RCT, forms.rct_patient()) if "DESTMSSANTEPAT" in yes else (forms.SB, forms.RCT)
    assert refused(pfi.oru(pfi.cda(code="11502-2"), yes=yes, prt=prt)) == ("AE", "207", "906")


def test_the_first_example_of_the_guide_breaks_its_own_table(open_pfi, forms, refused):
    site = open_pfi(settings=DmpSettings(intake=IntakeSettings(matrix="specification")))
    yes = ("MASQUE_PS", "DESTDMP", "DESTMSSANTEPAT")
    message = site.oru(site.cda(code="11502-2"), yes=yes, prt=(forms.SB, forms.rct_patient()))
    assert refused(message, site) == ("AE", "207", "906")


def test_the_box_of_another_patient_is_never_mailed_to(pfi, forms, refused):
    prt = (forms.SB, forms.rct_patient(forms.PEOPLE["4072"]["ins"]))
    message = pfi.oru(pfi.cda(code="11502-2"), yes=("DESTDMP", "DESTMSSANTEPAT"), prt=prt)
    assert refused(message) == ("AE", "207", "904")


TESTS = "patient.formation.mssante.fr"
"""The domain of patients in the test space of an operator."""


@pytest.fixture
def in_tests(open_pfi):
    """A site in that space."""
    return open_pfi(settings=DmpSettings(mss=MssSettings(patient_domain=TESTS)))


def test_the_box_of_another_patient_is_known_by_the_domain_that_is_set(in_tests, forms, refused):
    box = forms.rct_patient(forms.PEOPLE["4072"]["ins"]).replace("patient.mssante.fr", TESTS.upper())
    message = in_tests.oru(in_tests.cda(code="11502-2"), yes=("DESTDMP", "DESTMSSANTEPAT"), prt=(forms.SB, box))
    assert refused(message, in_tests) == ("AE", "207", "904")


def test_the_box_of_the_patient_is_no_professional_s_under_the_domain_that_is_set(in_tests, forms, refused):
    box = forms.rct_patient().replace("patient.mssante.fr", TESTS)
    yes = ("DESTDMP", "DESTMSSANTEPS")
    message = in_tests.oru(in_tests.cda(code="11502-2"), yes=yes, prt=(forms.SB, forms.RCT, box))
    assert refused(message, in_tests) == ("AE", "207", "906")
    [ack] = in_tests.post(
        in_tests.oru(in_tests.cda(code="11502-2"), yes=(*yes, "DESTMSSANTEPAT"), prt=(forms.SB, forms.RCT, box))
    )
    assert ack.code == "AA"
    [document] = in_tests.documents()
    assert in_tests.channels(document) == [
        ("dmp", "feed", ""),
        ("mss-patient", "feed", ""),
        ("mss-ps", "feed", forms.MAIL),
    ]


def test_the_national_domain_of_patients_is_no_professional_s_whatever_the_domain_that_is_set(in_tests, forms, refused):
    """A patient's real box, another one's maybe, is not written to as if it were a colleague's."""
    other = forms.rct_patient(forms.PEOPLE["4072"]["ins"])
    yes = ("DESTDMP", "DESTMSSANTEPS")
    message = in_tests.oru(in_tests.cda(code="11502-2"), yes=yes, prt=(forms.SB, forms.RCT, other))
    assert refused(message, in_tests) == ("AE", "207", "906")
    message = in_tests.oru(in_tests.cda(code="11502-2"), yes=(*yes, "DESTMSSANTEPAT"), prt=(forms.SB, forms.RCT, other))
    assert refused(message, in_tests) == ("AE", "207", "904")
    assert in_tests.documents() == []


def test_a_mail_for_professionals_has_an_address(pfi, forms, refused):
    message = pfi.oru(pfi.cda(code="11502-2"), yes=("DESTDMP", "DESTMSSANTEPS"))
    assert refused(message) == ("AE", "101", "")


def test_more_recipients_than_are_mailed_refuse_the_document_instead_of_being_forgotten(pfi, refused, forms):
    boxes = [forms.RCT.replace(forms.MAIL, f"cabinet{number}@exemple.mssante.fr") for number in range(51)]
    message = pfi.oru(pfi.cda(code="11502-2"), yes=("DESTDMP", "DESTMSSANTEPS"), prt=(forms.SB, *boxes))
    assert refused(message) == ("AE", "207", "906")
    fewer = pfi.oru(pfi.cda(code="11502-2"), yes=("DESTDMP", "DESTMSSANTEPS"), prt=(forms.SB, *boxes[:50]))
    [ack] = pfi.post(fewer)
    assert ack.code == "AA"


# --- the patient: 902 to 905


def test_an_unknown_patient_may_become_known_later(pfi, forms, refused):
    patient = forms.pid(ins=False, ipp="9999")
    assert refused(pfi.mdm(pfi.cda(), unique=V1, patient=patient)) == ("AR", "207", "902")


def test_a_foreign_number_gives_no_document_to_who_has_another_number_of_its_sender(pfi, forms, refused):
    local, region = f"4071^^^{forms.OURS}^PI", "9^^^REGION&1.2.250.1.999.9&ISO^PI"
    traits = forms.pid(ins=False).split("|", 4)[4]
    header = pfi.header("ADT^A31^ADT_A05", "2.5^FRA^2.11", sender=("GAM", "CHEX"), profile="")
    lines = (header, "EVN||20260301080000", f"PID|||{local}~{region}|{traits}", "PV1||N")
    [ack] = pfi.post("".join(f"{line}\r" for line in lines))
    assert ack.code == "AA"
    known = f"PID|||{local}~{region}|{traits}"
    assert refused(pfi.mdm(pfi.cda(), unique=V1, patient=known.replace("4071^", "9999^"))) == ("AR", "207", "902")
    [ack] = pfi.post(pfi.mdm(pfi.cda(), unique=V1, patient=known))
    assert ack.code == "AA"


def test_an_ins_that_is_not_said_to_be_validated_names_nobody(pfi, forms, refused):
    assert refused(pfi.mdm(pfi.cda(), unique=V1, patient=forms.pid(status="PROV"))) == ("AR", "207", "902")


def without_ins(pfi, forms):
    ins = forms.PEOPLE["4071"]["ins"]
    cda = pfi.cda().replace(f'<id root="{forms.TEST_OID}" extension="{ins}"/>'.encode(), b"")
    cda = cda.replace(f'<id extension="{ins}" root="{forms.TEST_OID}"/>'.encode(), b"")
    assert ins.encode() not in cda
    return cda


def test_a_document_without_ins_is_refused_where_the_site_does_not_complete_it(open_pfi, forms, refused):
    site = open_pfi(settings=DmpSettings(without_ins="refuse"))
    message = site.mdm(without_ins(site, forms), unique=V1, patient=forms.pid(local=True))
    assert refused(message, site) == ("AE", "207", "903")


def test_a_document_without_ins_is_taken_when_its_local_number_is_the_patients(pfi, forms):
    [ack] = pfi.post(pfi.mdm(without_ins(pfi, forms), unique=V1, patient=forms.pid(local=True)))
    assert ack.code == "AA"


def test_the_document_of_another_patient_is_refused(pfi, forms, refused):
    assert refused(pfi.mdm(pfi.cda(number="4072"), unique=V1)) == ("AE", "207", "904")


def test_the_document_of_another_patient_is_refused_by_local_number_too(pfi, forms, refused):
    message = pfi.mdm(pfi.cda(number="4072"), unique=V1, patient=forms.pid(ins=False))
    assert refused(message) == ("AE", "207", "904")


def test_the_document_of_another_patient_is_refused_before_the_patient_is_qualified(pfi, forms, refused):
    pfi.admit("4073", status="PROV", ins=False, person="4071")
    message = pfi.mdm(pfi.cda(number="4072"), unique=V1, patient=forms.pid(ins=False, ipp="4073"))
    assert refused(message) == ("AE", "207", "904")


def test_a_document_of_two_patients_is_refused(pfi, refused):
    cda, other = pfi.cda(), pfi.cda(number="4072")
    end = cda.index(b"</recordTarget>") + len(b"</recordTarget>")
    second = other[other.index(b"<recordTarget") : other.index(b"</recordTarget>") + len(b"</recordTarget>")]
    assert refused(pfi.mdm(cda[:end] + second + cda[end:], unique=V1)) == ("AE", "207", "904")


def test_an_ins_in_the_message_that_is_not_the_one_held_is_refused(pfi, forms, refused):
    ours, other = forms.PEOPLE["4071"]["ins"], forms.PEOPLE["4072"]["ins"]
    patient = forms.pid(local=True).replace(ours, other)
    assert refused(pfi.mdm(pfi.cda(), unique=V1, patient=patient)) == ("AE", "207", "904")


def test_the_ins_of_another_patient_in_the_message_is_refused_before_the_patient_is_qualified(pfi, forms, refused):
    pfi.admit("4073", status="PROV", ins=False, person="4071")
    ours, other = forms.PEOPLE["4071"]["ins"], forms.PEOPLE["4072"]["ins"]
    patient = forms.pid(local=True, ipp="4073").replace(ours, other)
    cda = without_ins(pfi, forms).replace(b"4071", b"4073")
    assert refused(pfi.mdm(cda, unique=V1, patient=patient)) == ("AE", "207", "904")


@pytest.mark.parametrize(
    ("trait", "other"),
    [
        (b"VERDIER", b"VERNIER"),
        (b"CLAIRE ANNE", b"CLAIRE ANNA"),
        (b'value="19850214"', b'value="19850215"'),
        (b'code="F"', b'code="M"'),
        (b"14118", b"14119"),
    ],
    ids=["birth name", "given names", "birth date", "sex", "birthplace"],
)
def test_a_trait_that_is_not_the_registrys_is_refused(pfi, refused, trait, other):
    cda = pfi.cda()
    assert trait in cda
    assert refused(pfi.mdm(cda.replace(trait, other), unique=V1)) == ("AE", "207", "904")


def test_an_ins_without_its_traits_is_incomplete(pfi, refused):
    cda = pfi.cda()
    start, end = cda.index(b"<birthplace>"), cda.index(b"</birthplace>") + len(b"</birthplace>")
    assert refused(pfi.mdm(cda[:start] + cda[end:], unique=V1)) == ("AE", "207", "905")


def test_two_patients_named_together_are_refused(pfi, forms, refused):
    patient = forms.pid(ins=False).replace("4071^^^", f"4072^^^{forms.OURS}^PI~4071^^^", 1)
    assert refused(pfi.mdm(pfi.cda(), unique=V1, patient=patient)) == ("AE", "207", "906")


# --- versions: 900 and 901


@pytest.fixture
def one_sent(pfi):
    [ack] = pfi.post(pfi.mdm(pfi.cda(), unique=V1))
    assert ack.code == "AA"
    return pfi


def newer(pfi, unique=V2, **changes):
    given = {"version": 2, "replaces": V1, **changes}
    return pfi.cda(unique, **given)


def test_a_replacement_names_what_it_replaces(one_sent, refused):
    message = one_sent.mdm(one_sent.cda(V2), intent=Intent.REPLACE, unique=V2, parent=V1)
    assert refused(message) == ("AE", "207", "900")


def test_a_replacement_names_the_same_version_in_the_message_and_in_the_document(one_sent, refused):
    message = one_sent.mdm(newer(one_sent), intent=Intent.REPLACE, unique=V2, parent=V3)
    assert refused(message) == ("AE", "207", "900")


def test_a_version_that_was_replaced_already_is_not_replaced_again(one_sent, refused):
    one_sent.post(one_sent.mdm(newer(one_sent), intent=Intent.REPLACE, unique=V2, parent=V1))
    message = one_sent.mdm(newer(one_sent, V3, version=3), intent=Intent.REPLACE, unique=V3, parent=V1)
    assert refused(message) == ("AE", "207", "900")


def test_a_version_that_was_replaced_already_is_not_deleted(one_sent, refused):
    one_sent.post(one_sent.mdm(newer(one_sent), intent=Intent.REPLACE, unique=V2, parent=V1))
    assert refused(one_sent.mdm(one_sent.cda(), intent=Intent.DELETE, unique=V1)) == ("AE", "207", "900")


def test_a_version_grows(one_sent, refused):
    one_sent.post(one_sent.mdm(newer(one_sent, version=5), intent=Intent.REPLACE, unique=V2, parent=V1))
    message = one_sent.mdm(newer(one_sent, V3, version=4, replaces=V2), intent=Intent.REPLACE, unique=V3, parent=V2)
    assert refused(message) == ("AE", "207", "900")


def test_another_structure_may_not_replace_a_document(one_sent, forms, refused):
    message = one_sent.mdm(newer(one_sent), intent=Intent.REPLACE, unique=V2, parent=V1, prt=(forms.OTHER_SB,))
    assert refused(message) == ("AE", "207", "901")


def test_another_structure_may_not_delete_a_document(one_sent, forms, refused):
    message = one_sent.mdm(one_sent.cda(), intent=Intent.DELETE, unique=V1, prt=(forms.OTHER_SB,))
    assert refused(message) == ("AE", "207", "901")


def test_a_site_may_let_another_structure_replace(open_pfi, forms):
    site = open_pfi(settings=DmpSettings(intake=IntakeSettings(other_authors="accept")))
    site.post(site.mdm(site.cda(), unique=V1))
    [ack] = site.post(site.mdm(newer(site), intent=Intent.REPLACE, unique=V2, parent=V1, prt=(forms.OTHER_SB,)))
    assert ack.code == "AA"


def test_a_replacement_of_another_patients_document_is_refused(one_sent, forms, refused):
    patient = forms.pid(person="4072")
    message = one_sent.mdm(newer(one_sent, number="4072"), intent=Intent.REPLACE, unique=V2, parent=V1, patient=patient)
    assert refused(message) == ("AE", "207", "904")


def test_an_id_used_for_another_content_is_refused(one_sent, refused):
    assert refused(one_sent.mdm(one_sent.cda(pdf=b"%PDF-1.4 other"), unique=V1)) == ("AE", "207", "900")


def test_of_two_documents_none_is_taken_when_one_is_refused(pfi, refused):
    pfi.post(pfi.oru(pfi.cda(V2, code="11502-2")))
    other = pfi.cda(V2, code="11502-2", pdf=b"%PDF-1.4 other")
    assert refused(pfi.oru(pfi.cda(code="11502-2"), other)) == ("AE", "207", "900")


@pytest.mark.parametrize(("unique", "intent"), [(V2, Intent.INITIAL), (V3, Intent.REPLACE)])
def test_of_two_documents_that_contradict_each_other_none_is_taken(one_sent, refused, unique, intent):
    """The same unique id twice; the same version replaced twice."""
    more = {"replaces": V1, "version": 2} if intent is Intent.REPLACE else {}
    first, second = (
        one_sent.cda(number, code="11502-2", pdf=b"%PDF-1.4 " + number.encode() + name, **more)
        for number, name in ((V2, b"a"), (unique, b"b"))
    )
    assert refused(one_sent.oru(first, second, intent=intent)) == ("AE", "207", "900")


def test_a_document_is_replaced_in_the_batch_that_brought_it(pfi):
    first = pfi.mdm(pfi.cda(), unique=V1)
    second = pfi.mdm(newer(pfi), intent=Intent.REPLACE, unique=V2, parent=V1)
    third = pfi.mdm(newer(pfi, V3, version=3), intent=Intent.REPLACE, unique=V3, parent=V1)
    acks = pfi.post(first, second, third)
    assert [ack.code for ack in acks] == ["AA", "AA", "AE"]
    assert [one.unique_id for one in pfi.documents()] == [V1, V2]


# --- what a refusal says


def test_a_refusal_says_its_code_and_table_and_no_patient(pfi, forms):
    raw = pfi.mdm(pfi.cda(number="4072"), unique=V1)
    pfi.post(raw)
    [(ack, findings)] = pfi.rows("SELECT ack, findings FROM message ORDER BY id DESC LIMIT 1")
    text = ack.decode()
    assert (
        "ERR||PID^1^3|207^Application internal error^HL70357|E|904^INS ou traits différents du référentiel^HL70533"
        in text
    )
    for value in ("VERDIER", "MASSON", *(who["ins"] for who in forms.PEOPLE.values())):
        assert value not in text
        assert value not in findings.decode()


def test_a_message_refused_for_an_unknown_patient_is_taken_once_the_patient_is_known(pfi, open_pfi, forms):
    site = open_pfi(people=())
    message = site.mdm(pfi.cda(), unique=V1, patient=forms.pid(local=True))
    assert said(*site.post(message)) == ("AR", "207", "902")
    site.admit("4071")
    [ack] = site.post(message)
    assert ack.code == "AA"
