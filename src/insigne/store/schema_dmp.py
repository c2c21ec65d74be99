"""The tables of the PFI: `document`, `document_content`, `document_sending`, `document_review`. Primary records."""

from sqlalchemy import Column, Index, Integer, Table, text

from insigne.store.columns import Number, SortedText, bytes_, metadata, text_
from insigne.store.dmp_statements import LIVE

document = Table(
    "document",
    metadata,
    text_("id", primary_key=True),
    text_("received"),
    text_("source"),
    text_("message"),
    text_("control_id"),
    text_("sending"),  # who sent it: "MSH-3|MSH-4"
    text_("intent"),
    text_("unique_id"),
    text_("set_id"),
    Column("version", Integer(), nullable=False),
    text_("parent"),
    text_("type_code"),
    text_("confidentiality"),
    text_("created"),
    text_("identity"),
    text_("digest"),  # "" without content
    Column("size", Number, nullable=False),
    text_("media"),
    text_("facility"),
    # Of the stay, without authority: whose documents to look at when a stay of that number is opened; "" once purged.
    Column("visit", SortedText, nullable=False, server_default=text("''")),
    Column("account", SortedText, nullable=False, server_default=text("''")),
    bytes_("personal", nullable=True),  # JSON; null once erased by a purge
    Index("document_by_unique_id", "unique_id"),  # duplicates, predecessors
    Index("document_by_parent", "parent"),  # what replaces or deletes a version
    Index("document_by_digest", "digest"),  # purge: whether a content still serves
    Index("document_by_message", "message"),
    Index("document_by_received", "received"),
    Index("document_by_visit", "visit", sqlite_where=text("visit <> ''"), postgresql_where=text("visit <> ''")),
    Index("document_by_account", "account", sqlite_where=text("account <> ''"), postgresql_where=text("account <> ''")),
)

document_content = Table(
    "document_content",
    metadata,
    text_("digest", primary_key=True),
    Column("part", Integer(), primary_key=True, autoincrement=False),
    bytes_("content"),
)

document_sending = Table(
    "document_sending",
    metadata,
    text_("id", primary_key=True),
    text_("document"),
    text_("channel"),
    text_("action"),
    text_("identity"),
    text_("state"),
    text_("reason"),
    text_("since"),
    text_("due"),
    Column("attempts", Integer(), nullable=False),
    text_("lease"),
    text_("ins"),
    text_("code"),
    text_("text"),
    text_("entry"),
    text_("sent"),
    text_("ended"),
    text_("recipient"),
    text_("author"),
    Index("document_sending_by_document", "document"),
    Index("document_sending_by_state", "state", "since", "id"),  # counts, the oldest, lists
    # A million held: each of these holds only what its question is about.
    Index(
        "document_sending_live", "identity", "id", sqlite_where=text(LIVE), postgresql_where=text(LIVE)
    ),  # an identity changed
    Index(
        "document_sending_due",
        "channel",
        "due",
        "id",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
    Index(
        "document_sending_lost",
        "channel",
        "lease",
        "id",
        sqlite_where=text("state = 'calling'"),
        postgresql_where=text("state = 'calling'"),
    ),
    Index("document_sending_by_entry", "entry", sqlite_where=text("entry <> ''"), postgresql_where=text("entry <> ''")),
)

document_review = Table(
    "document_review",
    metadata,
    text_("identity", primary_key=True),
    text_("since"),
    text_("cursor"),  # the last sending looked at again, "" at the start
    Index("document_review_by_time", "since", "identity"),
)
