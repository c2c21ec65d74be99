"""Extensions of a Patient: reliability of the identity, birthplace, lunar date, nationality."""

from collections.abc import Iterator

from insigne.fhir import terms
from insigne.fhir.dates import fhir_day
from insigne.fhir.demographics import insee_code, is_plain
from insigne.fhir.resources import Resource
from insigne.ins.cog import Cog
from insigne.ins.proof_types import fr_core_code
from insigne.ins.status import ATTRIBUTES, RELIABILITY_CODES, STATUS_LABELS_FR, Status
from insigne.registry.state import Identity


def extensions(identity: Identity, cog: Cog | None) -> Iterator[Resource]:
    """Every extension of the Patient, in a fixed order."""
    details = identity.details
    yield reliability(identity)
    yield from _birth_place(identity, cog)
    if details.collection.birth_date_corrected in ("Y", "N"):
        corrected = details.collection.birth_date_corrected == "Y"
        yield {"url": terms.BIRTHDATE_UPDATE_INDICATOR, "valueBoolean": corrected}
    written = details.lunar_birth_date
    if not written and identity.traits.birth_date and not is_plain(identity.traits.birth_date):
        written = identity.traits.birth_date
    if written:
        yield {"url": terms.LUNAR_DATE, "valueString": written.replace("^", "/")}
    if details.nationality:
        country = {"coding": [{"system": terms.ISO_COUNTRIES, "code": details.nationality}]}
        yield {"url": terms.NATIONALITY, "extension": [{"url": "code", "valueCodeableConcept": country}]}
    if details.mother_name:
        yield {"url": terms.MOTHERS_MAIDEN_NAME, "valueString": details.mother_name}


def reliability(identity: Identity) -> Resource:
    """The identity-reliability extension: one of the four RNIV statuses, and what was said beside it.

    The RNIV attributes are those in force, other codes of PID-32 are told as received. How the identity was obtained
    and checked is told as done here, else as the sender says it (ZFD).
    """
    collection, national = identity.details.collection, identity.national
    parts: list[Resource] = []
    mode = national.mode if national.obtained else collection.mode
    if mode in terms.METHODS:
        parts.append(_coding("methodCollection", terms.METHOD_COLLECTION, mode))
    if call := national.obtained[:10] or fhir_day(collection.insi_date):
        parts.append({"url": "dateInterrogationINSi", "valueDate": call})
    status = identity.status
    parts.append(_coding("identityStatus", terms.IDENTITY_STATUS, status.value, STATUS_LABELS_FR[status]))
    parts += [_comment(code) for code in _comment_codes(identity)]
    held = identity.proof.proof if identity.proof is not None and identity.proof.proof.high_trust else None
    if held is not None and (code := fr_core_code(held.type)):
        parts.append(_coding("validationMode", terms.MODE_VALIDATION, code))
    elif proof := terms.PROOFS.get(collection.proof):
        parts.append(_coding("validationMode", terms.MODE_VALIDATION, proof))
    elif collection.proof:
        parts.append({"url": "comment", "valueCodeableConcept": {"text": f"ZFD-7 {collection.proof}"}})
    return {"url": terms.IDENTITY_RELIABILITY, "extension": parts}


def _comment_codes(identity: Identity) -> Iterator[str]:
    yield from dict.fromkeys(identity.attributes)
    told = {*Status, *ATTRIBUTES}
    yield from (code for code in dict.fromkeys(identity.reliability) if code and code not in told)


def _comment(code: str) -> Resource:
    known = RELIABILITY_CODES.get(code)
    if known is None:
        return {"url": "comment", "valueCodeableConcept": {"text": code}}
    coding = {"system": terms.IDENTITY_STATUS_COMMENT, "code": code, "display": known.label_fr}
    return {"url": "comment", "valueCodeableConcept": {"coding": [coding]}}


def _coding(url: str, system: str, code: str, display: str = "") -> Resource:
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"url": url, "valueCoding": coding}


def _birth_place(identity: Identity, cog: Cog | None) -> Iterator[Resource]:
    code, details = identity.traits.birth_place, identity.details
    address: Resource = {}
    if code:
        address["extension"] = [insee_code(code)]
    city = details.birth_city or details.birth_place_text
    country = details.birth_country
    place = cog.lookup(code, identity.traits.birth_date) if cog is not None and code else None
    if place is not None and place.kind == "country":
        country = country or place.label
    elif place is not None and place.kind != "unknown":
        city = city or place.label
    if city:
        address["city"] = city
    if country:
        address["country"] = country
    if address:
        yield {"url": terms.BIRTH_PLACE, "valueAddress": address}
