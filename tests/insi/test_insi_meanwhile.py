"""What happens while INSi is asked: identities that change, people who ask too, batches that spoil nothing."""

import threading
from datetime import timedelta

import pytest
import structlog
from msgspec.structs import replace

from insigne.exchange.desk import edits
from insigne.ins.traits import StrictTraits
from insigne.insi.client import InsiUnusable
from insigne.insi.desk import held_answer, held_elsewhere, queued
from insigne.insi.outcomes import HeldAnswer, national_answer
from insigne.insi.settings import BreakerSettings, InsiSettings, VerificationSettings
from insigne.insi.verification import Collected, Deposited, VerificationFailed
from insigne.insi.wire import InsiAnswer, InsiFault, InsNumber
from insigne.registry import acts
from insigne.registry.commands import DetailsAssertion
from insigne.registry.values import Ins, Proof

from .insi_base import FOUND, INS, NATIONAL, NIR, deposited, queue_site

__all__ = ["queue_site"]

REFUSED = "insi_24"
SYMBOL = acts.NationalAnswer(INS, NATIONAL, mode="CB")


@pytest.fixture
def site(queue_site):
    return queue_site


def edited(site, identity, **traits):
    """A person edits strict traits at a desk."""
    with site.store.read() as view:
        held = view.identity(identity)
    said = StrictTraits(**traits)
    for act in edits(held, said, DetailsAssertion(), held.version, "erreur de saisie", site.now.date())[0]:
        site.act(act)


def meanwhile(site, do, *answers):
    """An INSi that is asked while somebody does something; it gives these answers, the last one again and again.

    Returns the birth dates it was asked about.
    """
    real, born = site.search, []

    def search(traits, caller):
        born.append(traits.birth_date)
        if len(born) == 1:
            do()
        site.answers.append(answers[min(len(born), len(answers)) - 1])
        return real(traits, caller)

    site.search = search
    return born


def re_asked(site, identity, kind="retrieve"):
    """A person asks for what is being asked already."""
    with site.store.begin() as transaction:
        queued(transaction, identity, kind, "user:bruno", now=site.time(), new_id=site.new_id)
        transaction.commit()


@pytest.mark.parametrize("answer", [FOUND, InsiAnswer("01", "Aucune"), InsiAnswer("02", "Plusieurs")])
def test_an_answer_about_traits_edited_meanwhile_is_nobodys_and_they_are_asked_about_again(site, answer):
    identity = site.create()
    job = site.queue(identity)
    born = meanwhile(site, lambda: edited(site, identity, birth_date="1980-02-15"), answer)
    assert site.service.work() == 1
    assert (site.job(job).state, site.job(job).error, site.kinds()) == ("waiting", "changed", [])
    assert set(born) == {"1980-02-14"}
    assert site.service.work() == 1
    assert (site.job(job).state, site.job(job).outcome) == ("done", answer.code)
    assert len(site.kinds()) == 1
    assert set(born) == {"1980-02-14", "1980-02-15"}


def test_a_refusal_of_traits_edited_meanwhile_is_not_told_of_the_new_ones(site):
    identity = site.create()
    job = site.queue(identity)
    meanwhile(site, lambda: edited(site, identity, birth_date="1980-02-15"), InsiFault(REFUSED), FOUND)
    site.service.work()
    assert (site.job(job).state, site.kinds()) == ("waiting", [])
    site.service.work()
    assert (site.job(job).outcome, site.kinds()) == ("00", ["to-compare"])


def test_no_answer_waits_for_an_identity_made_doubtful_while_it_was_asked_about(site):
    identity = site.create()
    job = site.queue(identity)
    doubt = acts.SetAttributes(identity, 0, ("DOUT",), "usurpation")
    meanwhile(site, lambda: site.act(doubt), FOUND)
    site.service.work()
    site.service.work()
    assert (site.job(job).state, site.job(job).outcome) == ("cancelled", "doubtful-or-fictitious")
    assert site.kinds() == ["doubtful-to-lift"]


