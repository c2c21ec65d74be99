"""The patient of a CDA header: the INS first, then the local number, and the five traits."""

from typing import Final

from lxml import etree

from insigne.documents.cda.parts import UNKNOWN, add
from insigne.documents.cda.terms import GENDER, GENDERS
from insigne.ins.cog import UNKNOWN_PLACE, Cog
from insigne.ins.dates import BirthDate
from insigne.ins.names import first_given_name_of, fold_name
from insigne.registry.state import Identity
from insigne.registry.values import Address, Ins

_LOCAL: Final = "PI"
_HOME: Final = "H"


def patient(record: etree._Element, identity: Identity, ins: Ins, cog: Cog) -> None:
    """Write the patient role of a qualified identity in its record target."""
    role = add(record, "patientRole")
    add(role, "id", root=ins.oid, extension=ins.matricule)
    for held in identity.identifiers:
        authority = held.identifier.authority
        if held.current and held.identifier.type == _LOCAL and authority.universal_id_type == "ISO":
            add(role, "id", root=authority.universal_id, extension=held.identifier.value)
    _address(role, identity)
    add(role, "telecom", nullFlavor=UNKNOWN)
    person = add(role, "patient")
    _names(add(person, "name"), identity)
    sex = identity.traits.sex
    add(person, "administrativeGenderCode", code=sex, displayName=GENDERS[sex], codeSystem=GENDER)
    add(person, "birthTime", value=BirthDate.parse(identity.traits.birth_date).hl7())
    _birthplace(person, identity, cog)


def _names(name: etree._Element, identity: Identity) -> None:
    traits, details = identity.traits, identity.details
    listed = traits.given_names or traits.first_given_name
    add(name, "family", traits.birth_name, qualifier="BR")
    if details.used_name and fold_name(details.used_name) != fold_name(traits.birth_name):
        add(name, "family", details.used_name, qualifier="CL")
    add(name, "given", listed)
    add(name, "given", traits.first_given_name or first_given_name_of(listed), qualifier="BR")
    if details.used_given_name:
        add(name, "given", details.used_given_name, qualifier="CL")


def _birthplace(person: etree._Element, identity: Identity, cog: Cog) -> None:
    code = identity.traits.birth_place or UNKNOWN_PLACE
    place = cog.lookup(code, identity.traits.birth_date)
    address = add(add(add(person, "birthplace"), "place"), "addr")
    add(address, "county", code)
    if place and code != UNKNOWN_PLACE:
        add(address, "city", place.label)


def _address(role: etree._Element, identity: Identity) -> None:
    home = next((one for one in identity.details.addresses if one.use == _HOME), Address())
    parts = [
        ("streetAddressLine", home.street),
        ("streetAddressLine", home.complement),
        ("postalCode", home.postal_code),
        ("city", home.city),
        ("country", home.country),
    ]
    if not any(value for _, value in parts):
        add(role, "addr", nullFlavor=UNKNOWN)
        return
    address = add(role, "addr", use=_HOME)
    for tag, value in parts:
        if value:
            add(address, tag, value)
