"""What the acts of a person need from the rest of the program."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from insigne.access.attempts import FailureStore
from insigne.access.settings import AccessSettings
from insigne.access.users import UserStore
from insigne.exchange.apply import Registrar
from insigne.exchange.creation import Numbering
from insigne.fhir import Reader
from insigne.ins.proof import ProofRules
from insigne.insi.desk import HeldReader
from insigne.insi.jobs import Job
from insigne.insi.ports import InsiTransaction
from insigne.insi.settings import InsiSettings
from insigne.registry.settings import Policy
from insigne.registry.state import Identity, WorkItem
from insigne.registry.values import Authority
from insigne.registry.worklist_kinds import WorkFilter


class ActsView(Reader, HeldReader, Protocol):
    """The base at one moment."""

    def search(self, birth_date: str, *, name: str = "", given: str = "") -> Iterable[Identity]:
        """See `exchange.creation.Searching`."""
        ...

    def work_items(self, wanted: WorkFilter, *, limit: int, after: str) -> Sequence[WorkItem]:
        """Work items, oldest first, at most `limit`; `after` is the id of the last one of the page before."""
        ...

    def last_job(self, identity: str) -> Job | None:
        """The question to INSi about that identity that was asked last."""
        ...


class ActsTransaction(InsiTransaction, Numbering, Protocol):
    """A write transaction that also keeps questions to INSi and gives numbers; given up at the end of its `with`."""

    def __enter__(self) -> "ActsTransaction": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ActsStorage(Protocol):
    """Where identities and questions are kept."""

    def begin(self, wait: float | None = None) -> ActsTransaction:
        """See `exchange.ports.Storage.begin`; `wait` is in seconds."""
        ...


class People(UserStore, FailureStore, Protocol):
    """Users, and the wrong secrets given under their names."""


@dataclass(frozen=True)
class ActsDeps:
    """The dependencies of the acts; all are used from several threads at once.

    `authority` is the one under which identities are created here; `proofs` the documents the site accepts. INSi can
    be asked when `insi` has an endpoint.
    """

    storage: ActsStorage
    read: Callable[[], AbstractContextManager[ActsView]]
    registrar: Registrar
    authority: Authority
    policy: Policy
    proofs: ProofRules
    insi: InsiSettings
    people: People
    access: AccessSettings
    new_id: Callable[[], str]
