"""The FR Core Patient of an identity."""

from collections.abc import Sequence

from insigne.fhir import terms
from insigne.fhir.demographics import addresses, birth_date, civil_status, gender, names, telecoms
from insigne.fhir.extensions import extensions
from insigne.fhir.identifiers import identifiers, shows_ins
from insigne.fhir.resources import Resource
from insigne.ins.cog import Cog
from insigne.registry.state import Identity


def patient(identity: Identity, absorbed: Sequence[Identity] = (), *, cog: Cog | None = None) -> Resource:
    """Build the Patient (FHIR R4, FR Core).

    `absorbed` are the states of the identities merged into this one, directly or not: their identifiers are old ones.
    `cog` gives birthplaces their names. The profile `fr-core-patient-ins` is claimed by qualified identities only,
    since only they may carry the INS.
    """
    profiles = [terms.FR_CORE_PATIENT]
    if shows_ins(identity):
        profiles.append(terms.FR_CORE_PATIENT_INS)
    built: Resource = {
        "resourceType": "Patient",
        "id": identity.id,
        "meta": {"versionId": str(identity.version), "lastUpdated": identity.updated, "profile": profiles},
        "extension": list(extensions(identity, cog)),
        "identifier": identifiers(identity, absorbed),
        "active": not identity.merged_into,
        "name": list(names(identity)),
        "telecom": list(telecoms(identity.details)),
        **gender(identity.traits),
        **birth_date(identity.traits),
        **civil_status(identity.details),
        "address": list(addresses(identity.details)),
        "link": _links(identity, absorbed),
    }
    return {name: value for name, value in built.items() if value != []}


def _links(identity: Identity, absorbed: Sequence[Identity]) -> list[Resource]:
    links = [_link("replaces", other.id) for other in absorbed]
    links += [_link("seealso", other) for other in identity.links]
    if identity.merged_into:
        links.append(_link("replaced-by", identity.merged_into))
    return links


def _link(kind: str, other: str) -> Resource:
    return {"other": {"reference": f"Patient/{other}"}, "type": kind}
