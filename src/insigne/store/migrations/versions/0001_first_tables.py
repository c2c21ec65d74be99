"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table; nothing to bring over."""
    op.create_table(
        "installation",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("installation_pk")),
    )
    op.create_table(
        "message",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("peer", TEXT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("control_id", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("charset", TEXT, nullable=False),
        sa.Column("disposition", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("ack", sa.LargeBinary(), nullable=True),
        sa.Column("findings", sa.LargeBinary(), nullable=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("replay_of", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("message_pk")),
    )
    op.create_index("message_by_sender", "message", ["sender", "control_id", "time"], unique=False)
    op.create_index("message_by_time", "message", ["time"], unique=False)
    op.create_table(
        "seal",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("first_seq", NUMBER, nullable=False),
        sa.Column("last_seq", NUMBER, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("seal_pk")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("stream_id", TEXT, nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("cause_kind", TEXT, nullable=False),
        sa.Column("cause_id", TEXT, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("seal", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("journal_pk")),
        sa.UniqueConstraint("stream", "stream_id", "version", name="journal_unique_version"),
    )
    op.create_table(
        "identity",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("birth_date", TEXT, nullable=False),
        sa.Column("birth_name", TEXT, nullable=False),
        sa.Column("used_name", TEXT, nullable=False),
        sa.Column("given_names", TEXT, nullable=False),
        sa.Column("sex", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("domain", TEXT, nullable=False),
        sa.Column("merged_into", TEXT, nullable=False),
        sa.Column("updated", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_pk")),
    )
    op.create_index("identity_by_birth", "identity", ["birth_date", "birth_name", "used_name"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("value", TEXT, nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("value", "authority", "type", "identity", name=op.f("identifier_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "encounter",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("encounter_pk")),
    )
    op.create_index("encounter_by_identity", "encounter", ["identity"], unique=False)
    op.create_table(
        "encounter_key",
        sa.Column("value", TEXT, nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("encounter", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("value", "authority", "type", "encounter", name=op.f("encounter_key_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "work_item",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("opened", TEXT, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("work_item_pk")),
    )
    op.create_index(
        "work_item_open",
        "work_item",
        ["key"],
        unique=False,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    op.create_table(
        "token",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("expires", TEXT, nullable=True),
        sa.Column("revoked", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("token_pk")),
    )
