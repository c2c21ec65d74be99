"""Documents of the PFI: what was received, its content, what becomes of it, what is to be looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = "state NOT IN ('replaced', 'deleted', 'cancelled')"


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables; nothing to bring over: no document was kept before."""
    op.create_table(
        "document",
        *_texts("id", "received", "source", "message", "control_id", "sending", "intent", "unique_id", "set_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("parent", "type_code", "confidentiality", "created", "identity", "digest"),
        sa.Column("size", NUMBER, nullable=False),
        *_texts("media", "facility"),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("document_pk")),
    )
    for name in ("unique_id", "parent", "digest", "message", "received"):
        op.create_index(f"document_by_{name}", "document", [name], unique=False)
    op.create_table(
        "document_content",
        *_texts("digest"),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "part", name=op.f("document_content_pk")),
    )
    op.create_table(
        "document_sending",
        *_texts("id", "document", "channel", "action", "identity", "state", "reason", "since", "due"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *_texts("lease", "ins", "code", "text", "entry", "sent", "ended", "recipient", "author"),
        sa.PrimaryKeyConstraint("id", name=op.f("document_sending_pk")),
    )
    op.create_index("document_sending_by_document", "document_sending", ["document"], unique=False)
    op.create_index("document_sending_by_state", "document_sending", ["state", "since", "id"], unique=False)
    _partial("document_sending_live", ["identity", "id"], LIVE)
    _partial("document_sending_due", ["channel", "due", "id"], "state = 'ready'")
    _partial("document_sending_lost", ["channel", "lease", "id"], "state = 'calling'")
    _partial("document_sending_by_entry", ["entry"], "entry <> ''")
    op.create_table(
        "document_review",
        *_texts("identity", "since", "cursor"),
        sa.PrimaryKeyConstraint("identity", name=op.f("document_review_pk")),
    )
    op.create_index("document_review_by_time", "document_review", ["since", "identity"], unique=False)


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        "document_sending",
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
