"""What is refused, one fault at a time in a lot that is otherwise in order, and that nothing is kept of it."""

import re

import pytest

BIRTH_NAME = '<family qualifier="BR">NESSI'
ENTRY = "XDSRegistryMetadataError"
HEADER = "XDSRepositoryMetadataError"


def swapped(old, new):
    """Return a change of text that must find what it changes."""

    def change(text):
        assert old in text, old
        return text.replace(old, new)

    return change


def without(pattern):
    """Return a change of text that takes out what a pattern finds."""

    def change(text):
        assert re.search(pattern, text, re.DOTALL), pattern
        return re.sub(pattern, "", text, flags=re.DOTALL)

    return change


def slot(name):
    return rf'<rim:Slot name="{name}">.*?</rim:Slot>'


def named_as_the_document(text):
    """Give the lot the unique id of its document."""
    name = re.search(r'2e82c1f6[^>]*?value="([^"]+)', text)[1]
    return re.sub(r'(96fdda7c[^>]*?value=")[^"]+', lambda found: found[1] + name, text, count=1)


METADATA = {
    "no submission time": (without(slot("submissionTime")), ENTRY),
    "no creation time": (without(slot("creationTime")), ENTRY),
    "a creation time with its zone": (swapped("20260115093000", "20260115103000+0100"), ENTRY),
    "no language": (without(slot("languageCode")), ENTRY),
    "another language": (swapped("fr-FR", "en-US"), ENTRY),
    "no source patient": (without(slot("sourcePatientId")), ENTRY),
    "no traits of the source": (without(slot("sourcePatientInfo")), ENTRY),
    "no legal authenticator": (without(slot("legalAuthenticator")), ENTRY),
    "no title": (without(r'<rim:Name><rim:LocalizedString value="Lettre de sortie"/></rim:Name>'), ENTRY),
    "a class out of its set": (swapped('nodeRepresentation="10"', 'nodeRepresentation="99"'), ENTRY),
    "a superseded type": (swapped("11490-0", "11493-4"), ENTRY),
    "a practice setting out of its set": (swapped("ETABLISSEMENT", "HOPITAL"), ENTRY),
    "a format out of its set": (swapped("urn:ihe:iti:xds-sd:pdf:2008", "application/pdf"), ENTRY),
    "a facility out of its set": (swapped('"SA01"', '"ZZ01"'), ENTRY),
    "a confidentiality out of its set": (
        swapped('f4f85eac-e6cb-4883-b524-f2705394840f" classifiedObject="doc" nodeRepresentation="N"',
                'f4f85eac-e6cb-4883-b524-f2705394840f" classifiedObject="doc" nodeRepresentation="X"'),
        ENTRY,
    ),
    "an identifier with an extension": (
        lambda text: re.sub(r'(2e82c1f6[^>]*?value="[0-9.]+)"', r'\1^1"', text, count=1), ENTRY),
    "another media type": (swapped('id="doc" mimeType="text/xml"', 'id="doc" mimeType="application/pdf"'), ENTRY),
    "another patient": (
        lambda text: re.sub(r'(58a6f841[^>]*?value=")[0-9AB]+', r"\g<1>255081416802538", text, count=1),
        "XDSPatientIdDoesNotMatch",
    ),
    "no link to the set": (without(r'<rim:Association [^>]*HasMember"[^>]*"doc">.*?</rim:Association>'), ENTRY),
    "no link of the signature": (without(r'<rim:Association [^>]*:signs"[^>]*>.*?</rim:Association>'), "SimuSignature"),
    "no signature": (without(r'<rim:ExtrinsicObject id="sig".*?</rim:ExtrinsicObject>'), ENTRY),
    "an identifier twice": (named_as_the_document, "XDSRegistryDuplicateUniqueIdInMessage"),
    "an entry without its document": (swapped('"doc"', '"other"'), "XDSMissingDocument"),
    "another hash": (
        lambda text: re.sub(r'(name="hash"><rim:ValueList><rim:Value>)[0-9a-f]{40}', r"\g<1>" + "0" * 40, text),
        "XDSNonIdenticalHash",
    ),
    "another size": (
        lambda text: re.sub(r'(name="size"><rim:ValueList><rim:Value>)\d+', r"\g<1>7", text), "XDSNonIdenticalSize"),
    "another birth name of the source": (swapped("PID-5|NESSI^", "PID-5|NESSY^"), "SimuTraits"),
    "another birth date of the source": (swapped("PID-7|19770714", "PID-7|19770715"), "SimuTraits"),
    "another sex of the source": (swapped("PID-8|F", "PID-8|M"), "SimuTraits"),
}  # fmt: skip

