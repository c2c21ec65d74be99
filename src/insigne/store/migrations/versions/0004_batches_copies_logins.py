"""Verifications that wait in a batch, encrypted copies of documents, failed logins."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the new tables and columns; no job of before is in a batch."""
    op.add_column("insi_job", sa.Column("ticket", TEXT, nullable=False, server_default=sa.text("''")))
    op.add_column("insi_job", sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index(
        "insi_job_by_ticket",
        "insi_job",
        ["ticket", "due"],
        unique=False,
        sqlite_where=sa.text("ticket <> ''"),
        postgresql_where=sa.text("ticket <> ''"),
    )
    op.create_table(
        "document_copy",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("media", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("expires", TEXT, nullable=False),
        sa.Column("vault", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("document_copy_pk")),
    )
    op.create_index("document_copy_by_identity", "document_copy", ["identity"], unique=False)
    op.create_index(
        "document_copy_kept",
        "document_copy",
        ["expires"],
        unique=False,
        sqlite_where=sa.text("content IS NOT NULL"),
        postgresql_where=sa.text("content IS NOT NULL"),
    )
    op.create_table(
        "login_failure",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("login_failure_pk")),
    )
