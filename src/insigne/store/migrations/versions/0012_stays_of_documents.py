"""Which stays documents name, so that a stay opened for somebody else is noticed."""

import json
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KINDS: Final = ("visit", "account")
PAGE: Final = 1000
LIVE: Final = "state NOT IN ('replaced', 'deleted', 'cancelled')"


def upgrade() -> None:
    """Fill the numbers from what was kept, and have each document that names a stay looked at again."""
    for kind in KINDS:
        op.add_column("document", sa.Column(kind, TEXT, nullable=False, server_default=sa.text("''")))
        where = sa.text(f"{kind} <> ''")
        op.create_index(f"document_by_{kind}", "document", [kind], sqlite_where=where, postgresql_where=where)
    connection = op.get_bind()
    fill = sa.text("UPDATE document SET visit = :visit, account = :account WHERE id = :id")
    for page in _pages(connection):
        rows = [row for row in map(_numbers, page) if row["visit"] or row["account"]]
        if rows:
            connection.execute(fill, rows)
    connection.execute(
        sa.text(
            "INSERT INTO document_review (identity, since, cursor)"  # noqa: S608  # no value
            f" SELECT identity, min(since), '' FROM document_sending WHERE {LIVE}"
            " AND document IN (SELECT id FROM document WHERE visit <> '' OR account <> '')"
            " GROUP BY identity ON CONFLICT (identity) DO UPDATE SET cursor = ''"
        )
    )


def _pages(connection: sa.Connection) -> Iterator[list[Any]]:
    read = sa.text(
        "SELECT id, personal FROM document WHERE id > :after AND personal IS NOT NULL ORDER BY id LIMIT :limit"
    )
    after = ""
    while page := list(connection.execute(read, {"after": after, "limit": PAGE})):
        yield page
        after = page[-1][0]


def _numbers(row: Any) -> dict[str, str]:
    stay = json.loads(bytes(row[1])).get("stay", {})
    return {"id": row[0]} | {kind: str(stay.get(kind, "")).partition("|")[2] for kind in KINDS}
