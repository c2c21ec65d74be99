"""The tables of what is watched: `alarm`, `feed_hour`. Primary records; see `schema`."""

from sqlalchemy import Column, Index, Integer, Table

from insigne.store.columns import metadata, text_

alarm = Table(
    "alarm",
    metadata,
    text_("kind", primary_key=True),
    text_("subject", primary_key=True),
    text_("since", primary_key=True),
    text_("text"),
    text_("ended"),  # "" while it is on
    Index("alarm_by_end", "ended", "since"),
)

feed_hour = Table(
    "feed_hour",
    metadata,
    text_("feed", primary_key=True),  # the sender of messages, as in `message`
    text_("hour", primary_key=True),  # the beginning of a UTC time: 2026-03-01T08
    Column("messages", Integer(), nullable=False),
    text_("last"),  # when the last one of them came
    Index("feed_hour_by_hour", "hour"),
)