DOCUMENT = {
    "another birth name": (swapped(BIRTH_NAME, '<family qualifier="BR">NESSY'), "SimuTraits"),
    "no birth name": (without(r'<family qualifier="BR">.*?</family>'), "SimuTraits"),
    "another given name": (swapped("NATHALIE", "NATACHA"), "SimuTraits"),
    "another sex": (swapped('administrativeGenderCode code="F"', 'administrativeGenderCode code="M"'), "SimuTraits"),
    "another birth date": (swapped('birthTime value="19770714"', 'birthTime value="19770715"'), "SimuTraits"),
    "another birthplace": (swapped("<county>63220", "<county>63113"), "SimuTraits"),
    "no birthplace": (without("<birthplace>.*?</birthplace>"), "SimuTraits"),
    "no INS": (without('<id root="1.2.250.1.213.1.4.8" extension="[0-9]+"/>'), "XDSPatientIdDoesNotMatch"),
    "the INS of another": (
        lambda text: re.sub(r'(213\.1\.4\.8" extension=")[0-9]+', r"\g<1>255081416802538", text),
        "XDSPatientIdDoesNotMatch",
    ),
    "another type": (swapped("11490-0", "34112-3"), HEADER),
    "another title": (swapped("<title>Lettre de sortie", "<title>Compte rendu"), HEADER),
    "another time": (swapped('<effectiveTime value="20260115103000', '<effectiveTime value="20260115113000'), HEADER),
    "another confidentiality": (swapped('confidentialityCode code="N"', 'confidentialityCode code="R"'), HEADER),
    "an id with an extension": (
        lambda text: re.sub(r'<id root="(1\.2\.250\.1\.999\.1\.\d+)"/>', r'<id root="\1" extension="1"/>', text),
        HEADER,
    ),
    "another version replaced": (
        swapped("<componentOf>", '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3"/></parentDocument>'
                                 "</relatedDocument><componentOf>"),
        HEADER,
    ),
    "no version": (without('<versionNumber value="1"/>'), HEADER),
    "another facility": (swapped('<code code="SA01"', '<code code="SA04"'), HEADER),
    "another author": (
        lambda text: re.sub(r"(<assignedAuthor>.{0,80}?extension=\")\d+", r"\g<1>899900000009", text, flags=re.DOTALL),
        HEADER,
    ),
    "no template of the CI-SIS": (without('<templateId root="1.2.250.1.213.1.1.1.1"/>'), HEADER),
    "a DTD": (swapped("<!-- essai -->", "<!DOCTYPE ClinicalDocument>"), HEADER),
    "no CDA": (lambda text: "<a xmlns='urn:hl7-org:v3'><component/></a>", HEADER),
    "no XML": (lambda text: "%PDF-1.4", HEADER),
}  # fmt: skip

