"""Making, upgrading and opening a base."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from insigne.exchange.errors import StoreLost
from insigne.store import SchemaMissing, SchemaTooNew, SchemaTooOld, WrongUrl, is_sqlite, open_store, opening, upgrade
from insigne.store.migrate import engine_of
from insigne.store.schema import metadata


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("new_postgres")()
    return f"sqlite:///{tmp_path / 'folder' / 'insigne.db'}"


def test_migrations_make_exactly_the_tables_of_the_schema(empty_url):
    upgrade(empty_url)
    engine = engine_of(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_revisions_of_the_program_are_those_of_the_migrations():
    script = ScriptDirectory(str(Path(opening.__file__).parent / "migrations"))
    assert tuple(reversed([revision.revision for revision in script.walk_revisions()])) == opening.REVISIONS


def test_upgrading_twice_changes_nothing(empty_url, opened):
    assert upgrade(empty_url) == (None, opening.REVISIONS[-1])
    with opened(empty_url).read() as view:
        installation = view.installation()
    assert upgrade(empty_url) == (opening.REVISIONS[-1], opening.REVISIONS[-1])
    with opened(empty_url).read() as view:
        assert view.installation() == installation


def test_a_base_that_is_not_there_is_not_made_by_opening_it(tmp_path):
    path = tmp_path / "insigne.db"
    with pytest.raises(SchemaMissing, match="insigne db upgrade"):
        open_store(f"sqlite:///{path}")
    assert not path.exists()


@pytest.mark.postgres
def test_a_database_without_tables_is_told_from_one_with_others(new_postgres):
    with pytest.raises(SchemaMissing, match="insigne db upgrade"):
        open_store(new_postgres())


def set_revision(url, revision):
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.commit()
    connection.close()


def test_a_base_of_a_newer_release_is_refused_and_left_alone(sqlite_url):
    set_revision(sqlite_url, "9999")
    with pytest.raises(SchemaTooNew, match="9999"):
        open_store(sqlite_url)
    with pytest.raises(SchemaTooNew, match="9999"):
        upgrade(sqlite_url)


def test_a_base_of_an_older_release_asks_for_an_upgrade(sqlite_url, monkeypatch):
    monkeypatch.setattr(opening, "REVISIONS", (*opening.REVISIONS, "next"))
    with pytest.raises(SchemaTooOld, match="insigne db upgrade"):
        open_store(sqlite_url)


@pytest.mark.parametrize(
    "url", ["", "insigne.db", "mysql://host/base", "sqlite://insigne.db", "sqlite:///", "sqlite:///a?b"]
)
def test_an_address_of_another_kind_is_refused_with_the_right_form(url):
    with pytest.raises(WrongUrl, match=re.escape("sqlite:///")):
        open_store(url)


def test_a_password_in_an_address_is_not_told_in_errors():
    with pytest.raises(StoreLost) as refused:
        open_store("postgresql://insigne:s3cret@127.0.0.1:1/base")
    assert "s3cret" not in str(refused.value)


def test_kinds_of_addresses_are_told_apart():
    assert is_sqlite("sqlite:///x.db")
    assert not is_sqlite("postgresql://host/base")


def test_opening_and_reading_loads_neither_sqlalchemy_nor_alembic_nor_psycopg(sqlite_url):
    program = (
        "import sys; from insigne.store import open_store; store = open_store(sys.argv[1])\n"
        "with store.read() as view: view.identity('A')\n"
        "store.close(); print(sorted({'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
