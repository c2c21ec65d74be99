"""What is to be told to receivers: the outbox, its bytes, its attempts, and the destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the new tables; nothing to bring over: nothing was sent before."""
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("keys", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("notice", sa.LargeBinary(), nullable=True),
        sa.Column("background", sa.Boolean(), nullable=False),
        sa.Column("control_id", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("sent", TEXT, nullable=False),
        sa.Column("ended", TEXT, nullable=True),
        sa.Column("replaces", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pk")),
    )
    op.create_index(
        "outbox_waiting",
        "outbox",
        ["destination", "id", "ended"],
        unique=False,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index(
        "outbox_unsettled",
        "outbox",
        ["destination", "state", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('held', 'dead')"),
        postgresql_where=sa.text("state IN ('held', 'dead')"),
    )
    op.create_index("outbox_by_cause", "outbox", ["cause"], unique=False)
    op.create_table(
        "outbox_bytes",
        sa.Column("control_id", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("control_id", name=op.f("outbox_bytes_pk")),
    )
    op.create_table(
        "outbox_attempt",
        sa.Column("outbox", NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.Column("control_id", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("ack", sa.LargeBinary(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("outbox", "number", name=op.f("outbox_attempt_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destination",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("init_state", TEXT, nullable=False),
        sa.Column("init_cursor", TEXT, nullable=False),
        sa.Column("init_until", TEXT, nullable=False),
        sa.Column("init_rate", sa.Double(), nullable=False),
        sa.Column("init_total", sa.Integer(), nullable=False),
        sa.Column("init_done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("destination_pk")),
    )
