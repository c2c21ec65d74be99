"""The description of the acts in the OpenAPI document: bodies from their types, the rest from one table."""

from typing import Any, Final

import msgspec

from insigne.api import acts_worklist as worklist
from insigne.api.acts import ACTS, ANSWER_PATH, WORK, Served
from insigne.api.acts_desk import REMARKS
from insigne.api.acts_person import HEADER
from insigne.api.gate import LARGEST_BODY
from insigne.api.problems import MEDIA_TYPE
from insigne.registry.worklist_kinds import KINDS

PERSON: Final = {
    "type": "apiKey",
    "in": "header",
    "name": HEADER,
    "description": "The person who acts: `Basic base64(name:secret)`, of a user made by `insigne user add`.",
}
_IDENTITY: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id of the identity, or AUTHORITY|VALUE (the bar written %7C).",
    "schema": {"type": "string"},
}
_VERSION: Final = {
    "name": "If-Match",
    "in": "header",
    "description": 'The ETag of the Patient that was seen, like W/"3"; * for whatever it is now.',
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"[1-9][0-9]{0,17}")$'},
}
_UNVERSIONED: Final = frozenset({"", "retrieve-ins", "verify-ins", "unmerge"})
_QUEUED: Final = frozenset({"retrieve-ins", "verify-ins"})
_REFUSALS: Final = {
    "400": "The body is not JSON, or If-Match is not a version",
    "401": "No valid token, or nobody named who acts",
    "403": "The token lacks `api.write`, or the person the right",
    "404": "No such identity",
    "409": "It changed or was merged since it was seen, another answer came, somebody alike is known",
    "413": f"More than {LARGEST_BODY} bytes",
    "415": "The body is not application/json",
    "422": "A rule refuses it: `errors` lists every fault",
    "428": "If-Match is missing",
    "429": "Too many wrong secrets or tokens: wait",
    "503": "The base or INSi cannot be used now",
}
_READ: Final = ["400", "401", "403", "404", "409", "429", "503"]
_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_ITEM: Final = {"name": "item", "in": "path", "required": True, "schema": _TEXT}
_TASK: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("id", "label", "label_fr", "assignee", "cause", "outcome"), _TEXT),
        "kind": {"type": "string", "enum": list(KINDS)},
        "age_days": {"type": "integer"},
        "messages": {"type": "integer", "description": "How many messages it held back: give it as `seen`."},
        "superseded": {"type": "boolean", "description": "It holds nothing any more: its sender said otherwise."},
        "opened": {"type": "string", "format": "date-time"},
        "closed": _TEXT_OR_NULL,
        "subjects": {"type": "array", "items": _TEXT, "description": "Ids of identities."},
        "next": {"type": "array", "items": _TEXT, "description": "What may be done, in the usual order."},
    },
}
_FILTERS: Final[dict[str, Any]] = {
    **dict.fromkeys(("assignee", "identity", "after"), _TEXT),
    "kind": {"type": "string", "enum": list(KINDS)},
    "state": {"type": "string", "enum": list(worklist.STATES)},
    "limit": {"type": "integer", "minimum": 1, "maximum": worklist.MOST_LIMIT, "default": worklist.DEFAULT_LIMIT},
}
_ANSWER: Final = {
    "type": "object",
    "required": ["identity", "question", "answer"],
    "properties": {
        "identity": {"type": "string"},
        "question": {"type": ["object", "null"], "description": "The question asked last, and its state."},
        "answer": {
            "type": ["object", "null"],
            "description": "The answer that waits for a person: its call, its verdict, a line a trait.",
            "properties": {
                "call": {"type": "string", "description": "Give it to accept or refuse."},
                "verdict": {"type": "string"},
                "comparison": {"type": "array", "items": {"type": "object"}},
                "first_given_names": {"type": "array", "items": {"type": "string"}},
                "held_by": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}


def paths() -> dict[str, Any]:
    """The paths of the acts."""
    described: dict[str, Any] = {one.path: {"post": _act(one)} for one in ACTS}
    read = _operation(
        "What INSi answered, beside what is held, to be compared with the person (right `identity.read`)",
        "insi-answer",
        [_IDENTITY],
        {"200": {"description": "Done", "content": {"application/json": {"schema": _ANSWER}}}},
        ["401", "403", "404", "409", "429", "503"],
    )
    return described | {ANSWER_PATH: {"get": read}} | _worklist()


def schemas() -> dict[str, Any]:
    """The bodies of the acts."""
    kinds = [one.body for one in (*ACTS, *WORK)]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return dict(components)


def _worklist() -> dict[str, Any]:
    """The paths of the work lists."""
    page = {"type": "object", "properties": {"items": {"type": "array", "items": _TASK}, "next": _TEXT_OR_NULL}}
    shown = _TASK | {"properties": _TASK["properties"] | {"patients": {"type": "array"}, "held": {}}}
    parameters = [{"name": name, "in": "query", "schema": _FILTERS[name]} for name in worklist.PARAMETERS]
    listed = _operation("What waits, oldest first (right `identity.read`)", "worklist", parameters, _done(page), _READ)
    one = _operation("An item and the people it is about (right `identity.read`)", "item", [_ITEM], _done(shown), _READ)
    described: dict[str, Any] = {worklist.PATH: {"get": listed}, worklist.ITEM_PATH: {"get": one}}
    for act in WORK:
        summary = f"{(act.body.__doc__ or '').partition('.')[0]} (right `{act.right}`)"
        refusals = [name for name in _REFUSALS if name != "428"]
        operation = _operation(summary, act.name, [_ITEM], _done(_TASK), refusals)
        described[act.path] = {"post": operation | {"requestBody": _body(act)}}
    return described


def _done(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}


def _body(one: Served) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{one.body.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _act(one: Served) -> dict[str, Any]:
    status = "201" if not one.name else "202" if one.name in _QUEUED else "200"
    patient = {"$ref": "#/components/schemas/Patient"}
    answer = {
        "description": "The Patient afterwards",
        "headers": {
            "ETag": {"description": "Its version", "schema": {"type": "string"}},
            REMARKS: {"description": "Codes of what there is to say", "schema": {"type": "string"}},
        },
        "content": {"application/fhir+json": {"schema": patient}},
    }
    parameters = [_IDENTITY] if one.name else []
    refusals = [name for name in _REFUSALS if name != "428"]
    if one.name:
        parameters = [_IDENTITY, _VERSION | {"required": one.name not in _UNVERSIONED}]
    if one.name not in _UNVERSIONED:
        refusals = list(_REFUSALS)
    summary = f"{(one.body.__doc__ or '').partition('.')[0]} (right `{one.right}`)"
    operation = _operation(summary, one.name or "create", parameters, {status: answer}, refusals)
    return operation | {"requestBody": _body(one)}


def _operation(
    summary: str, name: str, parameters: list[dict[str, Any]], answers: dict[str, Any], refusals: list[str]
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    said = {status: {"description": _REFUSALS[status], "content": problem} for status in refusals}
    return {
        "summary": summary,
        "operationId": name,
        "security": [{"token": [], "person": []}],
        "parameters": parameters,
        "responses": answers | said,
    }
