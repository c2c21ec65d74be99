"""What the validator says of identity messages (ITI-30), on invented people."""

import pytest

from insigne.hl7 import Message
from insigne.ins import bundled_cog, key_of
from insigne.pam.editions import EDITIONS, edition_of
from insigne.pam.findings import apply_policy
from insigne.pam.validate import ValidationContext, validate

NIR = "1850669383123"  # invented: a woman's traits do not matter to the key
INS = NIR + key_of(NIR)
CLEAN = (
    "MSH|^~\\&|GAM|CHU-LYS|RI|CHU-LYS|20250102101112+0100||ADT^A31^ADT_A05|MSG0000001|P|2.5^FRA^2.11|||||FRA"
    "|UNICODE UTF-8|FR||2.11^IHE_FRANCE-2.11-PAM\r"
    "EVN||20250102101112||||20250102101100\r"
    f"PID|1||100200300^^^CHU-LYS&1.2.250.1.999.1&ISO^PI~{INS}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"
    "||VALBERTIN^MAELYS^MAELYS ODILE^^Mme^^L~CORVISSE^MAELYS^^^Mme^^D||19850612|F||"
    "|12 RUE DES LILAS^^LYON^^69003^FRA^H~^^^^^^BDL^^69383||^PRN^PH^^^^^^^^^0400000000~^NET^Internet^m@exemple.fr"
    "||FR|M|||||||LYON|N||FRA||||N||VALI|20250102101112\r"
    "PD1||A||||||||||N\r"
    "ROL||UC|ODRP|10001234567^MOREL^PAUL^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS\r"
    "NK1|1|CORVISSE^JULIEN^^^M.^^L|SPO||^PRN^PH^^^^^^^^^0400000002||C"
    "||||||||||||||||||||||||||7001^^^CHU-LYS&1.2.250.1.999.1&ISO^PN\r"
    "PV1||N\r"
    "ZFA|ACTIF|20240101|||||||INO|20240101|IC|20240101\r"
    "ZFD|||Y|N|INSI|20241230|CN|20300101\r"
)
MERGE = (
    "MSH|^~\\&|GAM|CHU-LYS|RI|CHU-LYS|20250102101112||ADT^A40^ADT_A39|MSG0000002|P|2.5^FRA^2.11|||||FRA"
    "|UNICODE UTF-8|FR\r"
    "EVN||20250102101112\r"
    "PID|1||100200300^^^CHU-LYS&1.2.250.1.999.1&ISO^PI||VALBERTIN^MAELYS^^^^^L||||||||||||||||||||||||||||PROV\r"
    "MRG|100200999^^^CHU-LYS&1.2.250.1.999.1&ISO^PI\r"
).replace("||||||||||||||||||||||||||||PROV", "|" * 27 + "PROV")


def found(text, *, edition=None, **context):
    message = Message.parse(text.encode())
    chosen, findings = edition_of(message, edition)
    return [*findings, *validate(message, chosen, ValidationContext(**context))]


def said(text, **context):
    return {(one.rule, one.severity, str(one.location or "")) for one in found(text, **context)}


def changed(old, new, base=CLEAN):
    assert base.count(old) == 1, old
    return base.replace(old, new)


def test_a_conforming_a31_draws_nothing():
    assert found(CLEAN, cog=bundled_cog()) == []


