"""Names of the standards, as the sources give them: namespaces, UUID of XDS, statuses, OIDs.

Sources: OASIS ebXML RegRep 3.0; IHE ITI TF-3, 4.2 and 4.3; GIE SESAM-Vitale, « DMP_LPS exemple de messages » 02.05.00.
"""

from typing import Final

SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = ("http://uri.etsi.org/01903/v1.1.1#", "http://uri.etsi.org/01903/v1.3.2#")
"""The first is that of the public examples."""
XOP: Final = "http://www.w3.org/2004/08/xop/include"
HL7: Final = "urn:hl7-org:v3"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
RS: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
QUERY: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
XDSB: Final = "urn:ihe:iti:xds-b:2007"

# Objects of a lot (IHE ITI TF-3, 4.3.2), under `urn:uuid:`.
SUBMISSION_SET: Final = "a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
SET_AUTHOR: Final = "a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
SET_CONTENT_TYPE: Final = "aa543740-bdda-424e-8c96-df4873be8500"
SET_PATIENT: Final = "6b5aea1a-874d-4603-a4bc-96a0a7b38446"
SET_SOURCE: Final = "554ac39e-e3fe-47fe-b233-965d2a147832"
SET_UNIQUE: Final = "96fdda7c-d067-4183-912e-bf5ee74998a8"
DOCUMENT: Final = "7edca82f-054d-47f2-a032-9b2a5b5186c1"
AUTHOR: Final = "93606bcf-9494-43ec-9b4e-a7748d1a838d"
CLASS: Final = "41a5887f-8865-4c09-adf7-e362475b143a"
TYPE: Final = "f0306f51-975f-434e-a61c-c59651d33983"
CONFIDENTIALITY: Final = "f4f85eac-e6cb-4883-b524-f2705394840f"
EVENT: Final = "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
FORMAT: Final = "a09d5840-386c-46f2-b5ad-9c3699a4309d"
FACILITY: Final = "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
PRACTICE: Final = "cccf5598-8b07-4b77-a05e-ae952c785ead"
PATIENT: Final = "58a6f841-87b3-4a3e-92fd-a8ffeff98427"
UNIQUE: Final = "2e82c1f6-a085-4c72-9da3-8640a32e42ab"

HAS_MEMBER: Final = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
REPLACES: Final = "urn:ihe:iti:2007:AssociationType:RPLC"
SIGNS: Final = "urn:ihe:iti:2007:AssociationType:signs"
UPDATE_STATUS: Final = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"

APPROVED: Final = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED: Final = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
DELETED: Final = "urn:asip:ci-sis:2010:StatusType:Deleted"
ARCHIVED: Final = "urn:asip:ci-sis:2010:StatusType:Archived"

GET_DOCUMENTS: Final = "5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"

FEED_ACTION: Final = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
QUERY_ACTION: Final = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE_ACTION: Final = "urn:ihe:iti:2010:UpdateDocumentSet"
EXISTENCE_ACTION: Final = "urn:hl7-org:v3:PRPA_IN201307UV02"

REPOSITORY: Final = "1.2.250.1.213.4.1.1.1.2"
"""Unique id of the repository, that of the test service."""
DEVICE: Final = "1.2.250.1.213.4.1.1.1"
"""OID of the DMP as a system."""
CI_SIS: Final = "1.2.250.1.213.1.1.1.1"
"""templateId of the CI-SIS."""


def urn(name: str) -> str:
    """Return a UUID as the registry writes it."""
    return f"urn:uuid:{name}"
