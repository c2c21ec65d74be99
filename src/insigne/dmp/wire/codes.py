"""Codes of the metadata that Insigne knows without the ANS's own files; settings replace and complete them.

Labels of contentTypeCode (TRE_R209), classCode (JDV_J57) and masks are those published. The correspondence of typeCode
and classCode (ASS_X04, ASS_X16) was not found in a public source: the table is RECALLED.
"""

from collections.abc import Mapping
from typing import Final

from insigne.dmp.wire import names
from insigne.dmp.wire.model import Coded

CLASS_LABELS: Final[Mapping[str, str]] = {
    "10": "Compte rendu",
    "11": "Synthèse",
    "31": "Imagerie médicale",
    "42": "Prescription",
    "43": "Dispensation",
    "44": "Plan de soins, protocole de soins",
    "45": "Traitement administré",
    "52": "Certificat, déclaration",
    "60": "Données de remboursement",
    "90": "Autres documents déposés par le patient",
}

CLASS_OF_TYPE: Final[Mapping[str, str]] = {
    "11488-4": "10",
    "11490-0": "10",
    "11502-2": "10",
    "15507-7": "10",
    "34112-3": "10",
    "34874-8": "10",
    "60568-3": "10",
    "67851-6": "10",
    "70004-7": "10",
    "77436-4": "10",
    "96349-6": "10",
    "18761-7": "11",
    "34133-9": "11",
    "60591-5": "11",
    "SYNTH": "11",
    "18748-4": "31",
    "55115-0": "42",
    "57828-6": "42",
    "57832-8": "42",
    "57833-6": "42",
    "PRESC-BIO": "42",
    "PRESC-INF": "42",
    "PRESC-KINE": "42",
    "CERT_DECL": "52",
}
"""typeCode → classCode. RECALLED but for 18748-4, whose kind is in class 31 in requests the ANS published."""

CONTENT_TYPES: Final[Mapping[str, str]] = {
    "03": "Hospitalisation complète (non compris hospitalisation de semaine)",
    "04": "Hospitalisation de Jour",
    "07": "Consultation Soins Externes",
    "19": "Traitement et Cure Ambulatoire",
    "97": "Type d'activité indifférencié",
}
CONTENT_TYPE_OF_CLASS: Final[Mapping[str, str]] = {"I": "03", "O": "07", "E": "07", "R": "19", "N": "97"}
"""PV1-2 → contentTypeCode, as the ANS proposes it."""
UNKNOWN_CONTENT_TYPE: Final = "97"

MASKED: Final = Coded("MASQUE_PS", names.MASKS, "Masqué aux professionnels de santé")
HIDDEN_FROM_PATIENT: Final = Coded("INVISIBLE_PATIENT", names.MASKS, "Non visible par le patient")
HIDDEN_FROM_GUARDIANS: Final = Coded(
    "INVISIBLE_REPRESENTANTS_LEGAUX", names.MASKS, "Non visible par les représentants légaux du patient"
)

FORMAT_OF_BODY: Final[Mapping[str, Coded]] = {
    "application/pdf": Coded("urn:ihe:iti:xds-sd:pdf:2008", names.FORMATS, "Document à corps non structuré en Pdf/A-1"),
    "text/plain": Coded("urn:ihe:iti:xds-sd:text:2008", names.FORMATS, "Document à corps non structuré en texte brut"),
    "text/rtf": Coded("urn:ihe:iti-fr:xds-sd:rtf:2010", names.FORMATS, "Document à corps non structuré au format rtf"),
    "image/jpeg": Coded(
        "urn:ihe:iti-fr:xds-sd:jpeg:2010", names.FORMATS, "Document à corps non structuré au format image jpeg"
    ),
    "image/tiff": Coded(
        "urn:ihe:iti-fr:xds-sd:tiff:2010", names.FORMATS, "Document à corps non structuré au format image tiff"
    ),
}
"""Media type of an unstructured body → formatCode; the labels of the last three are RECALLED."""

SIGNATURE_CLASS: Final = Coded("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature")
SIGNATURE_TYPE: Final = Coded("E1762", "ASTM", "Full Document")
SIGNATURE_FORMAT: Final = Coded(names.DSIG, "URN", "Default Signature Style")
SIGNATURE_EVENT: Final = Coded(names.SIGNATURE_PURPOSE, "1.2.840.10065.1.12", "Source")
