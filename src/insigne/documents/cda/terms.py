"""Codes and OIDs of the header of a CDA (CI-SIS, minimal structure 1.16.8): what is known without the ANS's own files.

The value sets of the ANS are larger; `documents.type_codes` holds those a site uses, and the official schematron, where
its folder is given, has them all.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

CDA: Final = "urn:hl7-org:v3"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

TYPE_ID: Final = ("2.16.840.1.113883.1.3", "POCD_HD000040")
TEMPLATES: Final = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1")
"""HL7 France, CI-SIS."""
UNSTRUCTURED: Final = "1.3.6.1.4.1.19376.1.2.20"
"""IHE XDS-SD: the template of a document whose body is not XML."""

LOINC: Final = "2.16.840.1.113883.6.1"
TYPES: Final = "1.2.250.1.213.1.1.4.12"
"""Types of document that LOINC lacks."""
CONFIDENTIALITY: Final = "2.16.840.1.113883.5.25"
GENDER: Final = "2.16.840.1.113883.5.1"
PERSONS: Final = "1.2.250.1.71.4.2.1"
STRUCTURES: Final = "1.2.250.1.71.4.2.2"
PROFESSIONS: Final = "1.2.250.1.213.1.1.4.5"
FACILITIES: Final = "1.2.250.1.71.4.2.4"
SETTINGS: Final = "1.2.250.1.213.1.1.4.9"


class DocumentType(NamedTuple):
    """A type of document: its code system and its French name."""

    system: str
    name: str


DOCUMENT_TYPES: Final[Mapping[str, DocumentType]] = {
    "11490-0": DocumentType(LOINC, "Lettre de liaison à la sortie d'un établissement de soins"),
    "34112-3": DocumentType(LOINC, "CR hospitalier (séjour)"),
    "34874-8": DocumentType(LOINC, "CR opératoire"),
    "11502-2": DocumentType(LOINC, "CR d'examens biologiques"),
    "18748-4": DocumentType(LOINC, "CR d'imagerie médicale"),
    "57833-6": DocumentType(LOINC, "Prescription de produits de santé"),
    "57832-8": DocumentType(LOINC, "Prescription de soins"),
    "57828-6": DocumentType(LOINC, "Prescription (autre)"),
    "15507-7": DocumentType(LOINC, "CR de passage aux urgences"),
    "11488-4": DocumentType(LOINC, "CR ou fiche de consultation ou de visite"),
    "34133-9": DocumentType(LOINC, "Synthèse d'épisode de soins"),
    "60591-5": DocumentType(LOINC, "Synthèse médicale"),
    "60568-3": DocumentType(LOINC, "CR d'anatomie et de cytologie pathologiques"),
    "70004-7": DocumentType(LOINC, "CR d'acte diagnostique (autre)"),
    "67851-6": DocumentType(LOINC, "CR d'admission"),
    "77436-4": DocumentType(LOINC, "CR d'anesthésie"),
    "96349-6": DocumentType(LOINC, "Lettre d'adressage"),
    "18761-7": DocumentType(LOINC, "Note de transfert (dont lettre de liaison à l'entrée)"),
    "51851-4": DocumentType(LOINC, "Document administratif"),
    "55115-0": DocumentType(LOINC, "Demande d'actes d'imagerie"),
    "SYNTH": DocumentType(TYPES, "Synthèse"),
    "CERT_DECL": DocumentType(TYPES, "Certificat, déclaration"),
    "PRESC-BIO": DocumentType(TYPES, "Prescription d'actes de biologie médicale"),
    "PRESC-KINE": DocumentType(TYPES, "Prescription d'actes de kinésithérapie"),
    "PRESC-INF": DocumentType(TYPES, "Prescription d'actes infirmiers"),
}
"""The types of document a hospital commonly feeds (part of JDV_J07)."""

SUPERSEDED_TYPES: Final = frozenset({"11493-4", "27899-4", "11526-1", "46241-6", "29551-9", "29550-1", "52521-2"})
"""Codes of older guides, which JDV_J07 has no more."""

FACILITY_TYPES: Final[Mapping[str, str]] = {
    "SA01": "Etablissement public de santé",
    "SA03": "Etablissement privé PSPH",
    "SA04": "Etablissement privé non PSPH",
    "SA05": "Centre de santé",
    "SA07": "Cabinet individuel",
    "SA17": "Etablissement pour personnes âgées",
    "SA25": "Laboratoire de biologie médicale",
    "SA33": "Pharmacie d'officine",
}
PRACTICE_SETTINGS: Final[Mapping[str, str]] = {
    "ETABLISSEMENT": "Etablissement de santé",
    "AMBULATOIRE": "Ambulatoire",
    "HAD": "Hospitalisation à domicile",
    "MAD": "Maintien à domicile",
    "SAD": "Soins à domicile",
    "ESSMS": "Etablissement ou Service Social ou Médico-Social",
    "SAMU_SMUR": "SAMU/SMUR",
    "DEPISTAGE": "Dépistage",
    "PALLIATIF": "Soins palliatifs",
    "AMO": "Organisme d'assurance maladie obligatoire",
}
CONFIDENTIALITIES: Final[Mapping[str, str]] = {"N": "Normal", "R": "Restreint", "V": "Très restreint"}
"""R and V are for documents that are not shared."""
GENDERS: Final[Mapping[str, str]] = {"M": "Masculin", "F": "Féminin", "UN": "Indifférencié"}
MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/tiff", "text/rtf", "text/plain")
"""What the body of an unstructured document may be."""
