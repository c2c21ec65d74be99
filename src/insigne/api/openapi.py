"""The description of the JSON interface (OpenAPI 3.1). FHIR describes itself at `/fhir/R4/metadata`."""

from typing import Any, Final

from insigne.api.changes import DEFAULT_LIMIT, MOST_LIMIT
from insigne.api.changes import PATH as CHANGES_PATH

PATH: Final = "/api/v1/openapi.json"

_ERROR: Final = {
    "type": "object",
    "required": ["error", "status"],
    "properties": {"error": {"type": "string"}, "status": {"type": "integer"}},
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
            "oneOf": [
                {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"const": "Patient"}}},
                {"type": "null"},
            ],
        },
    },
}


def openapi(version: str) -> dict[str, Any]:
    """The document; `version` is that of the program."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Insigne", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{"token": []}],
        "paths": {
            CHANGES_PATH: {"get": _changes()},
            PATH: {"get": _operation("This document", "describe", {"type": "object"})},
            "/health/live": {"get": _open("Whether the program runs", "live", {"type": "object"}, [])},
            "/health/ready": {"get": _open("Whether it can do its work", "ready", _HEALTH, ["503"])},
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`insigne token create --scope api.read`",
                }
            },
            "schemas": {"Change": _CHANGE, "Error": _ERROR},
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
        error = {"schema": {"$ref": "#/components/schemas/Error"}}
        answers[status] = {"description": _REFUSALS[status], "content": {"application/json": error}}
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
