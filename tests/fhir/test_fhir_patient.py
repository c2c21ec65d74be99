"""The FR Core Patient of an identity."""

from insigne.fhir import patient
from insigne.ins.cog import Cog, Place
from insigne.ins.matricule import NIA_OID, NIR_DEMO_OID, NIR_OID, NIR_TEST_OID
from insigne.registry.state import HeldIdentifier, HeldIns, PastIns
from insigne.registry.values import Address, Authority, Collection, Details, Identifier, Ins, Telecom, Traits

FR = "https://hl7.fr/ig/fhir/core/"
SINCE = "2026-03-01T08:00:00.000Z"
LATER = "2026-04-01T08:00:00.000Z"
GAM = Authority("GAM", "1.2.250.1.999.7.1", "ISO")
CLINIC = Authority("CLINIQUE", "630780001", "N")


def coded(identifier):
    coding = identifier["type"]["coding"][0]
    return coding["code"], identifier["use"], identifier["system"], identifier["value"]


def extension(resource, url):
    return [e for e in resource.get("extension", []) if e["url"].endswith(url)]


def reliability(built):
    (found,) = extension(built, "fr-core-identity-reliability")
    return {
        part["url"]: part.get("valueCoding", {}).get("code") or part.get("valueDate")
        for part in found["extension"]
        if part["url"] != "comment"
    }


def comments(built):
    (found,) = extension(built, "fr-core-identity-reliability")
    concepts = [part["valueCodeableConcept"] for part in found["extension"] if part["url"] == "comment"]
    return [concept["coding"][0]["code"] if "coding" in concept else concept["text"] for concept in concepts]


def test_a_qualified_identity_shows_its_ins_and_claims_the_ins_profile(qualified, show):
    built = show(qualified())
    assert built["meta"]["profile"] == [
        FR + "StructureDefinition/fr-core-patient",
        FR + "StructureDefinition/fr-core-patient-ins",
    ]
    assert coded(built["identifier"][0]) == (
        "INS-NIR",
        "official",
        "urn:oid:1.2.250.1.213.1.4.8",
        "285076311304226",
    )
    assert built["identifier"][0]["type"]["coding"][0]["system"] == FR + "CodeSystem/fr-core-cs-v2-0203"
    assert reliability(built) == {"identityStatus": "QUAL"}


def test_what_the_ins_profile_requires_is_there(qualified, show):
    built = show(qualified())
    assert built["gender"] == "female"
    assert built["birthDate"] == "1985-07-12"
    (official,) = [name for name in built["name"] if name["use"] == "official"]
    assert (official["family"], official["given"]) == ("LESTREZ", ["MARGOT"])
    assert extension(official, "fr-core-patient-birth-list-given-name")[0]["valueString"] == "MARGOT ZOE"
    (place,) = extension(built, "patient-birthPlace")
    (code,) = extension(place["valueAddress"], "fr-core-address-insee-code")
    assert code["valueCoding"]["code"] == "63113"
    assert len([i for i in built["identifier"] if i["use"] == "official"]) == 1


def test_the_ins_of_a_retrieved_identity_is_not_shown(qualified, show):
    built = show(qualified(checked=False))
    assert [coded(i)[0] for i in built["identifier"]] == ["PI"]
    assert built["meta"]["profile"] == [FR + "StructureDefinition/fr-core-patient"]
    assert reliability(built)["identityStatus"] == "RECUP"


def test_a_contested_ins_is_not_shown(qualified, show):
    identity = qualified()
    contested = qualified(ins=HeldIns(identity.ins.ins, SINCE, contested=True))
    built = show(contested)
    assert [coded(i)[0] for i in built["identifier"]] == ["PI"]
    assert reliability(built)["identityStatus"] == "VALI"


def test_the_ins_of_a_birth_date_that_was_completed_is_not_shown(qualified, show):
    built = show(qualified(details=Details(collection=Collection(birth_date_corrected="Y"))))
    assert [coded(i)[0] for i in built["identifier"]] == ["PI"]
    assert not any(profile.endswith("-ins") for profile in built["meta"]["profile"])


