"""The queue of INSi at work on a real base: outcomes applied once, and no identity spoiling its neighbours'."""

import sqlite3
import time
from datetime import timedelta

import pytest

from insigne.exchange.errors import StoreLost
from insigne.insi import recording
from insigne.insi.outcomes import given_names_of
from insigne.insi.settings import BreakerSettings, InsiSettings
from insigne.insi.verification import Collected, VerificationFailed
from insigne.insi.wire import InsiAnswer, InsiFault
from insigne.registry import acts
from insigne.registry.state import Identity
from insigne.registry.values import Ins, Traits

from .insi_base import FOUND, INS, NATIONAL, NIR, calls, deposited, queue_site

__all__ = ["queue_site"]

EAGER = InsiSettings(breaker=BreakerSettings(down_calls=1, probe_seconds=0.001, probe_limit_seconds=0.001))


@pytest.fixture
def site(queue_site):
    return queue_site


def test_an_identity_made_doubtful_while_insi_is_asked_does_not_spoil_its_neighbours(site):
    one, two = site.create("1", held=True), site.create("2", held=True)
    jobs = [site.queue(identity, "verify") for identity in (one, two)]
    doubt = acts.SetAttributes(one, 0, ("DOUT",), "usurpation")
    site.verdicts = {one: lambda _: (site.act(doubt), "OK")[1], two: "OK"}
    assert site.service.work() == 2
    first, second = (site.job(job) for job in jobs)
    assert (first.state, first.error) == ("waiting", "changed")
    assert (second.state, second.outcome, second.error) == ("done", "OK", "")
    assert site.events(two)[-1] == "ins-verified"
    assert "ins-verified" not in site.events(one)
    assert site.service.work() == 1
    assert site.job(jobs[0]).outcome == "doubtful-or-fictitious"


def test_an_outcome_that_a_defect_keeps_from_being_written_does_not_spoil_its_neighbours(site, monkeypatch):
    one, two = site.create("1", held=True), site.create("2", held=True)
    jobs = [site.queue(identity, "verify") for identity in (one, two)]
    site.verdicts = {one: "OK", two: "OK"}
    written = site.registrar.act_within

    def defective(transaction, told):
        assert one not in {act.identity for act, _ in told}
        return written(transaction, told)

    monkeypatch.setattr(site.registrar, "act_within", defective)
    assert site.service.work() == 2
    first, second = (site.job(job) for job in jobs)
    assert (first.state, first.error, first.attempts) == ("waiting", "defect", 1)
    assert first.due > site.time()
    assert (second.state, second.outcome) == ("done", "OK")
    assert len(calls(site, "verify")) == 2
    monkeypatch.undo()
    site.now += timedelta(hours=1)
    assert site.service.work() == 1
    assert site.job(jobs[0]).outcome == "OK"


def test_a_verdict_about_an_ins_replaced_meanwhile_is_not_applied_to_the_new_one(site):
    identity = site.create("1", held=True)
    other = acts.NationalAnswer(Ins("280026912349999", NIR), NATIONAL)
    site.verdicts = {identity: lambda _: (site.act(acts.AcceptIns(identity, 0, other)), "KO")[1]}
    asked = site.service.ask_now(identity, "verify", "user:alice")
    assert (asked.state, asked.error) == ("waiting", "changed")
    assert "ins-withdrawn" not in site.events(identity)
    site.verdicts = {identity: "OK"}
    assert site.service.work() == 1
    with site.store.read() as view:
        held = view.identity(identity)
    assert (held.ins.ins, bool(held.national.verified)) == (other.ins, True)


def test_a_worker_that_dies_after_its_call_leaves_it_to_be_made_again_and_applied_once(site):
    identity = site.create("1", held=True)
    job = site.queue(identity, "verify")
    site.verdicts = {identity: "OK"}
    dying = site.worker()
    [claimed] = dying._claim(1)
    lost = dying._ask(claimed)
    assert site.service.work() == 0
    site.now += timedelta(minutes=11)
    assert site.service.work() == 1
    dying._finish([lost])
    assert site.job(job).attempts == 2
    assert site.events(identity).count("ins-verified") == 1


