"""What the HTTP interface needs from the rest of the program."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from insigne.access import TokenStore
from insigne.api.acts_deps import ActsDeps
from insigne.api.documents import DocumentDeps
from insigne.api.health import Health
from insigne.fhir import Reader
from insigne.fhir.changes import ChangeReader
from insigne.ins.cog import Cog
from insigne.registry.state import Identity


class IdentityReader(Reader, ChangeReader, Protocol):
    """A view of the registry at one moment."""

    def search(
        self,
        birth_date: str,
        *,
        name: str = "",
        given: str = "",
        sex: str = "",
        ins: str = "",
        limit: int = 50,
    ) -> Iterable[Identity]:
        """Identities born on `birth_date` (YYYY-MM-DD), whose names begin as given, in a stable order."""
        ...


@dataclass(frozen=True)
class ApiDeps:
    """The dependencies of the application. `reader` and `tokens` are used from several threads at once.

    `now` is an aware present; `started` when this program did. `public_url` replaces the address a request came to.
    `guests` are applications served under a prefix (`/enrol`) that authenticate their requests themselves. `acts` is
    None where nobody acts on identities: for another role than `ri`.
    """

    reader: Callable[[], AbstractContextManager[IdentityReader]]
    tokens: TokenStore
    health: Health
    now: Callable[[], datetime]
    started: datetime
    version: str
    cog: Callable[[], Cog | None] = lambda: None
    public_url: str = ""
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    guests: Mapping[str, ASGIApp] = field(default_factory=dict)
    acts: ActsDeps | None = None
    documents: DocumentDeps | None = None
    """What takes documents; None for another role than `pfi`."""
