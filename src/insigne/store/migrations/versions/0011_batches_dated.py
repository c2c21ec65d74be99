"""When a batch of verifications was deposited, and what of each identity was in it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Replace the version of the identity; what is in a batch already is deposited again once its verdict comes."""
    op.add_column("insi_job", sa.Column("deposited", TEXT, nullable=False, server_default=sa.text("''")))
    op.add_column("insi_job", sa.Column("verified", TEXT, nullable=False, server_default=sa.text("''")))
    op.drop_column("insi_job", "version")