def test_an_answer_that_comes_while_another_program_writes_is_written_once_it_has_ended(site, monkeypatch):
    """Given up, it would be asked for again only when the lease of its question is over, ten minutes later."""
    identity = site.create("1", held=True)
    job = site.queue(identity, "verify")
    monkeypatch.setattr(recording, "WRITE_WAIT", 0.0)
    other, waited = sqlite3.connect(site.file, isolation_level=None, check_same_thread=False), []
    worker = site.worker(sleep=lambda seconds: (waited.append(seconds), other.rollback()))
    site.verdicts = {identity: lambda _: (other.execute("BEGIN IMMEDIATE"), "OK")[1]}
    assert worker.work() == 1
    other.close()
    assert len(waited) == 1
    assert (site.job(job).state, site.job(job).attempts) == ("done", 1)
    assert site.events(identity).count("ins-verified") == 1


def test_an_answer_whose_recording_was_not_confirmed_is_recorded_once(site, monkeypatch):
    """The connection to the base may be lost after the commit was done: nobody knows whether it was."""
    identity = site.create("1", held=True)
    site.queue(identity, "verify")
    site.verdicts = {identity: "OK"}
    record, lost = site.service._recorder._record, []

    def unconfirmed(done, **how):
        recorded = record(done, **how)
        if not lost:
            lost.append(True)
            raise StoreLost("commit: the connection was lost")
        return recorded

    monkeypatch.setattr(site.service._recorder, "_record", unconfirmed)
    assert site.service.work() == 1
    assert lost
    assert len(calls(site, "verify")) == 1
    assert site.events(identity).count("ins-verified") == 1


def test_two_workers_never_take_the_same_question(site):
    job = site.queue(site.create())
    [(claimed, _)] = site.service._claim(10)
    assert claimed.id == job
    assert site.worker()._claim(10) == []


def test_faults_are_tried_again_later_and_told_once_when_they_last(site):
    identity = site.create()
    job = site.queue(identity)
    for attempt in range(1, 10):
        site.answers = [InsiFault("siram_40")]
        assert site.service.work() == 1
        assert site.job(job).attempts == attempt
        assert site.kinds() == (["insi-waiting"] if attempt >= 8 else [])
        site.now += timedelta(hours=3)
    site.answers = [FOUND]
    site.service.work()
    assert (site.job(job).outcome, site.kinds()) == ("00", ["to-compare"])


def test_an_outage_ends_with_the_first_question_due_even_when_tries_had_nothing_to_ask(site):
    job, service = site.queue(site.create()), site.worker(EAGER)
    site.answers = [InsiFault("unreachable"), FOUND]
    assert service.work() == 1
    assert service.breaker.open_since() is not None
    site.now += timedelta(seconds=1)
    while service.breaker.wait(time.monotonic()) > 0:
        pass
    assert service.work() == 0  # the try falls when nothing is due yet
    site.now += timedelta(hours=3)
    assert service.work() == 1
    assert (site.job(job).outcome, service.breaker.open_since()) == ("00", None)


def test_a_search_queued_by_itself_is_not_made_once_a_card_gave_the_ins(site):
    identity = site.create()
    job = site.queue(identity)
    site.act(acts.QualifyByCard(identity, 0, acts.NationalAnswer(INS, NATIONAL, mode="AV")))
    assert site.service.work() == 1
    assert (site.job(job).state, site.job(job).outcome, site.asked) == ("cancelled", "ins-held", [])
    assert site.kinds() == []


def test_verifications_that_hear_nothing_are_an_outage_too(site):
    identity, service = site.create("1", held=True), site.worker(EAGER)

    def fail(_):
        raise VerificationFailed("no answer", outage=True)

    site.verdicts = {identity: fail}
    job = site.queue(identity, "verify")
    service.work()
    assert (site.job(job).state, service.counters.outages) == ("waiting", 1)


