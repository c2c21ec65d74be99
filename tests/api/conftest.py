"""An interface over a registry in memory, with a token of each kind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from insigne.access import Scope, issue
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.health import Check, Health, Status
from insigne.ins.matricule import NIR_OID
from insigne.registry.index import identity_keys
from insigne.registry.state import HeldIdentifier, HeldIns, Identity
from insigne.registry.values import Authority, Identifier, Ins, Traits

from .acts_site import acts_empty, acts_nation, acts_start, counter

__all__ = ["acts_empty", "acts_nation", "acts_start", "counter"]

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
SINCE = "2026-03-01T08:00:00.000Z"
GAM = Authority("GAM", "1.2.250.1.999.7.1", "ISO")


class Base:
    """A registry in memory; `failure` is raised by whoever opens a view."""

    def __init__(self) -> None:
        self.people: dict[str, Identity] = {}
        self.failure: Exception | None = None

    def add(self, *identities: Identity) -> None:
        self.people.update((identity.id, identity) for identity in identities)

    @contextmanager
    def view(self) -> Iterator["Base"]:
        if self.failure is not None:
            raise self.failure
        yield self

    def identity(self, identity_id):
        return self.people.get(identity_id)

    def holders(self, key):
        return [i.id for i in self.people.values() if key in identity_keys(i)]

    def find_identity(self, authority, value, types):
        return [
            i.id
            for i in self.people.values()
            for held in i.identifiers
            if held.identifier.value == value
            and held.identifier.type in types
            and authority in (held.identifier.authority.universal_id, held.identifier.authority.namespace)
        ]

    def search(self, birth_date, *, name="", given="", sex="", ins="", limit=50):
        assert len(birth_date) == 10
        found = [
            i
            for i in self.people.values()
            if i.traits.birth_date == birth_date.replace("-", "")
            and i.traits.birth_name.startswith(name.upper())
            and i.traits.first_given_name.startswith(given.upper())
            and sex in ("", i.traits.sex)
        ]
        return iter(found[:limit])


class Tokens:
    """Tokens in memory."""

    def __init__(self) -> None:
        self.kept = {}
        self.refusals = []
        self.wait = 0.0

    def refused(self, address, token_id, reason, at):
        self.refusals.append((token_id, str(reason)))
        return self.wait

    def get(self, token_id):
        return self.kept.get(token_id)

    def add(self, token):
        self.kept[token.id] = token

    def list(self):
        return list(self.kept.values())

    def revoke(self, token_id, at):
        self.kept[token_id] = replace(self.kept[token_id], revoked=at)
        return True


@pytest.fixture
def world() -> SimpleNamespace:
    """The application with all it is made of; `token(scope)` makes a token."""
    base, tokens, clock = Base(), Tokens(), SimpleNamespace(now=NOW)
    made = iter(range(1, 200))

    def token(*scopes: Scope, lasts: timedelta | None = None) -> str:
        expires = None if lasts is None else clock.now + lasts
        text, kept = issue("test", scopes, random_bytes=bytes([next(made)]) * 40, now=clock.now, expires=expires)
        tokens.add(kept)
        return text

    checks = {"store": Check("store", Status.OK)}
    health = Health({"store": lambda: checks["store"]}, clock=lambda: next(made) * 10.0)
    deps = ApiDeps(reader=base.view, tokens=tokens, health=health, now=lambda: clock.now, started=NOW, version="0.1.0")
    app = create_app(deps)
    return SimpleNamespace(base=base, tokens=tokens, clock=clock, token=token, checks=checks, deps=deps, app=app)


@pytest.fixture
def anonymous(world) -> TestClient:
    """A client without a token."""
    return TestClient(world.app, base_url="http://127.0.0.1:8380", raise_server_exceptions=False)


@pytest.fixture
def client(world) -> TestClient:
    """A client that may read Patients."""
    headers = {"authorization": f"Bearer {world.token(Scope.FHIR_READ)}"}
    return TestClient(world.app, base_url="http://127.0.0.1:8380", headers=headers, raise_server_exceptions=False)


@pytest.fixture
def person() -> Callable[..., Identity]:
    """A qualified identity, with the fields given replaced."""

    def build(identity_id: str = "01JMARGOT", ipp: str = "4071", **changes) -> Identity:
        base = Identity(
            id=identity_id,
            domain=GAM.key,
            version=3,
            created=SINCE,
            updated="2026-03-02T09:30:00.250Z",
            traits=Traits("LESTREZ", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113"),
            identifiers=(HeldIdentifier(Identifier("PI", GAM, ipp), SINCE),),
            ins=HeldIns(Ins("285076311304226", NIR_OID), SINCE),
            checked=True,
        )
        return replace(base, **changes)

    return build
