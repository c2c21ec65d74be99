"""Jobs, calls and campaigns in the base, SQLite and PostgreSQL alike."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from insigne.access.document_copy import DocumentCopy
from insigne.insi.jobs import CallTrace, Campaign, Job
from insigne.insi.ports import InsiStorage, InsiTransaction
from insigne.registry import events as ev
from insigne.registry.values import Authority, Identifier, Ins
from insigne.registry.workingset import WorkingSet
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store.insi import CallFilter, JobFilter
from insigne.store.purge import purge
from insigne.store.rebuild import rebuild
from insigne.store.verify import verify

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")


def at(minute):
    return f"2026-03-02T10:{minute:02}:00.000Z"


def job(number, identity="A", **fields):
    return replace(Job(f"J{number}", "retrieve", identity, "automatic", "insigne", at(0), due=at(number)), **fields)


def call(number, **fields):
    trace = CallTrace(
        id=f"C{number}",
        time=at(number),
        job="J1",
        identity="A",
        author="claire",
        why="admission",
        operation="search",
        mode="INSI-AUTO",
        criteria=b'{"birth_name":"LEGALL"}',
        code="00",
        subcode="",
        text="",
        raw=b"<xml>\xc3\xa9\0</xml>",
        milliseconds=312,
    )
    return replace(trace, **fields)


def campaign(number, **fields):
    made = Campaign(
        f"K{number}", "annuelle", "claire", at(number), older_than=at(0), per_minute=30, from_hour=20, to_hour=6
    )
    return replace(made, **fields)


def put(store, *things):
    writes = {Job: "put_job", CallTrace: "put_call", Campaign: "put_campaign"}
    with store.begin() as transaction:
        for thing in things:
            getattr(transaction, writes[type(thing)])(thing)
        transaction.commit()


def read(store, question):
    with store.read() as view:
        return question(view)


def ids(things):
    return [thing.id for thing in things]


def test_a_job_a_call_and_a_campaign_come_back_as_written(store):
    put(store, job(1, error="siram_40"), call(1), campaign(1, cursor="A"))
    with store.begin() as transaction:
        assert transaction.job("J1") == job(1, error="siram_40")
        assert transaction.campaign("K1") == campaign(1, cursor="A")
        assert transaction.job("none") is None
        assert transaction.campaign("none") is None
    assert read(store, lambda view: view.call("C1")) == call(1)
    assert read(store, lambda view: view.call("none")) is None


def test_a_transaction_sees_the_jobs_it_wrote_before_and_after_they_reach_the_base(store):
    with store.begin() as transaction:
        transaction.put_job(job(1))
        assert transaction.open_job("A", "retrieve") == job(1)
        assert transaction.job("J1") == job(1)
        assert ids(transaction.due_jobs(at(30), 10)) == ["J1"]
        assert transaction.open_job("A", "retrieve") == job(1)
        transaction.put_job(job(1, state="done"))
        assert transaction.open_job("A", "retrieve") is None
        assert transaction.job("J1") == job(1, state="done")
        transaction.put_campaign(campaign(1))
        assert ids(transaction.running_campaigns()) == ["K1"]
        transaction.commit()
    assert read(store, lambda view: view.jobs()) == [job(1, state="done")]


def test_what_was_not_committed_is_not_kept(store):
    with store.begin() as transaction:
        transaction.put_job(job(1))
        transaction.put_call(call(1))
        transaction.put_campaign(campaign(1))
        transaction.next_number("local")
    with store.begin() as transaction:
        assert transaction.open_job("A", "retrieve") is None
        assert transaction.campaign("K1") is None
        assert transaction.next_number("local") == 1
    assert read(store, lambda view: (view.jobs(), view.calls(), view.campaigns())) == ([], [], [])


@pytest.mark.parametrize(("state", "is_open"), [
    ("waiting", True), ("calling", True), ("done", False), ("failed", False), ("cancelled", False),
])  # fmt: skip
def test_a_job_is_open_until_it_ended(store, state, is_open):
    put(store, job(1, state=state))
    with store.begin() as transaction:
        assert (transaction.open_job("A", "retrieve") is not None) is is_open
        assert transaction.open_job("A", "verify") is None
        assert transaction.open_job("B", "retrieve") is None


def test_jobs_are_due_oldest_first_when_their_time_has_come_or_their_lease_ran_out(store):
    put(
        store,
        job(5),
        job(3),
        job(9),
        job(2, state="calling", lease=at(6)),
        job(1, state="calling", lease=at(8)),
        job(4, state="done"),
    )
    with store.begin() as transaction:
        assert ids(transaction.due_jobs(at(7), 10)) == ["J2", "J3", "J5"]
        assert ids(transaction.due_jobs(at(7), 2)) == ["J2", "J3"]
        assert transaction.due_jobs(at(0), 10) == []


def test_what_goes_together_is_what_is_due_of_one_campaign_and_once_deposited_of_one_batch(store):
    campaign = {"kind": "verify", "origin": "campaign:K1"}
    put(
        store,
        job(1, **campaign),
        job(2, **campaign),
        job(3, kind="verify", origin="campaign:K2"),
        job(4, **campaign, state="done"),
        job(5, **campaign, ticket="lot-1"),
        job(6, **campaign, ticket="lot-2", deposited=at(3), verified="a1b2"),
        job(9, **campaign),
    )
    with store.begin() as transaction:
        assert ids(transaction.due_together(job(1, **campaign), at(8), 10)) == ["J1", "J2"]
        assert ids(transaction.due_together(job(1, **campaign), at(8), 1)) == ["J1"]
        [batched] = transaction.due_together(job(6, **campaign, ticket="lot-2"), at(8), 10)
        assert (batched.id, batched.ticket, batched.deposited, batched.verified) == ("J6", "lot-2", at(3), "a1b2")
        assert transaction.due_together(job(6, **campaign, ticket="lot-2"), at(5), 10) == []


def test_the_last_campaign_of_an_author_is_the_one_started_last(store):
    put(store, campaign(2, author="insigne"), campaign(3, author="insigne", state="done"), campaign(4))
    with store.begin() as transaction:
        assert transaction.last_campaign("insigne").id == "K3"
        assert transaction.last_campaign("claire").id == "K4"
        assert transaction.last_campaign("nadia") is None


def test_copies_come_back_as_kept_and_are_erased_when_their_time_is_over(store, hospital):
    hospital.admit("A", Identifier("PI", HOSPITAL, "1"))
    kept = [
        DocumentCopy(
            id=f"D{day}",
            identity="A",
            document="CN",
            media="image/png",
            author="user:claire",
            created=datetime(2021, 3, day, tzinfo=UTC),
            expires=datetime(2026, 3, day, tzinfo=UTC),
            vault="k",
            content=bytes(range(256)),
        )
        for day in (1, 2, 3)
    ]
    with store.begin() as transaction:
        for copy in kept:
            transaction.put_copy(copy)
        transaction.commit()
    assert read(store, lambda view: view.copies_of("A")) == kept
    assert read(store, lambda view: view.copies_of("B")) == []
    now = "2026-03-02T00:00:00.000Z"
    assert not read(store, lambda view: view.holds_expired("2026-02-28T00:00:00.000Z"))
    assert read(store, lambda view: view.holds_expired(now))
    assert purge(store, "insigne", copies_until=now)["copies"] == 2
    assert not read(store, lambda view: view.holds_expired(now))
    assert read(store, lambda view: view.copies_of("A")) == [
        replace(kept[0], content=None),
        replace(kept[1], content=None),
        kept[2],
    ]
    assert verify(store).problems == []


def test_only_running_campaigns_are_given_to_run(store):
    put(store, campaign(2), campaign(1), campaign(3, state="paused"), campaign(4, state="done"))
    with store.begin() as transaction:
        assert ids(transaction.running_campaigns()) == ["K1", "K2"]
    assert ids(read(store, lambda view: view.campaigns())) == ["K4", "K3", "K2", "K1"]


def test_jobs_are_listed_newest_first_by_what_they_are_and_by_page(store):
    put(
        store,
        job(1),
        job(2, "B", state="done"),
        job(3, "B", kind="verify", origin="campaign:K1"),
        job(4, "C", origin="campaign:K1"),
    )
    with store.read() as view:
        assert ids(view.jobs()) == ["J4", "J3", "J2", "J1"]
        assert ids(view.jobs(limit=2)) == ["J4", "J3"]
        assert ids(view.jobs(limit=2, after="J3")) == ["J2", "J1"]
        assert ids(view.jobs(JobFilter(identity="B"))) == ["J3", "J2"]
        assert ids(view.jobs(JobFilter(identity="B", state="done"))) == ["J2"]
        assert ids(view.jobs(JobFilter(kind="verify"))) == ["J3"]
        assert ids(view.jobs(JobFilter(origin="campaign:K1"))) == ["J4", "J3"]
        assert view.job_states() == {"waiting": 3, "done": 1}


def test_calls_are_listed_newest_first_without_their_raw_answers(store):
    put(store, call(1), call(2, job="J2", identity="B"), call(3, code="01", author="nadia"))
    with store.read() as view:
        assert view.calls(CallFilter(job="J2")) == [call(2, job="J2", identity="B", raw=b"")]
        assert ids(view.calls()) == ["C3", "C2", "C1"]
        assert ids(view.calls(limit=1, after="C3")) == ["C2"]
        assert ids(view.calls(CallFilter(identity="A"))) == ["C3", "C1"]
        assert ids(view.calls(CallFilter(since=at(2), until=at(3)))) == ["C2"]
        assert ids(view.calls(CallFilter(code="01", author="nadia"))) == ["C3"]


def verify_list(store, older_than, after="", limit=10):
    with store.begin() as transaction:
        return transaction.to_verify(after, older_than, limit)


def test_identities_to_verify_hold_an_ins_that_nobody_confirmed_since(store, hospital):
    for name in ("A", "B", "C", "D", "E"):
        hospital.admit(name, Identifier("PI", HOSPITAL, name))
    hospital.record(*(("identity", name, ev.InsRecorded(INS)) for name in "ABDE"))
    hospital.record(("identity", "A", ev.NationalAnswerAccepted("INSI", "C1", ())))
    hospital.record(("identity", "B", ev.InsVerified(INS, "OK", "C2")))
    hospital.record(("identity", "D", ev.InsContested(INS, contested=True)))
    with store.read() as view:
        answered = view.identity("A").national.obtained
        verified = view.identity("B").national.verified
        hospital.record(("identity", "E", ev.IdentityMerged("A", view.identity("E"))))
    assert verify_list(store, answered) == []
    assert verify_list(store, verified) == ["A"]
    assert verify_list(store, "2027-01-01T00:00:00.000Z") == ["A", "B"]
    assert read(store, lambda view: view.count_to_verify("2027-01-01T00:00:00.000Z")) == 2
    assert read(store, lambda view: view.count_to_verify(verified)) == 1
    assert verify_list(store, "2027-01-01T00:00:00.000Z", limit=1) == ["A"]
    assert verify_list(store, "2027-01-01T00:00:00.000Z", after="A") == ["B"]


def test_an_ins_written_in_this_transaction_is_to_be_verified_at_once(store, hospital):
    hospital.admit("A", Identifier("PI", HOSPITAL, "1"))
    with store.begin() as transaction:
        changes = WorkingSet(transaction)
        hospital.add(changes, "identity", "A", ev.InsRecorded(INS))
        transaction.write(changes, ())
        assert transaction.to_verify("", at(0), 10) == ["A"]


def test_numbers_of_a_counter_follow_each_other_and_those_of_another_start_at_one(store):
    with store.begin() as transaction:
        assert [transaction.next_number("1.2.3|PI") for _ in range(3)] == [1, 2, 3]
        assert transaction.next_number("4.5.6|PI") == 1
        transaction.commit()
    with store.begin() as transaction:
        assert transaction.next_number("1.2.3|PI") == 4


def test_a_purge_erases_what_old_calls_said_and_keeps_that_they_were_made(store):
    put(store, call(1), call(2))
    options = {"calls_before": at(2), "now": lambda: at(30)}
    assert purge(store, "claire", **options)["calls"] == 1
    assert purge(store, "claire", **options)["calls"] == 0
    with store.read() as view:
        assert view.call("C1") == call(1, criteria=b"", raw=b"")
        assert view.call("C2") == call(2)
        assert [(entry.act, entry.details["calls"]) for _, entry in view.acts()] == [("calls-erased", "1")]


def test_verification_tells_of_records_about_nobody_and_of_jobs_open_twice(store, hospital):
    hospital.admit("A", Identifier("PI", HOSPITAL, "1"))
    put(store, job(1), call(1), job(2, state="done"), call(2, identity="", job=""))
    assert verify(store).document()["problems"] == []
    put(store, job(3), job(4, "B"), call(3, identity="C"))
    report = verify(store)
    assert report.problems == [
        "insi_job: J4 names identity B, which does not exist",
        "insi_call: C3 names identity C, which does not exist",
        "insi_job: several open jobs of kind retrieve about identity A",
    ]
    assert (report.checked["insi_job"], report.checked["insi_call"]) == (4, 3)


def test_rebuilding_leaves_jobs_calls_and_campaigns_alone(store, hospital):
    hospital.admit("A", Identifier("PI", HOSPITAL, "1"))
    hospital.record(("identity", "A", ev.InsRecorded(INS)))
    hospital.record(("work-item", "W", ev.WorkItemRaised("overlay", "overlay|A", ("A",))))
    put(store, job(1), call(1), campaign(1))
    rebuild(store, "claire")
    assert verify(store).problems == []
    with store.read() as view:
        assert (view.jobs(), view.call("C1"), view.campaigns()) == ([job(1)], call(1), [campaign(1)])
        assert view.to_verify("", at(0), 10) == ["A"]
        assert [item.id for item in view.work_items(WorkFilter(subject="A"))] == ["W"]


def test_work_is_listed_by_kind_by_assignee_by_subject_and_by_state(store, hospital):
    for number, (kind, subjects) in enumerate((("overlay", ("A",)), ("same-ins", ("A", "B")), ("overlay", ("B",)))):
        item = ("work-item", f"W{number}", ev.WorkItemRaised(kind, f"{kind}|{number}", subjects))
        hospital.record(item)
    hospital.record(("work-item", "W1", ev.WorkItemAssigned("", "claire")))
    hospital.record(("work-item", "W2", ev.WorkItemClosed("kept")))

    def listed(**wanted):
        return ids(read(store, lambda view: view.work_items(WorkFilter(**wanted))))

    assert listed() == ["W0", "W1"]
    assert listed(state="") == ["W0", "W1", "W2"]
    assert listed(state="closed") == ["W2"]
    assert listed(kind="overlay") == ["W0"]
    assert listed(subject="B") == ["W1"]
    assert listed(subject="B", state="") == ["W1", "W2"]
    assert listed(assignee="claire") == ["W1"]
    assert listed(assignee="nadia") == []
    hospital.record(("work-item", "W1", ev.WorkItemAssigned("claire", "")))
    assert listed(assignee="claire") == []


def test_a_store_is_what_the_conversation_with_insi_needs(store):
    storage: InsiStorage = store
    with storage.begin() as transaction:
        asked = {name for name in vars(InsiTransaction) if not name.startswith("_")}
        assert {name for name in asked if not callable(getattr(transaction, name, None))} == set()
