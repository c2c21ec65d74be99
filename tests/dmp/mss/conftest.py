"""Sites that mail; see `mail_world`."""

import shutil

import pytest

from insigne.store import upgrade

from .mail_world import Servers, World


@pytest.fixture(scope="session")
def empty_base(tmp_path_factory):
    path = tmp_path_factory.mktemp("mss") / "insigne.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture
def make_world(empty_base, servers, tmp_path):
    worlds = []

    def make(**settings):
        path = tmp_path / f"insigne{len(worlds)}.db"
        shutil.copy(empty_base, path)
        worlds.append(World(servers, f"sqlite:///{path}", **settings))
        worlds[-1].admit()
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()


@pytest.fixture
def world(make_world):
    """A qualified patient A."""
    return make_world()