def test_an_edited_trait_ends_the_wait_of_the_answer_about_the_old_ones(site):
    identity = site.create()
    site.queue(identity)
    site.answers = [FOUND]
    site.service.work()
    assert site.kinds() == ["to-compare"]
    edited(site, identity, birth_date="1980-02-15")
    assert site.kinds() == []


def test_an_answer_that_waits_is_compared_with_what_the_identity_is_now(site):
    identity = site.create()
    site.queue(identity)
    site.answers = [FOUND]
    site.service.work()
    with site.store.read() as view:
        now = view.identity(identity)
        assert held_answer(view, now, site.policy.comparison).verdict == "identical"
        renamed = replace(now, traits=replace(now.traits, birth_name="DURAND"))
        assert held_answer(view, renamed, site.policy.comparison).verdict == "blocking"


def test_who_holds_a_number_the_nation_gave_before_is_told_beside_who_holds_the_one_of_now(site):
    past, elsewhere = site.create("1", held=True), site.create("2")
    site.act(acts.AcceptIns(elsewhere, 0, acts.NationalAnswer(INS, NATIONAL)))
    with site.store.read() as view:
        held = view.identity(past).ins.ins.matricule
        former = InsNumber(held[:13], held[13:], INS.oid)
        answer = national_answer(InsiAnswer("00", "", FOUND.active, (former,), FOUND.traits), "c")
        assert held_elsewhere(view, "another", HeldAnswer(answer, (), "c", "identical")) == [elsewhere, past]
        assert held_elsewhere(view, past, HeldAnswer(answer, (), "c", "identical")) == [elsewhere]


@pytest.mark.parametrize("fault", [InsiFault("siram_40"), InsiFault("unreachable")])
def test_a_person_who_asks_during_a_call_without_answer_does_not_wait_for_the_delay_of_the_queue(site, fault):
    identity = site.create()
    job = site.queue(identity)
    meanwhile(site, lambda: re_asked(site, identity), fault, FOUND)
    site.service.work()
    assert (site.job(job).state, site.job(job).due, site.job(job).author) == ("waiting", site.time(), "user:bruno")
    assert site.service.work() == 1
    assert (site.job(job).outcome, site.kinds()) == ("00", ["to-compare"])


def test_a_person_who_asks_during_a_call_has_its_answer(site):
    identity = site.create()
    job = site.queue(identity)
    meanwhile(site, lambda: re_asked(site, identity), FOUND)
    assert site.service.work() == 1
    found = site.job(job)
    assert (found.state, found.outcome, found.author, site.kinds()) == ("done", "00", "user:bruno", ["to-compare"])
    assert site.service.work() == 0


def test_a_verification_asked_while_there_was_nothing_to_verify_is_made_once_there_is(site):
    identity = site.create()
    job = site.queue(identity, "verify")
    claimed = site.service._claim(1)
    site.act(acts.ReadDataMatrix(identity, 0, SYMBOL))
    re_asked(site, identity, "verify")
    site.service._finish([site.service._ask(one) for one in claimed])
    assert site.job(job).state == "waiting"
    site.verdicts = {identity: "OK"}
    assert site.service.work() == 1
    assert (site.job(job).outcome, site.events(identity)[-1]) == ("OK", "ins-verified")


def test_a_person_who_asks_while_a_campaign_deposits_does_not_wait_for_its_batch(site):
    identity = site.create("1", held=True)
    job = site.queue(identity, "verify", "campaign:K1")
    [claimed] = site.service._claim(1)
    done = site.service._ask_together("", [claimed])
    re_asked(site, identity, "verify")
    site.service._finish(done)
    assert (site.job(job).ticket, site.job(job).origin) == ("", "user")
    site.verdicts = {identity: "OK"}
    assert site.service.work() == 1
    assert (site.job(job).outcome, len(site.batches)) == ("OK", 1)


def test_a_claim_is_not_taken_for_another_that_has_as_many_attempts(site):
    identity = site.create("1", held=True)
    job = site.queue(identity, "verify")
    site.verdicts = {identity: "KO"}
    late = site.worker()
    lost = late._ask(late._claim(1)[0])
    site.now += timedelta(minutes=11)
    re_asked(site, identity, "verify")
    with site.store.begin() as transaction:  # the lease ran out, and waiting turned the count of attempts back
        claimed = site.service._leased(site.job(job))
        transaction.put_job(replace(claimed, attempts=1))
        transaction.commit()
    late._finish([lost])
    assert (site.job(job).state, site.events(identity).count("ins-verified")) == ("calling", 0)


