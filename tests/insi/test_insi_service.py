"""The queue of INSi at work on a real base: outcomes applied once, and no identity spoiling its neighbours'."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest

from insigne.exchange.apply import Registrar
from insigne.insi.jobs import Job
from insigne.insi.outcomes import given_names_of
from insigne.insi.service import InsiService
from insigne.insi.settings import BreakerSettings, InsiSettings
from insigne.insi.verification import Collected, Deposited, VerificationFailed, Verified
from insigne.insi.wire import InsiAnswer, InsiFault, InsiTraits, InsNumber
from insigne.registry import acts
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import Identity
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.store import open_store
from insigne.store.migrate import upgrade

NIR = "1.2.250.1.213.1.4.8"
INS = Ins("280026912345674", NIR)
NATIONAL = Traits("MARTIN", "", "ALICE MARIE", "19800214", "F", "69123")


class Site:
    """A base with a queue, an INSi made of functions, and a clock that moves when told."""

    def __init__(self, folder) -> None:
        url = f"sqlite:///{folder / 'insigne.db'}"
        upgrade(url)
        self.store = open_store(url, wait=5)
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
        self.policy = Policy(own=frozenset({"INSIGNE"}))
        self._ids = (f"{n:08d}" for n in range(1, 10_000))
        self.registrar = Registrar(self.store, self.policy, self.new_id)
        self.asked, self.answers, self.verdicts, self.batches, self.collections = [], [], {}, [], []
        self.places = []
        self.service = self.worker()

    def worker(self, settings=None) -> InsiService:
        return InsiService(
            self.store, self.registrar, self, self, settings or InsiSettings(), self.policy,
            clock=lambda: self.now, new_id=self.new_id, chance=random.Random(1), sleep=lambda _: None,
        )  # fmt: skip

    def new_id(self) -> str:
        return next(self._ids)

    def time(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- the téléservice

    def search(self, traits, caller):
        self.asked.append(traits.given_name)
        self.places.append(traits.birth_place)
        return _Call(self.answers.pop(0), traits, caller, self.now)

    certificate = "INSI-AUTO"

    def verify_one(self, item):
        verdict = self.verdicts[item.reference]
        return Verified(verdict(item) if callable(verdict) else verdict, b'{"unit"}')

    def submit_batch(self, items):
        self.batches.append({item.reference: item for item in items})
        return Deposited(f"lot-{len(self.batches)}", b'{"deposited"}')

    def collect(self, ticket):
        answer = self.collections.pop(0)
        return answer(ticket) if callable(answer) else answer

    def close(self) -> None:
        """Nothing is kept open."""

    # --- the registry

    def act(self, act):
        return self.registrar.act(act, Source(self.time(), "user:alice", "user", "alice", local=True)).subject

    def create(self, number="1", *, held=False, place="69123"):
        traits = TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "F", place)
        search = acts.PriorSearch((("birth_date", "1980-02-14"),), ())
        identifier = Identifier("PI", Authority("INSIGNE"), number)
        identity = self.act(acts.CreateIdentity(identifier, traits, DetailsAssertion(), search))
        if held:
            ins = Ins(f"28002691234{int(number):04d}", NIR)
            self.act(acts.AcceptIns(identity, 0, acts.NationalAnswer(ins, NATIONAL)))
        return identity

    def queue(self, identity, kind="retrieve", origin="automatic"):
        job = Job(self.new_id(), kind, identity, origin, "insigne", self.time(), self.time())
        with self.store.begin() as transaction:
            transaction.put_job(job)
            transaction.commit()
        return job.id

    def job(self, job_id):
        with self.store.read() as view:
            return view.job(job_id)

    def kinds(self):
        with self.store.read() as view:
            return [item.kind for item in view.work_items()]

    def events(self, identity):
        with self.store.read() as view:
            return [entry.type for entry in view.history(identity)]


class _Call:
    """What `client.Traced` tells of a call."""

    def __init__(self, result, criteria, caller, started) -> None:
        self.result, self.criteria, self.caller, self.started = result, criteria, caller, started
        self.operation, self.response, self.seconds = "search", b"<answer/>", 0.1
        self.certificate = "INSI-MANU"


EAGER = InsiSettings(breaker=BreakerSettings(down_calls=1, probe_seconds=0.001, probe_limit_seconds=0.001))

FOUND = InsiAnswer(
    "00",
    "",
    InsNumber("2800269123456", "74", NIR),
    (),
    InsiTraits("MARTIN", "ALICE MARIE", sex="F", birth_date="1980-02-14", birth_place="69123"),
)


@pytest.fixture
def site(tmp_path):
    found = Site(tmp_path)
    yield found
    found.store.close()


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


def deposited(site, *identities):
    """Jobs of a campaign about these identities, deposited together."""
    jobs = [site.queue(identity, "verify", "campaign:K1") for identity in identities]
    assert site.service.work() == len(jobs)
    return jobs


def calls(site, operation):
    with site.store.read() as view:
        found = [call for call in view.calls() if call.operation == operation]
        return [view.call(call.id) for call in found]


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