def test_each_ins_authority_has_its_type_and_use(qualified, show):
    kinds = {
        NIR_OID: ("INS-NIR", "official"),
        NIA_OID: ("INS-NIA", "temp"),
        NIR_TEST_OID: ("INS-NIR-TEST", "official"),
        NIR_DEMO_OID: ("INS-NIR-DEMO", "official"),
    }
    for oid, expected in kinds.items():
        built = show(qualified(ins=HeldIns(Ins("285076311304226", oid), SINCE)))
        assert coded(built["identifier"][0]) == (*expected, "urn:oid:" + oid, "285076311304226")


def test_a_nia_replaced_by_a_nir_is_old(qualified, show):
    nia = PastIns(Ins("785076311304206", NIA_OID), SINCE, LATER, "replaced", replaced=True)
    built = show(qualified(ins=HeldIns(Ins("285076311304226", NIR_OID), LATER), ins_history=(nia,)))
    ins = [coded(i) for i in built["identifier"] if coded(i)[0].startswith("INS")]
    assert [(code, use) for code, use, _, _ in ins] == [("INS-NIR", "official"), ("INS-NIA", "old")]


def test_an_ins_that_was_deleted_is_left_to_the_history(qualified, show):
    deleted = PastIns(Ins("285076311304226", NIR_OID), SINCE, "2026-03-15T08:00:00.000Z", "deleted")
    assert "285076311304226" not in str(show(qualified(ins=None, ins_history=(deleted,))))
    again = show(qualified(ins=HeldIns(Ins("285076311304339", NIR_OID), LATER), ins_history=(deleted,)))
    assert "285076311304226" not in str(again)


def test_the_billing_nir_is_never_taken_for_an_ins(person, qualified, show):
    billing = Identifier("NH", Authority("ASIP-SANTE-NIR", NIR_OID, "ISO"), "285076311304226")
    held = (HeldIdentifier(billing, SINCE),)
    (alone,) = show(person(identifiers=held))["identifier"]
    assert coded(alone) == ("NH", "official", "urn:oid:" + NIR_OID, "285076311304226")
    beside = show(qualified(identifiers=held))["identifier"]
    assert [coded(i)[:2] for i in beside] == [("INS-NIR", "official"), ("NH", "secondary")]


def test_identifiers_have_the_system_of_their_authority(person, show):
    held = tuple(
        HeldIdentifier(identifier, SINCE)
        for identifier in (
            Identifier("PI", GAM, "4071"),
            Identifier("PI", CLINIC, "22"),
            Identifier("PN", Authority("GROUPE SUD"), "900"),
            Identifier("RRI", Authority("", "1.2.250.1.999.9", "ISO"), "R7"),
            Identifier("INS-C", Authority("ASIP-SANTE-INS-C", "1.2.250.1.213.1.4.2", "ISO"), "0123456789012345678901"),
        )
    )
    built = show(person(identifiers=held))["identifier"]
    assert [coded(i) for i in built] == [
        ("PI", "usual", "urn:oid:1.2.250.1.999.7.1", "4071"),
        ("PI", "usual", "urn:x-insigne:authority:630780001", "22"),
        ("PN", "usual", "urn:x-insigne:authority:GROUPE%20SUD", "900"),
        ("RRI", "secondary", "urn:oid:1.2.250.1.999.9", "R7"),
        ("INS-C", "secondary", "urn:oid:1.2.250.1.213.1.4.2", "0123456789012345678901"),
    ]
    assert built[0]["assigner"] == {"display": "GAM"}
    assert built[0]["type"]["coding"][0]["system"] == "http://terminology.hl7.org/CodeSystem/v2-0203"
    assert built[4]["type"]["coding"][0]["system"] == FR + "CodeSystem/fr-core-cs-v2-0203"


