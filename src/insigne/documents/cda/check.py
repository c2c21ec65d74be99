"""Our own checks of a CDA R2: what the DMP refuses and the official schematron lets pass, and the rest of the header.

The body is not parsed: a document of a hundred megabytes costs its header.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from mmap import mmap
from typing import Final

from lxml import etree

from insigne.documents.agreement import STATUS, closest
from insigne.documents.cda import terms
from insigne.documents.cda.description import LONGEST_OID, OID
from insigne.documents.cda.findings import Finding, broken
from insigne.documents.cda.who import Patient, check_patient, patient_of
from insigne.registry.state import Identity
from insigne.registry.values import Ins

Holders = Callable[[Ins], Sequence[Identity]]
"""Gives the identities that hold an INS now, none when nobody does."""

_BODY: Final = re.compile(rb"(<(?:[\w.-]+:)?(?:text|value)\b[^<>]*>)([A-Za-z0-9+/=\s]{256,})(?=</)")
_KEPT: Final = 128
"""Characters of the body that are looked at."""
_MOMENT: Final = re.compile(r"[0-9]{4}(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{4}(?:[0-9]{2})?(?:\.[0-9]+)?[+-][0-9]{4})?)?)?")
_REQUIRED: Final = (
    "title",
    "effectiveTime",
    "confidentialityCode",
    "languageCode",
    "setId",
    "versionNumber",
    "author/assignedAuthor/id",
    "author/time",
    "custodian/assignedCustodian/representedCustodianOrganization/id",
    "legalAuthenticator/assignedEntity/id",
    "legalAuthenticator/time",
    "documentationOf/serviceEvent/effectiveTime",
    "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode",
    "componentOf/encompassingEncounter/location/healthCareFacility/code",
    "component",
)
_TRAITS: Final = {
    "S1": "id",
    "S2": "id",
    "S3": "patient/name/given",
    "S4": "patient/name/family[@qualifier='BR']",
    "S5": "patient/administrativeGenderCode",
    "S6": "patient/birthTime",
    "S7": "patient/birthplace",
}
_ROLE: Final = "recordTarget/patientRole"


@dataclass(frozen=True, slots=True)
class Checks:
    """What documents are checked against. Without `holders`, they are not compared with the registry.

    `type_codes` are the codes (JDV_J66) that the site feeds the DMP with; with none, those known here are not the only
    ones possible.
    """

    environment: str
    type_codes: frozenset[str] = frozenset()
    holders: Holders | None = field(default=None, compare=False)


def check(document: bytes, checks: Checks) -> list[Finding]:
    """Check a document by our own rules; an empty list when nothing is wrong."""
    root = parse(document)
    return [broken("C01", "")] if root is None else check_header(root, checks)


def check_header(root: etree._Element, checks: Checks) -> list[Finding]:
    """Check a document that `parse` read."""
    if root.tag != f"{{{terms.CDA}}}ClinicalDocument":
        return [broken("C02", "/")]
    encoding = root.getroottree().docinfo.encoding or "UTF-8"
    found = [broken("C03", "/")] if encoding.upper() not in ("UTF-8", "ASCII", "US-ASCII") else []
    found += _header(root, checks)
    found += _versions(root)
    found += _body(root)
    patient = patient_of(root)
    found += check_patient(patient, checks.environment)
    if patient.ins is not None and checks.holders is not None:
        found += _compare(patient, checks.holders(patient.ins))
    return found


def parse(document: bytes | mmap) -> etree._Element | None:
    """The document without most of its body; None when it is not XML, or declares entities.

    A large one may be mapped from its file: only what is left is copied.
    """
    parts = _BODY.search(document)
    head = document[: parts.start(2) + _KEPT] + document[parts.end(2) :] if parts else document[:]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(head, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.doctype else root


def one(element: etree._Element, path: str) -> etree._Element | None:
    """The first element at a path of CDA names, or None."""
    return element.find("/".join(f"{{{terms.CDA}}}{step}" for step in path.split("/")))


def _value(root: etree._Element, path: str, attribute: str) -> str:
    element = one(root, path)
    return element.get(attribute, "") if element is not None else ""


def _header(root: etree._Element, checks: Checks) -> Iterator[Finding]:
    type_id = (_value(root, "typeId", "root"), _value(root, "typeId", "extension"))
    if _value(root, "realmCode", "code") != "FR" or type_id != terms.TYPE_ID:
        yield broken("C04", "realmCode")
    templates = {element.get("root") for element in root.iterfind(f"{{{terms.CDA}}}templateId")}
    unstructured = one(root, "component/nonXMLBody") is not None
    for template in (*terms.TEMPLATES, *([terms.UNSTRUCTURED] if unstructured else [])):
        if template not in templates:
            yield broken("C05", "templateId", template)
    yield from _oid(root, "id")
    yield from _code(root, checks)
    for path in _REQUIRED:
        element = one(root, path)
        if element is None or "nullFlavor" in element.attrib:
            yield broken("C11", path)
    for path in ("effectiveTime", "author/time", "legalAuthenticator/time"):
        moment = _value(root, path, "value")
        if moment and not _MOMENT.fullmatch(moment):
            yield broken("C12", path)
    level = _value(root, "confidentialityCode", "code")
    if level and level not in terms.CONFIDENTIALITIES:
        yield broken("C13", "confidentialityCode")
    elif level in ("R", "V"):
        yield broken("C14", "confidentialityCode")
    if one(root, "languageCode") is not None and _value(root, "languageCode", "code") != "fr-FR":
        yield broken("C15", "languageCode")


def _code(root: etree._Element, checks: Checks) -> Iterator[Finding]:
    code, system = _value(root, "code", "code"), _value(root, "code", "codeSystem")
    known = terms.DOCUMENT_TYPES.get(code)
    if code in terms.SUPERSEDED_TYPES:
        yield broken("C09", "code")
    elif not code or system not in (terms.LOINC, terms.TYPES) or (known is not None and known.system != system):
        yield broken("C08", "code")
    elif checks.type_codes and code not in checks.type_codes:
        yield broken("C08", "code", "documents.type_codes")
    elif known is None and not checks.type_codes:
        yield broken("C10", "code")


def _oid(root: etree._Element, path: str) -> Iterator[Finding]:
    """The id of a document: the DMP takes a whole OID, without extension."""
    element = one(root, path)
    oid = element.get("root", "") if element is not None else ""
    if not OID.fullmatch(oid) or len(oid) > LONGEST_OID:
        yield broken("C06", path)
    if element is not None and "extension" in element.attrib:
        yield broken("C07", path)


def _versions(root: etree._Element) -> Iterator[Finding]:
    number = _value(root, "versionNumber", "value")
    version = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    if one(root, "versionNumber") is not None and version < 1:
        yield broken("C16", "versionNumber")
    for related in root.iterfind(f"{{{terms.CDA}}}relatedDocument"):
        if related.get("typeCode") != "RPLC":
            continue
        yield from _oid(related, "parentDocument/id")
        if version < 2 or _value(related, "parentDocument/id", "root") == _value(root, "id", "root"):
            yield broken("C17", "relatedDocument")


def _body(root: etree._Element) -> Iterator[Finding]:
    text = one(root, "component/nonXMLBody/text")
    if text is None:
        return
    path = "component/nonXMLBody/text"
    kind = text.get("mediaType", "")
    start = _decoded(text.text or "") if text.get("representation") == "B64" else None
    if kind not in terms.MEDIA_TYPES or start is None:
        yield broken("C40", path)
    elif kind == "application/pdf" and b"%PDF-" not in start:
        yield broken("C41", path)


def _decoded(text: str) -> bytes | None:
    """What the first characters of base64 say; None when they are not that."""
    start = "".join(text.split())[:_KEPT]
    try:
        return base64.b64decode(start[: len(start) // 4 * 4], validate=True) if start else None
    except binascii.Error:
        return None


def _compare(patient: Patient, holders: Sequence[Identity]) -> Iterator[Finding]:
    payload = patient.payload()
    compared = closest(payload, holders)
    if compared is None:
        yield broken("C30", f"{_ROLE}/id")
        return
    identity, found = compared
    for difference in found:
        if difference.field == STATUS:
            yield broken("C31", f"{_ROLE}/id")
        else:
            yield broken("C32", f"{_ROLE}/{_TRAITS[difference.field]}", difference.name)
    first = identity.traits.first_given_name
    if first and patient.first_given_name and first != patient.first_given_name:
        yield broken("C32", f"{_ROLE}/patient/name/given[@qualifier='BR']", "first given name")
