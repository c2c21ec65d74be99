"""The tables, once for both databases. What runs against them is in `statements`; what changes them, in `migrations`.

Primary records: `message`, `message_part`, `journal`, `seal`, `installation`, `outbox`, `outbox_bytes`,
`outbox_attempt`, `destination`, those of `schema_people`, `schema_dmp`, `schema_mail`, `schema_past` and
`schema_watch`. Projections, which `rebuild` makes again from the journal: `identity`, `identifier`, `encounter`,
`encounter_key`, `work_item`, `work_item_subject`. Times are RFC 3339 UTC texts of one fixed width, so that they sort as
texts. States, payloads and bytes are binary columns: they come back as written.
"""

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, UniqueConstraint, text

from insigne.store.columns import Number, bytes_, metadata, text_
from insigne.store.schema_dmp import document, document_content, document_review, document_sending
from insigne.store.schema_mail import mail, mail_place
from insigne.store.schema_past import legacy_identifier, past_figure
from insigne.store.schema_people import (
    counter,
    document_copy,
    insi_call,
    insi_campaign,
    insi_job,
    invitation,
    login_failure,
    token,
    user_account,
)
from insigne.store.schema_watch import alarm, feed_hour

__all__ = [
    "alarm",
    "counter",
    "destination",
    "document",
    "document_content",
    "document_copy",
    "document_review",
    "document_sending",
    "encounter",
    "encounter_key",
    "feed_hour",
    "identifier",
    "identity",
    "insi_call",
    "insi_campaign",
    "insi_job",
    "installation",
    "invitation",
    "journal",
    "legacy_identifier",
    "login_failure",
    "mail",
    "mail_place",
    "message",
    "message_part",
    "metadata",
    "outbox",
    "outbox_attempt",
    "outbox_bytes",
    "past_figure",
    "seal",
    "token",
    "user_account",
    "work_item",
    "work_item_subject",
]

installation = Table(
    "installation",
    metadata,
    text_("id", primary_key=True),  # UUID of this base: told to peers, kept by backup and restore
    text_("created"),
)

message = Table(
    "message",
    metadata,
    text_("id", primary_key=True),
    text_("time"),
    text_("direction"),
    text_("peer"),
    text_("sender"),
    text_("control_id"),
    text_("event"),
    text_("version"),
    text_("charset"),
    text_("disposition"),
    text_("code"),
    bytes_("digest"),
    bytes_("raw", nullable=True),  # null once erased by a purge, as are ack and findings
    bytes_("ack", nullable=True),
    bytes_("findings", nullable=True),
    text_("subject"),
    text_("replay_of"),
    Index("message_by_sender", "sender", "control_id", "time"),  # duplicates: statements.PREVIOUS_MESSAGES
    Index("message_by_time", "time"),  # listing between two times, purge
)

