"""Sites that mail; see `mail_world`."""

import shutil
from pathlib import Path

import pytest

from insigne.store import upgrade

from .mail_world import World


@pytest.fixture(scope="session")
def empty_base(tmp_path_factory):
    path = tmp_path_factory.mktemp("mss") / "insigne.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def make_world(empty_base, tmp_path):
    worlds = []

    def make(**settings):
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        path = Path(folder) / "insigne.db"
        shutil.copy(empty_base, path)
        worlds.append(World(folder, f"sqlite:///{path}", **settings))
        worlds[-1].admit()
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()


@pytest.fixture
def world(make_world):
    """A qualified patient A."""
    return make_world()
