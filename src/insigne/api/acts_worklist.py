"""`/api/v1/worklist`: what waits for a person; listed, shown, assigned and settled on behalf of a named person."""

from typing import Any, Final

from msgspec import Raw
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from insigne.access.users import User
from insigne.api import acts_bodies as bodies
from insigne.api.acts_bodies import read
from insigne.api.acts_deps import ActsView
from insigne.api.acts_desk import ActsDesk, Asked
from insigne.api.problems import Error, Problem, of_status
from insigne.api.responses import json_response
from insigne.exchange.work import told
from insigne.registry import acts
from insigne.registry.decision import Fault, Subject
from insigne.registry.refusals import refused
from insigne.registry.state import WorkItem
from insigne.registry.worklist_kinds import KINDS, WorkFilter

PATH: Final = "/api/v1/worklist"
ITEM_PATH: Final = f"{PATH}/{{item}}"
DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 1000
STATES: Final = ("open", "closed")
PARAMETERS: Final = ("kind", "assignee", "identity", "state", "after", "limit")

_LONGEST: Final = 200


def list_(desk: ActsDesk, asked: Asked) -> Response:
    """A page of items, oldest first, as `{"items": […], "next"}`: `next` is the `after` of the page that follows."""
    given = _given(asked.request)
    limit = max(1, min(int(given["limit"] or DEFAULT_LIMIT), MOST_LIMIT))
    with desk.deps.read() as view:
        subject = desk.named(view, given["identity"]).id if given["identity"] else ""
        wanted = WorkFilter(given["kind"], given["assignee"].lower(), subject)
        if given["state"] == "closed":
            wanted = replace(wanted, state="closed")
        found = view.work_items(wanted, limit=limit, after=given["after"])
    items = [told(item, desk.moment()) for item in found]
    return json_response({"items": items, "next": found[-1].id if len(found) == limit else None})


def show(desk: ActsDesk, asked: Asked) -> Response:
    """An item, the people it is about and what it holds back."""
    with desk.deps.read() as view:
        item = _found(view, asked)
        people = [one for one in map(view.identity, item.subjects) if one is not None]
        document = told(item, desk.moment()) | {"patients": desk.patients(view, people), "held": Raw(item.held)}
    return json_response(document)


def assign(desk: ActsDesk, asked: Asked) -> Response:
    """The item is given to somebody, or to nobody."""
    name = read(asked.body, bodies.Assign).assignee.lower()
    if name and not _is_active(desk.deps.people.get(name)):
        fault = Error("assignee", "user", "name an active user", "Nommez un utilisateur actif")
        raise Problem(422, "assignee", "no such user, or disabled", "aucun utilisateur actif n’a ce nom", [fault])
    desk.act(asked, acts.AssignWorkItem(_id(asked), name))
    return _shown(desk, asked)


def close(desk: ActsDesk, asked: Asked) -> Response:
    """The item is settled; what was held back is applied or dropped."""
    body = read(asked.body, bodies.Close)
    desk.act(asked, acts.CloseWorkItem(_id(asked), body.outcome, body.apply, body.seen))
    return _shown(desk, asked)


def _shown(desk: ActsDesk, asked: Asked) -> Response:
    with desk.deps.read() as view:
        return json_response(told(_found(view, asked), desk.moment()))


def _found(view: ActsView, asked: Asked) -> WorkItem:
    """The item of the route. Raises Refused (404)."""
    item = view.work_item(_id(asked))
    if item is None:
        raise refused("unknown-item", Fault.UNKNOWN_KEY, Subject.PATIENT)
    return item


def _id(asked: Asked) -> str:
    return str(asked.request.path_params["item"])


def _is_active(user: User | None) -> bool:
    return user is not None and user.disabled is None


def _given(request: Request) -> dict[str, Any]:
    """The parameters of a list, "" where nothing is said. Raises Problem (400)."""
    query = request.query_params
    given = {name: query.get(name, "") for name in PARAMETERS}
    limit = given["limit"]
    wrong = [name for name in query if name not in PARAMETERS or len(query.getlist(name)) > 1]
    wrong += [name for name, value in given.items() if len(value) > _LONGEST]
    wrong += ["kind"] if given["kind"] and given["kind"] not in KINDS else []
    wrong += ["state"] if given["state"] and given["state"] not in STATES else []
    wrong += ["limit"] if limit and not (limit.isascii() and limit.isdecimal() and len(limit) < 9) else []
    if wrong:
        raise of_status(400, f"{wrong[0]}: see the parameters of {PATH} in openapi.json; each is given once")
    return given
