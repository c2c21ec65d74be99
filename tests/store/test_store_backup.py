"""Backups are taken while the base works, checked, and put back whole or not at all."""

import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest

from insigne.exchange.errors import StoreError
from insigne.registry.values import Authority, Identifier
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import SchemaTooOld, is_sqlite, open_store, upgrade
from insigne.store.audit_verify import audit_verify
from insigne.store.backup import _run_tool, backup, check_backup, restore
from insigne.store.lock import FolderLock, LockHeld
from insigne.store.opening import REVISIONS
from insigne.store.verify import verify

PI = Identifier("PI", Authority("HOSPITAL", "1.2.250.1.999.1", "ISO"), "1")


@pytest.fixture
def base(sqlite_hospital, sqlite_url):
    sqlite_hospital.admit("A", PI)
    return sqlite_url


def test_a_backup_is_taken_while_somebody_writes_and_holds_what_was_committed(base, sqlite_hospital, tmp_path):
    told = []
    target = tmp_path / "copy.db"
    report = backup(base, target, "claire", lambda done, total: told.append((done, total)))
    assert report.ok
    assert told[-1][0] == told[-1][1]
    copy = open_store(f"sqlite:///{target}")
    with copy.read() as view:
        assert view.identity("A") is not None
        assert [entry.act for _, entry in view.acts()] == ["backup-made"]
    copy.close()
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.db"]
    sqlite_hospital.admit("B", PI)


def test_a_backup_does_not_replace_a_file(base, tmp_path):
    (tmp_path / "copy.db").write_bytes(b"precious")
    with pytest.raises(StoreError, match="exists"):
        backup(base, tmp_path / "copy.db", "claire")
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_a_backup_of_nothing_leaves_no_file(tmp_path):
    with pytest.raises(StoreError, match="insigne db upgrade"):
        backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "copy.db", "claire")
    assert list(tmp_path.iterdir()) == []


def test_a_restored_base_is_the_one_that_was_backed_up(base, sqlite_hospital, tmp_path):
    target = tmp_path / "copy.db"
    backup(base, target, "claire")
    sqlite_hospital.admit("B", PI)
    sqlite_hospital.store.close()
    assert restore(base, target, "claire", tmp_path, force=True).ok
    store = open_store(base)
    with store.read() as view:
        assert view.identity("A") is not None
        assert view.identity("B") is None
        assert [entry.act for _, entry in view.acts()] == ["backup-made", "backup-restored"]
    assert verify(store).ok
    assert audit_verify(store).ok
    store.close()


def test_a_base_lost_with_its_folder_is_restored_elsewhere(base, tmp_path):
    target = tmp_path / "copy.db"
    backup(base, target, "claire")
    folder = tmp_path / "new"
    url = f"sqlite:///{folder / 'insigne.db'}"
    assert restore(url, target, "claire", folder).ok
    store = open_store(url)
    with store.read() as view:
        assert view.identity("A") is not None
    store.close()


def test_a_base_with_data_is_not_replaced_unasked(base, tmp_path):
    backup(base, tmp_path / "copy.db", "claire")
    with pytest.raises(StoreError, match="--force"):
        restore(base, tmp_path / "copy.db", "claire", tmp_path)


def test_nothing_is_restored_while_a_server_holds_the_folder(base, tmp_path):
    backup(base, tmp_path / "copy.db", "claire")
    with FolderLock(tmp_path), pytest.raises(LockHeld):
        restore(base, tmp_path / "copy.db", "claire", tmp_path, force=True)


def test_nothing_is_restored_while_a_command_has_the_base_open(base, sqlite_hospital, tmp_path):
    backup(base, tmp_path / "copy.db", "claire")
    with sqlite_hospital.store.begin(), pytest.raises(StoreError, match="another command has the base open"):
        restore(base, tmp_path / "copy.db", "claire", tmp_path, force=True)


@pytest.mark.parametrize("damage", ["cut", "overwritten", "tampered", "other"])
def test_a_damaged_backup_is_refused_and_the_base_left_as_it_was(base, sqlite_hospital, tmp_path, damage):
    target = tmp_path / "copy.db"
    backup(base, target, "claire")
    spoil(target, damage)
    sqlite_hospital.store.close()
    before = Path(base.removeprefix("sqlite:///")).read_bytes()
    assert not restore(base, target, "claire", tmp_path, force=True).ok
    assert Path(base.removeprefix("sqlite:///")).read_bytes() == before


def spoil(file, damage):
    """Damage a backup the way disks, transfers and people do."""
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "overwritten":
        file.write_bytes(content[:4096] + b"\xaa" * 8192 + content[12288:])
    elif damage == "tampered":
        connection = sqlite3.connect(file)
        connection.execute("UPDATE journal SET author = 'somebody else' WHERE seq = 1")
        connection.commit()
        connection.close()
    else:
        file.write_bytes(b"a letter, not a base")


def test_a_backup_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"no file .*copy\.db"):
        check_backup(tmp_path / "copy.db", sqlite_base=True)


@pytest.mark.postgres
@pytest.mark.skipif(
    shutil.which("pg_dump") is None, reason="pg_dump and pg_restore are not here: apt install postgresql-client"
)
def test_a_postgresql_base_is_dumped_and_restored(prepared_postgres, new_postgres, hospital_over, opened, tmp_path):
    url = prepared_postgres()
    hospital_over(opened(url)).admit("A", PI)
    target = tmp_path / "base.dump"
    assert backup(url, target, "claire").ok
    other = new_postgres()
    assert restore(other, target, "claire", tmp_path).ok
    store = opened(other)
    with store.read() as view:
        assert view.identity("A") is not None
    assert verify(store).ok
    assert audit_verify(store).ok