def test_a_conforming_a28_and_merge_draw_nothing():
    assert found(CLEAN.replace("A31", "A28")) == []
    assert found(MERGE) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("|FRA|UNICODE", "||UNICODE", ("V06", "warning", "MSH-17")),
        ("UTF-8|FR|", "UTF-8||", ("V06", "warning", "MSH-19")),
        ("|MSG0000001|", "||", ("V05", "error", "MSH-10")),
        ("|MSG0000001|", "|" + "9" * 21 + "|", ("V05", "error", "MSH-10")),
        ("ADT^A31^ADT_A05", "ADT^A31^ADT_A01", ("V03", "error", "MSH-9.3")),
        ("ADT^A31^ADT_A05", "ADT^A31", ("V03", "error", "MSH-9.3")),
        ("ADT^A31^ADT_A05", "ADT^A08^ADT_A01", ("V03", "error", "MSH-9.2")),
        ("EVN||20250102101112", "EVN||", ("V07", "warning", "EVN-2")),
        ("EVN||", "EVN|A28|", ("V07", "warning", "EVN-1")),
        ("||19850612|", "||20260231|", ("V15", "error", "PID-7")),
        ("||19850612|", "||19851345|", ("V15", "error", "PID-7")),
        ("||19850612|", "||19851315|", ("V15", "error", "PID-7")),
        ("||19850612|", "||198506|", ("V15", "warning", "PID-7")),
        ("|19850612|F|", "|19850612|O|", ("F-table", "error", "PID-8")),
        ("|19850612|F|", "|19850612|U|", ("V13", "warning", "PID-8")),
        ("||19850612|", "|||", ("V13", "warning", "PID-7")),
        ("MAELYS^MAELYS ODILE^", "MAELYS^^", ("V13", "warning", "PID-5")),
        ("~^^^^^^BDL^^69383", "", ("V13", "warning", "PID-11")),
        ("BDL^^69383", "BDL^^6938", ("I-birthplace", "warning", "PID-11[2].9")),
        ("BDL^^69383", "BDL^^99999", ("I-birthplace", "warning", "PID-11[2].9")),
        ("|VALI|", "|PROV|", ("V13", "warning", "PID-3[2]")),
        ("|VALI|", "|VALI~DOUT|", ("V13", "warning", "PID-3[2]")),
        ("|VALI|", "|VALI~FICT|", ("V14", "warning", "PID-32")),
        ("|VALI|", "|FICT~VALI|", ("V14", "error", "PID-32[1]")),
        ("|VALI|", "|VALI~HOMA~FICT|", ("V14", "warning", "PID-32")),
        ("|VALI|", "|QUAL|", ("V14", "error", "PID-32[1]")),
        ("|VALI|", "||", ("V14", "error", "PID-32")),
        ("|Y|N|INSI|", "|Y|Y|INSI|", ("V13", "warning", "PID-3[2]")),
        ("&ISO^INS|", "&ISO^INS^^20200101|", ("V11", "error", "PID-3[2].7")),
        ("1.213.1.4.8&", "1.213.1.4.5&", ("V11", "error", "PID-3[2].4")),
        ("1.213.1.4.8&", "1.213.1.4.10&", ("V11", "error", "PID-3[2].4")),
        ("CHU-LYS&1.2.250.1.999.1&ISO^PI~", "&1.2.250.1.999.1&ISO^PI~", ("V11", "error", "PID-3[1].4.1")),
        ("100200300^^^", "^^^", ("V11", "error", "PID-3[1]")),
        (f"{INS}^", f"{NIR}99^", ("V12", "warning", "PID-3[2].1")),
        (f"{INS}^", f"{NIR}^", ("V12", "warning", "PID-3[2].1")),
        ("PV1||N", "PV1||I", ("V16", "warning", "PV1-2")),
        ("PV1||N", "PV1||N|CHIR", ("V16", "warning", "PV1-3")),
        ("PV1||N\r", "", ("V16", "warning", "PV1")),
        ("||C|||", "||K|||", ("C-trust-person", "warning", "NK1-7")),
        ("|7001^^^CHU-LYS&1.2.250.1.999.1&ISO^PN", "|", ("F-required", "error", "NK1-33")),
        ("|N||FRA|", "|N|1|FRA|", ("C-birth-order", "info", "PID-25")),
        ("|N||FRA|", "|Y||FRA|", ("C-birth-order", "warning", "PID-25")),
        ("|CN|20300101", "|XX|20300101", ("V21", "warning", "ZFD-7")),
        ("|INO|", "|OUI|", ("V21", "warning", "ZFA-9")),
        ("ZFA|ACTIF|20240101||||", "ZFA|ACTIF|20240101||Y||", ("V09", "warning", "ZFA-4")),
        ("^LYON^^69003^FRA^H", "^LYON^^69003^100^H", ("F-table", "warning", "PID-11[1].6")),
        ("FRA^H", "FRA^Z", ("F-table", "warning", "PID-11[1].7")),
        ("|20240101|||||||INO", "|20241301|||||||INO", ("F-type", "error", "ZFA-2")),
        ("^PRN^PH^^^^^^^^^0400000000", "0400000000^PRN^PH", ("V09", "warning", "PID-13[1].1")),
        ("MAELYS^^^Mme^^D", "MAELYS^^^Mme", ("F-required", "error", "PID-5[2].7")),
        ("100200300^^^", "1" * 129 + "^^^", ("V26", "warning", "PID-3[1].1")),
        ("PV1||N\r", "PV1||N\rZZ1|local\r", ("S-local", "info", "ZZ1")),
        ("PV1||N\r", "PV1||N\rQRD|x\r", ("V08", "error", "QRD")),
        ("PV1||N\r", "PV1||N\rPV2||CP\r", ("S-forbidden", "warning", "PV2")),
        ("PV1||N\r", "PV1||N\rZFV|\r", ("V20", "warning", "ZFV")),
    ],
)
def test_a_departure_is_named_at_its_place(old, new, expected):
    assert expected in said(changed(old, new))


