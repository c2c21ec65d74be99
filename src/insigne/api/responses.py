"""Responses: JSON, FHIR JSON, and refusals in the form each part of the interface speaks."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.types import Scope

from insigne.api.problems import of_status
from insigne.fhir import Resource, operation_outcome

FHIR_PREFIX: Final = "/fhir/"
API_PREFIX: Final = "/api/"

#: HTTP status → FHIR issue type.
_ISSUES: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    429: "throttled",
    503: "transient",
}


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON document."""
    return Response(msgspec.json.encode(document), status, headers, "application/json")


def fhir_response(resource: Resource, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A FHIR resource."""
    return Response(msgspec.json.encode(resource), status, headers, "application/fhir+json; charset=utf-8")


def refusal(scope: Scope, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error, as an OperationOutcome under `/fhir/`, problem details under `/api/`, else `{"error", "status"}`.

    `text` holds no personal data.
    """
    path = str(scope["path"])
    if path.startswith(FHIR_PREFIX):
        return fhir_response(operation_outcome(_ISSUES.get(status, "exception"), text), status, headers)
    if path.startswith(API_PREFIX):
        return of_status(status, text, headers).response()
    document: dict[str, Any] = {"error": text, "status": status}
    return json_response(document, status, headers)
