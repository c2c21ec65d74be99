"""Worlds to test in; see `dmp_world`."""

import shutil
from pathlib import Path

import pytest

from insigne.store import upgrade

from .dmp_world import World


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("dmp") / "insigne.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def make_world(template, tmp_path):
    worlds = []

    def make(folder=tmp_path, **settings):
        path = Path(folder) / f"insigne{len(worlds)}.db"
        shutil.copy(template, path)
        worlds.append(World(f"sqlite:///{path}", **settings))
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()


@pytest.fixture
def world(make_world):
    """Patients A and B, neither qualified."""
    world = make_world()
    world.admit("A")
    world.admit("B")
    return world