def test_a_person_who_asks_does_not_wait_for_the_delay_of_the_queue(site):
    identity = site.create()
    job = site.queue(identity)
    site.answers = [InsiFault("siram_40")]
    site.service.work()
    site.answers = [FOUND]
    asked = site.service.ask_now(identity, "retrieve", "user:alice")
    assert (asked.id, asked.state, asked.outcome) == (job, "done", "00")


def test_what_may_not_be_asked_is_not(site):
    identity = site.create()
    job = site.queue(identity)
    site.act(acts.SetAttributes(identity, 0, ("FICT",), "formation"))
    site.service.work()
    assert (site.job(job).state, site.job(job).outcome, site.asked) == ("cancelled", "doubtful-or-fictitious", [])


def test_a_scanned_ins_is_verified_with_the_traits_of_its_symbol(site):
    identity = site.create()
    read = acts.NationalAnswer(INS, Traits("MARTIN", "", "ALICE MARIE ROSE", "19800214", "F", "69123"), mode="CB")
    site.act(acts.ReadDataMatrix(identity, 0, read))
    seen = []
    site.verdicts = {identity: lambda item: (seen.append(item), "OK")[1]}
    site.service.ask_now(identity, "verify", "user:alice")
    assert (seen[0].matricule, seen[0].traits.given_names) == (INS.matricule, "ALICE MARIE ROSE")
    assert seen[0].traits.birth_date == "1980-02-14"


def test_a_verification_that_failed_waits(site):
    identity = site.create("1", held=True)

    def fail(_):
        raise VerificationFailed("no answer")

    site.verdicts = {identity: fail}
    asked = site.service.ask_now(identity, "verify", "user:alice")
    assert (asked.state, asked.outcome) == ("waiting", "")


def test_what_a_campaign_asks_is_deposited_together_and_collected_once_ready(site):
    one, two, without = site.create("1", held=True), site.create("2", held=True), site.create("3")
    jobs = deposited(site, one, two, without)
    assert [set(batch) for batch in site.batches] == [{one, two}]
    assert [(site.job(job).state, site.job(job).ticket) for job in jobs] == [
        ("waiting", "lot-1"), ("waiting", "lot-1"), ("cancelled", ""),
    ]  # fmt: skip
    assert site.service.work() == 0
    site.now += timedelta(minutes=2)
    site.collections = [None, Collected({one: "OK", two: "KO"}, b'{"whole"}')]
    assert site.service.work() == 2  # not ready yet
    assert site.service.work() == 0
    site.now += timedelta(minutes=2)
    assert site.service.work() == 2
    assert [(job.state, job.outcome, job.ticket, job.attempts) for job in map(site.job, jobs[:2])] == [
        ("done", "OK", "", 1), ("done", "KO", "", 1),
    ]  # fmt: skip
    assert site.events(one)[-1] == "ins-verified"
    assert "ins-withdrawn" in site.events(two)


def test_the_answers_of_a_batch_are_kept_as_received_and_each_identity_has_its_trace(site):
    one, two = site.create("1", held=True), site.create("2", held=True)
    deposited(site, one, two)
    site.now += timedelta(minutes=2)
    site.collections = [Collected({one: "OK", two: "OK"}, b'{"whole"}')]
    site.service.work()
    [deposit], [collection] = calls(site, "verify-deposit"), calls(site, "verify-collect")
    assert (deposit.raw, collection.raw) == (b'{"deposited"}', b'{"whole"}')
    assert {(call.identity, call.code, call.mode, call.text) for call in calls(site, "verify")} == {
        (one, "OK", "INSI-AUTO", "batch lot-1"), (two, "OK", "INSI-AUTO", "batch lot-1"),
    }  # fmt: skip


def test_a_verification_of_one_keeps_its_answer_too(site):
    identity = site.create("1", held=True)
    site.verdicts = {identity: "OK"}
    site.service.ask_now(identity, "verify", "user:alice")
    [call] = calls(site, "verify")
    assert (call.raw, call.mode) == (b'{"unit"}', "INSI-AUTO")  # the certificate shown, whoever asked


