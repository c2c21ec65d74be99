"""The description of the JSON interface (OpenAPI 3.1). FHIR describes itself at `/fhir/R4/metadata`."""

from typing import Any, Final

from insigne.api.acts_openapi import PERSON
from insigne.api.acts_openapi import paths as act_paths
from insigne.api.acts_openapi import schemas as act_schemas
from insigne.api.changes import DEFAULT_LIMIT, MOST_LIMIT
from insigne.api.changes import PATH as CHANGES_PATH
from insigne.api.documents_openapi import paths as document_paths
from insigne.api.documents_openapi import schemas as document_schemas
from insigne.api.problems import MEDIA_TYPE

PATH: Final = "/api/v1/openapi.json"

_PROBLEM: Final = {
    "type": "object",
    "description": "Problem details (RFC 9457), in English and French.",
    "required": ["type", "title", "title_fr", "status", "detail", "detail_fr"],
    "properties": {
        "type": {"type": "string", "description": "urn:insigne:problem:CODE"},
        "title": {"type": "string"},
        "title_fr": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "detail_fr": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every fault.",
            "items": {
                "type": "object",
                "required": ["field", "rule", "remedy", "remedy_fr"],
                "properties": {
                    "field": {"type": "string"},
                    "rule": {"type": "string"},
                    "remedy": {"type": "string"},
                    "remedy_fr": {"type": "string"},
                    "position": {"type": "integer", "description": "1-based, of the character at fault."},
                },
            },
        },
        "candidates": {"type": "array", "description": "Patients alike.", "items": {"type": "object"}},
    },
}
_PATIENT: Final = {
    "type": "object",
    "description": "FHIR R4 Patient, FR Core, as `insigne identity show` gives it.",
    "required": ["resourceType"],
    "properties": {"resourceType": {"const": "Patient"}},
}
_CHECK: Final = {
    "type": "object",
    "required": ["name", "status", "detail"],
    "properties": {
        "name": {"type": "string"},
        "status": {"enum": ["ok", "degraded", "failing"]},
        "detail": {"type": "string"},
    },
}
_HEALTH: Final = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {
        "status": {"enum": ["ready", "degraded", "failing"]},
        "checks": {"type": "array", "items": _CHECK},
    },
}
_CHANGE: Final = {
    "type": "object",
    "required": ["cursor", "time", "event", "events", "patient"],
    "properties": {
        "cursor": {"type": "string", "description": "Give it as `after` to read what follows."},
        "time": {"type": "string", "format": "date-time"},
        "event": {"type": "string", "description": "What tells most of the change, as in `insigne identity history`."},
        "events": {"type": "array", "items": {"type": "string"}, "description": "Every event of the change."},
        "patient": {
            "description": "The person as they are now (FHIR R4 Patient, FR Core); the survivor of a merge.",
            "oneOf": [{"$ref": "#/components/schemas/Patient"}, {"type": "null"}],
        },
    },
}


def openapi(version: str, *, acts: bool = False, documents: bool = False) -> dict[str, Any]:
    """The document; `version` is that of the program, `acts` whether people act on identities here, `documents` whether
    documents are taken in.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "Insigne", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{"token": []}],
        "paths": {
            CHANGES_PATH: {"get": _changes()},
            PATH: {"get": _operation("This document", "describe", {"type": "object"})},
            **(act_paths() if acts else {}),
            **(document_paths() if documents else {}),
            "/health/live": {"get": _open("Whether the program runs", "live", {"type": "object"}, [])},
            "/health/ready": {"get": _open("Whether it can do its work", "ready", _HEALTH, ["503"])},
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`insigne token create --scope api.read`",
                },
                **({"person": PERSON} if acts else {}),
            },
            "schemas": {
                "Change": _CHANGE,
                "Patient": _PATIENT,
                "Problem": _PROBLEM,
                **(act_schemas() if acts else {}),
                **(document_schemas() if documents else {}),
            },
        },
    }


def _changes() -> dict[str, Any]:
    page = {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Change"}},
            "next": {
                "type": "string",
                "description": "The cursor to go on from; that of the request when it is empty.",
            },
        },
    }
    operation = _operation("What changed about people, in order (scope `api.read`)", "changes", page, ["400"])
    operation["parameters"] = [
        {
            "name": "after",
            "in": "query",
            "description": "A cursor; without it, from the beginning.",
            "schema": {"type": "string", "pattern": "^[0-9]{0,18}$"},
        },
        {
            "name": "limit",
            "in": "query",
            "description": "The most items.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
        },
    ]
    return operation


def _operation(summary: str, name: str, schema: dict[str, Any], refusals: list[str] | None = None) -> dict[str, Any]:
    answers = {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}
    for status in [*(refusals or []), "401", "403"]:
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        answers[status] = {"description": _REFUSALS[status], "content": {MEDIA_TYPE: problem}}
    return {"summary": summary, "operationId": name, "responses": answers}


def _open(summary: str, name: str, schema: dict[str, Any], refusals: list[str]) -> dict[str, Any]:
    """A path without authentication; a refusal has the same form as the answer."""
    content = {"application/json": {"schema": schema}}
    answers = {status: {"description": _REFUSALS[status], "content": content} for status in refusals}
    return {
        "summary": summary,
        "operationId": name,
        "security": [],
        "responses": {"200": {"description": "Yes", "content": content}, **answers},
    }


_REFUSALS: Final = {
    "400": "A parameter that cannot be used",
    "401": "No valid token",
    "403": "The token lacks the scope",
    "503": "No",
}
