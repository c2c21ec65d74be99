"""The header of a CDA as the PFI needs it: what the document is, and of whom it speaks."""

from datetime import UTC, datetime, timedelta, timezone
from mmap import mmap
from typing import Final

from lxml import etree
from msgspec import Struct

from insigne.dmp.model import Sender
from insigne.documents.cda import terms
from insigne.documents.cda.check import one, parse
from insigne.documents.cda.who import Patient, patient_of

_ROOT: Final = f"{{{terms.CDA}}}ClinicalDocument"
_AUTHOR: Final = "author/assignedAuthor"


class Header(Struct, frozen=True):
    """What a CDA says of itself; "" for what it does not say. Ids are "ROOT", or "ROOT^EXTENSION" where there is one.

    `created` is RFC 3339 UTC. `tree` is the whole of it, without most of the body.
    """

    unique_id: str
    set_id: str
    version: int
    parent: str
    type_code: str
    title: str
    confidentiality: str
    created: str
    author: Sender
    patient: Patient
    tree: etree._Element


def read_header(document: bytes | mmap) -> Header | None:
    """Read the header of a CDA; None for what is not one."""
    root = parse(document)
    if root is None or root.tag != _ROOT:
        return None
    version = _value(root, "versionNumber", "value")
    return Header(
        unique_id=_id(one(root, "id")),
        set_id=_id(one(root, "setId")),
        version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 1,
        parent=_parent(root),
        type_code=_value(root, "code", "code"),
        title=_text(one(root, "title")),
        confidentiality=_value(root, "confidentialityCode", "code"),
        created=moment(_value(root, "effectiveTime", "value")),
        author=_author(root),
        patient=patient_of(root),
        tree=root,
    )


def moment(text: str) -> str:
    """A CDA or HL7 time (`YYYY[MM[DD[HHMM[SS]]]][+ZZZZ]`) as RFC 3339 UTC with milliseconds; "" for what is none.

    A day alone is its midnight in UTC.
    """
    digits, sign, zone = _zoned(text.strip())
    whole = digits.partition(".")[0]
    if not (whole.isascii() and whole.isdecimal()) or len(whole) not in (4, 6, 8, 10, 12, 14):
        return ""
    filled = whole + "00000101000000"[len(whole) :]
    try:
        found = datetime.strptime(filled, "%Y%m%d%H%M%S").replace(tzinfo=_offset(sign, zone))
        return found.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


def _zoned(text: str) -> tuple[str, str, str]:
    for sign in "+-":
        if sign in text:
            digits, _, zone = text.partition(sign)
            return digits, sign, zone
    return text, "+", "0000"


def _offset(sign: str, zone: str) -> timezone:
    if not (zone.isascii() and zone.isdecimal()) or len(zone) != 4:
        raise ValueError("a zone is +HHMM or -HHMM")
    minutes = int(zone[:2]) * 60 + int(zone[2:])
    return timezone(timedelta(minutes=-minutes if sign == "-" else minutes))


def _parent(root: etree._Element) -> str:
    """The document that this one replaces."""
    for related in root.iterfind(f"{{{terms.CDA}}}relatedDocument"):
        if related.get("typeCode") == "RPLC":
            return _id(one(related, "parentDocument/id"))
    return ""


def _author(root: etree._Element) -> Sender:
    person, structure = one(root, f"{_AUTHOR}/id"), one(root, f"{_AUTHOR}/representedOrganization/id")
    return Sender(
        person_id=person.get("extension", "") if person is not None else "",
        family=_text(one(root, f"{_AUTHOR}/assignedPerson/name/family")),
        given=_text(one(root, f"{_AUTHOR}/assignedPerson/name/given")),
        structure_id=structure.get("extension", "") if structure is not None else "",
        structure_name=_text(one(root, f"{_AUTHOR}/representedOrganization/name")),
    )


def _id(element: etree._Element | None) -> str:
    if element is None:
        return ""
    root, extension = element.get("root", ""), element.get("extension", "")
    return f"{root}^{extension}" if extension else root


def _value(root: etree._Element, path: str, attribute: str) -> str:
    element = one(root, path)
    return element.get(attribute, "") if element is not None else ""


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join((element.text or "").split())
