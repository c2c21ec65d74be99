"""The registry's values as HL7 data types: CX, EI, XAD, XTN, XON, XCN, PL (pam-fr §4). What is empty writes "".

The reverse is `pam.decode.datatypes`.
"""

from collections.abc import Callable
from typing import Final

from insigne.hl7.delimiters import NULL, STANDARD
from insigne.registry.values import Address, Authority, Identifier, Location, Practitioner, Telecom, Ward

#: Writes an authority as the sub-components of an HD, "" for one without name nor universal id.
Namer = Callable[[Authority], str]

_escape: Final = STANDARD.escape
_QUOTES: Final = "\\X2222\\"


def escape(text: str) -> str:
    """A text without delimiters; most are plain or empty. Two double quotes that somebody typed delete nothing."""
    if not text or text.isalnum():
        return text
    return _escape(text) if text != NULL else _QUOTES


def components(*parts: str) -> str:
    """Components joined, the empty ones at the end left out. The parts are escaped already."""
    return "^".join(parts).rstrip("^")


def cx(identifier: Identifier, name: Namer) -> str:
    """A CX: value, authority, type."""
    return f"{escape(identifier.value)}^^^{name(identifier.authority)}^{escape(identifier.type)}"


def ei(key: str, name: Namer) -> str:
    """An EI from ``authority|identifier``, the authority being a universal id or a namespace."""
    issuer, _, number = key.partition("|")
    namespace, _, universal = name(authority_of(issuer)).partition("&")
    if universal.partition("&")[0] == namespace:
        namespace = ""  # it stands for a name that nobody gave; an EI needs none
    return components(escape(number), namespace, universal.replace("&", "^"))


def authority_of(key: str) -> Authority:
    """An authority known by its key alone."""
    if "." in key or key.isdigit():
        return Authority("", key)
    return Authority(key)


def xad(address: Address) -> str:
    """An XAD other than the birthplace."""
    texts = (address.street, address.complement, address.city, "", address.postal_code, address.country, address.use)
    return components(*map(escape, (*texts, "", address.commune)))


def birthplace(city: str, country: str, commune: str) -> str:
    """The XAD of type BDL: the COG code of the place in its ninth component, "" when nothing is known."""
    if not (city or country or commune):
        return ""
    return components("", "", escape(city), "", "", escape(country), "BDL", "", escape(commune))


def xtn(telecom: Telecom, *, number_first: bool) -> str:
    """An XTN: the e-mail in XTN-4, the number in XTN-12, or in XTN-1 (`number_first`) for receivers older than 2.5."""
    use, kind, value = escape(telecom.use), escape(telecom.kind), escape(telecom.value)
    if "@" in telecom.value:
        return components("", use, kind, value)
    if number_first:
        return components(value, use, kind)
    return components("", use, kind, *[""] * 8, value)


def xon(ward: Ward, name: Namer) -> str:
    """An XON: label, authority, type UF, code."""
    if not (ward.code or ward.label):
        return ""
    return components(escape(ward.label), "", "", "", "", name(ward.authority), "UF", "", "", escape(ward.code))


def xcn(person: Practitioner, name: Namer) -> str:
    """An XCN: identifier, names, authority, type of the identifier."""
    if not (person.id or person.family):
        return ""
    kind = "L" if person.family else ""
    issuer = name(person.authority)
    texts = map(escape, (person.id, person.family, person.given))
    return components(*texts, *[""] * 5, issuer, kind, "", "", escape(person.id_type))


def pl(location: Location, name: Namer) -> str:
    """A PL: unit of housing, room, bed, facility."""
    if location == _NOWHERE:
        return ""
    facility = name(Authority(location.facility)) if location.facility else ""
    texts = (location.status, location.type, location.building, location.floor)
    return components(*map(escape, (location.ward, location.room, location.bed)), facility, *map(escape, texts))


_NOWHERE: Final = Location()
