"""What queues a search of INSi by itself: somebody who comes, never a whole base."""

import pytest

from insigne.exchange.apply import Registrar
from insigne.exchange.load.loader import CAUSE_KIND
from insigne.insi.automation import InsiFollower
from insigne.insi.settings import InsiSettings
from insigne.registry import acts
from insigne.registry import commands as cmd
from insigne.registry.source import Source
from insigne.registry.state import StayHeader
from insigne.registry.values import Authority, Identifier, Proof
from insigne.store.insi import JobFilter

from .insi_base import FOUND, INS, NATIONAL, queue_site

__all__ = ["queue_site"]

TRAITS = cmd.TraitsAssertion("MARTIN", "ALICE", "ALICE MARIE", "19800214", "F", "69123")


@pytest.fixture
def site(queue_site):
    """A site that asked for it."""
    followed(queue_site)
    return queue_site


def followed(site, **settings):
    told = InsiSettings(automatic=True, **settings)
    follower = InsiFollower(told, site.policy, now=site.time, new_id=site.new_id)
    site.registrar = Registrar(site.store, site.policy, site.new_id, [follower])


def said(site, command, cause="message"):
    return site.registrar.apply(command, Source(site.time(), "feed", cause, "m1")).subject


def patient(number="1", authority="INSIGNE"):
    return cmd.Patient((Identifier("PI", Authority(authority), number),), traits=TRAITS)


def visit(site, number="1", visit="V1"):
    stay = Identifier("VN", Authority("INSIGNE"), visit)
    admission = cmd.MovementAssertion((f"M-{visit}",), "A05", "INSERT", "20260302")
    return said(site, cmd.RecordMovement(patient(number), StayHeader(), (), stay, None, admission))


def queued(site):
    """The identities about whom a question waits."""
    with site.store.read() as view:
        jobs = view.jobs(JobFilter(state="waiting"))
    assert {(job.kind, job.origin, job.author) for job in jobs} <= {("retrieve", "automatic", "insigne")}
    return sorted(job.identity for job in jobs)


def test_an_identity_that_is_created_or_comes_for_the_first_time_is_asked_about(site):
    assert queued(site) == []
    created = site.create("1")
    assert queued(site) == [created]
    came = visit(site, "2")
    assert came in queued(site)
    assert visit(site, "2", "V2") == came
    assert len(queued(site)) == 2


def test_nobody_is_asked_about_unless_the_site_wants_it(queue_site):
    queue_site.create("1")
    visit(queue_site, "2")
    assert queued(queue_site) == []


def test_a_base_that_is_loaded_is_asked_about_person_after_person_as_they_come(site):
    loaded = said(site, cmd.RecordPatient(patient("7")), CAUSE_KIND)
    assert queued(site) == []
    assert visit(site, "7") == loaded
    assert queued(site) == [loaded]


def test_somebody_who_has_an_ins_or_an_answer_that_waits_is_not_asked_about(site):
    identity = site.create("1")
    site.answers = [FOUND]
    assert site.service.work() == 1
    assert site.kinds() == ["to-compare"]
    visit(site, "1", "V1")
    assert queued(site) == []
    site.act(acts.AcceptIns(identity, 0, acts.NationalAnswer(INS, NATIONAL)))
    visit(site, "1", "V2")
    assert queued(site) == []


def test_who_is_doubtful_or_of_another_repository_is_not_asked_about(site):
    said(site, cmd.RecordPatient(patient("9", "ELSEWHERE")))
    identity = site.create("1")
    site.answers = [FOUND]
    site.service.work()
    site.act(acts.RefuseIns(identity, 0, "c", "somebody else"))
    site.act(acts.SetAttributes(identity, 0, ("DOUT",), "usurpation"))
    visit(site, "1")
    assert queued(site) == []


def test_a_provisional_identity_without_a_document_is_not_asked_about_where_the_site_bars_it(queue_site):
    followed(queue_site, reco_pp_03="block")
    identity = queue_site.create("1")
    assert queued(queue_site) == []
    queue_site.act(acts.RecordProof(identity, 0, Proof("PA", high_trust=True)))
    visit(queue_site, "1")
    assert queued(queue_site) == [identity]