def test_a_retired_identifier_is_old(person, show):
    held = (
        HeldIdentifier(Identifier("PI", GAM, "4071"), SINCE, LATER, "replaced"),
        HeldIdentifier(Identifier("PI", GAM, "4072"), LATER),
    )
    built = show(person(identifiers=held))["identifier"]
    assert [(i["use"], i["value"]) for i in built] == [("usual", "4072"), ("old", "4071")]
    assert built[1]["period"] == {"end": LATER}


def test_what_was_merged_is_linked_and_its_identifiers_are_old(qualified, show):
    other = qualified(
        id="01JDOUBLE",
        merged_into="01JMARGOT",
        ins=HeldIns(Ins("285076311304339", NIR_OID), SINCE),
        identifiers=(HeldIdentifier(Identifier("PI", GAM, "9999"), SINCE),),
    )
    built = show(qualified(absorbed=("01JDOUBLE",)), [other])
    assert built["active"] is True
    assert built["link"] == [{"other": {"reference": "Patient/01JDOUBLE"}, "type": "replaces"}]
    assert [(coded(i)[0], i["use"], i["value"][-4:]) for i in built["identifier"]] == [
        ("INS-NIR", "official", "4226"),
        ("INS-NIR", "old", "4339"),
        ("PI", "usual", "4071"),
        ("PI", "old", "9999"),
    ]


def test_two_merged_identities_of_the_same_ins_show_it_once(qualified, show):
    other = qualified(id="01JDOUBLE", merged_into="01JMARGOT")
    ins = [i for i in show(qualified(), [other])["identifier"] if i["value"] == "285076311304226"]
    assert [i["use"] for i in ins] == ["official"]


def test_a_merged_identity_is_inactive_and_says_what_replaces_it(person, show):
    built = show(person(merged_into="01JOTHER", links=("01JLINKED",)))
    assert built["active"] is False
    assert built["link"] == [
        {"other": {"reference": "Patient/01JLINKED"}, "type": "seealso"},
        {"other": {"reference": "Patient/01JOTHER"}, "type": "replaced-by"},
    ]


def test_the_reliability_extension_tells_how_the_identity_was_obtained(qualified, show):
    collection = Collection(mode="INSI", insi_date="20260301081500", proof="CN")
    built = show(qualified(details=Details(collection=collection)))
    assert reliability(built) == {
        "methodCollection": "INSI",
        "dateInterrogationINSi": "2026-03-01",
        "identityStatus": "QUAL",
        "validationMode": "CN",
    }


def test_a_document_without_an_fr_core_code_is_told_as_a_comment(person, show):
    built = show(person(details=Details(collection=Collection(proof="PC"))))
    assert "validationMode" not in reliability(built)
    assert comments(built) == ["ZFD-7 PC"]


def test_attributes_and_other_pid_32_codes_are_comments(person, show):
    built = show(person(attributes=("DOUT", "HOMA"), reliability=("PROV", "DOUT", "CACH", "XYZ")))
    assert comments(built) == ["DOUT", "HOMA", "CACH", "XYZ"]
    assert reliability(built)["identityStatus"] == "PROV"


def test_an_incomplete_birth_date_stays_incomplete(person, show):
    for text, expected in (("1985", "1985"), ("198507", "1985-07"), ("19850700", "1985-07"), ("19850712103000", None)):
        built = show(person(traits=Traits("LESTREZ", "MARGOT", "MARGOT", text, "F", "63113")))
        assert built["birthDate"] == (expected or "1985-07-12")


def test_a_lunar_birth_date_is_absent_with_its_text_beside(person, show):
    built = show(person(traits=Traits("LESTREZ", "MARGOT", "MARGOT", "19851332", "F", "99350")))
    assert "birthDate" not in built
    assert built["_birthDate"]["extension"][0]["valueCode"] == "as-text"
    assert extension(built, "fr-core-lunar-date")[0]["valueString"] == "19851332"


def test_the_lunar_date_of_zfd_is_told_beside_the_real_one(person, show):
    built = show(person(details=Details(lunar_birth_date="32^07^1985")))
    assert built["birthDate"] == "1985-07-12"
    assert extension(built, "fr-core-lunar-date")[0]["valueString"] == "32/07/1985"


