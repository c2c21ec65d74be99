"""The header of a CDA as the registry needs it, read up to its body: a large document is not read whole.

Source: CI-SIS « Structuration minimale des documents de santé » 1.16.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from insigne.simulate.dmp.mime import Content
from insigne.simulate.dmp.names import HL7
from insigne.simulate.dmp.soap import NotSoapError

_MAX_HEADER: Final = 4 << 20
_FORMS: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says; "" for what it does not. Moments are UTC, YYYYMMDDhhmmss; a date alone stays a date.

    `ids`: (root, extension) of the patient. `given`: without qualifier; `first_given`: qualifier BR.
    """

    root: etree._Element

    def value(self, path: str, attribute: str = "") -> str:
        """Return an attribute of the first element at a path (names of CDA, `/` between them), or its text."""
        found = self._find(path)
        if found is None:
            return ""
        return (found.get(attribute) or "") if attribute else (found.text or "").strip()

    def moment(self, path: str) -> str:
        """Return the moment at a path, in UTC."""
        return utc(self.value(path, "value"))

    def ids(self) -> list[tuple[str, str]]:
        """Return the identifiers of the patient: root and extension."""
        found = self.root.iterfind(_path("recordTarget/patientRole/id"))
        return [(one.get("root") or "", one.get("extension") or "") for one in found]

    def names(self, part: str, qualifier: str) -> list[str]:
        """Return the family or given names of the patient with this qualifier, "" for those without."""
        found = self.root.iterfind(_path(f"recordTarget/patientRole/patient/name/{part}"))
        return [(one.text or "").strip() for one in found if (one.get("qualifier") or "") == qualifier]

    def extensions(self, path: str) -> list[str]:
        """Return the extensions of the identifiers at a path."""
        return [one.get("extension") or "" for one in self.root.iterfind(_path(path))]

    def templates(self) -> set[str]:
        """Return the templateId of the document."""
        return {one.get("root") or "" for one in self.root.iterfind(_path("templateId"))}

    def _find(self, path: str) -> etree._Element | None:
        return self.root.find(_path(path))


def read_header(content: Content) -> Header:
    """Read the header of a document. Raises NotSoapError for what is no CDA."""
    parser = etree.XMLPullParser(
        ("start",), tag=f"{{{HL7}}}component", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    fed = 0
    try:
        for piece in _small(content):
            parser.feed(piece)
            fed += len(piece)
            event = next(iter(parser.read_events()), None)
            if event is not None:
                return _header(event[1].getroottree())
            if fed > _MAX_HEADER:
                raise NotSoapError("l’en-tête du document est trop gros")
    except etree.XMLSyntaxError as error:
        raise NotSoapError(f"le document n’est pas du XML bien formé, ligne {error.lineno or 0}") from error
    raise NotSoapError("le document n’a pas de corps (component)")


def utc(text: str) -> str:
    """Return a moment of CDA (YYYYMMDDhhmmss+ZZZZ) as the registry has it: UTC, without zone; "" if it cannot be."""
    digits, sign, zone = text.partition("+") if "+" in text else text.partition("-")
    if not sign or len(digits) <= 8:
        return digits
    try:
        moment = datetime.strptime(f"{digits}{sign}{zone}", _FORMS.get(len(digits), "%Y%m%d%H%M%S") + "%z")
    except ValueError:
        return ""
    return moment.astimezone(UTC).strftime(_FORMS[len(digits)])


def _header(tree: etree._ElementTree) -> Header:
    root = tree.getroot()
    if tree.docinfo.doctype:
        raise NotSoapError("une DTD est refusée dans le document")
    if root.tag != f"{{{HL7}}}ClinicalDocument":
        raise NotSoapError("le document n’est pas un CDA (ClinicalDocument)")
    return Header(root)


def _small(content: Content) -> Iterator[bytes]:
    """Yield a document in pieces small enough that its body is not held to read its header."""
    for piece in content.pieces():
        yield from (piece[start : start + 16_384] for start in range(0, len(piece), 16_384))


def _path(path: str) -> str:
    return "/".join(f"{{{HL7}}}{name}" for name in path.split("/"))