# --- batches


def lines(most):
    return InsiSettings(verification=VerificationSettings(batch_lines=most))


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_a_campaign_larger_than_a_batch_is_deposited_in_several(site, most):
    people = [site.create(str(number), held=True) for number in range(1, 6)]
    jobs = [site.queue(identity, "verify", "campaign:K1") for identity in people]
    assert site.worker(lines(most)).work() == 5
    assert {site.job(job).state for job in jobs} == {"waiting"}
    assert all(site.job(job).ticket for job in jobs)
    assert max(len(batch) for batch in site.batches) == most
    assert set().union(*site.batches) == set(people)


def test_a_defect_about_one_batch_spoils_neither_the_other_batch_nor_the_questions_of_people(site):
    one, two = site.create("1", held=True), site.create("2", held=True)
    [bad] = deposited(site, one)
    [good] = deposited(site, two)
    alone = site.queue(site.create("3"))
    site.answers = [FOUND]
    site.now += timedelta(minutes=2)
    answers = {"lot-1": lambda: Collected(1 / 0), "lot-2": lambda: Collected({two: "OK"})}
    site.collections = [lambda ticket: answers[ticket]()] * 2
    assert site.service.work() == 3
    assert (site.job(good).outcome, site.job(alone).outcome) == ("OK", "00")
    assert (site.job(bad).state, site.job(bad).error) == ("waiting", "defect")
    assert site.job(bad).due > site.time()


def test_a_defect_about_one_person_does_not_spoil_the_others(site):
    one, two = site.create("1", held=True), site.create("2", held=True)
    jobs = [site.queue(identity, "verify") for identity in (one, two)]
    site.verdicts = {one: lambda _: 1 / 0, two: "OK"}
    assert site.service.work() == 2
    assert [site.job(job).state for job in jobs] == ["waiting", "done"]


@pytest.mark.parametrize("down_calls", [1, 3])
def test_a_configuration_that_lets_nobody_be_asked_is_an_outage_told_once(site, down_calls):
    jobs = [site.queue(site.create(str(number))) for number in range(1, 6)]
    service = site.worker(InsiSettings(breaker=BreakerSettings(down_calls=down_calls)))

    def unusable(traits, caller):
        raise InsiUnusable("insi.assertion_files: not there")

    site.search = unusable
    assert service.work() == 5
    assert (service.counters.outages, service.breaker.open_since() is not None) == (1, True)
    states = [(site.job(job).state, site.job(job).error) for job in jobs]
    assert set(states) <= {("waiting", "unusable"), ("waiting", "")}
    assert ("waiting", "unusable") in states


def test_a_person_who_asks_at_once_takes_the_question_from_who_asks_it(site):
    identity = site.create("1", held=True)
    job = site.queue(identity, "verify")
    worker = site.worker()
    site.verdicts = {identity: "KO"}
    late = worker._ask(worker._claim(1)[0])
    site.verdicts = {identity: "OK"}
    assert site.service.ask_now(identity, "verify", "user:bruno").outcome == "OK"
    worker._finish([late])
    assert (site.job(job).outcome, site.events(identity).count("ins-verified")) == ("OK", 1)


def test_a_batch_that_is_never_collected_is_deposited_again(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)

    def unreadable(_):
        raise VerificationFailed("not a BatchState in JSON")

    site.collections = [unreadable] * 8
    for _ in range(8):
        assert site.job(job).ticket == "lot-1"
        site.now += timedelta(hours=3)
        site.service.work()
    assert (site.job(job).ticket, site.kinds()) == ("", ["no-document", "insi-waiting"])
    site.now += timedelta(hours=3)
    site.service.work()
    assert site.job(job).ticket == "lot-2"


