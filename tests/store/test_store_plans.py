"""No query of the hot path, or of a page, reads a whole table."""

import pytest

from insigne.store import copies, statements

QUERIES = {
    name: getattr(statements, name)
    for name in (
        "LAST_SEAL", "IDENTITY", "HOLDERS", "ENCOUNTER", "ENCOUNTERS", "WORK_ITEM", "OPEN_WORK_ITEM",
        "SEAL_HEAD", "FIND_IDENTITY", "ENCOUNTERS_OF", "MESSAGE", "HISTORY", "EVENTS_AFTER",
        "IDENTITY_ROW", "IDENTIFIER_ROW", "ENCOUNTER_ROW", "ENCOUNTER_KEY_ROW", "WORK_ITEM_ROW", "TOKEN",
        "DELETE_IDENTIFIER", "DELETE_ENCOUNTER_KEY", "ERASE_MESSAGE", "ERASE_ENTRY", "OLD_ENTRIES", "REVOKE_TOKEN",
        "DUE_TO_DEPOSIT", "DUE_TO_COLLECT",
        "JOB", "OPEN_JOBS", "DUE_JOBS", "LOST_JOBS", "TO_VERIFY", "CALL", "CAMPAIGN", "OLD_CALLS", "ERASE_CALL",
        "COUNTER", "CHANGES_AFTER", "CHANGES_UNTIL", "CHANGES_OF", "FIND_VALUE", "USER",
        "INVITATION", "WORK_ITEM_SUBJECT_ROW",
    )
} | {
    "previous messages": statements.with_rows(statements.PREVIOUS_MESSAGES, 4, 2),
    "holders of a batch": statements.with_rows(statements.HOLDERS_EACH, 4, 3),
    "stays of a batch": statements.with_rows(statements.ENCOUNTERS_EACH, 4, 3),
    "identities of a batch": statements.with_rows(statements.IDENTITIES_EACH, 4, 1),
    "identities and work of a batch": statements.with_rows(statements.IDENTITIES_AND_WORK_EACH, 4, 1),
    "encounters of a batch": statements.with_rows(statements.STAYS_EACH, 4, 1),
    "jobs of an identity": statements.JOBS + statements.JOB_FILTERS["identity"] + statements.JOBS_ORDER,
    "jobs of a campaign": statements.JOBS + statements.JOB_FILTERS["origin"] + statements.JOBS_ORDER,
    "calls": statements.CALLS + statements.CALLS_ORDER,
    "calls page": statements.CALLS + statements.CALLS_BEFORE + statements.CALLS_ORDER,
    "calls of an identity": statements.CALLS + statements.CALL_FILTERS["identity"] + statements.CALLS_ORDER,
    "calls of a job": statements.CALLS + statements.CALL_FILTERS["job"] + statements.CALLS_ORDER,
    "work": statements.WORK_ITEMS + statements.WORK_ITEM_STATES["open"] + statements.WORK_ITEMS_ORDER,
    "work about an identity": statements.WORK_ITEMS
    + statements.WORK_ITEM_FILTERS["subject"]
    + statements.WORK_ITEMS_ORDER,
    "search": statements.SEARCH + statements.SEARCH_NAME + statements.SEARCH_SEX + statements.SEARCH_ORDER,
    "search by ins": statements.SEARCH + statements.SEARCH_INS + statements.SEARCH_ORDER,
    "messages": statements.MESSAGES + statements.MESSAGES_ORDER,
    "messages since": statements.MESSAGES + statements.MESSAGE_FILTERS["since"] + statements.MESSAGES_ORDER,
    "messages page": statements.MESSAGES + statements.MESSAGES_BEFORE + statements.MESSAGES_ORDER,
    "messages of a control id": statements.MESSAGES
    + statements.MESSAGE_FILTERS["sender"]
    + statements.MESSAGE_FILTERS["control_id"]
    + statements.MESSAGES_ORDER,
}  # fmt: skip

#: What may be scanned: an index in its order, up to a LIMIT.
ORDERED = (
    "SCAN seal",
    "SCAN wanted",  # the keys asked for
    "SCAN message USING INDEX message_by_time",
    "SCAN insi_call USING INDEX insi_call_by_time",
)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_finds_its_rows_by_an_index(sqlite_hospital, name):
    sql = QUERIES[name]
    with sqlite_hospital.store.read() as view:
        plan = [row[3] for row in view.select(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))]
    assert plan
    for step in plan:
        assert not step.startswith("SCAN") or step in ORDERED or step.endswith("CONSTANT ROWS"), plan


def test_the_search_by_birth_date_reads_names_from_the_index(sqlite_hospital):
    with sqlite_hospital.store.read() as view:
        plan = view.select(f"EXPLAIN QUERY PLAN {statements.SEARCH}", ("19840229",))
    assert "identity_by_birth (birth_date=?)" in plan[0][3]


def test_lists_of_open_work_and_of_what_to_verify_read_only_what_is_open_or_held(sqlite_hospital):
    open_work = statements.WORK_ITEMS + statements.WORK_ITEM_STATES["open"] + statements.WORK_ITEMS_ORDER
    with sqlite_hospital.store.read() as view:
        plan = view.select(f"EXPLAIN QUERY PLAN {open_work}", ("", 10))
        assert "work_item_queue (id>?)" in plan[0][3]
        plan = view.select(f"EXPLAIN QUERY PLAN {statements.TO_VERIFY}", ("", "", 10))
        assert "COVERING INDEX identity_to_verify (id>?)" in plan[0][3]
        plan = view.select(f"EXPLAIN QUERY PLAN {statements.COUNT_TO_VERIFY}", ("",))
        assert "COVERING INDEX identity_to_verify" in plan[0][3]


def test_batches_and_expired_copies_are_found_among_many_that_ended(sqlite_hospital):
    with sqlite_hospital.store.read() as view:
        plan = view.select(f"EXPLAIN QUERY PLAN {statements.DUE_TO_DEPOSIT}", ("", "", 10))
        assert "insi_job_by_state (state=? AND due<?)" in plan[0][3]
        plan = view.select(f"EXPLAIN QUERY PLAN {statements.DUE_TO_COLLECT}", ("", "", "", 10))
        assert "insi_job_by_ticket (ticket=? AND due<?)" in plan[0][3]
        plan = view.select(f"EXPLAIN QUERY PLAN {copies.HOLDS_EXPIRED}", ("",))
        assert "document_copy_kept (expires<?)" in plan[0][3]
