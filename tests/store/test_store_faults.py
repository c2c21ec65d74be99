"""Power cuts, full disks, lost servers: what was acknowledged stays, nothing half done does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from insigne.exchange.errors import StoreBusy, StoreError, StoreFull, StoreLost
from insigne.registry.events import TraitsChanged
from insigne.registry.values import Authority, Identifier, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store.audit_verify import audit_verify
from insigne.store.sqlite import SqliteSession
from insigne.store.statements import LAST_SEAL
from insigne.store.verify import verify

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")

#: Commits people one after the other and tells each number once its commit returned.
WRITER = """
import itertools, sys
from insigne.registry.events import IdentityCreated, Recorded
from insigne.registry.values import Authority, Details, Identifier, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store

hospital = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
store = open_store(sys.argv[1], wait=5.0)
for number in itertools.count(int(sys.argv[2])) if len(sys.argv) == 3 else [int(sys.argv[2])]:
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        created = IdentityCreated(
            hospital.key, (Identifier("PI", hospital, str(number)),), Traits("LEGALL", birth_date="19840229"),
            Details(), True, (), (), True,
        )
        time = "2026-03-01T08:00:00.000Z"
        changes.add(Recorded("identity", f"P{number}", 1, time, "gam", "message", "M", created))
        transaction.write(changes, ())
        transaction.commit()
    print(number, flush=True)
