"""References and deletions: stored queries, updates, and what the answers of a registry mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from insigne.dmp import lots
from insigne.dmp.wire import answers, iti18, iti57
from insigne.dmp.wire.answers import Outcome
from insigne.dmp.wire.model import DmpFault, Ins, Reference, RegistryAnswer, RegistryError, WireError
from insigne.dmp.wire.rim import RegistryObject, coded

NS = {
    "query": "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
    "rim": "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0",
    "rs": "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0",
}
INS = Ins("279035121518989", "1.2.250.1.213.1.4.10")
HASH = "af326fb44feb720121d2c277ce10f87407818089"

#: One entry found: entryUUID (id) and logicalId (lid), approved, SHA-1 and size as the registry computed them, patient
#: (CX, with an effective date after NH) and unique id. Prefixes are those of the DMP's examples.
FOUND = f"""
<ns3:AdhocQueryResponse status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
 xmlns:ns3="{NS["query"]}" xmlns:ns4="{NS["rim"]}"><ns4:RegistryObjectList>
 <ns4:ExtrinsicObject id="urn:uuid:e1" lid="urn:uuid:l1" mimeType="text/xml"
   objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
   status="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved">
  <ns4:Slot name="hash"><ns4:ValueList><ns4:Value>{HASH.upper()}</ns4:Value></ns4:ValueList></ns4:Slot>
  <ns4:Slot name="size"><ns4:ValueList><ns4:Value>2768</ns4:Value></ns4:ValueList></ns4:Slot>
  <ns4:ExternalIdentifier identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
    value="279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH^^20100907"/>
  <ns4:ExternalIdentifier identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" value="1.2.3.4"/>
 </ns4:ExtrinsicObject></ns4:RegistryObjectList></ns3:AdhocQueryResponse>
