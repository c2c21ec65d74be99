"""Feeds that fell silent: what a feed says at this hour of the week was learned from the message log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median_low
from typing import Annotated, Final

import msgspec
from msgspec import Meta

_HOUR: Final = timedelta(hours=1)
_WEEK: Final = timedelta(days=7)


class FeedHour(msgspec.Struct, frozen=True):
    """What one feed (`MessageRecord.sender`) said in one hour: `hour` is the beginning of a UTC time, "2026-03-01T08".

    `last` is when the last of these messages came, RFC 3339 UTC.
    """

    feed: str
    hour: str
    messages: int
    last: str


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an operator is told of a feed that says nothing any more, and how often all alarms are looked at."""

    check_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30
    """How often queues, destinations and feeds are looked at."""
    silence: bool = True
    """Whether feeds that fell silent are told of."""
    silence_weeks: Annotated[int, Meta(ge=1, le=52)] = 4
    """Weeks of the message log from which is learned what each feed says at each hour of the week."""
    silence_least_weeks: Annotated[int, Meta(ge=1, le=52)] = 2
    """Weeks a feed must have been known for before its silence is told."""
    silence_messages: Annotated[float, Meta(gt=0)] = 10
    """Messages that should have come, in a usual week, since the last one did."""
    silence_ignore: tuple[str, ...] = ()
    """Feeds whose silence means nothing, as `insigne message list` names senders: "GAM|CHU"."""
    time_zone: str = "Europe/Paris"
    """In which the hours of the week are counted."""


class Silence(msgspec.Struct, frozen=True):
    """A feed that says less than it should: its last message, and how many were to be expected since."""

    feed: str
    last: str
    expected: float


def silent(hours: Iterable[FeedHour], now: datetime, settings: AlarmSettings, zone: tzinfo) -> list[Silence]:
    """The feeds that fell silent. `hours` are those of the weeks looked at; `now` is aware.

    What is expected in an hour is the median, the lower one, of what the weeks before said at that hour: a feed that
    rests at night, on Sundays or every other week is not missed then.
    """
    feeds: dict[str, list[FeedHour]] = {}
    for one in hours:
        feeds.setdefault(one.feed, []).append(one)
    found = []
    for feed, said in sorted(feeds.items()):
        if feed in settings.silence_ignore:
            continue
        last = max(one.last for one in said)
        expected = _expected(said, datetime.fromisoformat(last), now, settings, zone)
        if expected >= settings.silence_messages:
            found.append(Silence(feed, last, round(expected, 1)))
    return found


def _expected(said: Sequence[FeedHour], last: datetime, now: datetime, settings: AlarmSettings, zone: tzinfo) -> float:
    """How many messages a usual week has between two moments; 0 while too little is known."""
    counted = {one.hour: one.messages for one in said}
    first = datetime.fromisoformat(f"{min(counted)}:00:00+00:00")
    weeks = min(settings.silence_weeks, int((last - first) / _WEEK))
    if weeks < settings.silence_least_weeks:
        return 0.0
    expected, moment = 0.0, last
    while moment < now and expected < settings.silence_messages:
        end = min(_hour_of(moment) + _HOUR, now)
        expected += _usual(counted, moment, weeks, zone) * ((end - moment) / _HOUR)
        moment = end
    return expected


def _usual(counted: Mapping[str, int], moment: datetime, weeks: int, zone: tzinfo) -> float:
    """What is usually said in the hour of a moment, at the same time by the clock of the place."""
    local = _hour_of(moment).astimezone(zone).replace(tzinfo=None)
    before = [(local - week * _WEEK).replace(tzinfo=zone).astimezone(UTC) for week in range(1, weeks + 1)]
    return median_low([counted.get(hour_key(one), 0) for one in before])


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_key(moment: datetime) -> str:
    """The hour of a moment, as `FeedHour.hour`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
