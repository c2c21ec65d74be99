"""The tables, once for both databases. What runs against them is in `statements`; what changes them, in `migrations`.

Primary records: `message`, `journal`, `seal`, `token`, `installation`, `insi_job`, `insi_call`, `insi_campaign`,
`user_account`, `invitation`, `counter`, `outbox`, `outbox_bytes`, `outbox_attempt`, `destination`. Projections, which
`rebuild` makes again from the journal: `identity`, `identifier`, `encounter`, `encounter_key`, `work_item`,
`work_item_subject`. Times are RFC 3339 UTC texts of one fixed width, so that they sort as texts. States, payloads and
bytes are binary columns: they come back as written.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "pk": "%(table_name)s_pk",
    }
)

# An INTEGER PRIMARY KEY is SQLite's own row number: no second tree to keep.
_Number = BigInteger().with_variant(Integer(), "sqlite")


# Texts sort by code point on both databases, whatever the locale of the server.
_Text = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(name, _Text, primary_key=primary_key, nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary(), nullable=nullable)


installation = Table(
    "installation",
    metadata,
    _text("id", primary_key=True),  # UUID of this base: told to peers, kept by backup and restore
    _text("created"),
)

message = Table(
    "message",
    metadata,
    _text("id", primary_key=True),
    _text("time"),
    _text("direction"),
    _text("peer"),
    _text("sender"),
    _text("control_id"),
    _text("event"),
    _text("version"),
    _text("charset"),
    _text("disposition"),
    _text("code"),
    _bytes("digest"),
    _bytes("raw", nullable=True),  # null once erased by a purge, as are ack and findings
    _bytes("ack", nullable=True),
    _bytes("findings", nullable=True),
    _text("subject"),
    _text("replay_of"),
    Index("message_by_sender", "sender", "control_id", "time"),  # duplicates: statements.PREVIOUS_MESSAGE
    Index("message_by_time", "time"),  # listing between two times, purge
)

seal = Table(
    "seal",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("first_seq", _Number, nullable=False),
    Column("last_seq", _Number, nullable=False),
    Column("count", Integer(), nullable=False),
    _bytes("previous"),
    _bytes("digest"),
    _text("time"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    _text("stream"),
    _text("stream_id"),
    Column("version", _Number, nullable=False),
    _text("type"),
    _text("time"),
    _text("author"),
    _text("cause_kind"),
    _text("cause_id"),
    _bytes("payload", nullable=True),  # null, with its salt, once erased: the digest stays and the chain still verifies
    _bytes("salt", nullable=True),
    _bytes("digest"),  # SHA-256 of salt and payload
    Column("seal", _Number, nullable=False),
    UniqueConstraint("stream", "stream_id", "version", name="journal_unique_version"),  # history, rebuild
)

identity = Table(
    "identity",
    metadata,
    _text("id", primary_key=True),
    _text("birth_date"),
    _text("birth_name"),  # names are folded: capitals, no accent, no separator
    _text("used_name"),
    _text("given_names"),
    _text("sex"),
    _text("status"),
    _text("domain"),
    _text("merged_into"),
    _text("updated"),
    _bytes("state"),
    _text("verified", nullable=True),  # see rows.verified
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
    _text("value", primary_key=True),
    _text("authority", primary_key=True),
    _text("type", primary_key=True),
    _text("identity", primary_key=True),
    _text("namespace"),
    Column("current", Boolean(), nullable=False),
    _text("since"),
    sqlite_with_rowid=False,
)

encounter = Table(
    "encounter",
    metadata,
    _text("id", primary_key=True),
    _text("identity"),
    _bytes("state"),
    Index("encounter_by_identity", "identity"),
)

encounter_key = Table(
    "encounter_key",
    metadata,
    _text("value", primary_key=True),
    _text("authority", primary_key=True),
    _text("type", primary_key=True),
    _text("encounter", primary_key=True),
    sqlite_with_rowid=False,
)

work_item = Table(
    "work_item",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("key"),
    Column("open", Boolean(), nullable=False),
    _text("opened"),
    _bytes("state"),
    _text("assignee", nullable=True),  # null: nobody
    Index("work_item_open", "key", sqlite_where=text("open"), postgresql_where=text("open")),
    Index(
        "work_item_queue", "id", "kind", "assignee", sqlite_where=text("open"), postgresql_where=text("open")
    ),  # lists of open items, which stay few while closed ones heap up
)

work_item_subject = Table(
    "work_item_subject",
    metadata,
    _text("identity", primary_key=True),
    _text("item", primary_key=True),
    sqlite_with_rowid=False,
)

token = Table(
    "token",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("scopes"),  # separated by spaces
    _text("hash"),
    _text("created"),
    _text("expires", nullable=True),
    _text("revoked", nullable=True),
)

insi_job = Table(
    "insi_job",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("identity"),
    _text("origin"),
    _text("author"),
    _text("created"),
    _text("due"),
    _text("state"),
    Column("attempts", Integer(), nullable=False),
    _text("lease"),
    _text("outcome"),
    _text("error"),
    Index("insi_job_by_state", "state", "due"),
    Index("insi_job_by_identity", "identity", "kind"),
    Index("insi_job_by_origin", "origin"),
)

insi_call = Table(
    "insi_call",
    metadata,
    _text("id", primary_key=True),
    _text("time"),
    _text("job"),
    _text("identity"),
    _text("author"),
    _text("why"),
    _text("operation"),
    _text("mode"),
    _bytes("criteria", nullable=True),  # null once erased by a purge, as is raw
    _text("code"),
    _text("subcode"),
    _text("text"),
    _bytes("raw", nullable=True),
    Column("milliseconds", Integer(), nullable=False),
    Index("insi_call_by_time", "time"),  # listing, purge
    Index("insi_call_by_identity", "identity", "time"),
    Index("insi_call_by_job", "job"),
)

insi_campaign = Table(
    "insi_campaign",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("author"),
    _text("created"),
    _text("older_than"),
    Column("per_minute", Integer(), nullable=False),
    Column("from_hour", Integer(), nullable=False),
    Column("to_hour", Integer(), nullable=False),
    _text("state"),
    _text("cursor"),
    Column("total", Integer(), nullable=False),
    Column("queued", Integer(), nullable=False),
)

user_account = Table(
    "user_account",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("roles"),  # separated by spaces
    _text("hash"),
    _text("created"),
    _text("disabled", nullable=True),
    UniqueConstraint("name", name="user_account_unique_name"),
)

invitation = Table(
    "invitation",
    metadata,
    _text("id", primary_key=True),
    _text("hash"),
    _text("created"),
    _text("expires"),
    _text("author"),
    _text("label"),
    Column("attempts", Integer(), nullable=False),
    _text("used", nullable=True),
    _text("identity"),
    UniqueConstraint("hash", name="invitation_unique_hash"),
)

counter = Table(
    "counter",
    metadata,
    _text("name", primary_key=True),
    Column("value", _Number, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=False),
    _text("destination"),
    _text("kind"),
    _text("state"),
    _text("event"),
    _text("subject"),
    _text("keys"),
    _text("cause"),
    _bytes("notice", nullable=True),  # null once erased by a purge
    Column("background", Boolean(), nullable=False),
    _text("control_id"),
    Column("attempts", Integer(), nullable=False),
    _text("due"),
    _text("code"),
    _text("reason"),
    _text("created"),
    _text("sent"),
    _text("ended", nullable=True),
    Column("replaces", _Number, nullable=False),
    # What waits: a queue of a million rows that were sent and one that waits is as short as a queue of one.
    Index(
        "outbox_waiting",
        "destination",
        "id",
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
    _text("control_id", primary_key=True),
    _text("event"),
    _text("time"),
    _bytes("raw", nullable=True),  # null once erased by a purge
)

outbox_attempt = Table(
    "outbox_attempt",
    metadata,
    Column("outbox", _Number, primary_key=True, autoincrement=False),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    _text("time"),
    _text("control_id"),
    _text("outcome"),
    _text("code"),
    _text("text"),
    _bytes("ack", nullable=True),  # null once erased by a purge
    Column("milliseconds", Integer(), nullable=False),
    sqlite_with_rowid=False,
)

destination = Table(
    "destination",
    metadata,
    _text("name", primary_key=True),
    _text("state"),
    _text("reason"),
    _text("author"),
    _text("since"),
    Column("revision", Integer(), nullable=False),
    _text("init_state"),
    _text("init_cursor"),
    _text("init_until"),
    Column("init_rate", Double(), nullable=False),
    Column("init_total", Integer(), nullable=False),
    Column("init_done", Integer(), nullable=False),
)
