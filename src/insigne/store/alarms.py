"""Alarms as rows, and how much each feed says in each hour (`exchange.delivery.alarms`, `exchange.silence`)."""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from insigne.exchange.delivery.model import Alarm
from insigne.exchange.silence import FeedHour
from insigne.store.reading import Reader
from insigne.store.writing import Writer

_COLUMNS: Final = "kind, subject, since, text, ended"
_ON: Final = f"SELECT {_COLUMNS} FROM alarm WHERE ended = '' ORDER BY since, kind, subject"  # noqa: S608  # no value
_ENDED: Final = f"SELECT {_COLUMNS} FROM alarm WHERE ended > ? ORDER BY since, kind, subject"  # noqa: S608  # no value
_PUT: Final = (
    f"INSERT INTO alarm ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608  # no value
    " ON CONFLICT (kind, subject, since) DO UPDATE SET text = excluded.text, ended = excluded.ended"
)
_FORGET: Final = "DELETE FROM alarm WHERE ended <> '' AND ended < ?"
_COUNT_FEEDS: Final = (
    "SELECT sender, substr(time, 1, 13), count(*), max(time) FROM message"
    " WHERE time >= ? AND time < ? AND direction = 'in' AND replay_of = '' AND sender <> ''"
    " GROUP BY sender, substr(time, 1, 13)"
)
_FEED_HOURS: Final = "SELECT feed, hour, messages, last FROM feed_hour WHERE hour >= ? ORDER BY feed, hour"
_LAST_HOUR: Final = "SELECT max(hour) FROM feed_hour"
_PUT_HOUR: Final = (
    "INSERT INTO feed_hour (feed, hour, messages, last) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (feed, hour) DO UPDATE SET messages = excluded.messages, last = excluded.last"
)
_FORGET_HOURS: Final = "DELETE FROM feed_hour WHERE hour < ?"


class AlarmReader(Reader):
    """Alarms and feeds, as both transactions and views read them."""

    def alarms(self, ended_since: str = "") -> list[Alarm]:
        """The alarms that are on, oldest first; with `ended_since` (RFC 3339 UTC), those that ended later instead."""
        found = self.select(_ENDED, (ended_since,)) if ended_since else self.select(_ON)
        return [Alarm(*row) for row in found]

    def count_feeds(self, since: str, until: str) -> list[FeedHour]:
        """How many messages each sender sent in each hour between two moments, from the message log."""
        return [FeedHour(*row) for row in self.select(_COUNT_FEEDS, (since, until))]

    def feed_hours(self, since: str) -> list[FeedHour]:
        """What was counted of the hours from `since` ("2026-03-01T08", UTC), by feed, in order."""
        return [FeedHour(*row) for row in self.select(_FEED_HOURS, (since,))]

    def last_feed_hour(self) -> str:
        """The last hour in which anything was counted, "" for none."""
        return self.select(_LAST_HOUR)[0][0] or ""


class AlarmWriter(AlarmReader, Writer):
    """What a write transaction adds."""

    def put_alarms(self, alarms: Sequence[Alarm]) -> None:
        """Keep alarms as they are now."""
        self.gather(_PUT, [structs.astuple(one) for one in alarms])

    def put_feed_hours(self, hours: Sequence[FeedHour]) -> None:
        """Keep what was counted, in the place of what was counted of the same hours before."""
        self.gather(_PUT_HOUR, [structs.astuple(one) for one in hours])

    def forget_watched(self, hours_before: str, alarms_before: str) -> None:
        """Drop what was counted of the hours before one, and the alarms that ended before a moment."""
        self.execute(_FORGET_HOURS, (hours_before,))
        self.execute(_FORGET, (alarms_before,))
