"""The HTTP application."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from insigne.access import Scope
from insigne.api.acts import Acts
from insigne.api.changes import PATH as CHANGES_PATH
from insigne.api.changes import Changes
from insigne.api.deps import ApiDeps
from insigne.api.documents import Documents
from insigne.api.gate import Authentication, Shell, hosted, opened, secured
from insigne.api.metrics import HttpMetrics
from insigne.api.openapi import PATH as OPENAPI_PATH
from insigne.api.openapi import openapi
from insigne.api.patients import BASE_PATH, Patients
from insigne.api.responses import json_response, refusal

_READERS = (Scope.API_READ, Scope.API_WRITE, Scope.FHIR_READ, Scope.DOCUMENT_WRITE, Scope.ADMIN)
"""Who may read what the interface says of itself."""


def create_app(deps: ApiDeps) -> Starlette:
    """Make the application: FHIR, the feed of changes, health and metrics over `deps`."""
    patients, changes = Patients(deps), Changes(deps)

    def live(_: Request) -> Response:
        return json_response({"status": "live"})

    def ready(_: Request) -> Response:
        able, report = deps.health.report()
        return json_response(report, 200 if able else 503)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(deps.metrics), media_type=CONTENT_TYPE_LATEST)

    def described(_: Request) -> Response:
        return json_response(openapi(deps.version, acts=deps.acts is not None, documents=deps.documents is not None))

    return Starlette(
        routes=[
            opened("/health/live", live),
            opened("/health/ready", ready),
            secured("/metrics", metrics, Scope.ADMIN, Scope.API_READ),
            secured(f"{BASE_PATH}/metadata", patients.metadata, Scope.FHIR_READ),
            secured(f"{BASE_PATH}/Patient", patients.search, Scope.FHIR_READ),
            secured(f"{BASE_PATH}/Patient/{{id}}", patients.read, Scope.FHIR_READ),
            secured(CHANGES_PATH, changes.list, Scope.API_READ),
            secured(OPENAPI_PATH, described, *_READERS),
            *(Acts(deps, deps.acts).routes() if deps.acts is not None else ()),
            *(Documents(deps.documents).routes() if deps.documents is not None else ()),
            *(hosted(prefix, guest) for prefix, guest in deps.guests.items()),
        ],
        middleware=[
            Middleware(Shell, metrics=HttpMetrics(deps.metrics)),
            Middleware(Authentication, tokens=deps.tokens, now=deps.now, guests=deps.guests),
        ],
        exception_handlers={HTTPException: _refused},
    )


def _refused(request: Request, error: Exception) -> Response:
    """An HTTPException of ours or of the router, in the form of the interface it happened in."""
    if not isinstance(error, HTTPException):
        raise error
    text = error.detail
    if error.status_code == 405:
        text = f"only {(error.headers or {}).get('Allow', 'other methods')} here"
    elif error.status_code == 404 and error.detail == "Not Found":
        text = "nothing is served here"
    return refusal(request.scope, error.status_code, text, error.headers)