def test_one_departure_draws_one_finding():
    assert said(changed("|19850612|F|", "|19850612|F|FORBIDDEN")) == {("V09", "warning", "PID-9")}
    assert said(changed("PV1||N\r", "")) == {("V16", "warning", "PV1")}
    assert said(changed("|Y|N|INSI|20241230|CN|", "|Y|N|INSI|20241230|XX|")) == {("V21", "warning", "ZFD-7")}


def test_a_number_in_pid_19_is_found_and_sent_to_pid_3():
    [finding] = found(changed("||FR|M|||||||LYON", "||FR|M|||185066938312312||||LYON"))
    assert (finding.rule, str(finding.location)) == ("V09", "PID-19")
    assert "PID-3" in finding.remedy
    assert "NH" in finding.remedy_fr


def test_two_ins_of_different_natures_are_accepted_in_an_a31_only():
    nia = "^INS||VALBERTIN"
    both = changed(nia, f"^INS~{INS}^^^ASIP-SANTE-INS-NIA&1.2.250.1.213.1.4.9&ISO^INS||VALBERTIN")
    assert found(both) == []
    assert ("V11", "warning", "PID-3[3]") in said(both.replace("A31", "A28"))


def test_two_ins_of_the_same_nature_are_one_too_many():
    twice = changed("^INS||VALBERTIN", f"^INS~{INS}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS||VALBERTIN")
    assert said(twice) == {("V11", "warning", "PID-3[3]")}


def test_a_billing_nir_under_the_oid_of_the_ins_is_no_ins():
    billing = changed(
        "ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", "ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO^NH^^20240101"
    )
    assert found(billing.replace("|VALI|", "|PROV|")) == []


def test_an_ins_typed_nh_without_oid_is_found():
    assert said(changed("ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", "ASIP-SANTE^NH")) == {
        ("V11", "warning", "PID-3[2]")
    }


def test_a_test_oid_is_accepted_in_a_test_environment():
    test = changed("ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8", "ASIP-SANTE-INS-NIR-TEST&1.2.250.1.213.1.4.10")
    assert found(test, environment="test") == []
    assert {one.rule for one in found(test)} == {"V11"}


def test_a_corsican_matricule_is_read():
    corsican = "185062A073004"
    assert found(changed(INS, corsican + key_of(corsican))) == []


def test_a_status_with_an_attribute_is_not_refused():
    provisional = changed(f"~{INS}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", "")
    assert found(changed("|VALI|", "|PROV~FICT|", provisional)) == []
    assert said(changed("|VALI|", "|PROV~ANOM|", provisional)) == {("V14", "warning", "PID-32[2]")}


def test_the_birthplace_is_looked_up_in_the_cog_of_the_birth_date():
    postal = changed("BDL^^69383", "BDL^^75008")
    assert ("I-birthplace", "info", "PID-11[2].9") in said(postal, cog=bundled_cog())
    assert found(postal) == []


def test_authorities_need_an_oid_between_organisations():
    local = changed("CHU-LYS&1.2.250.1.999.1&ISO^PI~", "CHU-LYS^PI~")
    assert found(local) == []
    assert said(local, between_organisations=True) == {("V25", "warning", "PID-3[1]")}


def test_deletion_by_two_quotes_is_not_an_empty_value():
    assert found(changed("||FR|M|", '||""|""|')) == []
    assert found(changed("~CORVISSE^MAELYS^^^Mme^^D", '~""^MAELYS^^^Mme^^D')) == []


def test_escape_sequences_count_as_one_character():
    assert found(changed("12 RUE DES LILAS^^", "12 RUE\\T\\QUAI^BAT A\\S\\B^")) == []


def test_other_delimiters_are_read_and_reported():
    other = CLEAN.replace("~", "*").replace("MSH|^*\\&|", "MSH|^*\\&|", 1)
    assert said(other) == {("V02", "error", "MSH-2")}


