"""Canonical addresses, code systems and code maps: FHIR R4, FR Core 2.2.0, ANS terminologies, HL7 v2 tables."""

from collections.abc import Mapping
from typing import Final

from insigne.ins.matricule import NIA_OID, NIR_DEMO_OID, NIR_OID, NIR_TEST_OID

_FR_CORE: Final = "https://hl7.fr/ig/fhir/core/"
_HL7_SD: Final = "http://hl7.org/fhir/StructureDefinition/"

FR_CORE_PATIENT: Final = _FR_CORE + "StructureDefinition/fr-core-patient"
FR_CORE_PATIENT_INS: Final = _FR_CORE + "StructureDefinition/fr-core-patient-ins"

IDENTITY_RELIABILITY: Final = _FR_CORE + "StructureDefinition/fr-core-identity-reliability"
BIRTH_LIST_GIVEN_NAME: Final = _FR_CORE + "StructureDefinition/fr-core-patient-birth-list-given-name"
BIRTHDATE_UPDATE_INDICATOR: Final = _FR_CORE + "StructureDefinition/fr-core-patient-birthdate-update-indicator"
LUNAR_DATE: Final = _FR_CORE + "StructureDefinition/fr-core-lunar-date"
ADDRESS_INSEE_CODE: Final = _FR_CORE + "StructureDefinition/fr-core-address-insee-code"
BIRTH_PLACE: Final = _HL7_SD + "patient-birthPlace"
NATIONALITY: Final = _FR_CORE + "StructureDefinition/fr-core-patient-nationality"
MOTHERS_MAIDEN_NAME: Final = _HL7_SD + "patient-mothersMaidenName"
DATA_ABSENT_REASON: Final = _HL7_SD + "data-absent-reason"

FR_IDENTIFIER_TYPES: Final = _FR_CORE + "CodeSystem/fr-core-cs-v2-0203"
HL7_IDENTIFIER_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
IDENTITY_STATUS: Final = _FR_CORE + "CodeSystem/fr-core-cs-identity-status"
IDENTITY_STATUS_COMMENT: Final = _FR_CORE + "CodeSystem/fr-core-cs-identity-status-comment"
METHOD_COLLECTION: Final = _FR_CORE + "CodeSystem/fr-core-cs-method-collection"
MODE_VALIDATION: Final = _FR_CORE + "CodeSystem/fr-core-cs-mode-validation-identity"
COMMUNES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
COUNTRIES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R20-Pays/FHIR/TRE-R20-Pays"
ISO_COUNTRIES: Final = "urn:iso:std:iso:3166"
LANGUAGES: Final = "urn:ietf:bcp:47"

OID_PREFIX: Final = "urn:oid:"
UUID_PREFIX: Final = "urn:uuid:"
AUTHORITY_PREFIX: Final = "urn:x-insigne:authority:"
"""System of an authority that has no OID: its FINESS number or its namespace follows, percent-encoded."""

INS_TYPES: Final[Mapping[str, str]] = {
    NIR_OID: "INS-NIR",
    NIA_OID: "INS-NIA",
    NIR_TEST_OID: "INS-NIR-TEST",
    NIR_DEMO_OID: "INS-NIR-DEMO",
}
"""OID of an INS → identifier type. FHIR writes INS-NIR where HL7 v2 writes INS."""

FR_ONLY_TYPES: Final = frozenset(
    {"ADELI", "RPPS", "IDNPS", "NNFRA", "NDP", "INS-C", "FINEJ", "FINEG", "SIREN", "SIRET", "IDNST"}
)
"""Identifier types that FR Core defines itself; the others are those of HL7 table 0203."""

SECONDARY_TYPES: Final = frozenset({"INS-C", "NDP", "RRI"})
"""Identifier types whose `use` FR Core fixes to `secondary`."""

METHODS: Final = frozenset({"SM", "CV", "INSI", "CB", "RFID", "AV"})

PROOFS: Final[Mapping[str, str]] = {
    **{code: code for code in ("CN", "PA", "CS", "AN", "AV", "CC", "LE", "TC")},
    "AC": "ANCV",
}
"""ZFD-7 → mode of validation. A document without an equivalent there is told as a comment: the binding is required."""

GENDERS: Final[Mapping[str, str]] = {"M": "male", "F": "female"}
"""Sex → gender; everything else is `unknown` (`other` is not used in France)."""

ADDRESS_USES: Final[Mapping[str, str]] = {
    "H": "home",
    "RH": "home",
    "C": "temp",
    "B": "work",
    "O": "work",
    "BI": "billing",
    "BA": "old",
}
"""HL7 table 0190 → Address.use."""

TELECOM_USES: Final[Mapping[str, str]] = {"PRN": "home", "ORN": "home", "VHN": "temp", "WPN": "work"}
"""HL7 table 0201 → ContactPoint.use."""

TELECOM_SYSTEMS: Final[Mapping[str, str]] = {"PH": "phone", "CP": "phone", "FX": "fax", "BP": "pager"}
"""HL7 table 0202 → ContactPoint.system."""

NAME_USES: Final[Mapping[str, str]] = {"S": "anonymous", "N": "nickname", "T": "temp"}
"""HL7 table 0200 → HumanName.use, for names that are neither the birth name nor the used name."""

_V3_MARITAL: Final = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
MARITAL_STATUS: Final[Mapping[str, tuple[str, str]]] = {
    **{code: (_V3_MARITAL, code) for code in ("D", "M", "S", "W")},
    "A": (_V3_MARITAL, "L"),
    "P": (_FR_CORE + "CodeSystem/fr-core-cs-marital-status", "P"),
    "U": ("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK"),
}
"""HL7 table 0002 → (system, code). `A` is "separated" in v2 but "annulled" in v3; `P` is the French PACS."""

HL7_MARITAL_STATUS: Final = "http://terminology.hl7.org/CodeSystem/v2-0002"