def test_a_corrected_birth_date_is_flagged(person, show):
    built = show(person(details=Details(collection=Collection(birth_date_corrected="Y"))))
    assert extension(built, "fr-core-patient-birthdate-update-indicator")[0]["valueBoolean"] is True


def test_sex_becomes_gender_and_undetermined_is_unknown(person, show):
    for sex, gender in (("M", "male"), ("F", "female"), ("I", "unknown")):
        assert show(person(traits=Traits(sex=sex)))["gender"] == gender
    assert "gender" not in show(person(traits=Traits()))


def test_the_used_name_is_a_second_name(person, show):
    built = show(person(details=Details(used_name="KERVEL", used_given_name="ZOE", other_names=(("S", "ETOILE", ""),))))
    assert [(n["use"], n.get("family"), n.get("given")) for n in built["name"]] == [
        ("official", "LESTREZ", ["MARGOT"]),
        ("usual", "KERVEL", ["ZOE"]),
        ("anonymous", "ETOILE", None),
    ]


def test_a_birthplace_is_named_by_the_cog(person, show):
    cog = Cog.of([Place("63113", "CLERMONT-FERRAND", "commune"), Place("99350", "MAROC", "country")])
    (place,) = extension(show(person(), cog=cog), "patient-birthPlace")
    assert place["valueAddress"]["city"] == "CLERMONT-FERRAND"
    born_abroad = person(traits=Traits(birth_place="99350"))
    (place,) = extension(show(born_abroad, cog=cog), "patient-birthPlace")
    assert place["valueAddress"]["country"] == "MAROC"
    assert "TRE_R20-Pays" in str(place)


def test_addresses_telecoms_and_civil_status_are_told(person, show):
    details = Details(
        addresses=(Address("H", "3 RUE DES LILAS", "BAT B", "RIOM", "63200", "FRA", "63300"), Address()),
        telecoms=(
            Telecom("PRN", "CP", "0611223344"),
            Telecom("NET", "Internet", "margot@exemple.invalid"),
            Telecom("WPN", "PH", "0473000000"),
        ),
        marital_status="P",
        nationality="FRA",
        language="FR",
        multiple_birth="Y",
        birth_order="2",
        mother_name="VALIN",
    )
    built = show(person(details=details))
    (address,) = built["address"]
    assert address["line"] == ["3 RUE DES LILAS", "BAT B"]
    assert (address["city"], address["postalCode"], address["country"]) == ("RIOM", "63200", "FRA")
    assert [(t["system"], t.get("use")) for t in built["telecom"]] == [
        ("phone", "mobile"),
        ("email", None),
        ("phone", "work"),
    ]
    assert built["maritalStatus"]["coding"][0]["code"] == "P"
    assert built["multipleBirthInteger"] == 2
    assert built["communication"][0]["language"]["coding"][0]["code"] == "fr"
    assert extension(built, "patient-mothersMaidenName")[0]["valueString"] == "VALIN"


def test_death_is_a_moment_when_known_else_a_fact(person, show):
    known = show(person(details=Details(death_date="20260304101500+0100", death_indicator="Y")))
    assert known["deceasedDateTime"] == "2026-03-04T10:15:00+01:00"
    no_zone = show(person(details=Details(death_date="20260304101500")))
    assert no_zone["deceasedDateTime"] == "2026-03-04"
    assert show(person(details=Details(death_indicator="Y")))["deceasedBoolean"] is True
    assert show(person(details=Details(death_indicator="N")))["deceasedBoolean"] is False


def test_an_empty_identity_still_makes_a_patient(person, show):
    built = show(person(traits=Traits(), identifiers=()))
    assert sorted(built) == ["active", "extension", "id", "meta", "resourceType"]


def test_no_element_is_sent_empty(qualified):
    def walk(value):
        if isinstance(value, dict | list | str):
            assert value not in ({}, [], "")
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(child)

    walk(patient(qualified(details=Details(title="MME", collection=Collection(mode="??")))))
