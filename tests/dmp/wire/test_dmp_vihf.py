"""The assertion that goes with every call: what it says, in which spelling, and that its signature holds."""

from dataclasses import replace

import pytest
from lxml import etree

from insigne.dmp.wire.model import Coded, VihfContext, WireError
from insigne.dmp.wire.vihf import VihfForm, build_assertion, read_assertion

NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "hl7": "urn:hl7-org:v3",
}
FORM = VihfForm(
    version="4.0",
    mode="INDIRECTE",
    mode_attribute="Authentification_Mode",
    authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
    purpose="normal",
    purpose_label="Accès normal",
    hidden_code="INVISIBLE_PATIENT",
    validity_seconds=0,
    software={"LPS_ID": "", "LPS_Nom": "Insigne", "LPS_Version": "1.2", "LPS_ID_HOMOLOGATION_DMP": "TEST-1"},
)
DOCTOR = VihfContext(
    name_id="810012345678",
    name="Anne LEROUX",
    structure="1750000001",
    sector=Coded("SA01", "1.2.250.1.71.4.2.4"),
    roles=(
        Coded("10", "1.2.250.1.71.1.2.7", "Médecin"),
        Coded("SM26", "1.2.250.1.71.4.2.5", "Qualifié en médecine générale (SM)"),
    ),
)
CONFIDENTIALITY = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"


@pytest.fixture
def assertion(key, made):
    def build(form=FORM, context=DOCTOR, algorithm="rsa-sha256"):
        return build_assertion(
            form, context, made.ins, key, algorithm, made.now, "11111111-2222-4333-8444-555555555555"
        )

    return build


def attributes(element):
    """Name of each attribute → its texts, by an XPath of the test's own."""
    return {
        one.get("Name"): [value.text for value in one.findall("saml:AttributeValue", NS)]
        for one in element.findall("saml:AttributeStatement/saml:Attribute", NS)
    }


def test_it_says_who_calls_from_where_for_whom(assertion):
    element = assertion()
    said = attributes(element)
    assert element.findtext("saml:Subject/saml:NameID", namespaces=NS) == "810012345678"
    assert said["Identifiant_Structure"] == ["1750000001"]
    assert said["Secteur_Activite"] == ["SA01^1.2.250.1.71.4.2.4"]
    assert said["urn:oasis:names:tc:xspa:1.0:subject:subject-id"] == ["Anne LEROUX"]
    # CX of the INS: identifier ^^^ & OID & ISO ^ NH
    assert said["urn:oasis:names:tc:xacml:2.0:resource:resource-id"] == [
        "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
    ]
    assert said["Ressource_URN"] == ["urn:dmp"]
    assert said["VIHF_Version"] == ["4.0"]
    assert said["Authentification_Mode"] == ["INDIRECTE"]
    assert said["LPS_ID_HOMOLOGATION_DMP"] == ["TEST-1"]
    assert "LPS_ID" not in said  # optional, and not set
    assert CONFIDENTIALITY not in said


def test_roles_and_purpose_are_coded_elements_of_hl7(assertion):
    element = assertion()
    roles = element.findall(".//hl7:Role", NS)
    assert [(one.get("code"), one.get("codeSystem")) for one in roles] == [
        ("10", "1.2.250.1.71.1.2.7"),
        ("SM26", "1.2.250.1.71.4.2.5"),
    ]
    assert {one.get("{http://www.w3.org/2001/XMLSchema-instance}type") for one in roles} == {"CE"}
    purpose = element.find(".//hl7:PurposeOfUse", NS)
    assert (purpose.get("code"), purpose.get("codeSystem"), purpose.get("codeSystemName")) == (
        "normal",
        "1.2.250.1.213.1.1.4.248",
        "mode acces VIHF 2.0",
    )


def test_its_issuer_is_the_certificate_that_signs_and_its_parts_are_in_the_order_of_saml(assertion):
    element = assertion()
    issuer = element.find("saml:Issuer", NS)
    assert issuer.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
    assert issuer.text.startswith("CN=CH EXEMPLE\\, sign,OU=1750000001,O=CH EXEMPLE")
    assert [etree.QName(one).localname for one in element] == [
        "Issuer",
        "Signature",
        "Subject",
        "AuthnStatement",
        "AttributeStatement",
    ]


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha1"])
def test_its_signature_is_right_for_xmlsec(assertion, xmlsec_says, algorithm):
    signed = etree.tostring(assertion(algorithm=algorithm))
    assert algorithm in signed.decode()
    assert "http://www.w3.org/2001/10/xml-exc-c14n#" in signed.decode()
    assert xmlsec_says(signed, "ID") == ""


def test_its_signature_does_not_hold_once_a_digit_of_the_ins_is_changed(assertion, xmlsec_says):
    signed = etree.tostring(assertion())
    assert "refused" in xmlsec_says(signed.replace(b"279035121518989", b"279035121518980"), "ID")


def test_the_older_spelling_is_a_setting(assertion):
    said = attributes(assertion(replace(FORM, version="3.0", mode_attribute="Authentification_mode")))
    assert said["VIHF_Version"] == ["3.0"]
    assert said["Authentification_mode"] == ["INDIRECTE"]


def test_a_secret_connection_adds_the_confidentiality(assertion):
    assert attributes(assertion(context=replace(DOCTOR, secret=True)))[CONFIDENTIALITY] == ["INVISIBLE_PATIENT"]


def test_a_validity_is_around_the_moment_of_the_call(assertion):
    conditions = assertion(replace(FORM, validity_seconds=300)).find("saml:Conditions", NS)
    assert (conditions.get("NotBefore"), conditions.get("NotOnOrAfter")) == (
        "2026-03-02T09:25:15.000Z",
        "2026-03-02T09:35:15.000Z",
    )


@pytest.mark.parametrize("missing", ["name_id", "structure", "name"])
def test_nobody_calls_without_a_name(assertion, missing):
    with pytest.raises(WireError, match=missing):
        assertion(context=replace(DOCTOR, **{missing: " "}))


def test_our_reader_says_the_same(assertion):
    found = read_assertion(assertion(context=replace(DOCTOR, secret=True)))
    assert (found.name_id, found.mode, found.version) == ("810012345678", "INDIRECTE", "2.0")
    assert found.roles == DOCTOR.roles
    assert found.purpose.code == "normal"
    assert found.references == ("#_11111111-2222-4333-8444-555555555555",)
    assert found.attributes["VIHF_Version"] == "4.0"
    assert len(found.certificates) == 1