def test_a_batch_that_stays_pending_is_deposited_again_after_a_day_and_said_in_the_end(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    site.collections = [None] * 1000
    for _ in range(24):
        site.now += timedelta(hours=1)
        site.service.work()
        assert (site.job(job).ticket, site.job(job).attempts) == ("lot-1", 0)
    site.now += timedelta(hours=1)
    site.service.work()
    assert (site.job(job).ticket, site.job(job).error) == ("", "pending")
    site.now += timedelta(minutes=5)
    site.service.work()
    assert (site.job(job).ticket, len(site.batches)) == ("lot-2", 2)
    assert site.kinds() == ["no-document"]
    for _ in range(7 * 2):
        site.now += timedelta(hours=25)
        site.service.work()
    assert (len(site.batches), site.kinds()) == (9, ["no-document", "insi-waiting"])


def test_how_long_a_batch_may_be_pending_is_a_setting(site):
    site.service = site.worker(InsiSettings(verification=VerificationSettings(pending_hours=0.5)))
    [job] = deposited(site, site.create("1", held=True))
    site.collections = [None, None]
    site.now += timedelta(minutes=20)
    site.service.work()
    assert site.job(job).ticket == "lot-1"
    site.now += timedelta(minutes=20)
    site.service.work()
    assert site.job(job).ticket == ""


def test_a_verdict_holds_whatever_changed_beside_what_was_verified(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    site.act(acts.EditDetails(identity, 0, DetailsAssertion(used_name="DURAND")))
    site.act(acts.RecordProof(identity, 0, Proof("PA", high_trust=True)))
    site.now += timedelta(minutes=2)
    site.collections = [Collected({identity: "OK"})]
    site.service.work()
    assert (site.job(job).state, site.job(job).outcome, len(site.batches)) == ("done", "OK", 1)


def test_a_verdict_about_other_traits_is_not_applied(site):
    identity = site.create("1", held=True)
    [job] = deposited(site, identity)
    other = acts.NationalAnswer(Ins("280026912340001", NIR), replace(NATIONAL, given_names="ALICE MARIE JEANNE"))
    with site.store.read() as view:
        assert view.identity(identity).ins.ins == other.ins
    site.act(acts.AcceptIns(identity, 0, other))
    site.now += timedelta(minutes=2)
    site.collections = [Collected({identity: "KO"})]
    site.service.work()
    assert (site.job(job).state, site.job(job).ticket) == ("waiting", "")
    assert "ins-verified" not in site.events(identity)


def test_a_clock_that_is_not_ours_is_said_once_and_so_is_its_return(site):
    said = []
    for skew in (None, 59.0, 600.0, 601.0, None, -2.0, 0.0):
        site.skew, site.answers = skew, [FOUND]
        site.queue(site.create(str(len(said) + 1)))
        with structlog.testing.capture_logs() as logs:
            assert site.service.work() == 1
        said.append([(log["event"], log.get("seconds")) for log in logs])
    assert said == [[], [], [("insi.clock-differs", 600)], [], [], [("insi.clock-agrees", None)], []]


def test_an_answer_is_written_while_others_are_still_awaited(site):
    one, two = site.create("1", held=True), site.create("2", held=True)
    first, second = (site.queue(identity, "verify") for identity in (one, two))
    written = threading.Event()

    def slow(_):
        assert written.wait(20)
        return "OK"

    site.verdicts = {one: "OK", two: slow}
    finish = site.service._finish

    def finishing(done):
        jobs = finish(done)
        if site.job(first).state == "done":
            assert site.job(second).state in ("calling", "done")
            written.set()
        return jobs

    site.service._finish = finishing
    assert site.service.work() == 2
    assert [site.job(job).outcome for job in (first, second)] == ["OK", "OK"]


def test_the_answers_of_people_are_written_before_a_batch_is_asked_about(site):
    held = site.create("1", held=True)
    site.queue(held, "verify", "campaign:K1")
    alone = site.queue(site.create("2"))
    site.answers, seen = [FOUND], []

    def depositing(items):
        seen.append(site.job(alone).state)
        return Deposited("lot-1")

    site.submit_batch = depositing
    assert site.service.work() == 2
    assert seen == ["done"]
