"""A server with the acts of persons over a base of its own, and a simulated téléservice: for tests over real HTTP."""

import base64
import http.client
import json
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import fhirkit
import pytest
from prometheus_client import CollectorRegistry

from insigne.access import Scope, issue
from insigne.api.app import create_app
from insigne.api.deps import ApiDeps
from insigne.api.health import Health
from insigne.api.server import HttpServer
from insigne.api.settings import HttpSettings
from insigne.app.acts import acts_of
from insigne.app.base import open_base
from insigne.app.insi import insi_service
from insigne.config import load
from insigne.ins.cog import bundled_cog
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import ALL_WELL
from insigne.simulate.insi.simulator import SimulatorSettings
from insigne.store import upgrade
from insigne.store.accounts import StoredUsers
from insigne.store.tokens import StoredTokens

from ..status_matrix import user

SECRET = "un secret bien long"
TRAITS = {
    "birth_name": "ADRUN", "first_given_name": "ZOE", "sex": "F", "birth_date": "1975-12-31", "birth_place": "63220",
}  # fmt: skip


@pytest.fixture(scope="session")
def acts_nation(tmp_path_factory):
    """The simulated téléservice, over TLS."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("nation"))) as service:
        yield service


@pytest.fixture(scope="session")
def acts_empty(tmp_path_factory):
    """A base with users and nobody else, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    upgrade(f"sqlite:///{folder}/insigne.db")
    base = open_base(load(None, [], {}, folder))
    users = StoredUsers(base.store)
    for name, role in (("claire", "identitovigilance"), ("adele", "accueil"), ("quentin", "qualifieur")):
        assert users.add(user(name, role, SECRET))
    base.close()
    return folder


class Site:
    """A server over a base of its own, and the applications and people that use it."""

    def __init__(self, folder, nation, *settings) -> None:
        ready, client = nation.ready, nation.ready["clients"]["INSI-MANU"]
        told = [
            f"insi.endpoint={ready['url']}", f"insi.idam={ready['idam']}", f"insi.tls.ca_file={ready['ca']}",
            f"insi.tls.cert_file={client['cert']}", f"insi.tls.key_file={client['key']}",
            "insi.verification.adapter=simulation", f"insi.verification.endpoint={ready['verification']}", *settings,
        ]  # fmt: skip
        self.base = open_base(load(None, told, {}, folder), wait=5)
        self.now = datetime.now(UTC)
        tokens = StoredTokens(self.base.store, refusals_a_minute=20)
        self.tokens = {}
        for number, scope in enumerate(Scope):
            text, token = issue(scope, [scope], random_bytes=bytes([number + 1]) * 40, now=self.now)
            tokens.add(token)
            self.tokens[scope] = text
        deps = ApiDeps(
            reader=self.base.store.read, tokens=tokens, health=Health({}), now=lambda: self.now, started=self.now,
            version="0.1.0", cog=bundled_cog, metrics=CollectorRegistry(), acts=acts_of(self.base),
        )  # fmt: skip
        self.server = HttpServer(create_app(deps), HttpSettings(port=0))
        self.address = self.server.start()

    def close(self):
        self.server.stop()
        self.base.close()

    def send(self, method, path, body=b"", **headers):
        """Send a request as it stands; the answer, its headers and its document."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        document = json.loads(text) if text else None
        return SimpleNamespace(status=answer.status, headers=answer.headers, json=document, text=text.decode())

    def post(self, path, body=None, *, by="claire", secret=SECRET, seen="*", scope=Scope.API_WRITE, method="POST"):
        """An act of a person who saw this version."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.tokens[scope]}"}
        if by:
            headers["Insigne-As"] = "Basic " + base64.b64encode(f"{by}:{secret}".encode()).decode()
        if seen:
            headers["If-Match"] = seen
        text = json.dumps({} if body is None else body) if method == "POST" else ""
        answer = self.send(method, f"/api/v1/identities{path}", text.encode(), **headers)
        if answer.status < 300 and answer.json.get("resourceType"):
            assert fhirkit.validate(answer.json) == []
            assert answer.headers["etag"] == f'W/"{answer.json["meta"]["versionId"]}"'
        elif answer.status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.json["status"], bool(answer.json["detail_fr"])) == (answer.status, True)
        return answer

    def create(self, none_of=(), **more):
        return self.post("", {"traits": TRAITS, "none_of": list(none_of), **more}, seen="")

    def answer(self, identity):
        """What INSi answered, as the person compares it."""
        return self.post(f"/{identity}/insi-answer", method="GET").json

    def worked(self):
        """The server works through its queue."""
        service = insi_service(self.base, automatic=False)
        try:
            assert service.work() == 1
        finally:
            service.close()


@pytest.fixture
def acts_start(acts_empty, tmp_path, acts_nation):
    """Start a site with settings; its base is fresh."""
    sites = []

    def started(*settings):
        folder = tmp_path / str(len(sites))
        shutil.copytree(acts_empty, folder)
        sites.append(Site(folder, acts_nation, *settings))
        return sites[-1]

    yield started
    for site in sites:
        site.close()
    acts_nation.call(lambda: acts_nation.simulator.control.change(Change(mode="production", effects=ALL_WELL)))


@pytest.fixture
def counter(acts_start):
    return acts_start()
