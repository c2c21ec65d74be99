"""What is kept of the conversation with INSi, users, invitations, counters; work by person and by assignee."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Rows read and written at once.
BATCH = 1000

#: An INS that another one replaced: its identity is found by it too.
_REPLACED = (
    "INSERT INTO identifier (value, authority, type, identity, namespace, current, since)"
    " VALUES (:matricule, '', 'INS-OLD', :identity, :oid, false, :since)"
    " ON CONFLICT (value, authority, type, identity)"
    " DO UPDATE SET namespace = excluded.namespace, since = excluded.since"
)


def upgrade() -> None:
    """Make the new tables and columns, and fill what follows from the states there are."""
    _insi()
    _people()
    op.add_column("identity", sa.Column("verified", TEXT, nullable=True))
    op.add_column("work_item", sa.Column("assignee", TEXT, nullable=True))
    op.create_table(
        "work_item_subject",
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("item", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("identity", "item", name=op.f("work_item_subject_pk")),
        sqlite_with_rowid=False,
    )
    _fill()
    op.create_index(
        "identity_to_verify",
        "identity",
        ["id", "verified"],
        unique=False,
        sqlite_where=sa.text("verified IS NOT NULL"),
        postgresql_where=sa.text("verified IS NOT NULL"),
    )
    op.create_index(
        "work_item_queue",
        "work_item",
        ["id", "kind", "assignee"],
        unique=False,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )


def _insi() -> None:
    op.create_table(
        "insi_job",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("due", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("insi_job_pk")),
    )
    op.create_index("insi_job_by_state", "insi_job", ["state", "due"], unique=False)
    op.create_index("insi_job_by_identity", "insi_job", ["identity", "kind"], unique=False)
    op.create_index("insi_job_by_origin", "insi_job", ["origin"], unique=False)
    op.create_table(
        "insi_call",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("criteria", sa.LargeBinary(), nullable=True),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("subcode", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("insi_call_pk")),
    )
    op.create_index("insi_call_by_time", "insi_call", ["time"], unique=False)
    op.create_index("insi_call_by_identity", "insi_call", ["identity", "time"], unique=False)
    op.create_index("insi_call_by_job", "insi_call", ["job"], unique=False)
    op.create_table(
        "insi_campaign",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("older_than", TEXT, nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("from_hour", sa.Integer(), nullable=False),
        sa.Column("to_hour", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("cursor", TEXT, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("insi_campaign_pk")),
    )


def _people() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("roles", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("disabled", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("user_account_pk")),
        sa.UniqueConstraint("name", name="user_account_unique_name"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("expires", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("used", TEXT, nullable=True),
        sa.Column("identity", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("invitation_pk")),
        sa.UniqueConstraint("hash", name="invitation_unique_hash"),
    )
    op.create_table(
        "counter",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("counter_pk")),
    )


def _fill() -> None:
    """From each state as the first release wrote it: what a default would say is not in it."""
    for identity, state in _states("identity"):
        _run("UPDATE identity SET verified = :verified WHERE id = :id", verified=_verified(state), id=identity)
        for past in _replaced(state):
            _run(_REPLACED, identity=identity, since=past["since"], **past["ins"])
    for item, state in _states("work_item"):
        if state.get("assignee"):
            _run("UPDATE work_item SET assignee = :assignee WHERE id = :id", assignee=state["assignee"], id=item)
        for subject in dict.fromkeys(state["subjects"]):
            _run("INSERT INTO work_item_subject (identity, item) VALUES (:subject, :id)", subject=subject, id=item)


def _states(table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    last = ""
    read = sa.text(f"SELECT id, state FROM {table} WHERE id > :last ORDER BY id LIMIT {BATCH}")  # noqa: S608  # no value
    while rows := op.get_bind().execute(read, {"last": last}).all():
        last = rows[-1][0]
        yield from ((row[0], json.loads(bytes(row[1]))) for row in rows)


def _run(statement: str, **values: str | None) -> None:
    op.get_bind().execute(sa.text(statement), values)


def _replaced(state: dict[str, Any]) -> list[dict[str, Any]]:
    history = state.get("ins_history", [])
    starts = {past["since"] for past in history} | {held["since"] for held in [state.get("ins")] if held}
    return [past for past in history if past["until"] in starts]


def _verified(state: dict[str, Any]) -> str | None:
    ins = state.get("ins")
    if ins is None or ins.get("contested") or state.get("merged_into"):
        return None
    national = state.get("national", {})
    return str(max(national.get("verified", ""), national.get("obtained", "")))
