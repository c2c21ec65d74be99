"""The people, structures, act and stay of a CDA header."""

from datetime import datetime

from lxml import etree

from insigne.documents.cda import terms
from insigne.documents.cda.description import Description, Organization, Professional
from insigne.documents.errors import DocumentError

UNKNOWN = "UNK"


def add(parent: etree._Element, tag: str, text: str = "", /, **attributes: str) -> etree._Element:
    """Add an element of CDA; attributes without a value are left out."""
    child = etree.SubElement(
        parent, f"{{{terms.CDA}}}{tag}", {key: value for key, value in attributes.items() if value}
    )
    if text:
        try:
            child.text = text
        except ValueError as error:
            raise DocumentError(
                "characters",
                f"{tag}: a control character cannot stand in a document: remove it",
                f"{tag} : caractère de contrôle interdit dans un document",
            ) from error
    return child


def timestamp(moment: datetime) -> str:
    """A moment as CDA writes it, with its zone: 20260301083000+0100."""
    return moment.strftime("%Y%m%d%H%M%S%z")[:19]


def author(parent: etree._Element, professional: Professional, organization: Organization, time: datetime) -> None:
    """The author: who, when, for which structure."""
    add(parent, "time", value=timestamp(time))
    assigned = add(parent, "assignedAuthor")
    add(assigned, "id", root=terms.PERSONS, extension=professional.id)
    if professional.profession:
        name = professional.profession_name or professional.profession
        add(assigned, "code", code=professional.profession, displayName=name, codeSystem=terms.PROFESSIONS)
    address(assigned, organization)
    telecom(assigned, professional.phone)
    _person(assigned, professional)
    represented(assigned, organization)


def custodian(parent: etree._Element, organization: Organization) -> None:
    """The structure that keeps the document."""
    kept = add(add(parent, "assignedCustodian"), "representedCustodianOrganization")
    _organization(kept, organization)


def authenticator(root: etree._Element, professional: Professional, time: datetime) -> None:
    """Who answers for the document."""
    parent = add(root, "legalAuthenticator")
    add(parent, "time", value=timestamp(time))
    add(parent, "signatureCode", code="S")
    _entity(parent, professional)


def event(parent: etree._Element, description: Description, organization: Organization) -> None:
    """The act documented, with the practice setting of who did it."""
    done = description.event
    service = add(parent, "serviceEvent")
    _span(service, done.start or description.time, done.end)
    entity = _entity(add(service, "performer", typeCode="PRF"), done.performer or description.author)
    place = represented(entity, organization)
    name = done.setting_name or terms.PRACTICE_SETTINGS.get(done.setting, done.setting)
    add(place, "standardIndustryClassCode", code=done.setting, displayName=name, codeSystem=terms.SETTINGS)


def stay(parent: etree._Element, description: Description, organization: Organization) -> None:
    """The care that the act belongs to, and the type of the facility."""
    care = description.stay
    encounter = add(parent, "encompassingEncounter")
    _span(encounter, care.start or description.event.start or description.time, care.end)
    facility = add(add(encounter, "location"), "healthCareFacility")
    add(facility, "id", root=terms.STRUCTURES, extension=care.facility or organization.id)
    name = care.facility_name or terms.FACILITY_TYPES.get(care.facility_type, care.facility_type)
    add(facility, "code", code=care.facility_type, displayName=name, codeSystem=terms.FACILITIES)


def represented(parent: etree._Element, organization: Organization) -> etree._Element:
    """The structure somebody acts for."""
    element = add(parent, "representedOrganization")
    _organization(element, organization)
    return element


def address(parent: etree._Element, organization: Organization) -> None:
    """A postal address, or that it is unknown."""
    known = [("streetName", organization.street), ("postalCode", organization.postal_code), ("city", organization.city)]
    if not any(value for _, value in known):
        add(parent, "addr", nullFlavor=UNKNOWN)
        return
    element = add(parent, "addr")
    for tag, value in known:
        if value:
            add(element, tag, value)


def telecom(parent: etree._Element, phone: str) -> None:
    """A phone number or an e-mail address, or that it is unknown."""
    if not phone:
        add(parent, "telecom", nullFlavor=UNKNOWN)
        return
    scheme = "mailto:" if "@" in phone else "tel:"
    add(parent, "telecom", value=scheme + phone.replace(" ", ""), use="WP")


def _entity(parent: etree._Element, professional: Professional) -> etree._Element:
    entity = add(parent, "assignedEntity")
    add(entity, "id", root=terms.PERSONS, extension=professional.id)
    _person(entity, professional)
    return entity


def _person(parent: etree._Element, professional: Professional) -> None:
    name = add(add(parent, "assignedPerson"), "name")
    if professional.civility:
        add(name, "prefix", professional.civility)
    if professional.given:
        add(name, "given", professional.given)
    add(name, "family", professional.family)
    if professional.title:
        add(name, "suffix", professional.title)


def _organization(element: etree._Element, organization: Organization) -> None:
    add(element, "id", root=terms.STRUCTURES, extension=organization.id)
    add(element, "name", organization.name)
    telecom(element, organization.phone)
    address(element, organization)


def _span(parent: etree._Element, start: datetime, end: datetime | None) -> None:
    span = add(parent, "effectiveTime")
    add(span, "low", value=timestamp(start))
    if end is not None:
        add(span, "high", value=timestamp(end))