store.close()
"""


def pi(value):
    return Identifier("PI", HOSPITAL, str(value))


@pytest.mark.parametrize("commits", [1, 25, 60])
def test_a_killed_writer_leaves_every_commit_it_told_of_and_a_sound_base(url, opened, commits):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url, "0"], stdout=subprocess.PIPE, text=True)
    for _ in range(commits):
        told = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.communicate()[0].split()
    last = max([told, *(int(number) for number in rest[:-1])])
    store = opened(url, wait=5.0)
    with store.read() as view:
        assert all(view.identity(f"P{number}") is not None for number in range(last + 1))
    assert verify(store).problems == []
    assert audit_verify(store).problems == []
    with store.begin() as transaction:
        transaction.commit()


def test_a_commit_of_another_process_is_seen(store, url, hospital):
    hospital.admit("A", pi("a"))
    with store.begin() as transaction:
        assert transaction.holders(pi(7).key) == ()
        transaction.commit()
    subprocess.run([sys.executable, "-c", WRITER, url, "7", "once"], check=True, capture_output=True)
    with store.read() as view:
        assert view.identity("P7") is not None
    with store.begin() as transaction:
        assert transaction.holders(pi(7).key) == ("P7",)


def test_a_full_disk_loses_nothing_and_works_again_once_there_is_room(sqlite_hospital):
    store = sqlite_hospital.store
    sqlite_hospital.admit("A", pi(1))
    limit(store, 10)
    with pytest.raises(StoreFull, match="no room left"):
        sqlite_hospital.record(
            ("identity", "B", sqlite_hospital.created(pi(2))),
            messages=[sqlite_hospital.message(number, raw=b"x" * 60_000) for number in range(4)],
        )
    with store.read() as view:
        assert view.identity("B") is None
        assert view.counts() == {"identities": 1, "encounters": 0, "open_work_items": 0, "messages": 0, "events": 1}
    limit(store, 1_000_000)
    sqlite_hospital.admit("B", pi(2))
    assert verify(store).ok
    assert audit_verify(store).ok


def limit(store, pages):
    """Let the base grow by no more than `pages`."""
    with store.begin() as transaction:
        (size,) = transaction.select("PRAGMA page_count")[0]
        transaction.select(f"PRAGMA max_page_count = {size + pages}")


def test_an_error_leaves_nothing_of_its_transaction_and_the_store_usable(store, hospital):
    hospital.admit("A", pi(1))
    hospital.record(messages=[hospital.message(1)])
    with pytest.raises(StoreError) as failed:
        hospital.record(("identity", "B", hospital.created(pi(2))), messages=[hospital.message(1, raw=b"LEGALL")])
    assert "LEGALL" not in str(failed.value)
    assert not failed.value.retry
    with store.read() as view:
        assert view.identity("B") is None
    hospital.admit("B", pi(2))
    assert audit_verify(store).ok


def test_a_statement_that_fails_inside_a_transaction_ends_it(store, hospital):
    transaction = store.begin()
    with pytest.raises(StoreError):
        transaction.select("SELECT nothing FROM nowhere")
    with pytest.raises(StoreError, match="has ended"):
        transaction.commit()
    hospital.admit("A", pi(1))


def test_an_event_with_a_version_taken_already_is_refused(store, hospital):
    hospital.admit("A", pi(1))
    with store.begin() as transaction:
        stale = WorkingSet(transaction)
        hospital.add(stale, "identity", "A", TraitsChanged(Traits(), Traits("B")))
        transaction.rollback()
    hospital.record(("identity", "A", TraitsChanged(Traits(), Traits("C"))))
    with store.begin() as transaction:
        transaction.write(stale, ())
        with pytest.raises(StoreError):
            transaction.commit()
    with store.read() as view:
        assert view.identity("A").traits.birth_name == "C"


def test_forgetting_to_end_a_transaction_is_only_busy(store):
    transaction = store.begin()
    with pytest.raises(StoreBusy):
        store.begin()
    transaction.rollback()
    store.begin().rollback()


def test_closing_with_a_transaction_open_drops_it_and_does_not_wait_for_ever(
    sqlite_hospital, sqlite_url, opened, monkeypatch
):
    monkeypatch.setattr("insigne.store.store._CLOSE_LIMIT", 0.01)
    transaction = sqlite_hospital.store.begin()
    changes = WorkingSet(transaction)
    sqlite_hospital.add(changes, "identity", "A", sqlite_hospital.created(pi(1)))
    transaction.write(changes, ())
    sqlite_hospital.store.close()
    with opened(sqlite_url).read() as view:
        assert view.identity("A") is None


def test_the_log_of_a_base_under_load_starts_again(sqlite_hospital, sqlite_url, monkeypatch):
    monkeypatch.setattr("insigne.store.sqlite._LONG_LOG", 64)
    monkeypatch.setattr("insigne.store.sqlite._CHECKPOINT_ROWS", 8)
    log = Path(sqlite_url.removeprefix("sqlite:///") + "-wal")
    sizes = []
    for number in range(400):
        sqlite_hospital.admit(f"P{number}", pi(number))
        sizes.append(log.stat().st_size)
    # Without starting again, 400 commits of at least eight pages would take more than 13 MB.
    assert max(sizes) < 6_000_000
    assert verify(sqlite_hospital.store).ok


@pytest.mark.postgres
def test_a_lost_connection_is_told_and_the_next_transaction_connects_again(prepared_postgres, opened, hospital_over):
    url = prepared_postgres()
    hospital = hospital_over(opened(url))
    hospital.admit("A", pi(1))
    transaction = hospital.store.begin()
    changes = WorkingSet(transaction)
    hospital.add(changes, "identity", "B", hospital.created(pi(2)))
    transaction.write(changes, ())
    terminate_all(url)
    with pytest.raises(StoreLost) as lost:
        transaction.commit()
    assert lost.value.retry
    hospital.admit("C", pi(3))
    with hospital.store.read() as view:
        assert [view.identity(name) is not None for name in "ABC"] == [True, False, True]
    terminate_all(url)
    with hospital.store.read() as view:
        assert view.identity("C") is not None


def terminate_all(url):
    """Cut every other connection to that database, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_base_that_cannot_be_read_for_a_moment_does_not_hide_what_others_wrote(
    sqlite_url, opened, hospital_over, monkeypatch
):
    ours, other = hospital_over(opened(sqlite_url)), hospital_over(opened(sqlite_url))
    ours.admit("A", pi(1))
    other.record(("identity", "A", TraitsChanged(Traits(), Traits("AUTRE"))))
    query = SqliteSession.query

    def failing(self, sql, parameters=()):
        if sql == LAST_SEAL:
            raise StoreError("read: disk I/O error (SQLITE_IOERR)")
        return query(self, sql, parameters)

    monkeypatch.setattr(SqliteSession, "query", failing)
    with pytest.raises(StoreError, match="SQLITE_IOERR"):
        ours.store.begin()
    monkeypatch.setattr(SqliteSession, "query", query)
    with ours.store.begin() as transaction:
        assert transaction.identity("A").traits.birth_name == "AUTRE"
    ours.admit("B", pi(2))