def test_line_feeds_and_a_byte_order_mark_are_warnings():
    assert said("\ufeff" + CLEAN.replace("\r", "\n")) == {("V01", "warning", "")}
    assert len(found("\ufeff" + CLEAN.replace("\r", "\n"))) == 2


def test_text_in_utf_8_declared_as_latin_is_suspected():
    text = CLEAN.replace("UNICODE UTF-8", "8859/1").replace("LYON|N|", "ÉPINAL|N|")
    assert ("V06", "warning", "MSH-18") in said(text)


def test_segments_out_of_order_are_named_and_nothing_else():
    pid, nk1 = CLEAN.split("\r")[2], CLEAN.split("\r")[5]
    swapped = CLEAN.replace(f"{nk1}\r", "").replace(f"{pid}\r", f"{nk1}\r{pid}\r")
    assert said(swapped) == {("V08", "error", "NK1")}
    late = CLEAN.replace("PD1||A||||||||||N\r", "") + "PD1||A\r"
    assert said(late) == {("V08", "error", "PD1")}


def test_french_segments_out_of_order_are_a_warning():
    zfa = CLEAN.split("\r")[7]
    assert said(CLEAN.replace(f"{zfa}\r", "") + f"{zfa}\r") == {("V20", "warning", "ZFA")}


def test_a_missing_evn_is_said_and_refuses_nothing_by_itself():
    findings = found(CLEAN.replace("EVN||20250102101112||||20250102101100\r", ""))
    assert [(one.rule, one.severity, str(one.location)) for one in findings] == [("S-missing", "error", "EVN")]
    assert apply_policy(findings, {}) == (findings, [])


def test_a_merge_needs_its_former_identifier():
    assert said(MERGE.split("MRG")[0]) == {("V23", "error", "MRG")}
    assert ("V23", "error", "MRG-1") in said(changed("MRG|100200999^^^CHU-LYS&1.2.250.1.999.1&ISO^PI", "MRG|", MERGE))


def test_a_merge_of_a_patient_with_itself_is_found():
    assert said(changed("100200999", "100200300", MERGE)) == {("V23", "error", "MRG-1")}


def test_a_merge_carries_one_pair_of_patients():
    pair = MERGE[MERGE.index("PID") :]
    assert ("V23", "error", "PID(2)") in said(MERGE + pair)
    moves = (MERGE + pair.replace("100200999", "100200888")).replace("A40^ADT_A39", "A44^ADT_A43")
    assert found(moves) == []


def test_the_structure_of_a40_is_adt_a39():
    assert said(changed("ADT_A39", "ADT_A38", MERGE)) == {("V03", "error", "MSH-9.3")}


def test_an_ins_is_deleted_by_two_quotes_in_an_a47():
    deletion = changed("A40^ADT_A39", "A47^ADT_A30", MERGE)
    deletion = changed("&ISO^PI||", '&ISO^PI~""^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS||', deletion)
    deletion = changed(
        "MRG|100200999^^^CHU-LYS&1.2.250.1.999.1&ISO^PI",
        f"MRG|{INS}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS",
        deletion,
    )
    assert found(deletion) == []
    assert ("V23", "error", "PID-3[2]") in said(deletion.replace("A47^ADT_A30", "A31^ADT_A05"))
    assert ("V23", "error", "PID-3[2]") in said(
        deletion.replace("&ISO^INS||", "&ISO^PN||").replace("INS-NIR&1.2.250.1.213.1.4.8", "X&1.2.3")
    )


def test_findings_hold_no_personal_value():
    broken = (
        CLEAN.replace("|19850612|F|", "|19850672|VALBERTIN|")
        .replace(INS, NIR + "99")
        .replace("|VALI|", "|VALBERTIN|")
        .replace("PV1||N", "PV1||MAELYS|LILAS")
        .replace("FRA^H", "LILAS^LILAS")
        .replace("|SPO|", "|SPO^^^^^^^^VALBERTIN|")
    )
    findings = found(broken)
    assert len(findings) > 6
    for finding in findings:
        for text in (finding.message, finding.message_fr, finding.remedy, finding.remedy_fr):
            assert not any(word in text for word in ("VALBERTIN", "MAELYS", "LILAS", NIR, "19850672"))


def test_every_edition_can_judge_any_message():
    for key in EDITIONS:
        assert isinstance(found(CLEAN, edition=key), list)
