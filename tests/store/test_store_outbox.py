"""The outbox in the base: rows in order, bytes never changed, attempts written once, questions answered by an index."""

import pytest
from msgspec.structs import replace

from insigne.exchange.delivery.model import Attempt, Bytes, Destination, Draft
from insigne.registry import events as ev
from insigne.store import outbox_statements as sql
from insigne.store.outbox import OutboxFilter
from insigne.store.purge import purge

NOW = "2026-03-01T08:00:00.000Z"
LATER = "2026-03-01T09:00:00.000Z"


def draft(destination="LABO", subject="A", cause="M1", created=NOW, **options):
    return Draft(destination, "live", "A28", subject, subject, cause, b"{}", created, **options)


def written(store, *steps):
    """One transaction; what its last step gives."""
    result = None
    with store.begin(5.0) as transaction:
        for step in steps:
            result = step(transaction)
        transaction.commit()
    return result


def test_rows_are_numbered_in_the_order_they_are_queued(store):
    assert written(store, lambda t: t.queue([draft(), draft("DPI")]), lambda t: t.queue([draft(subject="B")])) == [3]
    assert written(store, lambda t: t.queue([draft(subject="C")])) == [4]
    with store.read() as view:
        assert [(row.id, row.subject) for row in view.waiting("LABO", 0, 10)] == [(1, "A"), (3, "B"), (4, "C")]
        assert [row.id for row in view.waiting("LABO", 1, 1)] == [3]
        assert view.waiting("LABO", 0, 1)[0].state == "queued"


def test_a_row_that_is_rolled_back_leaves_its_number(store):
    with store.begin(5.0) as transaction:
        transaction.queue([draft()])
    assert written(store, lambda t: t.queue([draft()])) == [1]


def test_rows_are_kept_with_the_events_they_tell_or_not_at_all(hospital):
    store = hospital.store
    called = []
    with store.begin(5.0) as transaction:
        transaction.queue([draft()])
        transaction.after_commit(lambda: called.append("committed"))
    assert called == []
    with store.begin(5.0) as transaction:
        transaction.queue([draft()])
        transaction.after_commit(lambda: called.append("committed"))
        transaction.commit()
    assert called == ["committed"]


def test_bytes_are_written_once_and_an_attempt_too(store):
    one = Bytes("C1", "ADT^A28^ADT_A05", NOW, b"MSH|1")
    attempt = Attempt(1, 1, NOW, "C1", "delivered", "AA", "", b"MSA|AA|C1\r", 12)
    written(store, lambda t: t.queue([draft()]), lambda t: t.put_bytes([one]), lambda t: t.encoded(1, "C1"))
    for _ in range(2):  # as when whether it was committed is not known
        written(store, lambda t: t.put_bytes([Bytes("C1", "x", LATER, b"other")]), lambda t: t.put_attempts([attempt]))
    with store.read() as view:
        assert view.outgoing_bytes("C1") == one
        assert view.outgoing_bytes("C2") is None
        assert view.attempts(1) == [attempt]
        assert view.outgoing(1).state == "encoded"


def test_what_a_person_settled_meanwhile_is_not_undone_by_what_came_of_sending(store):
    written(store, lambda t: t.queue([draft()]), lambda t: t.encoded(1, "C1"))
    with store.read() as view:
        sent = view.outgoing(1)
    written(store, lambda t: t.settle(1, "skipped", "by hand", LATER))
    changed = replace(sent, state="delivered", ended=LATER, attempts=1)
    written(store, lambda t: t.advance(changed))
    with store.read() as view:
        assert (view.outgoing(1).state, view.outgoing(1).reason) == ("skipped", "by hand")


def test_what_was_rewritten_while_it_was_tried_in_vain_is_still_to_be_sent(store):
    written(store, lambda t: t.queue([draft()]), lambda t: t.encoded(1, "C1"))
    with store.read() as view:
        sent = view.outgoing(1)
    written(store, lambda t: t.rewrite(1, Bytes("C2", "ADT^A28^ADT_A05", LATER, b"MSH|2")))
    written(store, lambda t: t.advance(replace(sent, code="AR", attempts=1)))
    with store.read() as view:
        row = view.outgoing(1)
        assert (row.state, row.kind, row.control_id, row.code, row.ended) == ("encoded", "edited", "C2", "", None)
        assert row.attempts == 1, "the next attempt has a number of its own"


def test_what_was_rewritten_while_it_was_accepted_is_not_sent_again(store):
    written(store, lambda t: t.queue([draft()]), lambda t: t.encoded(1, "C1"))
    with store.read() as view:
        sent = view.outgoing(1)
    written(store, lambda t: t.rewrite(1, Bytes("C2", "ADT^A28^ADT_A05", LATER, b"MSH|2")))
    written(store, lambda t: t.advance(replace(sent, state="delivered", ended=LATER, attempts=1)))
    with store.read() as view:
        row = view.outgoing(1)
        assert (row.state, row.kind, row.control_id, row.ended) == ("delivered", "live", "C1", LATER)
        assert row.reason == "accepted as it was, before it was edited"


