"""The chain of seals: whatever is changed in the past is seen."""

import sqlite3

import pytest

from insigne.registry.events import IdentifierAdded
from insigne.registry.values import Authority, Identifier
from insigne.store import AuditEntry
from insigne.store.audit_verify import audit_verify
from insigne.store.purge import purge
from insigne.store.verify import verify

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
ADDED = """
    INSERT INTO journal
    SELECT 5, stream, 'Z', 1, type, time, author, cause_kind, cause_id, payload, salt, digest, 3
    FROM journal WHERE seq = 1
"""
FAR = "2099-01-01T00:00:00.000Z"


def pi(value):
    return Identifier("PI", HOSPITAL, str(value))


def fill(hospital):
    """Three seals: two events, one event and one act, one event."""
    hospital.record(
        ("identity", "A", hospital.created(pi(1))),
        ("identity", "B", hospital.created(pi(2))),
    )
    with hospital.store.begin() as transaction:
        transaction.record(AuditEntry("claire", "looked", "A", hospital.time(), {"why": "demande"}))
        transaction.commit()
    hospital.record(("identity", "A", IdentifierAdded(pi(3))))


@pytest.fixture
def filled(hospital):
    fill(hospital)
    return hospital


@pytest.fixture
def tampered(sqlite_hospital, sqlite_url, opened):
    """Closes the base, runs SQL upon its file as somebody would with any tool, checks it again."""
    fill(sqlite_hospital)
    sqlite_hospital.store.close()

    def tamper(sql, *parameters):
        connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
        connection.execute(sql, parameters)
        connection.commit()
        connection.close()
        return audit_verify(opened(sqlite_url))

    return tamper


def test_an_untouched_base_verifies_and_gives_its_head(filled):
    report = audit_verify(filled.store)
    assert report.ok
    assert (report.checked["seals"], report.checked["entries"], report.checked["erased"]) == (3, 4, 0)
    with filled.store.read() as view:
        assert report.checked["head_digest"] == view.head().digest.hex()


def test_an_empty_base_verifies(store):
    assert audit_verify(store).document() == {
        "ok": True,
        "checked": {"seals": 0, "entries": 0, "erased": 0},
        "problems": [],
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("stream_id", "C"),
        ("version", 9),
        ("type", "identity-merged"),
        ("time", "2026-01-01T00:00:00.000Z"),
        ("author", "somebody else"),
        ("cause_kind", "user"),
        ("cause_id", "M9"),
        ("payload", b'{"type":"trust-raised"}'),
        ("salt", bytes(16)),
        ("digest", bytes(32)),
        ("seal", 2),
    ],
)
def test_any_change_of_an_entry_is_seen(tampered, column, value):
    report = tampered(f"UPDATE journal SET {column} = ? WHERE seq = 1", value)
    assert not report.ok


@pytest.mark.parametrize(
    ("column", "value"),
    [("previous", bytes(32)), ("digest", bytes(32)), ("time", "2026-01-01T00:00:00.000Z"), ("count", 7)],
)
def test_any_change_of_a_seal_is_seen(tampered, column, value):
    assert not tampered(f"UPDATE seal SET {column} = ? WHERE number = 2", value).ok


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 3",
        "DELETE FROM seal WHERE number = 2",
        "DELETE FROM seal WHERE number = 3",
        "UPDATE journal SET payload = NULL, salt = NULL WHERE seq = 1",
        "UPDATE journal SET salt = NULL WHERE seq = 1",
        ADDED,
    ],
)
def test_what_is_taken_away_or_added_is_seen(tampered, sql):
    assert not tampered(sql).ok


def test_every_byte_of_a_payload_counts(tampered):
    report = tampered("UPDATE journal SET payload = replace(payload, 'LEGALL', 'LEGALE') WHERE seq = 1")
    assert any("entry 1: its content was changed" in problem for problem in report.problems)


def test_cutting_the_end_off_is_seen_only_against_a_head_kept_elsewhere(tampered, sqlite_url, opened):
    store = opened(sqlite_url)
    with store.read() as view:
        head = view.head()
    anchor = (head.number, head.digest.hex())
    assert audit_verify(store, anchor=anchor).ok
    store.close()
    tampered("DELETE FROM journal WHERE seal = 3")
    assert tampered("DELETE FROM seal WHERE number = 3").ok
    report = audit_verify(opened(sqlite_url), anchor=anchor)
    assert report.problems == ["the seal kept elsewhere is not in the chain: the past was cut off or written anew"]


def test_an_anchor_in_the_middle_of_the_chain_is_found(filled):
    with filled.store.read() as view:
        head = view.head()
    filled.record(("identity", "A", IdentifierAdded(pi(9))))
    assert audit_verify(filled.store, anchor=(head.number, head.digest.hex())).ok


def test_a_purge_leaves_a_chain_that_verifies_and_says_what_it_erased(filled):
    purge(filled.store, "claire", payloads_before=FAR, now=lambda: "2026-04-01T00:00:00.000Z")
    report = audit_verify(filled.store)
    assert report.ok
    assert report.checked["erased"] == 2  # A, which has a history; the creation of B is its state today
    assert verify(filled.store).ok


def test_the_same_content_twice_has_two_digests(sqlite_hospital):
    """The salt keeps anybody from testing a guess of what was erased."""
    sqlite_hospital.record(("identity", "A", sqlite_hospital.created(pi(1))))
    sqlite_hospital.record(("identity", "B", sqlite_hospital.created(pi(1))))
    with sqlite_hospital.store.read() as view:
        (first, salted_first), (second, salted_second) = view.select("SELECT payload, digest FROM journal ORDER BY seq")
    assert first == second
    assert salted_first != salted_second
