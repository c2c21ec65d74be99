"""The page of enrolment over a real base, on the HTTP port, with a clock of its own and an invited person."""

import itertools
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import lxml.html
import pytest
from starlette.testclient import TestClient

from insigne.access.invitations import Invitation, generate_invitation
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.health import Health
from insigne.exchange.apply import Registrar
from insigne.ins.cog import bundled_cog
from insigne.registry.settings import Policy
from insigne.registry.values import Authority
from insigne.store import open_store
from insigne.store.migrate import upgrade
from insigne.store.tokens import StoredTokens
from insigne.web.enrolment import PREFIX
from insigne.web.enrolment.desk import Desk
from insigne.web.enrolment.places import PlaceNames
from insigne.web.enrolment.view import EnrolmentPage
from insigne.web.settings import EnrolmentSettings

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
OURS = Authority("INSIGNE")
ODETTE = {
    "birth_name": "Rouvière",
    "first_given_name": "Odette",
    "other_given_names": "Paule, Inès",
    "sex": "F",
    "birth_day": "30",
    "birth_month": "5",
    "birth_year": "1961",
    "birth_town": "Nanterre",
    "birth_department": "92",
    "birth_country": "",
    "used_name": "Belcastel",
    "phone": "06 39 98 12 34",
    "email": "odette@exemple.fr",
}


@pytest.fixture(scope="session")
def places():
    return PlaceNames(bundled_cog())


class Site:
    """A base, its page, and what a person or a professional does with them."""

    def __init__(self, folder, **settings) -> None:
        url = f"sqlite:///{folder / 'insigne.db'}"
        upgrade(url)
        self.store = open_store(url, wait=5)
        self.now = NOW
        self.seconds = 0.0
        self._ids = (f"{n:026d}" for n in itertools.count(1))
        self._bytes = itertools.count(1)
        self.registrar = Registrar(self.store, Policy(own=frozenset({"INSIGNE"})), lambda: next(self._ids))
        self.desk = Desk(self.store, self.store.read, self.registrar, OURS, lambda: self.now)
        self.page = EnrolmentPage(
            self.desk,
            EnrolmentSettings(
                **{"organisation": "Clinique des Tilleuls", "contact": "dpo@tilleuls.example"} | settings
            ),
            cog=bundled_cog,
            now=lambda: self.now,
            clock=lambda: self.seconds,
        )
        deps = ApiDeps(
            reader=self.store.read,
            tokens=StoredTokens(self.store),
            health=Health({}, clock=lambda: 0.0),
            now=lambda: self.now,
            started=NOW,
            version="0",
            guests={PREFIX: self.page},
        )
        self.app = create_app(deps)

    def invite(self, **changes) -> str:
        """The token of a new invitation."""
        token, token_hash = generate_invitation(bytes([next(self._bytes)]) * 32)
        invitation = Invitation(
            **{
                "id": f"INV{next(self._bytes)}",
                "token_hash": token_hash,
                "created": NOW,
                "expires": NOW + timedelta(days=7),
                "author": "user:claire",
            }
            | changes
        )
        with self.store.begin() as transaction:
            transaction.put_invitation(invitation)
            transaction.commit()
        return token

    def client(self, **options) -> TestClient:
        return TestClient(self.app, base_url="https://insigne.example", raise_server_exceptions=False, **options)

    def identities(self, born="1961-05-30"):
        with self.store.read() as view:
            return list(view.search(born))

    def work(self):
        with self.store.read() as view:
            return view.work_items()

    def invitations(self):
        with self.store.read() as view:
            return view.invitations()

    def history(self, identity):
        with self.store.read() as view:
            return list(view.history(identity))


@pytest.fixture
def make_site(tmp_path):
    """Makes a site with the settings given."""
    made = []

    def make(**settings):
        made.append(Site(tmp_path, **settings))
        return made[-1]

    yield make
    for site in made:
        site.store.close()


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def phone(site):
    """A person with an invitation: sees the page, sends it."""
    token, client = site.invite(), site.client()

    def send(step="check", **changes):
        return client.post(f"/enrol/{token}", data=ODETTE | changes | {"step": step})

    return SimpleNamespace(token=token, client=client, send=send, see=lambda: client.get(f"/enrol/{token}"))


@pytest.fixture
def read():
    """The document of a page, and the errors it shows by field."""

    def parse(response):
        document = lxml.html.document_fromstring(response.text)
        errors = {
            node.get("id").removesuffix("-error"): " ".join(node.text_content().split()).removeprefix("Erreur : ")
            for node in document.iter("p")
            if node.get("class") == "error"
        }
        return SimpleNamespace(document=document, errors=errors, text=" ".join(document.text_content().split()))

    return parse
