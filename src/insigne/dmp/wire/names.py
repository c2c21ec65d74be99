"""Names of the wire: namespaces, actions, identifiers of XDS.b and of the DMP.

From IHE ITI TF-3 (4.2), and from the example messages of the GIE SESAM-Vitale (v02.05.00) for what is the DMP's own.
"""

from collections.abc import Mapping
from typing import Final

from insigne.dmp.wire.model import Availability

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
ANONYMOUS: Final = "http://www.w3.org/2005/08/addressing/anonymous"
SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XML: Final = "http://www.w3.org/XML/1998/namespace"
HL7: Final = "urn:hl7-org:v3"
XDSB: Final = "urn:ihe:iti:xds-b:2007"
RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XOP: Final = "http://www.w3.org/2004/08/xop/include"

EXISTENCE_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201307UV02"
EXISTENCE_ANSWER_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201308UV02"
PROVIDE_ACTION: Final = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
PROVIDE_ANSWER_ACTION: Final = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse"
QUERY_ACTION: Final = "urn:ihe:iti:2007:RegistryStoredQuery"
QUERY_ANSWER_ACTION: Final = "urn:ihe:iti:2007:RegistryStoredQueryResponse"
UPDATE_ACTION: Final = "urn:ihe:iti:2010:UpdateDocumentSet"
UPDATE_ANSWER_ACTION: Final = "urn:ihe:iti:2010:UpdateDocumentSetResponse"

STATUS: Final = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
SEVERITY: Final = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:"

SUBMISSION_SET: Final = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
SET_AUTHOR: Final = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT_TYPE: Final = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
SET_PATIENT: Final = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SET_SOURCE: Final = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
SET_UNIQUE: Final = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"

DOCUMENT_ENTRY: Final = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
AUTHOR: Final = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
CLASS_CODE: Final = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
TYPE_CODE: Final = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
CONFIDENTIALITY_CODE: Final = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
EVENT_CODE: Final = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
FORMAT_CODE: Final = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
FACILITY_CODE: Final = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
PRACTICE_CODE: Final = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
ENTRY_PATIENT: Final = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
ENTRY_UNIQUE: Final = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"

IDENTIFIER_NAMES: Final[Mapping[str, str]] = {
    SET_PATIENT: "XDSSubmissionSet.patientId",
    SET_SOURCE: "XDSSubmissionSet.sourceId",
    SET_UNIQUE: "XDSSubmissionSet.uniqueId",
    ENTRY_PATIENT: "XDSDocumentEntry.patientId",
    ENTRY_UNIQUE: "XDSDocumentEntry.uniqueId",
}

HAS_MEMBER: Final = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS: Final = "urn:ihe:iti:2007:AssociationType:signs"
REPLACES: Final = "urn:ihe:iti:2007:AssociationType:RPLC"
UPDATE_STATUS: Final = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
ASSOCIATION: Final = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"

FIND_DOCUMENTS: Final = "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
GET_DOCUMENTS: Final = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"

AVAILABILITY: Final[Mapping[Availability, str]] = {
    "approved": "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved",
    "deprecated": "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated",
    "archived": "urn:asip:ci-sis:2010:StatusType:Archived",
    "deleted": "urn:asip:ci-sis:2010:StatusType:Deleted",
}
AVAILABILITY_WORDS: Final[Mapping[str, Availability]] = {urn: word for word, urn in AVAILABILITY.items()}

DMP_DEVICE: Final = "1.2.250.1.213.4.1.1.1"
"""The DMP, as receiver of TD0.2."""
INTERACTIONS: Final = "2.16.840.1.113883.1.6"
TEST_REASON: Final = ("TEST_EXST", "1.2.250.1.213.1.1.4.11", "Test d'existence de dossier")
PURPOSES: Final = ("1.2.250.1.213.1.1.4.248", "mode acces VIHF 2.0")
INSC: Final = "1.2.250.1.213.1.4.2"
"""OID of the INS-C, which TD0.2 still returns."""
CONTENT_TYPES: Final = "1.2.250.1.213.2.2"
CLASSES: Final = "1.2.250.1.213.1.1.4.1"
FORMATS: Final = "1.3.6.1.4.1.19376.1.2.3"
MASKS: Final = "1.2.250.1.213.1.1.4.13"
SAVOIR_FAIRE: Final = "1.2.250.1.71.4.2.5"
SIGNATURE_PURPOSE: Final = "1.2.840.10065.1.12.1.14"
"""ASTM E1762: signature of the source."""