def test_a_batch_the_service_forgot_is_deposited_again(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    site.now += timedelta(minutes=2)

    def forgotten(_):
        raise VerificationFailed("unknown ticket", gone=True)

    site.collections = [forgotten, Collected({identity: "OK"})]
    site.service.work()
    assert (site.job(job).state, site.job(job).ticket) == ("waiting", "")
    site.now += timedelta(hours=3)
    site.service.work()
    assert (len(site.batches), site.job(job).ticket) == (2, "lot-2")
    site.now += timedelta(hours=3)
    site.service.work()
    assert (site.job(job).state, site.job(job).outcome) == ("done", "OK")


def test_a_collection_that_fails_keeps_its_batch(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    site.now += timedelta(minutes=2)

    def failing(_):
        raise VerificationFailed("no answer", outage=True)

    site.collections = [failing]
    site.service.work()
    assert (site.job(job).state, site.job(job).ticket, site.job(job).error) == ("waiting", "lot-1", "verification")


def test_the_verdict_of_what_an_identity_was_is_not_applied_to_what_it_became(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    other = acts.NationalAnswer(Ins("280026912349999", NIR), NATIONAL)
    site.act(acts.AcceptIns(identity, 0, other))
    site.now += timedelta(minutes=2)
    site.collections = [Collected({identity: "KO"})]
    site.service.work()
    assert (site.job(job).state, site.job(job).ticket) == ("waiting", "")
    assert "ins-verified" not in site.events(identity)
    with site.store.read() as view:
        assert view.identity(identity).ins.ins == other.ins


def test_a_person_who_asks_does_not_wait_for_a_batch(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    site.verdicts = {identity: "OK"}
    asked = site.service.ask_now(identity, "verify", "user:alice")
    assert (asked.id, asked.outcome, asked.ticket) == (job, "OK", "")
    site.now += timedelta(minutes=2)
    assert site.service.work() == 0


def test_a_worker_that_dies_after_a_collection_leaves_it_to_be_collected_again_and_applied_once(site):
    identity = site.create("1", held=True)
    deposited(site, identity)
    site.now += timedelta(minutes=2)
    site.collections = [Collected({identity: "OK"}), Collected({identity: "OK"})]
    dying = site.worker()
    lost = dying._ask_together("lot-1", dying._claim(1))
    site.now += timedelta(minutes=11)
    assert site.service.work() == 1
    dying._finish(lost)
    assert site.events(identity).count("ins-verified") == 1


def test_a_birthplace_that_the_cog_does_not_have_bars_no_search_and_is_said(site):
    identity = site.create(place="69999")
    site.queue(identity)
    site.answers = [InsiAnswer("02", "Plusieurs identites trouvees")] * 3
    site.service.work()
    assert site.asked == ["ALICE", "ALICE MARIE", "ALICE MARIE"]
    assert site.places == ["", "", "69999"]
    with site.store.read() as view:
        [item] = view.work_items()
    assert (item.kind, "absent du COG" in item.cause) == ("insi-02", True)


@pytest.mark.parametrize(
    ("first", "listed", "names"),
    [
        ("ALICE", "ALICE MARIE", ["ALICE", "MARIE"]),
        ("JEAN-PIERRE", "JEAN PIERRE PAUL", ["JEAN-PIERRE", "PAUL"]),
        ("JEAN PIERRE", "JEAN-PIERRE PAUL", ["JEAN PIERRE", "PAUL"]),
        ("ANNE", "ANNETTE MARIE", ["ANNE", "ANNETTE", "MARIE"]),
        ("MARIE", "ALICE MARIE", ["MARIE", "ALICE"]),
        ("ALICE", "", ["ALICE"]),
        ("", "ALICE MARIE", ["ALICE", "MARIE"]),
    ],
)
def test_the_given_names_to_ask_are_the_first_one_then_the_rest_of_the_list(first, listed, names):
    traits = Traits("MARTIN", first, listed, "19800214", "F", "69123")
    assert given_names_of(Identity("1", "INSIGNE", 1, "t", "t", traits)) == names
