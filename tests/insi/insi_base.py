"""A base with a queue, and an INSi made of functions: for tests of what comes of questions."""

import random
from datetime import UTC, datetime

import pytest

from insigne.exchange.apply import Registrar
from insigne.insi.jobs import Job
from insigne.insi.service import InsiService
from insigne.insi.settings import InsiSettings
from insigne.insi.verification import Deposited, Verified
from insigne.insi.wire import InsiAnswer, InsiTraits, InsNumber
from insigne.registry import acts
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.store import open_store
from insigne.store.migrate import upgrade

NIR = "1.2.250.1.213.1.4.8"
INS = Ins("280026912345674", NIR)
NATIONAL = Traits("MARTIN", "", "ALICE MARIE", "19800214", "F", "69123")


class Site:
    """A base with a queue, an INSi made of functions, and a clock that moves when told."""

    def __init__(self, folder) -> None:
        self.file = folder / "insigne.db"
        url = f"sqlite:///{self.file}"
        upgrade(url)
        self.store = open_store(url, wait=5)
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
        self.policy = Policy(own=frozenset({"INSIGNE"}))
        self._ids = (f"{n:08d}" for n in range(1, 10_000))
        self.registrar = Registrar(self.store, self.policy, self.new_id)
        self.asked, self.answers, self.verdicts, self.batches, self.collections = [], [], {}, [], []
        self.places, self.skew = [], None
        self.service = self.worker()

    def worker(self, settings=None, sleep=lambda _: None) -> InsiService:
        return InsiService(
            self.store, self.registrar, self, self, settings or InsiSettings(), self.policy,
            clock=lambda: self.now, new_id=self.new_id, chance=random.Random(1), sleep=sleep,
        )  # fmt: skip

    def new_id(self) -> str:
        return next(self._ids)

    def time(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- the téléservice

    def search(self, traits, caller):
        self.asked.append(traits.given_name)
        self.places.append(traits.birth_place)
        return _Call(self.answers.pop(0), traits, caller, self.now, self.skew)

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

    def __init__(self, result, criteria, caller, started, skew) -> None:
        self.result, self.criteria, self.caller, self.started = result, criteria, caller, started
        self.operation, self.response, self.seconds = "search", b"<answer/>", 0.1
        self.certificate, self.clock_skew = "INSI-MANU", skew


FOUND = InsiAnswer(
    "00",
    "",
    InsNumber("2800269123456", "74", NIR),
    (),
    InsiTraits("MARTIN", "ALICE MARIE", sex="F", birth_date="1980-02-14", birth_place="69123"),
)


def deposited(site, *identities):
    """Jobs of a campaign about these identities, deposited together."""
    jobs = [site.queue(identity, "verify", "campaign:K1") for identity in identities]
    assert site.service.work() == len(jobs)
    return jobs


def calls(site, operation):
    with site.store.read() as view:
        found = [call for call in view.calls() if call.operation == operation]
        return [view.call(call.id) for call in found]


@pytest.fixture
def queue_site(tmp_path):
    found = Site(tmp_path)
    yield found
    found.store.close()
