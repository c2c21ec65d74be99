"""TD2.1: what is taken, what it replaces, what is there already."""

import hashlib
from types import SimpleNamespace

import pytest


def test_a_lot_in_order_is_taken_and_shown(caller, patient):
    answer = caller.feed(patient)

    assert answer.success, answer.told
    (held,) = caller.documents(patient)
    assert held["unique_id"] == answer.lot.unique_id
    assert held["size"] == len(answer.lot.content)
    assert held["hash"] == hashlib.sha1(answer.lot.content).hexdigest()
    assert (held["status"], held["structure"]) == ("approved", "1750000001")
    assert held["patient"] == f"{patient.oid}|{patient.matricule}"


def test_the_bytes_of_a_document_are_given_back(caller, patient):
    lot = caller.feed(patient).lot

    answer = caller.http("GET", f"/patients/{patient.matricule}/documents/{lot.unique_id}")

    assert answer.body == lot.content


def test_a_feeding_is_answered_in_a_package_unless_set_otherwise(caller, patient):
    assert caller.feed(patient).kind.startswith("multipart/related")

    caller.control("PATCH", site={"mtom_answers": False})

    answer = caller.feed(patient)
    assert answer.success
    assert answer.kind.startswith("application/soap+xml")


@pytest.mark.parametrize(
    "form",
    [{"transformed": True}, {"inline": True}, {"mode_name": "Authentification_mode"}, {"version": "3.0"}],
    ids=["signed by its canonical form", "inside the envelope", "the other spelling of the mode", "VIHF 3.0"],
)
def test_what_the_sources_disagree_on_is_taken_either_way(caller, patient, form):
    answer = caller.feed(patient, **form)

    assert answer.success, answer.told or answer.fault


def test_soap_1_1_is_answered_in_soap_1_1(caller, patient, written):
    lot = written.Lot(caller.ready, patient)
    old = b"http://schemas.xmlsoap.org/soap/envelope/"

    answer = caller.post("repository", lot.body.replace(b"http://www.w3.org/2003/05/soap-envelope", old), lot.kind)

    assert answer.success, answer.told
    assert answer.tree.tag == f"{{{old.decode()}}}Envelope"


def test_a_document_larger_than_memory_goes_through_a_file(caller, patient):
    answer = caller.feed(patient, text="QUJD" * (1 << 20))

    assert answer.success, answer.told
    (held,) = caller.documents(patient)
    assert held["hash"] == hashlib.sha1(answer.lot.content).hexdigest()
    assert held["size"] > 4 << 20


def test_the_same_document_again_is_a_duplicate(caller, patient):
    first = caller.feed(patient).lot

    assert caller.feed(patient, unique_id=first.unique_id).codes == ["XDSDuplicateUniqueIdInRegistry"]
    assert len(caller.documents(patient)) == 1


def test_another_content_under_the_same_identifier_is_told_apart(caller, patient):
    first = caller.feed(patient).lot

    answer = caller.feed(patient, unique_id=first.unique_id, text="QUJDREVG")

    assert answer.codes == ["XDSNonIdenticalHash"]
    assert caller.documents(patient)[0]["hash"] == hashlib.sha1(first.content).hexdigest()


def test_a_replacement_deprecates_what_it_replaces(caller, patient):
    caller.feed(patient)
    (old,) = caller.documents(patient)

    answer = caller.feed(patient, replaces=SimpleNamespace(**old))

    assert answer.success, answer.told
    first, second = caller.documents(patient)
    assert (first["status"], second["status"]) == ("deprecated", "approved")
    assert second["replaces"] == first["unique_id"]


def test_what_is_replaced_already_is_not_replaced_again(caller, patient):
    caller.feed(patient)
    old = SimpleNamespace(**caller.documents(patient)[0])
    caller.feed(patient, replaces=old)

    assert caller.feed(patient, replaces=old).codes == ["XDSRegistryDeprecatedDocumentError"]


def test_what_does_not_exist_is_not_replaced(caller, patient):
    unknown = SimpleNamespace(unique_id="1.2.3", entry_uuid="urn:uuid:0e3e5e4c-0000-4000-8000-000000000000")

    assert "UnresolvedReferenceException" in caller.feed(patient, replaces=unknown).codes
    assert caller.documents(patient) == []


def test_another_structure_does_not_replace(caller, patient):
    caller.feed(patient)
    old = SimpleNamespace(**caller.documents(patient)[0])

    assert caller.feed(patient, replaces=old, structure="1920000009").codes == ["SimuDroits"]


def test_a_patient_without_a_dmp_is_fed_nothing(caller, patient):
    caller.control("PATCH", patients={"none": [patient.matricule]})

    assert caller.feed(patient).codes == ["XDSUnknownPatientId"]


def test_a_closed_dmp_is_fed_nothing(caller, patient):
    caller.control("PATCH", patients={"closed": [patient.matricule[:13]]})

    assert caller.feed(patient).codes == ["DMPClosed"]


def test_a_structure_that_the_patient_blocked_feeds_nothing(caller, patient):
    caller.control("PATCH", patients={"blocked": [patient.matricule]})

    assert caller.feed(patient).codes == ["SimuDroits"]


def test_the_mode_that_lets_consult_does_not_let_feed(caller, patient):
    assert caller.feed(patient, mode="INDIRECTE_RENFORCEE").codes == ["SimuDroits"]


def test_the_test_patient_of_the_ans_exists_in_vendor_mode_only(dmp, caller, written):
    patient = written.person_of(dmp.simulator.engine.people.base, "PAT-TROIS", "DOMINIQUE")
    assert (patient.matricule, patient.oid) == ("279035121518989", "1.2.250.1.213.1.4.10")

    assert caller.feed(patient).codes == ["XDSUnknownPatientId"]

    caller.control("PATCH", mode="vendor")
    answer = caller.feed(patient)
    assert answer.success, answer.told
