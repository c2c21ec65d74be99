"""Alarms, what feeds say, and traces, on both kinds of base."""

import pytest

from insigne.exchange.delivery.model import Alarm, Attempt, Bytes, Draft
from insigne.exchange.silence import FeedHour
from insigne.registry.values import Authority, Identifier
from insigne.store import alarms, trace
from insigne.store.trace import trace_of

AT, LATER = "2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z"


def pi(value):
    return Identifier("PI", Authority("CHU", "1.2.250.1.999.3", "ISO"), value)


def written(store, *steps):
    with store.begin(5.0) as transaction:
        for step in steps:
            step(transaction)
        transaction.commit()


def test_alarms_are_listed_while_they_are_on_and_then_among_those_that_ended(store):
    one, two = Alarm("queue-late", "LABO", AT, "a"), Alarm("feed-silent", "GAM|CHU", LATER, "b")
    written(store, lambda t: t.put_alarms([two, one]))
    with store.read() as view:
        assert view.alarms() == [one, two]
    ended = Alarm("queue-late", "LABO", AT, "a", LATER)
    written(store, lambda t: t.put_alarms([ended]))
    with store.read() as view:
        assert (view.alarms(), view.alarms(ended_since=AT), view.alarms(ended_since=LATER)) == ([two], [ended], [])
    written(store, lambda t: t.forget_watched("", "2027"))
    with store.read() as view:
        assert (view.alarms(), view.alarms(ended_since=AT)) == ([two], [])


def test_messages_are_counted_by_sender_and_hour_but_replays_and_what_has_no_sender(hospital):
    rows = [
        hospital.message(number, time=f"2026-03-01T{hour}:00.000Z", **fields)
        for number, (hour, fields) in enumerate(
            [
                ("08:10", {}),
                ("08:50", {}),
                ("09:00", {}),
                ("08:20", {"sender": "DPI|CHU"}),
                ("08:30", {"replay_of": "M1"}),
                ("08:40", {"sender": ""}),
            ]
        )
    ]
    hospital.record(messages=rows)
    with hospital.store.read() as view:
        found = view.count_feeds("2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z")
        assert sorted((one.feed, one.hour, one.messages, one.last) for one in found) == [
            ("DPI|CHU", "2026-03-01T08", 1, "2026-03-01T08:20:00.000Z"),
            (rows[0].sender, "2026-03-01T08", 2, "2026-03-01T08:50:00.000Z"),
        ]


def test_an_hour_counted_again_takes_the_place_of_what_was_counted(store):
    first, again = FeedHour("GAM", "2026-03-01T08", 2, AT), FeedHour("GAM", "2026-03-01T08", 5, LATER)
    old = FeedHour("GAM", "2025-03-01T08", 9, AT)
    written(store, lambda t: t.put_feed_hours([old, first]))
    written(store, lambda t: t.put_feed_hours([again]), lambda t: t.forget_watched("2026", ""))
    with store.read() as view:
        assert view.feed_hours("2025") == [again]
        assert view.last_feed_hour() == "2026-03-01T08"


def test_a_trace_joins_message_events_rows_bytes_and_attempts(hospital):
    hospital.admit("A", pi("1"))
    hospital.admit("B", pi("2"))
    with hospital.store.read() as view:
        entry = next(view.history("B"))
    message = hospital.message(1, id=entry.cause_id, time=entry.time, subject="B")
    hospital.record(messages=[message])
    sent = Bytes("S1", "ADT^A28^ADT_A05", AT, b"MSH|")
    attempt = Attempt(1, 1, LATER, "S1", "delivered", "AA", "", b"MSA|AA|S1", 12)
    written(
        hospital.store,
        lambda t: t.queue([Draft("LABO", "live", "A28", "B", "B", message.id, b"", AT)]),
        lambda t: t.put_bytes([sent]),
        lambda t: t.encoded(1, "S1"),
        lambda t: t.put_attempts([attempt]),
    )
    with hospital.store.read() as view:
        found = trace_of(view, message.id)
        assert (found.message, [event.stream_id for event in found.events]) == (message, ["B"])
        [onward] = found.onward
        assert (onward.row.destination, onward.written, onward.attempts) == ("LABO", sent, [attempt])
        for reference in ("1", "S1", f"event:{entry.seq}"):
            assert trace_of(view, reference) == found
        assert trace_of(view, "nothing") is None


@pytest.mark.parametrize("sql", [trace._BY_SEQ, trace._CAUSED, trace._TOGETHER, alarms._ON, alarms._COUNT_FEEDS])
def test_none_of_this_reads_a_whole_table(sqlite_hospital, sql):
    with sqlite_hospital.store.read() as view:
        plan = [row[3] for row in view.select(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))]
    assert not [step for step in plan if step.startswith("SCAN")]
