"""The tables of mails read: `mail_place`, `mail`. Primary records; see `schema`."""

from sqlalchemy import Column, Index, Table

from insigne.store.columns import Number, metadata, text_

mail_place = Table(
    "mail_place",
    metadata,
    text_("box", primary_key=True),
    Column("validity", Number, nullable=False),
    Column("uid", Number, nullable=False),
)

mail = Table(
    "mail",
    metadata,
    text_("id", primary_key=True),
    text_("box"),
    Column("validity", Number, nullable=False),
    Column("uid", Number, nullable=False),
    text_("key"),
    text_("message_id"),
    text_("received"),
    text_("kind"),
    text_("state"),
    text_("code"),
    text_("text"),
    text_("address"),
    text_("way"),
    Index("mail_by_key", "key"),  # the same mail received twice
    Index("mail_by_state", "state", "box", "id"),
)
