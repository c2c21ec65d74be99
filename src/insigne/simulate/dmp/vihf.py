"""The VIHF of a call: a SAML assertion by which a structure says who asks, for whom, and signs it.

Source: CI-SIS, volet « Synchrone »; ANS, IG « Transmission d’un document CDA-R2 en HL7v2 », mapping of the VIHF.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from lxml import etree

from insigne.simulate.dmp.names import DS, HL7, SAML
from insigne.simulate.dmp.signature import SignatureRefusedError, Trust, verify
from insigne.simulate.dmp.soap import Fault

STRUCTURE: Final = "Identifiant_Structure"
RESOURCE: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
_NAME: Final = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
_ROLE: Final = "urn:oasis:names:tc:xacml:2.0:subject:role"
_PURPOSE: Final = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
_MODES: Final = ("Authentification_Mode", "Authentification_mode")
_MANDATORY: Final = (STRUCTURE, "Secteur_Activite", _NAME, "VIHF_Version", RESOURCE, "Ressource_URN")
_SOFTWARE: Final = ("LPS_Nom", "LPS_Version")
_FORMAT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
_PURPOSE_SYSTEM: Final = "1.2.250.1.213.1.1.4.248"
_INDIRECT: Final = frozenset({"INDIRECTE", "INDIRECTE_RENFORCEE"})
_STRUCTURE_ID: Final = re.compile(r"[0-4]\S{1,40}")
_SECTOR: Final = re.compile(r"[^^]+\^1\.2\.250\.1\.71\.4\.2\.4(\^.*)?")
_CX: Final = re.compile(r"([0-9AB]+)\^\^\^&([0-9.]+)&ISO\^(?:NH|INS)(?:\^.*)?")
_SKEW: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Patient:
    """An INS as messages carry it: matricule with its key, OID."""

    matricule: str
    oid: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a VIHF is held to: whose signature, which versions, how old. `homologation`: its number is demanded."""

    trust: Trust
    versions: frozenset[str]
    window: timedelta
    homologation: bool = False


@dataclass(frozen=True, slots=True)
class Vihf:
    """Who calls and for whom: Struct_IdNat, mode of authentication, patient."""

    structure: str
    mode: str
    patient: Patient


def patient_of(cx: str) -> Patient | None:
    """Read the CX of an INS: `NUMBER^^^&OID&ISO^NH`."""
    found = _CX.fullmatch(cx.strip())
    return Patient(found[1], found[2]) if found else None


def stated_patient(security: etree._Element | None) -> str:
    """Return the matricule a call says it is about, before anything is checked; "" when it cannot be read."""
    assertion = security.find(f"{{{SAML}}}Assertion") if security is not None else None
    values = dict(_attributes(assertion)).get(RESOURCE, []) if assertion is not None else []
    patient = patient_of(_text(values[0])) if len(values) == 1 else None
    return patient.matricule if patient else ""


def read_vihf(security: etree._Element | None, policy: Policy, now: datetime) -> Vihf:
    """Check the assertion of a call. Raises Fault, with a code of WS-Security."""
    assertion = security.find(f"{{{SAML}}}Assertion") if security is not None else None
    if assertion is None:
        raise Fault("wsse:SecurityTokenUnavailable", "Le VIHF (wsse:Security/saml2:Assertion) est absent")
    _check_signature(assertion, policy, now)
    _check_moment(assertion, policy, now)
    if not (assertion.findtext(f"{{{SAML}}}Subject/{{{SAML}}}NameID") or "").strip():
        raise _invalid("l’identifiant de l’utilisateur (Subject/NameID) est absent")
    if assertion.find(f".//{{{SAML}}}AuthnContextClassRef") is None:
        raise _invalid("AuthnContextClassRef est absent")
    return _check_attributes(dict(_attributes(assertion)), policy)


def _check_signature(assertion: etree._Element, policy: Policy, now: datetime) -> None:
    signature = assertion.find(f"{{{DS}}}Signature")
    if signature is None:
        raise Fault("wsse:FailedCheck", "Le VIHF n’est pas signé")
    try:
        verified = verify(signature, policy.trust, now)
    except SignatureRefusedError as error:
        raise Fault("wsse:FailedCheck", f"La signature du VIHF est refusée : {error}") from error
    if verified.covered != (assertion,):
        raise Fault("wsse:FailedCheck", "La signature du VIHF ne porte pas sur l’assertion")
    issuer = assertion.find(f"{{{SAML}}}Issuer")
    if issuer is None or issuer.get("Format") != _FORMAT:
        raise _invalid(f"Issuer est absent ou n’a pas le format {_FORMAT}")
    if not _same_name(issuer.text or "", verified.certificate.subject):
        raise _invalid("Issuer n’est pas le DN du certificat qui signe")


