"""TD0.2, TD3.1, TD3.3c: does a DMP exist, what is the reference of a document, delete it."""

import pytest

V3 = "{urn:hl7-org:v3}"
RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"


def code(answer, path):
    return answer.tree.find(f".//{'/'.join(V3 + part for part in path.split('/'))}").get("code")


def test_a_patient_has_an_open_dmp_linked_to_mon_espace_sante(caller, patient):
    answer = caller.exists(patient)

    assert code(answer, "queryAck/queryResponseCode") == "OK"
    assert code(answer, "patient/statusCode") == "active"
    assert code(answer, "attentionLine/value") == "VALIDE"
    (identifier,) = answer.tree.findall(f".//{V3}patient/{V3}id")
    assert (identifier.get("root"), identifier.get("extension")) == (patient.oid, patient.matricule)
    observed = {
        one.find(f"{V3}code").get("code"): one.find(f"{V3}value").get("value")
        for one in answer.tree.iter(f"{V3}administrativeObservation")
    }
    assert observed == {"COMPTE_INTERNET_OUVERT": "true", "RATTACHEMENT_ENS": "true"}


@pytest.mark.parametrize(
    ("group", "found", "status", "authorisation"),
    [
        ("none", "NF", None, None),
        ("closed", "OK", "terminated", "VALIDE"),
        ("blocked", "OK", "active", "INTERDITE"),
        ("unlinked", "OK", "active", "VALIDE"),
    ],
)
def test_patients_whose_dmp_is_not_as_usual(caller, patient, group, found, status, authorisation):
    caller.control("PATCH", patients={group: [patient.matricule]})

    answer = caller.exists(patient)

    assert code(answer, "queryAck/queryResponseCode") == found
    if status:
        assert code(answer, "patient/statusCode") == status
        assert code(answer, "attentionLine/value") == authorisation
    else:
        assert answer.tree.find(f".//{V3}patient") is None


def test_an_ins_that_nobody_has_is_not_found(caller, patient):
    patient.matricule = patient.matricule[:13] + "99"

    assert code(caller.exists(patient), "queryAck/queryResponseCode") == "NF"


def test_a_past_ins_leads_to_the_dmp_under_the_present_one(dmp, caller, patient):
    person = next(one for one in dmp.simulator.engine.people.base if one.birth_name == "ECETINSI")
    past = person.history[0]
    patient.matricule, patient.oid = past.matricule, past.oid

    answer = caller.exists(patient)

    assert answer.tree.find(f".//{V3}patient/{V3}id").get("extension") == person.ins.matricule
    assert caller.feed(patient).codes == ["XDSUnknownPatientId"]


def test_a_question_about_another_patient_than_the_vihf_is_a_fault(caller, patient, somebody_else, written):
    assert caller.exists(patient, written.vihf(caller.ready, somebody_else)).fault == "simu:SimuPatient"


def test_a_document_is_found_by_its_unique_id(caller, patient):
    lot = caller.feed(patient).lot

    (entry,) = caller.find(patient, lot.unique_id).entries

    slots = {one.get("name"): one.findtext(f".//{RIM}Value") for one in entry.findall(f"{RIM}Slot")}
    assert entry.get("id") == entry.get("lid") == caller.documents(patient)[0]["entry_uuid"]
    assert entry.get("status") == "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
    assert slots["size"] == str(len(lot.content))
    assert slots["hash"] == caller.documents(patient)[0]["hash"]
    assert slots["repositoryUniqueId"] == "1.2.250.1.213.4.1.1.1.2"
    assert {one.get("registryObject") for one in entry.iter(f"{RIM}ExternalIdentifier")} == {entry.get("id")}


def test_a_document_of_another_patient_is_not_found(caller, patient, somebody_else):
    lot = caller.feed(somebody_else).lot

    answer = caller.find(patient, lot.unique_id)

    assert (answer.success, answer.entries) == (True, [])


def test_documents_cannot_be_listed_with_the_certificate_of_an_establishment(caller, patient, written):
    body = (
        '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"'
        ' xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        '<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"/></q:AdhocQueryRequest>'
    )

    assert caller.call("registry", body, written.vihf(caller.ready, patient)).codes == ["SimuDroits"]


def test_a_deletion_is_logical(caller, patient):
    lot = caller.feed(patient).lot
    (held,) = caller.documents(patient)

    assert caller.delete(patient, held["entry_uuid"]).success

    assert caller.documents(patient)[0]["status"] == "deleted"
    (entry,) = caller.find(patient, lot.unique_id).entries
    assert entry.get("status") == "urn:asip:ci-sis:2010:StatusType:Deleted"
    assert caller.feed(patient, unique_id=lot.unique_id).codes == ["XDSDuplicateUniqueIdInRegistry"]


def test_only_the_structure_that_fed_a_document_deletes_it(caller, patient):
    caller.feed(patient)
    (held,) = caller.documents(patient)

    assert caller.delete(patient, held["entry_uuid"], structure="1920000009").codes == ["SimuDroits"]
    assert caller.documents(patient)[0]["status"] == "approved"


def test_a_document_is_deleted_for_its_own_patient(caller, patient, somebody_else):
    caller.feed(patient)
    (held,) = caller.documents(patient)

    assert caller.delete(somebody_else, held["entry_uuid"]).codes == ["XDSPatientIdDoesNotMatch"]


def test_what_does_not_exist_or_is_gone_is_not_deleted(caller, patient):
    caller.feed(patient)
    (held,) = caller.documents(patient)
    wrong = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"

    assert caller.delete(patient, "urn:uuid:0").codes == ["UnresolvedReferenceException"]
    assert caller.delete(patient, held["entry_uuid"], wrong).codes == ["XDSMetadataUpdateError"]
    assert caller.delete(patient, held["entry_uuid"]).success
    assert caller.delete(patient, held["entry_uuid"]).codes == ["XDSMetadataUpdateError"]
