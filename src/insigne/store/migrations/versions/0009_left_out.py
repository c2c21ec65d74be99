"""What was left out of a message because its receiver's edition refuses it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; of messages written before it is not known."""
    op.add_column("outbox_bytes", sa.Column("left_out", TEXT, nullable=True))