def needs_tools(url):
    if not is_sqlite(url) and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump and pg_restore are not here: apt install postgresql-client")


def test_a_base_of_the_first_release_is_backed_up_before_its_upgrade(old_url, opened, tmp_path):
    needs_tools(old_url)
    report = backup(old_url, tmp_path / "before", "claire")
    assert report.problems == []
    assert report.checked["revision"] == "0001"
    with pytest.raises(SchemaTooOld):
        open_store(old_url)
    upgrade(old_url)
    with opened(old_url).read() as view:
        assert [entry.act for _, entry in view.acts()] == ["backup-made"]


def test_a_backup_of_the_first_release_is_restored_and_brought_up_to_date(old_url, lived, opened, tmp_path):
    """The upgrade went wrong for its users: they go back to what they had before, with the new program."""
    needs_tools(old_url)
    backup(old_url, tmp_path / "before", "claire")
    upgrade(old_url)
    report = restore(old_url, tmp_path / "before", "claire", tmp_path, force=True)
    assert report.problems == []
    assert (report.checked["revision"], report.checked["upgraded"]) == ("0001", REVISIONS[-1])
    store = opened(old_url)
    with store.read() as view, lived.read() as then:
        assert view.identity("B") == then.identity("B")
        assert [item.id for item in view.work_items(WorkFilter(assignee="claire"))] == ["V"]
        assert [entry.act for _, entry in view.acts()] == ["backup-made", "backup-restored"]
    assert verify(store).problems == []
    assert audit_verify(store).problems == []


def test_a_base_of_the_first_release_that_holds_data_is_not_replaced_unasked(old_url, tmp_path):
    needs_tools(old_url)
    backup(old_url, tmp_path / "before", "claire")
    with pytest.raises(StoreError, match="--force"):
        restore(old_url, tmp_path / "before", "claire", tmp_path)


def test_a_backup_of_a_newer_release_is_refused_and_the_base_left_as_it_was(base, sqlite_hospital, tmp_path):
    target = tmp_path / "copy.db"
    backup(base, target, "claire")
    connection = sqlite3.connect(target)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    sqlite_hospital.store.close()
    before = Path(base.removeprefix("sqlite:///")).read_bytes()
    report = restore(base, target, "claire", tmp_path, force=True)
    assert report.problems == [f"tables of revision 9999, this program knows {' or '.join(REVISIONS)}"]
    assert Path(base.removeprefix("sqlite:///")).read_bytes() == before


@pytest.mark.postgres
def test_an_archive_of_a_newer_release_is_refused_and_the_base_left_as_it_was(prepared_postgres, opened, tmp_path):
    newer = prepared_postgres()
    needs_tools(newer)
    with psycopg.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    _run_tool("pg_dump", "--format=custom", f"--file={tmp_path / 'newer'}", url=newer)
    url = prepared_postgres()
    report = restore(url, tmp_path / "newer", "claire", tmp_path)
    assert report.problems == [f"tables of revision 9999, this program knows {' or '.join(REVISIONS)}"]
    with opened(url).read() as view:
        assert view.head() is None


@pytest.mark.parametrize("old_url", ["sqlite"], indirect=True)
def test_an_upgrade_that_fails_leaves_the_base_as_it_was(base, old_url, sqlite_hospital, tmp_path, monkeypatch):
    """With SQLite the backup is brought up to date before it takes the place of the base."""
    backup(old_url, tmp_path / "before", "claire")
    sqlite_hospital.store.close()
    before = Path(base.removeprefix("sqlite:///")).read_bytes()

    def full(_url):
        raise StoreError("upgrade: no room left")

    monkeypatch.setattr("insigne.store.backup.upgrade", full)
    with pytest.raises(StoreError, match="no room left"):
        restore(base, tmp_path / "before", "claire", tmp_path, force=True)
    assert Path(base.removeprefix("sqlite:///")).read_bytes() == before
    assert not list(tmp_path.glob(".*restoring*"))


def test_a_backup_into_a_folder_that_is_not_there_says_so(base, tmp_path):
    with pytest.raises(StoreError, match="there is no folder"):
        backup(base, tmp_path / "none" / "copy.db", "claire")


def test_a_password_is_not_on_the_command_line_of_the_tools(monkeypatch, tmp_path, prepared_tool):
    """The tool writes down what it was given."""
    monkeypatch.setenv("PATH", str(prepared_tool.parent))
    _run_tool("pg_dump", f"--file={tmp_path / 'x'}", url="postgresql://claire:p%40ss@host:5432/base?sslmode=require")
    told = prepared_tool.with_name("told").read_text().splitlines()
    assert told == [f"--file={tmp_path / 'x'}", "--dbname=postgresql://claire@host:5432/base?sslmode=require", "p@ss"]


@pytest.fixture
def prepared_tool(tmp_path):
    tool = tmp_path / "bin" / "pg_dump"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$PGPASSWORD" > "${0%/*}/told"\n')
    tool.chmod(0o755)
    return tool


def test_without_the_tools_of_postgresql_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "base.dump").write_bytes(b"x")
    with pytest.raises(StoreError, match="install the PostgreSQL client tools"):
        check_backup(tmp_path / "base.dump", sqlite_base=False)
