"""What the header of a CDA says for the metadata of its lot (CI-SIS, minimal structure), each field required or not."""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from insigne.dmp.wire.lexical import utc
from insigne.dmp.wire.model import Author, Coded, Person, Structure, WireError
from insigne.documents.cda import terms
from insigne.documents.cda.who import Patient, patient_of

_SPACE: Final = f"{{{terms.CDA}}}"
_AUTHOR: Final = "author/assignedAuthor"
_SIGNER: Final = "legalAuthenticator/assignedEntity"
_FACILITY: Final = "componentOf/encompassingEncounter/location/healthCareFacility/code"
_EVENT: Final = "documentationOf/serviceEvent"
_SETTING: Final = "performer/assignedEntity/representedOrganization/standardIndustryClassCode"


@dataclass(frozen=True, slots=True)
class Header:
    """A header read. Times are those of XDS, in UTC from the hour on. `body` is the media type of an unstructured
    body, "" for a structured one; `parent` the unique id of the version replaced, "" without.
    """

    unique_id: str
    set_id: str
    version: str
    parent: str
    type_code: Coded
    title: str
    created: str
    confidentiality: Coded
    language: str
    patient: Patient
    authors: tuple[Author, ...]
    legal_authenticator: Person
    facility_type: Coded | None
    practice_setting: Coded
    service_start: str
    service_stop: str
    events: tuple[Coded, ...]
    body: str


def read_header(root: etree._Element) -> Header:
    """Read a header. Raises WireError, naming the element, for what the metadata need and it has not."""
    identifier = _one(root, "id")
    if identifier.get("extension"):
        raise WireError("id: it has an extension, which the DMP does not take: give a whole OID as its root")
    event = _principal(root)
    return Header(
        unique_id=_needed(identifier.get("root", ""), "id/@root"),
        set_id=_attribute(root, "setId", "root"),
        version=_attribute(root, "versionNumber", "value"),
        parent=_attribute(root, "relatedDocument[@typeCode='RPLC']/parentDocument/id", "root"),
        type_code=_code(_one(root, "code"), "code"),
        title=_needed(_text(_one(root, "title")), "title"),
        created=_time(_attribute(root, "effectiveTime", "value"), "effectiveTime"),
        confidentiality=_code(_one(root, "confidentialityCode"), "confidentialityCode"),
        language=_needed(_attribute(root, "languageCode", "code"), "languageCode"),
        patient=patient_of(root),
        authors=tuple(_author(one) for one in root.iterfind(_path(_AUTHOR))) or _absent(_AUTHOR),
        legal_authenticator=_person(_one(root, _SIGNER), _SIGNER),
        facility_type=_optional(root.find(_path(_FACILITY))),
        practice_setting=_code(_one(event, _SETTING), f"{_EVENT}/{_SETTING}"),
        service_start=_time(_start(event), f"{_EVENT}/effectiveTime"),
        service_stop=_optional_time(_attribute(event, "effectiveTime/high", "value"), f"{_EVENT}/effectiveTime/high"),
        events=tuple(code for one in root.iterfind(_path(f"{_EVENT}/code")) if (code := _optional(one)) is not None),
        body=_attribute(root, "component/nonXMLBody/text", "mediaType"),
    )


def _principal(root: etree._Element) -> etree._Element:
    """The act documented: the one whose performer has a practice setting."""
    for event in root.iterfind(_path(_EVENT)):
        if event.find(_path(_SETTING)) is not None:
            return event
    return _one(root, f"{_EVENT}/{_SETTING}")


def _author(assigned: etree._Element) -> Author:
    organization = assigned.find(_path("representedOrganization"))
    structure = None
    if organization is not None and _attribute(organization, "id", "extension"):
        structure = Structure(_attribute(organization, "id", "extension"), _text(organization.find(_path("name"))))
    author = assigned.getparent()
    role = None if author is None else author.find(_path("functionCode"))
    return Author(
        _person(assigned, _AUTHOR),
        structure,
        "" if role is None else role.get("displayName", ""),
        _optional(assigned.find(_path("code"))),
    )


def _person(entity: etree._Element, where: str) -> Person:
    """A person, or the device that an author may be, by the name of its software."""
    name = entity.find(_path("assignedPerson/name"))
    family = given = ""
    if name is not None:
        family, given = _text(name.find(_path("family"))), _text(name.find(_path("given")))
    else:
        family = _text(entity.find(_path("assignedAuthoringDevice/softwareName")))
    return Person(
        _needed(_attribute(entity, "id", "extension"), f"{where}/id/@extension"),
        _needed(family, f"{where}/assignedPerson/name/family"),
        given,
    )


def _start(event: etree._Element) -> str:
    return _attribute(event, "effectiveTime/low", "value") or _attribute(event, "effectiveTime", "value")


def _code(element: etree._Element, where: str) -> Coded:
    found = _optional(element)
    if found is None:
        raise WireError(f"{where}: it has no code")
    return found


def _optional(element: etree._Element | None) -> Coded | None:
    if element is None or not element.get("code"):
        return None
    return Coded(element.get("code", ""), element.get("codeSystem", ""), element.get("displayName", ""))


def _time(text: str, where: str) -> str:
    try:
        return utc(_needed(text, where))
    except WireError as error:
        raise WireError(f"{where}: {error}") from None


def _optional_time(text: str, where: str) -> str:
    return _time(text, where) if text else ""


def _one(element: etree._Element, path: str) -> etree._Element:
    found = element.find(_path(path))
    if found is None:
        raise WireError(f"{path}: missing in the header of the document, and the metadata need it")
    return found


def _absent(path: str) -> tuple[Author, ...]:
    raise WireError(f"{path}: missing in the header of the document, and the metadata need it")


def _needed(value: str, where: str) -> str:
    if not value:
        raise WireError(f"{where}: missing in the header of the document, and the metadata need it")
    return value


def _attribute(element: etree._Element, path: str, attribute: str) -> str:
    found = element.find(_path(path))
    return "" if found is None else found.get(attribute, "").strip()


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join((element.text or "").split())


def _path(path: str) -> str:
    return "/".join(f"{_SPACE}{step}" for step in path.split("/"))
