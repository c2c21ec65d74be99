"""The tables about people who act, and about INSi; see `schema`.

`token`, `user_account`, `login_failure`, `invitation`, `insi_job`, `insi_call`, `insi_campaign`, `document_copy`,
`counter`: primary records, all of them.
"""

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint, text

from insigne.store.columns import Number, SortedText, bytes_, metadata, text_

token = Table(
    "token",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("scopes"),  # separated by spaces
    text_("hash"),
    text_("created"),
    text_("expires", nullable=True),
    text_("revoked", nullable=True),
)

insi_job = Table(
    "insi_job",
    metadata,
    text_("id", primary_key=True),
    text_("kind"),
    text_("identity"),
    text_("origin"),
    text_("author"),
    text_("created"),
    text_("due"),
    text_("state"),
    Column("attempts", Integer(), nullable=False),
    text_("lease"),
    text_("outcome"),
    text_("error"),
    Column("ticket", SortedText, nullable=False, server_default=text("''")),
    Column("deposited", SortedText, nullable=False, server_default=text("''")),
    Column("verified", SortedText, nullable=False, server_default=text("''")),
    Index("insi_job_by_state", "state", "due"),
    Index("insi_job_by_identity", "identity", "kind"),
    Index("insi_job_by_origin", "origin"),
    Index(
        "insi_job_by_ticket",
        "ticket",
        "due",
        sqlite_where=text("ticket <> ''"),
        postgresql_where=text("ticket <> ''"),
    ),
)

insi_call = Table(
    "insi_call",
    metadata,
    text_("id", primary_key=True),
    text_("time"),
    text_("job"),
    text_("identity"),
    text_("author"),
    text_("why"),
    text_("operation"),
    text_("mode"),
    bytes_("criteria", nullable=True),  # null once erased by a purge, as is raw
    text_("code"),
    text_("subcode"),
    text_("text"),
    bytes_("raw", nullable=True),
    Column("milliseconds", Integer(), nullable=False),
    Index("insi_call_by_time", "time"),  # listing, purge
    Index("insi_call_by_identity", "identity", "time"),
    Index("insi_call_by_job", "job"),
)

insi_campaign = Table(
    "insi_campaign",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("author"),
    text_("created"),
    text_("older_than"),
    Column("per_minute", Integer(), nullable=False),
    Column("from_hour", Integer(), nullable=False),
    Column("to_hour", Integer(), nullable=False),
    text_("state"),
    text_("cursor"),
    Column("total", Integer(), nullable=False),
    Column("queued", Integer(), nullable=False),
)

user_account = Table(
    "user_account",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("roles"),  # separated by spaces
    text_("hash"),
    text_("created"),
    text_("disabled", nullable=True),
    UniqueConstraint("name", name="user_account_unique_name"),
)

invitation = Table(
    "invitation",
    metadata,
    text_("id", primary_key=True),
    text_("hash"),
    text_("created"),
    text_("expires"),
    text_("author"),
    text_("label"),
    Column("attempts", Integer(), nullable=False),
    text_("used", nullable=True),
    text_("identity"),
    UniqueConstraint("hash", name="invitation_unique_hash"),
)

counter = Table(
    "counter",
    metadata,
    text_("name", primary_key=True),
    Column("value", Number, nullable=False),
)

document_copy = Table(
    "document_copy",
    metadata,
    text_("id", primary_key=True),
    text_("identity"),
    text_("document"),
    text_("media"),
    text_("author"),
    text_("created"),
    text_("expires"),
    text_("vault"),  # which key it is encrypted with
    bytes_("content", nullable=True),  # encrypted; null once erased
    Index("document_copy_by_identity", "identity"),
    Index(
        "document_copy_kept",
        "expires",
        sqlite_where=text("content IS NOT NULL"),
        postgresql_where=text("content IS NOT NULL"),
    ),
)

login_failure = Table(
    "login_failure",
    metadata,
    text_("name", primary_key=True),  # a digest of the name given, which may be a secret typed in the wrong place
    Column("failures", Integer(), nullable=False),
    text_("last"),
)