"""


def again(element):
    return etree.fromstring(etree.tostring(element))


def test_a_search_asks_for_one_unique_id_by_getdocuments():
    root = again(iti18.build_get_documents(("1.2.3.4",)))
    query = root.find("rim:AdhocQuery", NS)
    assert query.get("id") == "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
    (slot,) = query.findall("rim:Slot", NS)
    assert slot.get("name") == "$XDSDocumentEntryUniqueId"
    assert slot.findtext("rim:ValueList/rim:Value", namespaces=NS) == "('1.2.3.4')"
    option = root.find("query:ResponseOption", NS)
    assert (option.get("returnType"), option.get("returnComposedObjects")) == ("LeafClass", "true")


def test_a_search_of_a_patient_names_the_patient_and_the_statuses():
    found = iti18.read_query(again(iti18.build_find_documents(INS, ("approved", "archived"))))
    assert found.kind == "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
    assert found.returns == "ObjectRef"
    assert found.parameters[iti18.PATIENT_ID] == ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH",)
    assert found.parameters[iti18.STATUS] == (
        "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
        "urn:asip:ci-sis:2010:StatusType:Archived",
    )


@given(st.lists(st.text("ab'1.,()", min_size=1, max_size=8), min_size=1, max_size=4))
def test_quotes_of_a_search_are_read_back(unique_ids):
    found = iti18.read_query(again(iti18.build_get_documents(unique_ids)))
    assert found.parameters[iti18.UNIQUE_ID] == tuple(unique_ids)


def test_a_reference_is_read():
    found = iti18.read_found(etree.fromstring(FOUND))
    assert found.status == "success"
    assert found.references == (Reference("urn:uuid:e1", "urn:uuid:l1", "1.2.3.4", HASH, 2768, "approved", "", INS),)


def test_a_bare_reference_has_its_identifier_alone():
    text = FOUND.replace("ExtrinsicObject", "ObjectRef").partition("<ns4:Slot")
    bare = etree.fromstring(text[0] + "</ns4:ObjectRef></ns4:RegistryObjectList></ns3:AdhocQueryResponse>")
    (one,) = iti18.read_found(bare).references
    assert (one.entry_uuid, one.unique_id, one.hash, one.size) == ("urn:uuid:e1", "", "", None)


def test_what_a_registry_writes_is_read_back():
    entry = RegistryObject(
        "ExtrinsicObject",
        "urn:uuid:e2",
        {"lid": "urn:uuid:l2", "status": "urn:asip:ci-sis:2010:StatusType:Deleted"},
        {"hash": (HASH,), "size": ("12",)},
        "Titre",
        classifications=(coded("urn:uuid:x", "10", "1.2.3", "Compte rendu"),),
        identifiers={"urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab": "1.2.5"},
    )
    (one,) = iti18.read_found(again(iti18.build_found("success", (entry,)))).references
    assert one == Reference("urn:uuid:e2", "urn:uuid:l2", "1.2.5", HASH, 12, "deleted")


def test_a_deletion_changes_the_availability_of_one_entry(made, certificates):
    deletion = lots.deletion(
        made.document(),
        made.entry,
        made.ins,
        certificates.settings("https://x"),
        now=made.now,
        new_uuid=made.uuids(),
        status="archived",
    )
    root = again(iti57.build_deletion(deletion))
    assert root.tag == "{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest"
    (change,) = root.findall(".//rim:Association", NS)
    assert change.get("associationType") == "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
    assert (change.get("sourceObject"), change.get("targetObject")) == ("SubmissionSet01", made.entry)
    values = {slot.get("name"): slot.findtext(".//rim:Value", namespaces=NS) for slot in change.findall("rim:Slot", NS)}
    assert values == {
        "OriginalStatus": "urn:asip:ci-sis:2010:StatusType:Archived",
        "NewStatus": "urn:asip:ci-sis:2010:StatusType:Deleted",
    }
    read = iti57.read_update(root)
    assert (read.target, read.original, read.new) == (made.entry, "archived", "deleted")


@pytest.mark.parametrize("change", [{"entry_uuid": ""}, {"status": "deleted"}, {"status": ""}], ids=str)
def test_a_deletion_of_nothing_known_is_not_written(made, certificates, change):
    given_ = {"entry_uuid": made.entry, "status": "approved", **change}
    deletion = lots.deletion(
        made.document(),
        given_["entry_uuid"],
        made.ins,
        certificates.settings("https://x"),
        now=made.now,
        new_uuid=made.uuids(),
        status=given_["status"],
    )
    with pytest.raises(WireError):
        iti57.build_deletion(deletion)


errors = st.builds(
    RegistryError,
    st.sampled_from([*answers.MEANINGS, "DMPQuelqueChose"]),
    st.text("aé<&\"' ", max_size=12).map(str.strip),
    st.sampled_from(["Error", "Warning"]),
    st.just(""),
)


@given(st.sampled_from(["success", "partial", "failure"]), st.lists(errors, max_size=4).map(tuple))
def test_an_answer_is_read_back(status, told):
    answer = RegistryAnswer(status, told)
    assert answers.read_response(again(answers.build_response(answer))) == answer


@pytest.mark.parametrize(
    ("codes", "outcome", "shown", "known"),
    [
        (["XDSDuplicateUniqueIdInRegistry"], Outcome.DUPLICATE, "XDSDuplicateUniqueIdInRegistry", True),
        (["XDSUnknownPatientId"], Outcome.REFUSED, "XDSUnknownPatientId", True),
        (["XDSRegistryBusy"], Outcome.TECHNICAL, "XDSRegistryBusy", True),
        (["XDSRegistryNotAvailable"], Outcome.OUTAGE, "XDSRegistryNotAvailable", True),
        (["DMPTruc"], Outcome.REFUSED, "DMPTruc", False),
        # one that no retry would change decides, whatever the others are
        (["XDSRegistryBusy", "DMPClosed"], Outcome.REFUSED, "DMPClosed", True),
        ([], Outcome.TECHNICAL, "", False),
    ],
    ids=["duplicate", "patient", "busy", "away", "unknown", "several", "none"],
)
def test_what_a_failure_means(codes, outcome, shown, known):
    judged = answers.judge(RegistryAnswer("failure", tuple(RegistryError(code, "texte") for code in codes)))
    assert (judged.outcome, judged.code, judged.known) == (outcome, shown, known)


def test_a_success_with_a_warning_is_a_success():
    warning = RegistryError("XDSRegistryBusy", severity="Warning")
    assert answers.judge(RegistryAnswer("success", (warning,))).outcome is Outcome.ACCEPTED


def test_a_partial_success_is_none():
    assert answers.judge(RegistryAnswer("partial", (RegistryError("DMPTruc"),))).outcome is Outcome.REFUSED


def test_the_site_knows_better():
    told = RegistryAnswer("failure", (RegistryError("DMPTruc"),))
    assert answers.judge(told, {"DMPTruc": "technical"}).outcome is Outcome.TECHNICAL


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (DmpFault("unreachable"), Outcome.OUTAGE),
        (DmpFault("tls"), Outcome.OUTAGE),
        (DmpFault("refused", "HTTP 403", status=403), Outcome.OUTAGE),
        (DmpFault("malformed", "HTTP 503", status=503), Outcome.OUTAGE),
        (DmpFault("malformed", status=200), Outcome.TECHNICAL),
        (DmpFault("soap", "InvalidSecurityToken", status=500), Outcome.TECHNICAL),
        (DmpFault("soap", "DMPClosed", status=500), Outcome.REFUSED),
        (DmpFault("refused", "XDSStoredQueryMissingParam", status=200), Outcome.REFUSED),
    ],
    ids=range(8),
)
def test_what_a_fault_means(fault, outcome):
    assert answers.judge_fault(fault).outcome is outcome


@pytest.mark.parametrize("status", ["", "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Sucess", "OK"])
def test_an_answer_of_unknown_status_is_never_a_success(status):
    root = etree.fromstring(f'<rs:RegistryResponse xmlns:rs="{NS["rs"]}" status="{status}"/>')
    with pytest.raises(WireError):
        answers.read_response(root)
