"""Alarms are told once when they start and once when they end, restarts included."""

import pytest
from structlog.testing import capture_logs

from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.model import Alarm
from insigne.store import open_store, upgrade

AT, LATER, NOW = "2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z", "2026-03-01T10:00:00.000Z"
DOWN = Alarm("destination-down", "LABO", AT, "no answer")


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path / 'insigne.db'}"
    upgrade(url)
    store = open_store(url, wait=5)
    yield store
    store.close()


def keep(alarms, store, now):
    changed = alarms.unsaved(now)
    with store.begin() as transaction:
        transaction.put_alarms(changed)
        transaction.commit()
    alarms.saved(changed)
    return changed


def test_an_alarm_is_told_once_and_its_end_once():
    alarms = Alarms()
    with capture_logs() as logs:
        for text in ("no answer", "still no answer"):
            alarms.raised("destination-down", "LABO", AT, text)
        for _ in range(2):
            alarms.ended("destination-down", "LABO")
    assert [entry["event"] for entry in logs] == ["alarm.raised", "alarm.ended"]
    assert alarms.on() == []


def test_what_changed_is_kept_once_and_ends_when_it_ended(store):
    alarms = Alarms()
    alarms.raised("destination-down", "LABO", AT, "no answer")
    assert keep(alarms, store, AT) == [DOWN]
    assert keep(alarms, store, AT) == []
    with store.read() as view:
        assert view.alarms() == [DOWN]
    alarms.ended("destination-down", "LABO", LATER)
    keep(alarms, store, NOW)
    with store.read() as view:
        assert view.alarms() == []
        assert [one.ended for one in view.alarms(ended_since=AT)] == [LATER]


def test_a_change_that_comes_while_others_are_being_kept_is_kept_next(store):
    alarms = Alarms()
    alarms.raised("destination-down", "LABO", AT, "no answer")
    changed = alarms.unsaved(AT)
    alarms.ended("destination-down", "LABO")
    alarms.saved(changed)
    assert [one.ended for one in alarms.unsaved(NOW)] == [NOW]


def test_an_alarm_that_was_on_at_the_stop_is_not_told_again_at_the_start():
    alarms = Alarms()
    alarms.inherit([DOWN])
    with capture_logs() as logs:
        alarms.raised("destination-down", "LABO", NOW, "no answer")
        assert (alarms.on(), logs) == ([DOWN], [])
        alarms.ended("destination-down", "LABO", NOW)
    assert [entry["since"] for entry in logs] == [AT]
