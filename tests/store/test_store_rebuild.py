"""Projections follow from the journal: made again they are the same, and what differs is told."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insigne.exchange.errors import StoreBusy
from insigne.registry import events as ev
from insigne.registry.state import Movement, StayHeader
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store
from insigne.store.audit_verify import audit_verify
from insigne.store.errors import HistoryErased
from insigne.store.purge import purge
from insigne.store.rebuild import rebuild
from insigne.store.statements import PROJECTIONS
from insigne.store.verify import verify

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
PEOPLE = ("A", "B", "C")
STAYS = ("S", "T")
ITEMS = ("V", "W")
FAR = "2099-01-01T00:00:00.000Z"

people = st.sampled_from(PEOPLE)
numbers = st.sampled_from("123")
identifiers = st.builds(lambda kind, value: Identifier(kind, HOSPITAL, value), st.sampled_from(["PI", "PN"]), numbers)
accounts = st.builds(lambda value: Identifier("AN", HOSPITAL, value), numbers)
matricules = st.builds(lambda value: Ins(f"28402290190{value}", "1.2.250.1.213.1.4.8"), numbers)
traits = st.builds(Traits, st.text(max_size=4), st.text(max_size=4), birth_date=st.sampled_from(["1984", "19840229"]))
movements = st.builds(Movement, numbers, st.sampled_from(["A01", "A02", "A03"]), st.just("20260301"))
changes_of_people = st.tuples(
    st.just("identity"),
    people,
    st.one_of(
        st.builds(ev.TraitsChanged, traits, traits),
        st.builds(ev.IdentifierAdded, identifiers),
        st.builds(ev.IdentifierRetired, identifiers, st.just("gone")),
        st.builds(ev.InsRecorded, matricules, st.booleans(), before_contested=st.booleans()),
        st.builds(ev.InsWithdrawn, matricules, st.just("deleted")),
        st.builds(ev.CandidateRead, matricules, traits),
        st.builds(ev.CandidateDropped, matricules, st.just("attribute DOUT")),
        st.builds(ev.IdentityLinked, people),
        st.builds(ev.IdentityUnlinked, people),
        st.builds(ev.IdentityAbsorbed, people),
    ),
)
changes_of_stays = st.tuples(
    st.just("encounter"),
    st.sampled_from(STAYS),
    st.one_of(
        st.builds(ev.AccountChanged, st.none(), st.none() | accounts),
        st.builds(ev.MovementRecorded, movements),
        st.builds(ev.MovementCancelled, movements),
        st.builds(ev.EncounterReassigned, people, people),
    ),
)
CHANGES = ["same", "replaced", "added", "superseded"]
held = st.sampled_from([b'{"traits":{"birth_name":"MARTIN"}}', b'{"n":[1, 2]}']).map(ev.raw_json)
changes_of_items = st.tuples(
    st.just("work-item"),
    st.sampled_from(ITEMS),
    st.one_of(
        st.builds(ev.WorkItemClosed, st.just("done")),
        st.builds(ev.WorkItemHeldAgain, st.just("sex"), held, change=st.sampled_from(CHANGES)),
    ),
)
commits = st.lists(
    st.lists(st.one_of(changes_of_people, changes_of_stays, changes_of_items), min_size=1, max_size=6), max_size=5
)


def start(hospital):
    """Three people, two stays, two work items."""
    hospital.record(
        *(("identity", name, hospital.created(Identifier("PI", HOSPITAL, name))) for name in PEOPLE),
        *(("encounter", name, ev.EncounterOpened("A", None, None, StayHeader("I"))) for name in STAYS),
        *(("work-item", name, ev.WorkItemRaised("overlay", name, ("A",))) for name in ITEMS),
    )


def everything(store):
    """All rows of the projections."""
    with store.read() as view:
        return {table: sorted(view.select(f"SELECT * FROM {table}")) for table in PROJECTIONS}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=commits, purged=st.booleans())
def test_rebuilding_gives_the_same_rows_whatever_happened(
    tmp_path_factory, sqlite_template, hospital_over, commits, purged
):
    path = tmp_path_factory.mktemp("rebuild") / "insigne.db"
    shutil.copy(sqlite_template, path)
    store = open_store(f"sqlite:///{path}")
    try:
        hospital = hospital_over(store)
        start(hospital)
        for steps in commits:
            hospital.record(*steps)
        before = everything(store)
        if purged:
            purge(store, "claire", payloads_before=FAR, now=lambda: "2026-04-01T00:00:00.000Z")
            assert verify(store).document()["problems"] == []
            before = everything(store)
        rebuild(store, "claire")
        assert everything(store) == before
        assert verify(store).document()["problems"] == []
        assert audit_verify(store).ok
    finally:
        store.close()


def test_rebuilding_repairs_what_was_damaged_and_the_writer_forgets_it(hospital, store):
    start(hospital)
    before = everything(store)
    with store.begin() as transaction:
        transaction.execute("UPDATE identity SET birth_name = 'X', state = ? WHERE id = ?", (b"{}", "A"))
        transaction.execute("DELETE FROM identifier WHERE identity = ?", ("B",))
        transaction.execute("DELETE FROM encounter WHERE id = ?", ("S",))
        transaction.commit()
    assert not verify(store).ok
    assert rebuild(store, "claire") == {"identity": 3, "encounter": 2, "work-item": 2}
    assert everything(store) == before
    with store.begin() as transaction:
        assert transaction.identity("A").traits.birth_name == "LEGALL"
        assert transaction.holders(("PI", HOSPITAL.key, "B")) == ("B",)
    with store.read() as view:
        assert [entry.act for _, entry in view.acts()] == ["projections-rebuilt"]
        assert len(view.changes(0)) == 7


def test_another_program_forgets_what_it_remembered_of_the_old_rows(hospital, store, url, opened):
    start(hospital)
    other = opened(url)
    with other.begin() as transaction:
        remembered = transaction.identity("A")
        transaction.commit()
    with store.begin() as transaction:
        transaction.execute("UPDATE identity SET state = ? WHERE id = ?", (b"broken", "A"))
        transaction.commit()
    rebuild(store, "claire")
    with other.begin() as transaction:
        assert transaction.identity("A") == remembered
        assert transaction.identity("A") is not remembered


def test_rebuilding_waits_for_the_writer_and_gives_up_in_time(hospital, store, url, opened):
    start(hospital)
    with store.begin(), pytest.raises(StoreBusy):
        rebuild(opened(url), "claire", wait=0.05)


def test_rebuilding_refuses_when_the_journal_is_not_enough(hospital, store):
    start(hospital)
    before = everything(store)
    with store.begin() as transaction:
        transaction.execute("UPDATE journal SET payload = NULL, salt = NULL WHERE stream_id = ?", ("A",))
        transaction.commit()
    with pytest.raises(HistoryErased):
        rebuild(store, "claire")
    assert everything(store) == before


def test_progress_is_told_up_to_the_end(hospital, store):
    start(hospital)
    told = []
    rebuild(store, "claire", lambda done, total: told.append((done, total)))
    assert told[-1] == (7, 7)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE identity SET birth_name = 'X' WHERE id = 'A'", "identity: the row of A is not what"),
        ("DELETE FROM identifier WHERE identity = 'B'", "identifier: the row of B is missing"),
        ("INSERT INTO encounter_key VALUES ('9', 'X', 'VN', 'S')", "encounter_key: 1 rows that the journal"),
        ("DELETE FROM work_item WHERE id = 'W'", "work_item: the row of W is missing"),
        ("UPDATE encounter SET identity = 'B' WHERE id = 'S'", "encounter: the row of S is not what"),
    ],
)
def test_verification_tells_which_row_is_wrong(sqlite_hospital, sql, problem):
    start(sqlite_hospital)
    assert verify(sqlite_hospital.store).ok
    with sqlite_hospital.store.begin() as transaction:
        transaction.execute(sql)
        transaction.commit()
    problems = verify(sqlite_hospital.store).document()["problems"]
    assert any(found.startswith(problem) for found in problems), problems


def test_verification_survives_a_journal_that_makes_no_sense(sqlite_hospital):
    start(sqlite_hospital)
    for payload in (b"not JSON", b'{"type":"trust-raised"}'):
        with sqlite_hospital.store.begin() as transaction:
            transaction.execute("UPDATE journal SET payload = ? WHERE seq = 1", (payload,))
            transaction.commit()
        problems = verify(sqlite_hospital.store).problems
        assert len([problem for problem in problems if problem.startswith("journal: ")]) == 1, problems


def test_verification_tells_of_ids_that_name_nobody(hospital, store):
    start(hospital)
    hospital.record(("identity", "A", ev.IdentityLinked("nobody")))
    assert verify(store).problems == ["link of A names identity nobody, which does not exist"]


def test_a_purge_leaves_objects_as_they_are_and_does_nothing_the_second_time(hospital, store):
    start(hospital)
    hospital.record(("identity", "A", ev.IdentityMerged("B", hospital_state(store))))
    messages = [hospital.message(1), hospital.message(2)]
    hospital.record(messages=messages)
    options = {"messages_before": messages[1].time, "payloads_before": FAR, "now": lambda: "2026-04-01T00:00:00.000Z"}
    kinds = ("messages", "told", "payloads", "snapshots", "calls", "copies", "documents", "mails")
    nothing = dict.fromkeys(kinds, 0)
    assert purge(store, "claire", **options) == {**nothing, "messages": 1, "payloads": 2, "snapshots": 1}
    assert purge(store, "claire", **options) == nothing
    with store.read() as view:
        assert view.identity("A").merged_into == "B"
        erased, kept = view.message(messages[0].id), view.message(messages[1].id)
        assert (erased.raw, erased.ack, erased.findings, erased.code) == (b"", b"", b"", "AA")
        assert kept == messages[1]
        assert [entry.act for _, entry in view.acts()] == ["messages-erased", "payloads-erased"]
    assert verify(store).ok


def hospital_state(store):
    with store.read() as view:
        return view.identity("A")


def test_life_goes_on_after_a_purge(hospital, store):
    start(hospital)
    hospital.record(("identity", "A", ev.IdentityLinked("B")))
    purge(store, "claire", payloads_before=FAR, now=lambda: "2026-04-01T00:00:00.000Z")
    hospital.record(("identity", "A", ev.IdentityUnlinked("B")))
    assert purge(store, "claire", payloads_before=FAR)["payloads"] == 2
    assert verify(store).ok
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        assert changes.identity("A").links == ()


def test_what_a_purge_erased_is_no_more_in_the_file(sqlite_hospital, sqlite_url):
    secret = Traits("ZYGOMATIQUE", "ANNE", "ANNE", "19840229", "F", "29019")
    sqlite_hospital.admit("A", Identifier("PI", HOSPITAL, "1"), traits=secret)
    changed = Traits("LEGALL", "ANNE", "ANNE", "19840229", "F", "29019")
    sqlite_hospital.record(("identity", "A", ev.TraitsChanged(secret, changed)))
    purge(sqlite_hospital.store, "claire", payloads_before=FAR)
    base = Path(sqlite_url.removeprefix("sqlite:///"))
    for file in base.parent.iterdir():
        assert b"ZYGOMATIQUE" not in file.read_bytes(), file.name
