"""`/api/v1/identities…`, `/api/v1/worklist…`: the acts of a named person, as `insigne identity` and `worklist` do.

A route is an act: `POST /api/v1/identities/{id}/ACT`. It answers the Patient of `identity show` afterwards, or problem
details. It wants the token of an application (scope `api.write`) and the person who acts (`acts_person`), with the
right of the table below. Handlers run in threads.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insigne.access import Right, Scope
from insigne.api import acts_bodies as bodies
from insigne.api import acts_identity as on_identity
from insigne.api import acts_qualification as on_status
from insigne.api import acts_worklist as worklist
from insigne.api.acts_deps import ActsDeps
from insigne.api.acts_desk import PATH, ActsDesk, Asked
from insigne.api.acts_person import Persons
from insigne.api.deps import ApiDeps
from insigne.api.gate import secured, written
from insigne.api.problems import Problem, of_entry, of_refusal
from insigne.exchange.desk import EntryRefused
from insigne.registry.decision import Refused

Act = Callable[[ActsDesk, Asked], Response]


class Served(NamedTuple):
    """An act as it is served: its name in the path ("" for creating), what does it, the right, the body it takes.

    `under`: what its path begins with.
    """

    name: str
    act: Act
    right: Right
    body: type[bodies.Body]
    under: str = f"{PATH}/{{id}}"

    @property
    def path(self) -> str:
        """The template of its route."""
        return f"{self.under}/{self.name}" if self.name else PATH


ACTS: Final = (
    Served("", on_identity.create, Right.IDENTITY_CREATE, bodies.Create),
    Served("edit", on_identity.edit, Right.IDENTITY_EDIT, bodies.Edit),
    Served("set-attribute", on_identity.set_attribute, Right.IDENTITY_ATTRIBUTE, bodies.SetAttribute),
    Served("merge", on_identity.merge, Right.IDENTITY_MERGE, bodies.Merge),
    Served("unmerge", on_identity.unmerge, Right.IDENTITY_MERGE, bodies.Unmerge),
    Served("retrieve-ins", on_status.retrieve_ins, Right.INSI_CALL, bodies.RetrieveIns),
    Served("verify-ins", on_status.verify_ins, Right.INSI_CALL, bodies.VerifyIns),
    Served("accept", on_status.accept, Right.IDENTITY_QUALIFY, bodies.Accept),
    Served("refuse", on_status.refuse, Right.IDENTITY_QUALIFY, bodies.Refuse),
    Served("record-proof", on_status.record_proof, Right.IDENTITY_QUALIFY, bodies.RecordProof),
    Served("qualify-by-card", on_status.qualify_by_card, Right.IDENTITY_QUALIFY, bodies.QualifyByCard),
    Served("read-data-matrix", on_status.read_data_matrix, Right.IDENTITY_QUALIFY, bodies.ReadDataMatrix),
)
WORK: Final = (
    Served("assign", worklist.assign, Right.WORKLIST, bodies.Assign, worklist.ITEM_PATH),
    Served("close", worklist.close, Right.WORKLIST, bodies.Close, worklist.ITEM_PATH),
)
ANSWER_PATH: Final = f"{PATH}/{{id}}/insi-answer"


class Acts:
    """The handlers of every act."""

    def __init__(self, api: ApiDeps, deps: ActsDeps) -> None:
        self._desk = ActsDesk(api, deps)
        self._persons = Persons(deps.people, deps.access, api.now)

    def routes(self) -> list[Route]:
        """The routes, each open to tokens of scope `api.write` and to persons with its right."""
        served = [written(one.path, self._handler(one.act, one.right), Scope.API_WRITE) for one in (*ACTS, *WORK)]
        return [
            *served,
            self._read(ANSWER_PATH, on_status.insi_answer),
            self._read(worklist.PATH, worklist.list_),
            self._read(worklist.ITEM_PATH, worklist.show),
        ]

    def _read(self, path: str, reading: Act) -> Route:
        handle = self._handler(reading, Right.IDENTITY_READ)
        return secured(path, lambda request: handle(request, b""), Scope.API_WRITE)

    def _handler(self, act: Act, right: Right) -> Callable[[Request, bytes], Response]:
        def handle(request: Request, body: bytes) -> Response:
            try:
                user = self._persons.acting(request.headers, right)
                return act(self._desk, Asked(request, body, user))
            except Problem as problem:
                return problem.response()
            except EntryRefused as refused:
                return of_entry(refused).response()
            except Refused as refused:
                return of_refusal(refused).response()

        return handle
