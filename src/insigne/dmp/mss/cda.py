"""What a mail needs of a CDA: the PDF in it, who it is about, which document it is."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from insigne.documents.cda import terms
from insigne.documents.cda.check import one
from insigne.documents.cda.who import Patient, patient_of

PDF: Final = "application/pdf"


class CdaError(ValueError):
    """A document that is no CDA. The text quotes no content."""


@dataclass(frozen=True, slots=True)
class Cda:
    """A document. `id` and `parent` are (root, extension); `code` is (code, label, system)."""

    id: tuple[str, str]
    parent: tuple[str, str]
    code: tuple[str, str, str]
    title: str
    time: str
    patient: Patient
    family_used: str
    given_used: str
    root: etree._Element = field(repr=False)

    @property
    def unique_id(self) -> str:
        """The unique id as XDS writes it: root, and `^extension` if there is one."""
        return "^".join(filter(None, self.id))


def read_cda(document: bytes) -> Cda:
    """Read a document. Raises CdaError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise CdaError("the document is not XML") from None
    if root.tag != f"{{{terms.CDA}}}ClinicalDocument" or root.getroottree().docinfo.doctype:
        raise CdaError("the document is not a CDA")
    code = one(root, "code")
    return Cda(
        _id(root, "id"),
        _id(root, "relatedDocument/parentDocument/id"),
        tuple("" if code is None else code.get(name, "") for name in ("code", "displayName", "codeSystem")),  # type: ignore[arg-type]  # three of them
        _text(root, "title"),
        _attribute(root, "effectiveTime", "value"),
        patient_of(root),
        _used(root, "family"),
        _used(root, "given"),
        root,
    )


def pdf_of(cda: Cda) -> bytes | None:
    """Return the PDF that is the body of a document; None when its body is something else."""
    text = one(cda.root, "component/nonXMLBody/text")
    if text is None or text.get("mediaType") != PDF or text.get("representation") != "B64":
        return None
    try:
        return base64.b64decode("".join((text.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _id(root: etree._Element, path: str) -> tuple[str, str]:
    return _attribute(root, path, "root"), _attribute(root, path, "extension")


def _attribute(root: etree._Element, path: str, name: str) -> str:
    element = one(root, path)
    return "" if element is None else element.get(name, "")


def _text(root: etree._Element, path: str) -> str:
    element = one(root, path)
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _used(root: etree._Element, part: str) -> str:
    """A name the person uses (qualifier CL)."""
    name = one(root, "recordTarget/patientRole/patient/name")
    if name is None:
        return ""
    parts = (each for each in name.iterfind(f"{{{terms.CDA}}}{part}") if "CL" in each.get("qualifier", "").split())
    return next((" ".join((each.text or "").split()) for each in parts), "")
