"""What the acts of a person share over HTTP: who asks about whom, the transaction, and the Patient afterwards."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from insigne.access.users import User
from insigne.api.acts_deps import ActsDeps, ActsTransaction, ActsView
from insigne.api.deps import ApiDeps
from insigne.api.patients import fhir_base
from insigne.api.problems import Problem
from insigne.api.responses import fhir_response
from insigne.fhir import merged_named, named, patient_of
from insigne.ins.remarks import Remark
from insigne.registry.acts import Act
from insigne.registry.decision import Fault, Subject
from insigne.registry.refusals import refused
from insigne.registry.source import Source
from insigne.registry.state import Identity

PATH: Final = "/api/v1/identities"
REMARKS: Final = "Insigne-Remarks"
"""Header of an answer: codes of what there is to say beside the Patient, parted by commas."""

_PATIENCE: Final = 5.0  # seconds that an act waits for other writers of the base
_TAG: Final = re.compile(r'(?:W/)?"([1-9][0-9]{0,17})"')


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, its body, and the person who makes it, who has the right."""

    request: Request
    body: bytes
    user: User

    def version(self, *, required: bool = True) -> int:
        """The version of the identity the person saw, by If-Match; 0 for `*`. Raises Problem (400, 428)."""
        told = self.request.headers.get("if-match", "").strip()
        if told == "*" or not (told or required):
            return 0
        found = _TAG.fullmatch(told)
        if found is not None:
            return int(found[1])
        if told:
            raise Problem(
                400,
                "if-match",
                'If-Match: expected one version, like W/"3", or *',
                'If-Match : une version est attendue, comme W/"3", ou *',
            )
        raise Problem(
            428,
            "if-match",
            "If-Match is needed: the ETag of the Patient that was seen, or * for whatever it is now",
            "If-Match est nécessaire : l’ETag du Patient consulté, ou * quel que soit son état",
        )


class ActsDesk:
    """The base as a person acts on it. Threads may share it."""

    def __init__(self, api: ApiDeps, deps: ActsDeps) -> None:
        self.deps = deps
        self._api = api

    def today(self) -> date:
        """The day it is, in UTC as everywhere in the journal."""
        return self._api.now().astimezone(UTC).date()

    def moment(self) -> datetime:
        """The present, aware."""
        return self._api.now()

    def now(self) -> str:
        """The present, RFC 3339 UTC with milliseconds."""
        return self._api.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def found(self, asked: Asked, *, required: bool = True) -> tuple[Identity, int]:
        """The standing identity of the route, and the version the act is for. Raises Problem, Refused.

        A version that was seen is that of one identity: it is not looked for on the one this was merged into since.
        """
        seen = asked.version(required=required)
        with self.deps.read() as view:
            identity = self.named(view, str(asked.request.path_params["id"]), itself=bool(seen))
        if seen and seen != identity.version:
            raise refused("version", Fault.CONFLICT, Subject.PATIENT)
        return identity, identity.version

    def named(self, view: ActsView, text: str, *, itself: bool = False) -> Identity:
        """The standing identity that a text names; with `itself`, not by one that was merged into it.

        Raises Problem (409 when it names several), Refused (404, 409 for a merged one).
        """
        found = named(view, text, self.deps.policy.universal)
        if not found:
            raise refused("unknown-identity", Fault.UNKNOWN_KEY, Subject.PATIENT)
        if itself and merged_named(view, text, self.deps.policy.universal):
            raise refused("merged", Fault.CONFLICT, Subject.PATIENT)
        return _only(found)

    def ids(self, view: ActsView, texts: Iterable[str]) -> frozenset[str]:
        """The ids that texts name: ids as they stand, and those of the identities found by them or by an identifier."""
        universal = self.deps.policy.universal
        return frozenset(id_ for text in texts for id_ in (text, *(one.id for one in named(view, text, universal))))

    def merged(self, view: ActsView, text: str) -> Identity:
        """The merged identity that a text names. Raises as `named`."""
        found = merged_named(view, text, self.deps.policy.universal)
        if not found:
            raise refused("not-merged", Fault.UNKNOWN_KEY, Subject.PATIENT)
        return _only(found)

    def writing(self) -> AbstractContextManager[ActsTransaction]:
        """A write transaction. Raises StoreBusy when others hold the base for too long."""
        return self.deps.storage.begin(_PATIENCE)

    def source(self, user: User) -> Source:
        """This person, now."""
        return Source(self.now(), user.author, "user", user.name, local=True)

    def act(self, asked: Asked, *acts: Act) -> str:
        """Do these acts, all or none; the id of the identity concerned. Raises Refused."""
        return self.act_on(asked, lambda _: acts)

    def act_on(self, asked: Asked, decided: Callable[[ActsTransaction], Sequence[Act]]) -> str:
        """As `act`, acts that depend on what the base holds, which nobody changes meanwhile, or that write with it."""
        source = self.source(asked.user)
        with self.writing() as transaction:
            wanted = [(act, source) for act in decided(transaction)]
            decisions = self.deps.registrar.act_within(transaction, wanted)
            transaction.commit()
        return decisions[0].subject

    def shown(
        self,
        asked: Asked,
        identity_id: str,
        remarks: Iterable[Remark] = (),
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The Patient as it is now, its version, and the codes of the remarks."""
        with self.deps.read() as view:
            identity = view.identity(identity_id)
            if identity is None:
                raise LookupError(f"identity {identity_id} was just acted on and is not stored")
            patient = patient_of(view.identity, identity, self._api.cog())
        address = f"{fhir_base(asked.request, self._api.public_url)}/Patient/{patient['id']}"
        told = {"etag": f'W/"{patient["meta"]["versionId"]}"', "content-location": address, **(headers or {})}
        if status == 201:
            told["location"] = address
        codes = ", ".join(dict.fromkeys(remark.code for remark in remarks))
        if codes:
            told[REMARKS] = codes
        return fhir_response(patient, status, told)

    def patients(self, view: ActsView, identities: Iterable[Identity]) -> list[dict[str, object]]:
        """The Patients of identities, each once."""
        built = (patient_of(view.identity, identity, self._api.cog()) for identity in identities)
        return list({patient["id"]: patient for patient in built}.values())


def _only(found: Sequence[Identity]) -> Identity:
    """The one identity found. Raises Problem (409) when there are several."""
    if len(found) > 1:
        raise Problem(
            409,
            "ambiguous",
            "several identities have this identifier: name one by its id",
            "plusieurs identités portent cet identifiant : désignez-en une par son id",
            more={"identities": [identity.id for identity in found]},
        )
    return found[0]
