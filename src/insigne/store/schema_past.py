"""The tables of what a site did before this base: `legacy_identifier`, `past_figure`. Primary records; see `schema`."""

from sqlalchemy import Column, Index, Table

from insigne.store.columns import Number, bytes_, metadata, text_

legacy_identifier = Table(
    "legacy_identifier",
    metadata,
    text_("id", primary_key=True),  # made of what it says: the same line is the same row
    text_("kind"),
    text_("authority"),
    text_("value"),
    text_("local_authority"),
    text_("local_value"),
    text_("identity"),  # "": matched with nobody
    text_("matched"),
    text_("obtained"),
    text_("source"),
    text_("imported"),
    text_("author"),
    bytes_("traits"),  # JSON
    Index("legacy_identifier_by_identity", "identity"),
    Index("legacy_identifier_by_source", "source"),
)

past_figure = Table(
    "past_figure",
    metadata,
    text_("month", primary_key=True),
    text_("establishment", primary_key=True),
    text_("type_code", primary_key=True),
    text_("identity", primary_key=True),
    text_("outcome", primary_key=True),
    Column("documents", Number, nullable=False),
    text_("source"),
    text_("imported"),
    text_("author"),
)
