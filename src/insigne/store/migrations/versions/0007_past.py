"""What a site did before: identities of API V1 and TD0.0, and figures of the years before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables; they are filled by hand."""
    op.create_table(
        "legacy_identifier",
        *_texts("id", "kind", "authority", "value", "local_authority", "local_value", "identity", "matched"),
        *_texts("obtained", "source", "imported", "author"),
        sa.Column("traits", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("legacy_identifier_pk")),
    )
    op.create_index("legacy_identifier_by_identity", "legacy_identifier", ["identity"], unique=False)
    op.create_index("legacy_identifier_by_source", "legacy_identifier", ["source"], unique=False)
    op.create_table(
        "past_figure",
        *_texts("month", "establishment", "type_code", "identity", "outcome"),
        sa.Column("documents", NUMBER, nullable=False),
        *_texts("source", "imported", "author"),
        sa.PrimaryKeyConstraint(
            "month", "establishment", "type_code", "identity", "outcome", name=op.f("past_figure_pk")
        ),
    )
