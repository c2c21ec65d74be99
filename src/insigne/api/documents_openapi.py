"""The description of `POST /api/v1/documents` in the OpenAPI document: its bodies from their types."""

from typing import Any, Final

import msgspec

from insigne.api.documents import METADATA, PATH
from insigne.api.problems import MEDIA_TYPE
from insigne.dmp.intake.ticket import Sending
from insigne.documents.cda.description import Description

_REFUSALS: Final = {
    "400": "The request cannot be read",
    "401": "No valid token",
    "403": "The token lacks `document.write`",
    "404": "No such patient (902)",
    "408": "The body came too late",
    "409": "Not the latest version, or another content under the same id (900)",
    "413": "The document is larger than this token may send",
    "415": "Another media type",
    "422": "The document is refused (901, 903 to 906): `errors` lists every fault",
    "503": "The base does not answer now",
}
_METADATA: Final = "DocumentMetadata"
_TAKEN: Final = {
    "type": "object",
    "required": ["document", "unique_id", "identity", "sendings"],
    "properties": {
        "document": {"type": "string"},
        "unique_id": {"type": "string", "description": "The OID of this version."},
        "identity": {"type": "string"},
        "sendings": {
            "type": "array",
            "description": "Where it goes, in the state each begins with (`insigne document list`).",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("id", "channel", "action", "state", "reason")},
            },
        },
    },
}


def paths() -> dict[str, Any]:
    """The path."""
    metadata = {"$ref": f"#/components/schemas/{_METADATA}"}
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {
        "type": "object",
        "required": ["metadata"],
        "properties": {"metadata": metadata, "document": binary["schema"]},
    }
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = {
        "201": {"description": "Taken", "content": {"application/json": {"schema": _TAKEN}}},
        **{status: {"description": text, "content": problem} for status, text in _REFUSALS.items()},
    }
    return {
        PATH: {
            "post": {
                "summary": "Take a document in (scope `document.write`)",
                "operationId": "submit-document",
                "parameters": [
                    {
                        "name": METADATA,
                        "in": "header",
                        "description": "Base64 of the metadata, when the body is the document itself.",
                        "schema": {"type": "string"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": form,
                            "encoding": {"metadata": {"contentType": "application/json"}},
                        },
                        "application/pdf": binary,
                        "text/xml": binary,
                        "application/json": {"schema": metadata},
                    },
                },
                "responses": answers,
            }
        }
    }


def schemas() -> dict[str, Any]:
    """The metadata: the description of a PDF (none for a CDA), and what is to be done."""
    _, components = msgspec.json.schema_components(
        (Description, Sending), ref_template="#/components/schemas/Document{name}"
    )
    named = {f"Document{name}": schema for name, schema in components.items()}
    described = named["DocumentDescription"]["properties"]
    metadata = {
        "type": "object",
        "description": "The keys of a description stand beside these two; a CDA needs none of them.",
        "required": ["identity"],
        "properties": {
            **described,
            "identity": {"type": "string", "description": "AUTHORITY|VALUE, or the id of the identity."},
            "sending": {"$ref": "#/components/schemas/DocumentSending"},
        },
        "additionalProperties": False,
    }
    return {**named, _METADATA: metadata}
