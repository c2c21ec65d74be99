"""Mails of MSSanté: how far each box was read, what each mail was."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, NUMBER, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables; no box was read before."""
    op.create_table(
        "mail_place",
        *_texts("box"),
        *_numbers("validity", "uid"),
        sa.PrimaryKeyConstraint("box", name=op.f("mail_place_pk")),
    )
    op.create_table(
        "mail",
        *_texts("id", "box"),
        *_numbers("validity", "uid"),
        *_texts("key", "message_id", "received", "kind", "state", "code", "text", "address", "way"),
        sa.PrimaryKeyConstraint("id", name=op.f("mail_pk")),
    )
    op.create_index("mail_by_key", "mail", ["key"], unique=False)
    op.create_index("mail_by_state", "mail", ["state", "box", "id"], unique=False)
