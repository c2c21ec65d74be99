"""What is wrong in a CDA document: our rules, their texts, and where the document breaks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a document breaks. `location` is a path from ClinicalDocument. No personal value is quoted."""

    rule: str
    severity: Severity
    location: str
    message: str
    message_fr: str
    reference: str


class Rule(NamedTuple):
    """A rule: its severity, where it comes from, and what is said when it is broken, in English and in French."""

    severity: Severity
    reference: str
    message: str
    message_fr: str


_STRUCT: Final = "CI-SIS, structuration minimale 1.16.8"
_DMP: Final = "DMP (CI-SIS, partage)"
_INS: Final = "référentiel INS"

RULES: Final[Mapping[str, Rule]] = {
    "C01": Rule("error", "XML 1.0", "this is not well-formed XML without DTD", "XML mal formé, ou avec une DTD"),
    "C02": Rule(
        "error", "HL7 CDA R2", "the root is not ClinicalDocument of urn:hl7-org:v3", "la racine n’est pas un CDA R2"
    ),
    "C03": Rule("error", _STRUCT, "the document is not in UTF-8", "le document n’est pas en UTF-8"),
    "C04": Rule("error", _STRUCT, "realmCode is not FR, or typeId not that of CDA R2", "realmCode ou typeId incorrect"),
    "C05": Rule("error", _STRUCT, "a required templateId is missing", "un templateId obligatoire est absent"),
    "C06": Rule("error", _STRUCT, "the id is not an OID of 64 characters at most", "l’identifiant n’est pas un OID"),
    "C07": Rule(
        "error",
        _DMP,
        "the id has an extension, which the DMP refuses: put all of it in the root",
        "l’identifiant a une extension, que le DMP refuse : tout mettre dans root",
    ),
    "C08": Rule("error", _STRUCT, "the code is of no type of document known", "type de document inconnu"),
    "C09": Rule(
        "error",
        "JDV_J07",
        "the code is of an older guide, and no longer in the value set",
        "ce type de document n’est plus dans le jeu de valeurs",
    ),
    "C10": Rule(
        "warning",
        "JDV_J07",
        "the code is not among those known here: list it in documents.type_codes, or give the official folder",
        "type de document inconnu ici : l’ajouter à documents.type_codes, ou indiquer le dossier officiel",
    ),
    "C11": Rule("error", _STRUCT, "a required element is missing or null", "un élément obligatoire est absent ou nul"),
    "C12": Rule(
        "error",
        _STRUCT,
        "this is not a date, or a moment without its zone",
        "date incorrecte, ou moment sans fuseau horaire",
    ),
    "C13": Rule(
        "error",
        _STRUCT,
        "the confidentiality is none of N, R, V",
        "la confidentialité n’est ni N, ni R, ni V",
    ),
    "C14": Rule(
        "warning",
        _DMP,
        "a document of confidentiality R or V should not be shared",
        "un document de confidentialité R ou V ne devrait pas être partagé",
    ),
    "C15": Rule("error", _STRUCT, "the language is not fr-FR", "la langue n’est pas fr-FR"),
    "C16": Rule("error", _STRUCT, "the version is not a number of 1 or more", "la version n’est pas un entier positif"),
    "C17": Rule(
        "error",
        _STRUCT,
        "a replacing document names the one it replaces by an OID that is not its own, and has a version above 1",
        "un document qui remplace nomme le précédent par un autre OID que le sien, et sa version dépasse 1",
    ),
    "C20": Rule("error", _DMP, "no INS: a shared document needs one", "aucun INS : un document partagé en porte un"),
    "C21": Rule("error", _DMP, "the INS is not the first id of the patient", "l’INS n’est pas le premier identifiant"),
    "C22": Rule("error", _INS, "the matricule has not its shape or its key", "matricule mal formé, ou clé fausse"),
    "C23": Rule(
        "error",
        _INS,
        "the OID of the INS is not admitted in this environment",
        "l’OID de l’INS n’est pas admis dans cet environnement",
    ),
    "C24": Rule("error", _DMP, "the patient has more than one INS", "le patient a plusieurs INS"),
    "C25": Rule("error", _INS, "a trait that goes with the INS is missing", "un trait qui accompagne l’INS est absent"),
    "C26": Rule(
        "error",
        _STRUCT,
        "the qualifier of this name is none of BR and CL",
        "le qualifiant de ce nom n’est ni BR, ni CL",
    ),
    "C27": Rule("error", _STRUCT, "the gender is none of M, F, UN", "le sexe n’est ni M, ni F, ni UN"),
    "C30": Rule("error", _DMP, "nobody has this INS in the registry", "cet INS est inconnu du référentiel d’identités"),
    "C31": Rule(
        "error",
        "EXI SI 08",
        "the registry does not hold this identity as qualified",
        "cette identité n’est pas qualifiée au référentiel d’identités",
    ),
    "C32": Rule(
        "error",
        _DMP,
        "this trait is not that of the registry",
        "ce trait n’est pas celui du référentiel d’identités",
    ),
    "C40": Rule(
        "error",
        "IHE XDS-SD",
        "the body is of a kind that is not allowed, or not in base64",
        "le corps n’est pas d’un type permis, ou pas en base64",
    ),
    "C41": Rule("error", "IHE XDS-SD", "the body is not a PDF, as it says", "le corps n’est pas un PDF"),
}
"""Rules by code. C07, C20, C22 and C23 are those that the official schematron lets pass."""


def broken(rule: str, location: str, detail: str = "") -> Finding:
    """Tell that a rule is broken at a place; `detail` names the element concerned, never a value."""
    said = RULES[rule]
    more = f" ({detail})" if detail else ""
    return Finding(rule, said.severity, location, said.message + more, said.message_fr + more, said.reference)
