"""The past of an identity and the order of changes."""

import pytest

from insigne.registry.events import IdentifierAdded, TraitsChanged
from insigne.registry.values import Authority, Identifier, Traits
from insigne.store import AuditEntry
from insigne.store.errors import HistoryErased
from insigne.store.purge import purge

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
PI = Identifier("PI", HOSPITAL, "1")
FAR = "2099-01-01T00:00:00.000Z"


@pytest.fixture
def married(hospital):
    before = Traits("LEGALL", "ANNE", "ANNE", "19840229", "F", "29019")
    hospital.admit("A", PI, traits=before)
    hospital.record(
        ("identity", "A", TraitsChanged(before, Traits("LE GALL", "ANNE", "ANNE", "19840229", "F", "29019")))
    )
    return hospital


def test_history_tells_who_changed_what_because_of_what(married):
    with married.store.read() as view:
        created, changed = view.history("A")
    assert (created.type, changed.type) == ("identity-created", "traits-changed")
    assert (changed.author, changed.cause_kind, changed.cause_id) == ("mllp:gam", "message", "M2")
    assert changed.record.event.before.birth_name == "LEGALL"
    assert changed.record.event.after.birth_name == "LE GALL"


def test_an_identity_is_shown_as_it_was_at_a_moment(married):
    with married.store.read() as view:
        created, changed = view.history("A")
        assert view.identity_at("A", "2026-03-01T00:00:00.000Z") is None
        assert view.identity_at("A", created.time).traits.birth_name == "LEGALL"
        assert view.identity_at("A", changed.time).traits.birth_name == "LE GALL"
        assert view.identity_at("A", FAR) == view.identity("A")


def test_changes_come_once_in_the_order_they_were_sealed(married):
    with married.store.begin() as transaction:
        transaction.record(AuditEntry("claire", "looked", "A", married.time()))
        transaction.commit()
    married.record(("identity", "A", IdentifierAdded(Identifier("PI", HOSPITAL, "2"))))
    with married.store.read() as view:
        changes = view.changes(0)
        assert [(change.seq, change.seal, change.type) for change in changes] == [
            (1, 1, "identity-created"),
            (2, 2, "traits-changed"),
            (4, 4, "identifier-added"),
        ]
        assert view.changes(0, limit=2) == changes[:2]
        assert view.changes(2) == changes[2:]
        assert view.changes(4) == []


def test_what_a_purge_erased_is_said_and_not_invented(married):
    purge(married.store, "claire", payloads_before=FAR, now=lambda: "2026-04-01T00:00:00.000Z")
    with married.store.read() as view:
        history = list(view.history("A"))
        assert [(entry.type, entry.event is None) for entry in history] == [
            ("identity-created", True),
            ("traits-changed", True),
            ("identity-snapshot", False),
        ]
        with pytest.raises(HistoryErased, match="erased by a purge"):
            view.identity_at("A", history[1].time)
        assert view.identity_at("A", FAR) == view.identity("A")
