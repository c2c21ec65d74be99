"""Bundle, OperationOutcome and CapabilityStatement, as far as a read-only Patient server needs them."""

from collections.abc import Iterable
from typing import Any, Final, Literal

from insigne.fhir import terms

Resource = dict[str, Any]
"""A FHIR resource, or a part of one, in its JSON form."""

FHIR_VERSION: Final = "4.0.1"

#: (name, type, what it finds) of each search parameter of Patient.
SEARCH_PARAMETERS: Final = (
    ("identifier", "token", "SYSTEM|VALUE: urn:oid:…, or the FINESS number or namespace of the authority"),
    ("birthdate", "date", "The day of birth, YYYY-MM-DD; with or without a name"),
    ("family", "string", "The beginning of the birth name or of the used name"),
    ("given", "string", "The beginning of a given name"),
    ("gender", "token", "male or female"),
)


def searchset(entries: Iterable[Resource], base: str, self_url: str, next_url: str = "") -> Resource:
    """A Bundle of found resources. `base` is the address of the server (`…/fhir/R4`), the urls those of this page."""
    links = [{"relation": "self", "url": self_url}]
    if next_url:
        links.append({"relation": "next", "url": next_url})
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    found = [
        {
            "fullUrl": f"{base}/{entry['resourceType']}/{entry['id']}",
            "resource": entry,
            "search": {"mode": "match"},
        }
        for entry in entries
    ]
    if found:
        bundle["entry"] = found
    if not next_url:
        bundle["total"] = len(found)
    return bundle


def operation_outcome(
    code: str, diagnostics: str, *, severity: Literal["fatal", "error", "warning", "information"] = "error"
) -> Resource:
    """An OperationOutcome with one issue; `code` is of the FHIR value set issue-type. `diagnostics` holds no trait."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}],
    }


def capability_statement(*, version: str, date: str, base: str) -> Resource:
    """What this server can do. `date` is when this version was released or started (RFC 3339)."""
    parameters = [{"name": name, "type": kind, "documentation": text} for name, kind, text in SEARCH_PARAMETERS]
    security = {
        "cors": False,
        "service": [{"text": "Bearer token with scope fhir.read"}],
        "description": "Authorization: Bearer TOKEN. Tokens are made with `insigne token create --scope fhir.read`.",
    }
    patient: Resource = {
        "type": "Patient",
        "profile": terms.FR_CORE_PATIENT,
        "supportedProfile": [terms.FR_CORE_PATIENT_INS],
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": False,
        "searchParam": parameters,
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Insigne", "version": version},
        "implementation": {"description": "Identity registry", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [{"mode": "server", "security": security, "resource": [patient]}],
    }
