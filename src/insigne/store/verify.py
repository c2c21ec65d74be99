"""Whether the base holds together: projections against the journal, lookups against states, the file against itself."""

from collections import Counter
from collections.abc import Iterator

from insigne.registry.evolve import State
from insigne.registry.state import Encounter, Identity, WorkItem
from insigne.store import dmp_statements, rows, statements
from insigne.store.errors import Damaged, HistoryErased
from insigne.store.queries import ReadView
from insigne.store.rebuild import states
from insigne.store.report import Progress, Report, silent
from insigne.store.session import Row
from insigne.store.store import Store

#: (table, text that reads the row, its key, the row)
Expected = tuple[str, str, Row, Row]


def verify(store: Store, progress: Progress = silent) -> Report:
    """Compare every projection with the fold of the journal, of one moment; nobody is stopped meanwhile.

    Also checks that the ids that states name exist, that no two open work items have one key, and the database's own
    structures. When the journal cannot be followed, the comparison stops there and the report says so.
    """
    report = Report()
    with store.read() as view:
        for problem in view.integrity():
            report.problem(f"database: {problem}")
        try:
            _compare_projections(view, report, progress)
        except (Damaged, HistoryErased) as error:
            report.problem(f"journal: {error}; the comparison stops here")
        for (key,) in view.select(statements.SAME_OPEN_ITEMS):
            report.problem(f"work_item: several open items of key {key}")
        _check_records(view, report)
        head = view.head()
        report.checked["events"] = head.last_seq if head is not None else 0
    return report


def _check_records(view: ReadView, report: Report) -> None:
    """Records that name an identity name one that exists; nobody is asked about twice at once."""
    counts, lost = statements.COUNT_NAMING, statements.NAMING_NOBODY
    for table, count, naming_nobody in zip(statements.NAMING_IDENTITIES, counts, lost, strict=True):
        report.checked[table] = view.select(count)[0][0]
        for record, identity_id in view.select(naming_nobody):
            report.problem(f"{table}: {record} names identity {identity_id}, which does not exist")
    for document, digest in view.select(dmp_statements.WITHOUT_CONTENT):
        report.problem(f"document: {document} has no content {digest}, or not all of it")
    for sending, document in view.select(dmp_statements.WITHOUT_DOCUMENT):
        report.problem(f"document_sending: {sending} names document {document}, which does not exist")
    for identity_id, kind in view.select(statements.SAME_OPEN_JOBS):
        report.problem(f"insi_job: several open jobs of kind {kind} about identity {identity_id}")


def _compare_projections(view: ReadView, report: Report, progress: Progress) -> None:
    expected = Counter[str](dict.fromkeys(statements.PROJECTIONS, 0))
    for state in states(view, progress):
        for table, sql, key, row in _expected_rows(state):
            expected[table] += 1
            _compare(view, report, table, sql, key, row)
        for kind, identity_id in _references(state):
            if not view.select(statements.IDENTITY, (identity_id,)):
                report.problem(f"{kind} of {state.id} names identity {identity_id}, which does not exist")
    for table, sql in zip(statements.PROJECTIONS, statements.COUNT_PROJECTIONS, strict=True):
        found = view.select(sql)[0][0]
        report.checked[table] = found
        if found > expected[table]:
            report.problem(f"{table}: {found - expected[table]} rows that the journal does not know")


def _compare(view: ReadView, report: Report, table: str, sql: str, key: Row, row: Row) -> None:
    found = view.select(sql, key)
    if not found or tuple(found[0]) != row:
        fault = "is not what the journal amounts to" if found else "is missing"
        report.problem(f"{table}: the row of {row[_OBJECT[table]]} {fault}")


#: In which column the id of the object is; before it may come a value not to be told.
_OBJECT = {
    "identity": 0,
    "identifier": 3,
    "encounter": 0,
    "encounter_key": 3,
    "work_item": 0,
    "work_item_subject": 1,
}


def _expected_rows(state: State) -> Iterator[Expected]:
    if isinstance(state, Identity):
        yield "identity", statements.IDENTITY_ROW, (state.id,), rows.identity_row(state)
        for row in rows.identifier_rows(state).values():
            yield "identifier", statements.IDENTIFIER_ROW, row[:4], row
    elif isinstance(state, Encounter):
        yield "encounter", statements.ENCOUNTER_ROW, (state.id,), rows.encounter_row(state)
        for row in rows.encounter_key_rows(state).values():
            yield "encounter_key", statements.ENCOUNTER_KEY_ROW, row[:4], row
    else:
        yield "work_item", statements.WORK_ITEM_ROW, (state.id,), rows.work_item_row(state)
        for row in rows.subject_rows(state):
            yield "work_item_subject", statements.WORK_ITEM_SUBJECT_ROW, row, row


def _references(state: State) -> Iterator[tuple[str, str]]:
    """The identities a state names, with what names them."""
    if isinstance(state, Identity):
        if state.merged_into:
            yield "merge", state.merged_into
        yield from (("merge", absorbed) for absorbed in state.absorbed)
        yield from (("link", link) for link in state.links)
    elif isinstance(state, Encounter):
        yield "stay", state.identity
    elif isinstance(state, WorkItem):
        yield from (("work item", subject) for subject in state.subjects)