def _check_moment(assertion: etree._Element, policy: Policy, now: datetime) -> None:
    issued = _moment(assertion.get("IssueInstant"), "IssueInstant")
    if abs(now - issued) > policy.window:
        raise Fault("wsse:MessageExpired", "IssueInstant est trop loin de l’heure du serveur")
    conditions = assertion.find(f"{{{SAML}}}Conditions")
    if conditions is None:
        return
    if conditions.find(f"{{{SAML}}}AudienceRestriction") is not None:
        raise _invalid("AudienceRestriction ne doit pas être renseigné")
    if conditions.get("NotBefore") and _moment(conditions.get("NotBefore"), "NotBefore") > now + _SKEW:
        raise Fault("wsse:MessageExpired", "Le VIHF n’est pas encore valable (NotBefore)")
    if conditions.get("NotOnOrAfter") and _moment(conditions.get("NotOnOrAfter"), "NotOnOrAfter") <= now - _SKEW:
        raise Fault("wsse:MessageExpired", "Le VIHF n’est plus valable (NotOnOrAfter)")


def _check_attributes(given: dict[str, list[etree._Element]], policy: Policy) -> Vihf:
    wanted = (*_MANDATORY, *_SOFTWARE, *(("LPS_ID_HOMOLOGATION_DMP",) if policy.homologation else ()))
    texts = {name: _text(values[0]) for name, values in given.items() if len(values) == 1}
    for name in wanted:
        if not texts.get(name):
            raise _invalid(f"l’attribut {name} est absent, vide ou répété")
    mode = next((texts[name] for name in _MODES if texts.get(name)), "")
    if mode not in _INDIRECT:
        raise _invalid("Authentification_Mode n’est pas INDIRECTE, seul possible avec un certificat de structure")
    if texts["VIHF_Version"] not in policy.versions:
        raise _invalid(f"VIHF_Version n’est pas {' ou '.join(sorted(policy.versions))}")
    if not _STRUCTURE_ID.fullmatch(texts[STRUCTURE]):
        raise _invalid("Identifiant_Structure n’est pas un Struct_IdNat (1 + FINESS, 3 + SIRET…)")
    if not _SECTOR.fullmatch(texts["Secteur_Activite"]):
        raise _invalid("Secteur_Activite n’a pas la forme CODE^1.2.250.1.71.4.2.4")
    if texts["Ressource_URN"] != "urn:dmp":
        raise _invalid("Ressource_URN n’est pas urn:dmp")
    _check_codes(given)
    patient = patient_of(texts[RESOURCE])
    if patient is None:
        raise _invalid("resource-id n’est pas le CX d’un INS (NUMERO^^^&OID&ISO^NH)")
    return Vihf(texts[STRUCTURE], mode, patient)


def _check_codes(given: dict[str, list[etree._Element]]) -> None:
    roles = [child for value in given.get(_ROLE, ()) for child in value.iter(f"{{{HL7}}}Role")]
    if not roles or not all(role.get("code") for role in roles):
        raise _invalid("le rôle (subject:role, hl7:Role) est absent ou sans code")
    purposes = [child for value in given.get(_PURPOSE, ()) for child in value.iter(f"{{{HL7}}}PurposeOfUse")]
    if [(one.get("code"), one.get("codeSystem")) for one in purposes] != [("normal", _PURPOSE_SYSTEM)]:
        raise _invalid("purposeofuse n’est pas normal^1.2.250.1.213.1.1.4.248")


def _attributes(assertion: etree._Element) -> Iterator[tuple[str, list[etree._Element]]]:
    for attribute in assertion.iterfind(f"{{{SAML}}}AttributeStatement/{{{SAML}}}Attribute"):
        yield attribute.get("Name") or "", attribute.findall(f"{{{SAML}}}AttributeValue")


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _moment(text: str | None, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise _invalid(f"{name} est absent ou n’est pas une date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same_name(text: str, subject: x509.Name) -> bool:
    """Tell whether a text is a distinguished name, its parts in either order, spaces between them or not."""
    try:
        name = x509.Name.from_rfc4514_string(re.sub(r"(?<!\\),\s+", ",", text.strip()))
    except ValueError:
        return False
    given = [(part.oid, part.value) for part in name]
    held = [(part.oid, part.value) for part in subject]
    return given in (held, held[::-1])


def _invalid(reason: str) -> Fault:
    return Fault("wsse:InvalidSecurityToken", f"VIHF refusé : {reason}")
