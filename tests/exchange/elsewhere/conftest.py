"""A hospital's messages, and a site that reads them."""

import itertools
from collections.abc import Callable

import pytest

from insigne.exchange.elsewhere import Site
from insigne.exchange.settings import SenderSettings
from insigne.registry.settings import AuthoritySettings, RegistrySettings, policy
from insigne.simulate.hospital import HospitalSettings, generate

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
