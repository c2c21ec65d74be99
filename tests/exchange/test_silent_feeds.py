"""Feeds that fell silent, by what the weeks before said at the same hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from insigne.exchange.silence import AlarmSettings, FeedHour, hour_key, silent

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
SETTINGS = AlarmSettings()


def feed(until, *, busy=lambda moment: 20, weeks=4, name="GAM|CHU"):
    """What was counted hour by hour until a moment: `busy` messages in each hour, the last one as the hour ends."""
    moment = until - timedelta(weeks=weeks)
    while moment < until:
        end = min(moment + timedelta(hours=1), until)
        messages = busy(moment.astimezone(PARIS))
        if messages:
            yield FeedHour(name, hour_key(moment), messages, end.isoformat().replace("+00:00", "Z"))
        moment = end


def office_hours(moment):
    return 30 if moment.weekday() < 5 and 8 <= moment.hour < 18 else 0


def test_a_busy_feed_is_missed_once_the_messages_of_half_an_hour_did_not_come():
    said = list(feed(MONDAY))
    assert silent(said, MONDAY + timedelta(minutes=20), SETTINGS, PARIS) == []
    [missed] = silent(said, MONDAY + timedelta(minutes=31), SETTINGS, PARIS)
    assert (missed.feed, missed.last) == ("GAM|CHU", "2026-03-02T00:00:00Z")
    assert missed.expected >= SETTINGS.silence_messages


def test_a_feed_that_rests_at_night_and_on_sundays_is_not_missed_then():
    friday_evening = datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    said = list(feed(friday_evening, busy=office_hours))
    assert silent(said, friday_evening + timedelta(hours=60), SETTINGS, PARIS) == []
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=PARIS)
    assert silent(said, monday + timedelta(minutes=15), SETTINGS, PARIS) == []
    assert [one.feed for one in silent(said, monday + timedelta(minutes=25), SETTINGS, PARIS)] == ["GAM|CHU"]


def test_hours_are_those_of_the_clock_on_the_wall_when_it_changes():
    sunday = datetime(2026, 3, 29, 17, 0, tzinfo=PARIS)  # summer time began that morning
    said = list(feed(sunday - timedelta(days=1), busy=office_hours, weeks=4))
    monday = datetime(2026, 3, 30, 8, 0, tzinfo=PARIS)
    assert silent(said, monday, SETTINGS, PARIS) == []
    assert silent(said, monday + timedelta(minutes=25), SETTINGS, PARIS) != []


def test_a_feed_known_for_too_short_a_time_is_not_missed():
    assert silent(feed(MONDAY, weeks=1), MONDAY + timedelta(days=1), SETTINGS, PARIS) == []


def test_one_busy_week_does_not_make_the_others_late():
    last_week = MONDAY - timedelta(weeks=1)
    said = list(feed(MONDAY, busy=lambda moment: 500 if moment >= last_week else 1))
    assert silent(said, MONDAY + timedelta(hours=2), SETTINGS, PARIS) == []


def test_a_feed_of_which_silence_means_nothing_is_left_alone():
    ignoring = AlarmSettings(silence_ignore=("GAM|CHU",))
    assert silent(feed(MONDAY), MONDAY + timedelta(days=1), ignoring, PARIS) == []


def test_a_long_silence_stays_one():
    said = list(feed(MONDAY))
    assert silent(said, MONDAY + timedelta(weeks=4), SETTINGS, PARIS) != []