message_part = Table(
    "message_part",
    metadata,
    text_("message", primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    bytes_("raw"),
)

seal = Table(
    "seal",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("first_seq", Number, nullable=False),
    Column("last_seq", Number, nullable=False),
    Column("count", Integer(), nullable=False),
    bytes_("previous"),
    bytes_("digest"),
    text_("time"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    text_("stream"),
    text_("stream_id"),
    Column("version", Number, nullable=False),
    text_("type"),
    text_("time"),
    text_("author"),
    text_("cause_kind"),
    text_("cause_id"),
    bytes_("payload", nullable=True),  # null, with its salt, once erased: the digest stays and the chain still verifies
    bytes_("salt", nullable=True),
    bytes_("digest"),  # SHA-256 of salt and payload
    Column("seal", Number, nullable=False),
    UniqueConstraint("stream", "stream_id", "version", name="journal_unique_version"),  # history, rebuild
)

identity = Table(
    "identity",
    metadata,
    text_("id", primary_key=True),
    text_("birth_date"),
    text_("birth_name"),  # names are folded: capitals, no accent, no separator
    text_("used_name"),
    text_("given_names"),
    text_("sex"),
    text_("status"),
    text_("domain"),
    text_("merged_into"),
    text_("updated"),
    bytes_("state"),
    text_("verified", nullable=True),  # see rows.verified
    # The search of the RNIV starts from the birth date; the names are in the index so that others are not read.
    Index("identity_by_birth", "birth_date", "birth_name", "used_name"),
    # statements.TO_VERIFY walks it in order of id, and reads no identity
    Index(
        "identity_to_verify",
        "id",
        "verified",
        sqlite_where=text("verified IS NOT NULL"),
        postgresql_where=text("verified IS NOT NULL"),
    ),
)

identifier = Table(
    "identifier",
    metadata,
    # Value first: it tells people apart, and an authority may be asked by its key or by its namespace.
    text_("value", primary_key=True),
    text_("authority", primary_key=True),
    text_("type", primary_key=True),
    text_("identity", primary_key=True),
    text_("namespace"),
    Column("current", Boolean(), nullable=False),
    text_("since"),
    sqlite_with_rowid=False,
)

encounter = Table(
    "encounter",
    metadata,
    text_("id", primary_key=True),
    text_("identity"),
    bytes_("state"),
    Index("encounter_by_identity", "identity"),
)

encounter_key = Table(
    "encounter_key",
    metadata,
    text_("value", primary_key=True),
    text_("authority", primary_key=True),
    text_("type", primary_key=True),
    text_("encounter", primary_key=True),
    sqlite_with_rowid=False,
)

work_item = Table(
    "work_item",
    metadata,
    text_("id", primary_key=True),
    text_("kind"),
    text_("key"),
    Column("open", Boolean(), nullable=False),
    text_("opened"),
    bytes_("state"),
    text_("assignee", nullable=True),  # null: nobody
    Index("work_item_open", "key", sqlite_where=text("open"), postgresql_where=text("open")),
    Index(
        "work_item_queue", "id", "kind", "assignee", sqlite_where=text("open"), postgresql_where=text("open")
    ),  # lists of open items, which stay few while closed ones heap up
)

work_item_subject = Table(
    "work_item_subject",
    metadata,
    text_("identity", primary_key=True),
    text_("item", primary_key=True),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    text_("destination"),
    text_("kind"),
    text_("state"),
    text_("event"),
    text_("subject"),
    text_("keys"),
    text_("cause"),
    bytes_("notice", nullable=True),  # null once erased by a purge
    Column("background", Boolean(), nullable=False),
    text_("control_id"),
    Column("attempts", Integer(), nullable=False),
    text_("due"),
    text_("code"),
    text_("reason"),
    text_("created"),
    text_("sent"),
    text_("ended", nullable=True),
    Column("replaces", Number, nullable=False),
    # What waits: a queue of a million rows that were sent and one that waits is as short as a queue of one.
    # `ended`, always null there, lets a queue be counted without reading its rows.
    Index(
        "outbox_waiting",
        "destination",
        "id",
        "ended",
        sqlite_where=text("ended IS NULL"),
        postgresql_where=text("ended IS NULL"),
    ),
    Index(
        "outbox_unsettled",
        "destination",
        "state",
        "id",
        sqlite_where=text("state IN ('held', 'dead')"),
        postgresql_where=text("state IN ('held', 'dead')"),
    ),
    Index("outbox_by_cause", "cause"),  # from a message received to all that was sent because of it
)

outbox_bytes = Table(
    "outbox_bytes",
    metadata,
    text_("control_id", primary_key=True),
    text_("event"),
    text_("time"),
    bytes_("raw", nullable=True),  # null once erased by a purge
    text_("left_out", nullable=True),  # null before it was kept
)

outbox_attempt = Table(
    "outbox_attempt",
    metadata,
    Column("outbox", Number, primary_key=True, autoincrement=False),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    text_("time"),
    text_("control_id"),
    text_("outcome"),
    text_("code"),
    text_("text"),
    bytes_("ack", nullable=True),  # null once erased by a purge
    Column("milliseconds", Integer(), nullable=False),
    sqlite_with_rowid=False,
)

destination = Table(
    "destination",
    metadata,
    text_("name", primary_key=True),
    text_("state"),
    text_("reason"),
    text_("author"),
    text_("since"),
    Column("revision", Integer(), nullable=False),
    text_("init_state"),
    text_("init_cursor"),
    text_("init_until"),
    Column("init_rate", Double(), nullable=False),
    Column("init_total", Integer(), nullable=False),
    Column("init_done", Integer(), nullable=False),
)
