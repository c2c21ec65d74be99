"""What is watched while the service runs: messages held, feeds, destinations; told once, kept, shown."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from insigne.api.health import Health, alarm_probe
from insigne.app import alarms as alarm_watch
from insigne.app.alarms import AlarmWatch
from insigne.app.base import open_base
from insigne.config import load
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import ChannelCounters
from insigne.exchange.delivery.model import Draft
from insigne.exchange.errors import StoreBusy, StoreFull
from insigne.exchange.model import MessageRecord, Peer, Received
from insigne.registry.workingset import WorkingSet
from insigne.store import upgrade
from insigne.store.moments import rfc3339

CONFIG = """
[alarms]
silence_weeks = 2
time_zone = "UTC"
[[destinations]]
name = "LABO"
mllp = { host = "127.0.0.1", port = 1 }
"""
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def base(tmp_path):
    file = tmp_path / "insigne.toml"
    file.write_text(CONFIG, encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(load(file, (), {}, tmp_path), wait=5.0)
    yield base
    base.close()


def queue(base, destination="LABO", state=""):
    draft = Draft(destination, "live", "A28", "P1", "P1", "M1", b"{}", rfc3339(NOW))
    with base.store.begin() as transaction:
        [row] = transaction.queue([draft])
        if state:
            transaction.settle(row, state, "unsupported", rfc3339(NOW))
        transaction.commit()
    return row


def settle(base, row):
    with base.store.begin() as transaction:
        transaction.settle(row, "skipped", "by hand", rfc3339(NOW))
        transaction.commit()


def on(base):
    with base.store.read() as view:
        return [(alarm.kind, alarm.subject) for alarm in view.alarms()]


def channel(delivered=0, down=None):
    breaker = SimpleNamespace(open_since=lambda: down)
    return SimpleNamespace(name="LABO", counters=ChannelCounters(delivered=delivered), breaker=breaker)


def received(base, *moments, sender="GAM|CHU"):
    """Messages of the log, received at these moments."""
    messages = [
        MessageRecord(
            id=f"{rfc3339(moment)}{sender}", time=rfc3339(moment), direction="in", peer="mllp:GAM", sender=sender,
            control_id="C", event="ADT^A28", version="2.5", charset="", disposition="accepted", code="AA",
            digest=bytes(32), raw=b"", ack=b"", findings=b"", subject="",
        )
        for moment in moments
    ]  # fmt: skip
    with base.store.begin() as transaction:
        transaction.write(WorkingSet(transaction), messages)
        transaction.commit()


def hourly(until, weeks, minutes=4):
    moment = until - timedelta(weeks=weeks)
    while moment < until:
        yield moment
        moment += timedelta(minutes=minutes)


def caught_up(base, alarms, now):
    """A watch that has counted the whole message log."""
    watch = AlarmWatch(base, alarms)
    for _ in range(30):
        watch.look(now)
    return watch


@pytest.mark.parametrize("state", ["held", "dead"])
def test_messages_that_wait_for_a_person_raise_one_alarm_until_they_are_settled(base, state):
    alarms = Alarms()
    watch = AlarmWatch(base, alarms)
    rows = [queue(base, state=state) for _ in range(2)]
    with capture_logs() as logs:
        for _ in range(2):
            watch.look(NOW)
        assert on(base) == [(f"messages-{state}", "LABO")]
        for row in rows:
            settle(base, row)
        watch.look(NOW)
    assert on(base) == []
    assert [entry["event"] for entry in logs] == ["alarm.raised", "alarm.ended"]


def test_an_alarm_lives_through_a_restart_and_ends_once_the_destination_takes_messages(base):
    first = Alarms()
    first.raised("destination-down", "LABO", rfc3339(NOW), "no answer")
    AlarmWatch(base, first, lambda: [channel(down=1.0)]).look(NOW)
    again = Alarms()
    watch = AlarmWatch(base, again, lambda: [channel()])
    with capture_logs() as logs:
        watch.look(NOW)
        assert [alarm.kind for alarm in again.on()] == ["destination-down"]
        assert logs == []
    AlarmWatch(base, again, lambda: [channel(delivered=1)]).look(NOW)
    assert on(base) == []


def test_an_alarm_told_again_before_those_of_the_last_run_are_known_replaces_them(base):
    first = Alarms()
    first.raised("destination-down", "LABO", rfc3339(NOW), "no answer")
    AlarmWatch(base, first).look(NOW)
    again = Alarms()
    again.raised("destination-down", "LABO", rfc3339(NOW + timedelta(hours=1)), "no answer")
    AlarmWatch(base, again).look(NOW)
    with base.store.read() as view:
        assert [alarm.since for alarm in view.alarms()] == [rfc3339(NOW + timedelta(hours=1))]


def test_alarms_of_a_destination_that_is_no_more_end(base):
    alarms = Alarms()
    alarms.raised("queue-late", "OLD", rfc3339(NOW), "")
    alarms.raised("queue-of-nobody", "OLD", rfc3339(NOW), "")
    watch = AlarmWatch(base, alarms)
    row = queue(base, "OLD")
    watch.look(NOW)
    assert on(base) == [("queue-of-nobody", "OLD")]
    settle(base, row)
    watch.look(NOW)
    assert on(base) == []


def test_a_feed_that_stops_is_told_and_told_off_when_it_comes_back(base):
    received(base, *hourly(NOW, 3))
    alarms = Alarms()
    watch = caught_up(base, alarms, NOW + timedelta(minutes=10))
    assert on(base) == []
    watch.look(NOW + timedelta(minutes=50))
    assert on(base) == [("feed-silent", "GAM|CHU")]
    received(base, NOW + timedelta(minutes=51))
    watch.look(NOW + timedelta(minutes=52))
    assert on(base) == []


def test_what_was_counted_is_not_counted_twice_after_a_restart(base):
    received(base, *hourly(NOW, 1, minutes=30))
    for _ in range(2):
        caught_up(base, Alarms(), NOW)
    with base.store.read() as view:
        assert {hour.messages for hour in view.feed_hours("")} == {2}


def tried(base, monkeypatch, failures):
    """What a watch says whose base fails in these ways, one try after the other, and then works."""
    monkeypatch.setattr(alarm_watch, "_PAUSE", 0.0)
    alarms, done, left = Alarms(), threading.Event(), list(failures)

    def next_failure(_alarms, _now):
        alarms.news.set()  # the next try comes at once
        if left:
            raise left.pop(0)
        done.set()

    watch = AlarmWatch(base, alarms, also=next_failure)
    watch.keep = lambda: watch.look(NOW) if left else None
    with capture_logs() as logs:
        watch.start()
        assert done.wait(20)
        watch.stop()
    return [(entry["log_level"], entry["event"]) for entry in logs]


def test_an_alarm_delayed_by_another_writer_is_no_error(base, monkeypatch):
    said = tried(base, monkeypatch, [StoreBusy("begin: busy")] * 3)
    assert said == [("info", "alarms.delayed"), ("info", "alarms.kept-again")]


def test_an_alarm_delayed_for_long_or_by_a_base_that_fails_is_an_error_once(base, monkeypatch):
    kept = ("info", "alarms.kept-again")
    said = tried(base, monkeypatch, [StoreBusy("begin: busy")] * 12)
    assert said == [("info", "alarms.delayed"), ("error", "alarms.not-kept"), kept]
    assert tried(base, monkeypatch, [StoreFull("begin: full")] * 3) == [("error", "alarms.not-kept"), kept]


def test_replays_by_hand_are_no_feed(base):
    with base.store.read() as view:
        assert view.count_feeds("", "9") == []


def test_health_names_alarms_without_their_words():
    alarms = Alarms()
    report = Health({"alarms": alarm_probe(alarms.on)}, clock=iter(range(0, 100, 10)).__next__).report
    assert report()[1]["status"] == "ready"
    alarms.raised("messages-held", "LABO", "2026-03-01T08:00:00.000Z", "message 12 about DUPONT")
    ready, document = report()
    assert (ready, document["status"]) == (True, "degraded")
    detail = document["checks"][0]["detail"]
    assert detail == "messages-held LABO since 2026-03-01T08:00:00.000Z: see insigne alarm list"


def test_the_command_lists_alarms_that_are_on_and_those_that_ended(base, insigne, tmp_path):
    alarms = Alarms()
    watch = AlarmWatch(base, alarms)
    row = queue(base, state="held")
    watch.look(NOW)
    arguments = ("--config", tmp_path / "insigne.toml", "--data", tmp_path, "alarm", "list")
    shown = insigne(*arguments, "--json").out.splitlines()
    assert '"kind":"messages-held","subject":"LABO"' in shown[-1]
    settle(base, row)
    watch.look(NOW)
    assert insigne(*arguments).out.splitlines()[-1] == "no alarm"
    ended = insigne(*arguments, "--ended-since", "2026-03-01T00:00:00Z", "--json").out.splitlines()
    assert f'"ended":"{rfc3339(NOW)}"' in ended[-1]


def test_a_sender_that_reuses_a_control_id_is_told_of_for_a_day(base):
    now = datetime.now(UTC)  # control ids are remembered until thirty days before the present

    def message(name):
        raw = (
            "MSH|^~\\&|GAM|CHU|INS|CHU|20260302||ADT^A28^ADT_A05|C1|P|2.5^FRA^2.11||||||UNICODE UTF-8\r"
            f"EVN||20260302\rPID|||1^^^GAM&1.2.250.1.999.7&ISO^PI||{name}^ALIX^ALIX^^^^L||19800102|F|"
            + "|" * 23
            + "PROV\rPV1||N\r"
        )
        return Received(raw.encode(), Peer("mllp", "GAM"), rfc3339(now))

    watch = AlarmWatch(base, Alarms())
    base.intake.process([message("VALBERTIN"), message("VALBERTIN")])
    watch.look(now)
    assert on(base) == []
    base.intake.process([message("OUDINOT")])
    watch.look(now)
    assert on(base) == [("control-id-reused", "GAM|CHU")]
    AlarmWatch(base, Alarms()).look(now + timedelta(hours=23))
    assert on(base) == [("control-id-reused", "GAM|CHU")]
    watch.look(now + timedelta(hours=24))
    assert on(base) == []
