"""A hospital's messages, a site that reads them, and a loop that does not wait for ever."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from insigne.exchange.reader.wire import Site
from insigne.exchange.settings import SenderSettings
from insigne.registry.settings import AuthoritySettings, RegistrySettings, policy
from insigne.simulate.hospital import HospitalSettings, generate

PATIENCE = 60.0
JOINED = (AuthoritySettings(name="CH-VALBRUME", oid="1.2.250.1.999.7"),)


@pytest.fixture(scope="session")
def feed() -> list[bytes]:
    """Messages of all events, some wrong on purpose."""
    settings = HospitalSettings(60, seed=11, wrong=0.1)
    return [message.payload for message in itertools.islice(generate(settings), 400)]


@pytest.fixture
def site() -> Callable[..., Site]:
    def made(*senders: SenderSettings, authorities: tuple[AuthoritySettings, ...] = JOINED) -> Site:
        return Site(policy("production", authorities, RegistrySettings()), (), senders)

    return made


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Run a scenario, on each of the two loops the product runs on."""

    def runner(scenario: Callable[[], Awaitable[Any]]) -> Any:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as loop:
            return loop.run(asyncio.wait_for(scenario(), PATIENCE))

    return runner