def test_rows_are_found_by_what_people_ask(store):
    written(
        store,
        lambda t: t.queue([draft(), draft("DPI", cause="M2"), draft(subject="B", created=LATER)]),
        lambda t: t.settle(2, "dead", "refused", NOW),
    )
    with store.read() as view:
        assert [row.id for row in view.outbox()] == [3, 2, 1]
        assert [row.id for row in view.outbox(limit=1, before=3)] == [2]
        assert [row.id for row in view.outbox(OutboxFilter(destination="LABO", subject="B"))] == [3]
        assert [row.id for row in view.outbox(OutboxFilter(unsettled=True))] == [2]
        assert [row.id for row in view.outbox_of("M2")] == [2]
        assert view.queues() == {"LABO": (2, NOW)}
        assert view.failed() == {("DPI", "dead"): 1}
        assert [view.first_since(moment) for moment in (NOW, "2026-03-01T08:30:00.000Z", LATER, "2027")] == [1, 3, 3, 4]


def test_a_destination_is_what_was_last_decided(store):
    with store.read() as view:
        assert view.destination("LABO") == Destination("LABO")
    written(store, lambda t: t.change_destination("LABO", "user:claire", NOW, state="paused", reason="upgrade"))
    written(store, lambda t: t.touch_destination("LABO"))
    with store.read() as view:
        [labo] = view.destinations()
    assert (labo.state, labo.reason, labo.author, labo.revision) == ("paused", "upgrade", "user:claire", 2)


def test_a_state_is_told_as_of_any_of_its_versions(hospital):
    hospital.admit("A")
    with hospital.store.read() as view:
        first = view.state_at("identity", "A", 1)
        assert first.version == 1
        assert first == view.identity("A")
    hospital.record(("identity", "A", ev.TrustRaised()))
    with hospital.store.read() as view:
        assert view.state_at("identity", "A", 1) == first
        assert view.state_at("identity", "A", 2) == view.identity("A")
        assert view.state_at("identity", "nobody", 1) is None


def test_living_identities_are_walked_in_order(hospital):
    for one in "ABC":
        hospital.admit(one)
    with hospital.store.begin(5.0) as transaction:
        assert transaction.last_identity() == ("C", 3)
        assert [one.id for one in transaction.identities_after("A", "C", 5)] == ["B", "C"]
        assert [one.id for one in transaction.identities_after("", "B", 1)] == ["A"]
        assert transaction.open_stays("A") == []


@pytest.mark.parametrize(
    "name",
    [
        "LAST", "ROW", "WAITING", "BY_CAUSE", "BYTES", "ATTEMPTS", "QUEUES", "FAILED", "CREATED_FROM", "ENCODED",
        "ADVANCE", "DELIVERED", "TRIED", "DESTINATION", "IDENTITIES_AFTER",
    ],
)  # fmt: skip
def test_no_question_reads_the_whole_outbox(sqlite_hospital, name):
    text = getattr(sql, name)
    with sqlite_hospital.store.read() as view:
        plan = [row[3] for row in view.select(f"EXPLAIN QUERY PLAN {text}", (None,) * text.count("?"))]
    allowed = ("SCAN outbox USING COVERING INDEX outbox_waiting", "SCAN outbox USING COVERING INDEX outbox_unsettled")
    assert [step for step in plan if step.startswith("SCAN") and step not in allowed] == []


def test_the_queue_of_a_destination_is_read_in_order_from_what_waits_only(sqlite_hospital):
    with sqlite_hospital.store.read() as view:
        plan = [row[3] for row in view.select(f"EXPLAIN QUERY PLAN {sql.WAITING}", ("LABO", 0, 10))]
    assert plan == ["SEARCH outbox USING INDEX outbox_waiting (destination=? AND id>?)"]


def test_a_purge_empties_what_was_told_and_leaves_what_waits(store):
    attempt = Attempt(1, 1, NOW, "C1", "delivered", "AA", "", b"MSA|AA|C1\r", 12)
    one, two = (Bytes(control_id, "ADT^A28^ADT_A05", NOW, b"MSH|") for control_id in ("C1", "C2"))
    written(
        store,
        lambda t: t.queue([draft(), draft(subject="B"), draft(subject="C", created="2027-01-01T00:00:00.000Z")]),
        lambda t: t.put_bytes([one, two]),
        lambda t: t.put_attempts([attempt]),
        lambda t: t.encoded(1, "C1"),
        lambda t: t.encoded(2, "C2"),
    )
    written(store, lambda t: t.settle(1, "delivered", "", NOW), lambda t: t.settle(3, "delivered", "", NOW))
    assert purge(store, "claire", messages_before="2026-12-31T00:00:00.000Z")["told"] == 1
    with store.read() as view:
        assert (view.outgoing(1).notice, view.outgoing_bytes("C1"), view.attempts(1)[0].ack) == (b"", None, b"")
        assert (view.outgoing(2).notice, view.outgoing_bytes("C2")) == (b"{}", two)
        assert view.outgoing(3).notice == b"{}"
    assert purge(store, "claire", messages_before="2026-12-31T00:00:00.000Z")["told"] == 0
