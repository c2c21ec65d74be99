"""A simulator that runs, callers with each certificate, and a téléservice without a network for what needs none."""

import http.client
import json
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from insigne.insi.wire import (
    CallContext,
    SearchTraits,
    VitaleData,
    build_search,
    build_vitale,
    content_type,
    read_answer,
)
from insigne.simulate.https import HttpRequest
from insigne.simulate.insi.control import Change
from insigne.simulate.insi.engine import Behaviour, Engine
from insigne.simulate.insi.national import NationalBase
from insigne.simulate.insi.people import test_people as official_people
from insigne.simulate.insi.running import running
from insigne.simulate.insi.script import ALL_WELL
from insigne.simulate.insi.simulator import SimulatorSettings

IDAM = "INSIGNESIMU1"
MESSAGE_ID = "3f1c5a52-6b0e-4f0c-9a41-5d2f1a7f6c01"


def context(**changes):
    given = {"message_id": MESSAGE_ID, "bam_id": "b", "lps_id": "l", "time": "2026-01-15T08:30:00Z", "idam": IDAM}
    return CallContext(**given | changes)


def search(name, given, sex, date, place="", **changes):
    return build_search(SearchTraits(name, given, sex, date, place), context(**changes))


def card(**read):
    return build_vitale(VitaleData(**read), context())


class Caller:
    """A client of the simulator: one connection, opened again after it was cut."""

    def __init__(self, ready, name="INSI-AUTO"):
        self.ready = ready
        self.host, self.port = urlsplit(ready["url"]).hostname, urlsplit(ready["url"]).port
        self.tls = ssl.create_default_context(cafile=ready["ca"])
        if name:
            self.tls.load_cert_chain(ready["clients"][name]["cert"], ready["clients"][name]["key"])
        self.connection = http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=20)

    def http(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
        except BaseException:
            self.connection.close()
            raise

    def post(self, body, operation="search"):
        return self.http("POST", "/lps", body, {"Content-Type": content_type(operation)})

    def search(self, *traits, **changes):
        """Search by traits, and read the answer as the product does."""
        answer = self.post(search(*traits, **changes))
        return read_answer(answer.status, answer.body)

    def card(self, **read):
        answer = self.post(card(**read), "vitale")
        return read_answer(answer.status, answer.body)

    def control(self, method="GET", path="", **change):
        answer = self.http(method, f"/control{path}", json.dumps(change) if change else None)
        return json.loads(answer.body) if answer.body else None

    def set(self, **change):
        """Change the téléservice; keys as `/control` has them."""
        state = self.control("PATCH", **change)
        assert "error" not in state, state
        return state


@pytest.fixture(scope="session")
def simulator(tmp_path_factory):
    """A simulator of test people, for the whole run; `caller` puts it back in order."""
    with running(SimulatorSettings(tmp_path_factory.mktemp("insi"))) as started:
        yield started


@pytest.fixture
def caller(simulator):
    """A client with the certificate INSI-AUTO, on a téléservice in order, in production mode."""

    def in_order():
        simulator.simulator.control.change(
            Change(
                mode="production", deviations=None, fixtures={}, effects=ALL_WELL, idams=frozenset({IDAM}), clock=0.0
            )
        )
        simulator.simulator.engine.calls.clear()

    simulator.call(in_order)
    one = Caller(simulator.ready)
    yield one
    one.connection.close()


@pytest.fixture
def call_as(simulator):
    """Make a client with the certificate of that common name, or without one (`""`)."""
    made = []

    def make(name, ready=None):
        made.append(Caller(ready or simulator.ready, name))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


class Service:
    """A téléservice without network: who is in the base, what the clock says."""

    def __init__(self, people=None, **behaviour):
        self.time = 0.0
        official = official_people()
        base = NationalBase(official.people if people is None else people)
        self.engine = Engine(base, official, Behaviour(**behaviour), lambda: self.time)

    def post(self, body, client="INSI-AUTO", operation="search"):
        return self.engine.answer(HttpRequest("POST", "/lps", {"content-type": content_type(operation)}, body, client))

    def search(self, *traits, **changes):
        answer = self.post(search(*traits, **changes))
        return read_answer(answer.status, answer.body)

    def card(self, **read):
        answer = self.post(card(**read), operation="vitale")
        return read_answer(answer.status, answer.body)


@pytest.fixture
def service():
    """Make a téléservice without network."""
    return Service


@pytest.fixture
def written():
    """Write a call by traits."""
    return search


@pytest.fixture
def written_card():
    """Write a call by card."""
    return card
