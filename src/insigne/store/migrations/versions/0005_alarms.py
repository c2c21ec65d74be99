"""Alarms, and how much each feed says in each hour."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; what feeds said before is counted again from the message log."""
    op.create_table(
        "alarm",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("ended", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "since", name=op.f("alarm_pk")),
    )
    op.create_index("alarm_by_end", "alarm", ["ended", "since"], unique=False)
    op.create_table(
        "feed_hour",
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("hour", TEXT, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("last", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("feed", "hour", name=op.f("feed_hour_pk")),
    )
    op.create_index("feed_hour_by_hour", "feed_hour", ["hour"], unique=False)
