"""Names, contact points, addresses, dates and civil status of a Patient."""

import re
from collections.abc import Iterator
from typing import Final

from insigne.fhir import terms
from insigne.fhir.dates import fhir_date, fhir_datetime
from insigne.fhir.resources import Resource
from insigne.ins.dates import BirthDate
from insigne.registry.state import Identity
from insigne.registry.values import Address, Details, Telecom, Traits

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2})?")


def names(identity: Identity) -> Iterator[Resource]:
    """The birth name (`official`), the used name (`usual`) when there is one, then the other names."""
    traits, details = identity.traits, identity.details
    prefix = [details.title] if details.title else []
    official = _birth_name(traits)
    if official:
        yield {"use": "official", **official, **({"prefix": prefix} if prefix else {})}
    if details.used_name or details.used_given_name:
        yield {"use": "usual", **_name(details.used_name, details.used_given_name)}
    for kind, family, given in details.other_names:
        if family or given:
            use = terms.NAME_USES.get(kind)
            yield {**({"use": use} if use else {}), **_name(family, given)}


def _birth_name(traits: Traits) -> Resource:
    built: Resource = {}
    if traits.given_names:
        built["extension"] = [{"url": terms.BIRTH_LIST_GIVEN_NAME, "valueString": traits.given_names}]
    return {**built, **_name(traits.birth_name, traits.first_given_name)}


def _name(family: str, given: str) -> Resource:
    return {**({"family": family} if family else {}), **({"given": [given]} if given else {})}


def telecoms(details: Details) -> Iterator[Resource]:
    """Phone numbers and electronic addresses."""
    return (_telecom(telecom) for telecom in details.telecoms if telecom.value)


def _telecom(telecom: Telecom) -> Resource:
    if "@" in telecom.value:
        system = "email"
    elif telecom.kind == "Internet" or telecom.use == "NET":
        system = "url"
    else:
        system = terms.TELECOM_SYSTEMS.get(telecom.kind, "phone" if not telecom.kind else "other")
    use = "mobile" if telecom.kind == "CP" else terms.TELECOM_USES.get(telecom.use)
    return {"system": system, "value": telecom.value, **({"use": use} if use else {})}


def addresses(details: Details) -> Iterator[Resource]:
    """Postal addresses."""
    return (built for address in details.addresses if (built := _address(address)))


def _address(address: Address) -> Resource:
    lines = [line for line in (address.street, address.complement) if line]
    parts: Resource = {
        **({"extension": [insee_code(address.commune)]} if address.commune else {}),
        **({"line": lines} if lines else {}),
        **({"city": address.city} if address.city else {}),
        **({"postalCode": address.postal_code} if address.postal_code else {}),
        **({"country": address.country} if address.country else {}),
    }
    if not parts:
        return {}
    use = terms.ADDRESS_USES.get(address.use)
    kind = {"type": "postal"} if address.use == "M" else {}
    return {**({"use": use} if use else {}), **kind, **parts}


def insee_code(code: str) -> Resource:
    """The extension that gives a place its COG code: a commune, or a country of the form 99xxx."""
    system = terms.COUNTRIES if code.startswith("99") else terms.COMMUNES
    return {"url": terms.ADDRESS_INSEE_CODE, "valueCoding": {"system": system, "code": code}}


def gender(traits: Traits) -> Resource:
    """The gender, left out when nothing is known of it."""
    return {"gender": terms.GENDERS.get(traits.sex, "unknown")} if traits.sex else {}


def birth_date(traits: Traits) -> Resource:
    """The birth date, as far as it is known; a lunar or unreadable one has only the reason why it is absent."""
    if not traits.birth_date:
        return {}
    if is_plain(traits.birth_date):
        return {"birthDate": fhir_date(traits.birth_date)}
    return {"_birthDate": {"extension": [{"url": terms.DATA_ABSENT_REASON, "valueCode": "as-text"}]}}


def is_plain(text: str) -> bool:
    """Whether a birth date is a date of the calendar, complete or not: neither lunar nor unreadable."""
    try:
        return not BirthDate.parse(text).is_lunar and bool(fhir_date(text))
    except ValueError:
        return False


def civil_status(details: Details) -> Resource:
    """Death, multiple birth, marital status and language."""
    return {
        **_deceased(details),
        **_marital_status(details.marital_status),
        **_multiple_birth(details),
        **_communication(details.language),
    }


def _deceased(details: Details) -> Resource:
    moment = fhir_datetime(details.death_date)
    if moment and details.death_indicator != "N":
        return {"deceasedDateTime": moment}
    if details.death_indicator in ("Y", "N"):
        return {"deceasedBoolean": details.death_indicator == "Y"}
    return {}


def _marital_status(code: str) -> Resource:
    if not code:
        return {}
    system, mapped = terms.MARITAL_STATUS.get(code, (terms.HL7_MARITAL_STATUS, code))
    return {"maritalStatus": {"coding": [{"system": system, "code": mapped}]}}


def _multiple_birth(details: Details) -> Resource:
    order = details.birth_order
    if details.multiple_birth != "N" and order.isascii() and order.isdecimal() and 0 < int(order) < 20:
        return {"multipleBirthInteger": int(order)}
    if details.multiple_birth in ("Y", "N"):
        return {"multipleBirthBoolean": details.multiple_birth == "Y"}
    return {}


def _communication(language: str) -> Resource:
    if not language:
        return {}
    if not _LANGUAGE.fullmatch(language):
        return {"communication": [{"language": {"text": language}}]}
    head, _, region = language.partition("-")
    tag = f"{head.lower()}-{region.upper()}" if region else head.lower()
    return {"communication": [{"language": {"coding": [{"system": terms.LANGUAGES, "code": tag}]}}]}