ASSERTION = {
    "no signature": (without(r"<Signature .*?</Signature>"), {}, "wsse:FailedCheck"),
    "no user": (without(r"<saml2:NameID>.*?</saml2:NameID>"), {}, "wsse:InvalidSecurityToken"),
    "no role": (without(r"<Role .*?/>"), {}, "wsse:InvalidSecurityToken"),
    "another purpose": (swapped('code="normal"', 'code="bris_de_glace"'), {}, "wsse:InvalidSecurityToken"),
    "no software": (without(r'<saml2:Attribute Name="LPS_Nom">.*?</saml2:Attribute>'), {}, "wsse:InvalidSecurityToken"),
    "another resource": (swapped("urn:dmp", "urn:autre"), {}, "wsse:InvalidSecurityToken"),
    "an unknown version": (None, {"version": "1.0"}, "wsse:InvalidSecurityToken"),
    "a direct authentication": (None, {"mode": "DIRECTE"}, "wsse:InvalidSecurityToken"),
    "no structure": (None, {"structure": ""}, "wsse:InvalidSecurityToken"),
    "a sector without its system": (None, {"sector": "SA01"}, "wsse:InvalidSecurityToken"),
    "no patient": (None, {"resource": "279035121518989"}, "wsse:InvalidSecurityToken"),
    "another issuer": (None, {"issuer": "CN=AUTRE,O=Autre"}, "wsse:InvalidSecurityToken"),
    "an audience": (
        None,
        {"conditions": "<saml2:Conditions><saml2:AudienceRestriction/></saml2:Conditions>"},
        "wsse:InvalidSecurityToken",
    ),
    "an end in the past": (
        None,
        {"conditions": '<saml2:Conditions NotOnOrAfter="2020-01-01T00:00:00Z"/>'},
        "wsse:MessageExpired",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(METADATA))
def test_metadata_with_a_fault_are_refused(caller, patient, name):
    change, code = METADATA[name]

    answer = caller.feed(patient, in_lot=change)

    assert code in answer.codes, answer.told or answer.fault
    assert caller.documents(patient) == []


@pytest.mark.parametrize("name", list(DOCUMENT))
def test_a_document_that_contradicts_its_metadata_or_the_nation_is_refused(caller, patient, name):
    change, code = DOCUMENT[name]

    answer = caller.feed(patient, in_cda=change)

    assert code in answer.codes, answer.told or answer.fault
    assert caller.documents(patient) == []


@pytest.mark.parametrize("name", list(ASSERTION))
def test_a_vihf_with_a_fault_is_refused(caller, patient, name):
    change, values, code = ASSERTION[name]
    changed = {"in_vihf": change} if change and name != "no signature" else {}

    if name == "no signature":
        lot = caller.feed(patient).lot
        caller.control("DELETE", "/documents")
        answer = caller.post(
            "repository", re.sub(rb"<Signature xmlns.*?</Signature>", b"", lot.body, count=1, flags=re.DOTALL), lot.kind
        )
    else:
        answer = caller.feed(patient, **changed, **values)

    assert (answer.status, answer.fault) == (500, code)
    assert caller.documents(patient) == []


def test_a_vihf_altered_after_it_was_signed_is_refused(caller, patient, written):
    lot = written.Lot(caller.ready, patient)

    answer = caller.post("repository", lot.body.replace(b"DPI d'essai", b"DPI d'autrui"), lot.kind)

    assert answer.fault == "wsse:FailedCheck"


def test_a_vihf_signed_by_the_certificate_of_the_connection_is_refused(caller, patient, written):
    lot = written.Lot(caller.ready, patient, signer="ORG_SIGN")
    stranger = written.vihf(caller.ready, patient, signer="ORG_SIGN").replace("ORG_SIGN", "ORG_AUTH")
    body = re.sub(rb"<saml2:Assertion.*?</saml2:Assertion>", stranger.encode(), lot.body, flags=re.DOTALL)

    assert caller.post("repository", body, lot.kind).fault == "wsse:FailedCheck"


def test_a_vihf_of_another_hour_is_refused(caller, patient, written, later):
    for moment in (later(minutes=-6), later(minutes=6)):
        answer = caller.exists(patient, written.vihf(caller.ready, patient, now=moment))
        assert answer.fault == "wsse:MessageExpired"


def test_a_second_assertion_does_not_hide_behind_a_signed_one(caller, patient, somebody_else, written):
    """Signature wrapping: the signed assertion is moved inside one that says something else."""
    signed = written.vihf(caller.ready, patient)
    signature = re.search(r"<Signature .*?</Signature>", signed, re.DOTALL)[0]
    forged = written.vihf(caller.ready, somebody_else)
    moved = signature.replace("</KeyInfo>", f"</KeyInfo><Object>{signed}</Object>")
    forged = re.sub(r"<Signature .*?</Signature>", lambda _: moved, forged, flags=re.DOTALL)

    assert caller.exists(somebody_else, forged).fault == "wsse:FailedCheck"


def test_a_lot_about_another_patient_than_the_vihf_is_refused(caller, patient, somebody_else, written):
    lot = written.Lot(caller.ready, patient)
    other = written.vihf(caller.ready, somebody_else)
    body = re.sub(rb"<saml2:Assertion.*?</saml2:Assertion>", other.encode(), lot.body, flags=re.DOTALL)

    assert set(caller.post("repository", body, lot.kind).codes) == {"XDSPatientIdDoesNotMatch"}
    assert caller.documents(patient) == caller.documents(somebody_else) == []


def test_a_document_about_somebody_else_is_refused(caller, patient, somebody_else):
    answer = caller.feed(patient, about=somebody_else)

    assert {"XDSPatientIdDoesNotMatch", "SimuTraits"} <= set(answer.codes)


def test_an_ins_with_a_wrong_key_is_nobody(caller, patient):
    patient.matricule = patient.matricule[:13] + "99"

    assert caller.feed(patient).codes == ["XDSUnknownPatientId"]


def test_an_ins_under_the_oid_of_tests_is_nobody_in_production(caller, patient):
    patient.oid = "1.2.250.1.213.1.4.10"

    assert caller.feed(patient).codes == ["XDSUnknownPatientId"]


def test_a_document_changed_after_the_lot_was_signed_is_refused(caller, patient, written):
    lot = written.Lot(caller.ready, patient)

    answer = caller.post("repository", lot.body.replace(b"JVBERi0xLjQ=", b"JVBERi0xLjU="), lot.kind)

    assert {"SimuSignature", "XDSNonIdenticalHash"} <= set(answer.codes)


def test_a_signature_of_a_lot_altered_is_refused(caller, patient):
    answer = caller.feed(patient, in_seal=swapped("2026-01-15T10:00:00Z", "2026-01-15T11:00:00Z"))

    assert answer.codes == ["SimuSignature"]


def test_masked_and_invisible_at_once_is_a_setting(caller, patient):
    def both(text):
        level = re.search(r"<rim:Classification [^>]*f4f85eac.*?</rim:Classification>", text, re.DOTALL)[0]
        masks = [
            level.replace('"N"', f'"{code}"').replace("2.16.840.1.113883.5.25", "1.2.250.1.213.1.1.4.13")
            for code in ("MASQUE_PS", "INVISIBLE_PATIENT")
        ]
        return text.replace(level, level + "".join(masks))

    assert caller.feed(patient, in_lot=both).codes == [ENTRY]

    caller.control("PATCH", site={"masked_and_invisible": True})
    assert caller.feed(patient, in_lot=both).success
    assert caller.documents(patient)[0]["confidentiality"] == ["N", "MASQUE_PS", "INVISIBLE_PATIENT"]


def test_a_type_the_site_adds_is_taken(caller, patient):
    def changed(text):
        return text.replace("11490-0", "11506-3")

    assert caller.feed(patient, in_lot=changed, in_cda=changed).codes == [ENTRY]

    caller.control("PATCH", site={"type_codes": ["11506-3"]})
    assert caller.feed(patient, in_lot=changed, in_cda=changed).success


def test_what_is_no_call_is_a_fault(caller):
    for body in (b"", b"hello", b"<a/>", b'<!DOCTYPE a><a xmlns="http://www.w3.org/2003/05/soap-envelope"/>'):
        assert caller.post("registry", body).fault == "simu:SimuMessage"


def test_no_vihf_is_a_fault(caller, written):
    answer = caller.call("registry", "<a/>", "")

    assert answer.fault == "wsse:SecurityTokenUnavailable"


def test_the_wrong_action_is_a_fault(caller, patient, written):
    answer = caller.post("repository", written.envelope("urn:autre", written.vihf(caller.ready, patient), "<a/>"))

    assert answer.fault == "simu:SimuAction"


def test_a_connection_without_a_certificate_or_with_that_of_signature_calls_nothing(call_as, patient):
    for name in ("", "ORG_SIGN"):
        assert call_as(name).exists(patient).status == 403
