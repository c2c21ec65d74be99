"""The queue of INSi at work: claim, call, record. One cycle is safe against a kill at any point.

Claiming gives a lease. Calls are made outside any transaction. Their traces, the end of the job and what the registry
is told are then written in one transaction, if the claim still holds: a job whose worker died is claimed again, its
call made again, and its outcome applied once.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from random import Random
from typing import Final

import msgspec
import structlog

from insigne.exchange.apply import Registrar
from insigne.exchange.errors import StoreError
from insigne.insi.campaigns import moment
from insigne.insi.client import Caller, InsiClient, InsiUnusable, evidence, retrieve
from insigne.insi.desk import queued
from insigne.insi.done import Claimed, Done
from insigne.insi.endings import CHANGED, Endings, asked_again, is_asked_since, is_same_claim
from insigne.insi.entry import UNKNOWN_TO_COG, prepare_search
from insigne.insi.jobs import Job, JobKind, is_of_campaign
from insigne.insi.outcomes import given_names_of
from insigne.insi.ports import InsiStorage, InsiTransaction
from insigne.insi.settings import InsiSettings
from insigne.insi.traces import trace_of
from insigne.insi.verification import Verifier
from insigne.insi.verifying import Verifications, dashed, mode_of
from insigne.insi.wire.model import InsiFault, InsiResult
from insigne.net.backoff import Backoff
from insigne.net.breaker import BreakerState, Change, CircuitBreaker, Evidence
from insigne.net.rate import TokenBucket
from insigne.registry.acts import Act
from insigne.registry.decision import Refused
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.state import Identity

_log = structlog.get_logger("insigne.insi")
_DEFECT: Final = "defect"
"""Error of a question that a defect of ours kept from being asked, or its answer from being understood."""
_UNUSABLE: Final = "unusable"
"""Error of a question that the configuration kept from being asked."""
_LEASE = timedelta(minutes=10)
_PARALLEL = 4
_BATCH_SECONDS = 2
_FEWEST, _MOST = 16, 64
"""Jobs of a batch: as many as the rate limit lets through in `_BATCH_SECONDS`, within these bounds. A larger one costs
fewer commits, and takes longer to stop."""
_GATHER: Final = 0.01
"""How long an answer waits, in seconds, for those that may be written with it: a commit costs more than a call."""
_LOCK_WAIT: Final = 5.0
_UNWRITTEN: Final = Backoff(first=0.05, limit=5.0)
"""Delays before answers that the base did not take are written again: lost, they would have to be asked for again, and
only once their leases are over."""
_WRITINGS: Final = 16
"""Times that answers are written before they are given up: about two minutes at most, far less than a lease."""


@dataclass(slots=True)
class InsiCounters:
    """Since the start: calls by outcome, outages."""

    found: int = 0
    not_found: int = 0
    several: int = 0
    faults: int = 0
    outages: int = 0


class InsiService:
    """Works through the queue. Threads may share it."""

    def __init__(
        self,
        storage: InsiStorage,
        registrar: Registrar,
        client: InsiClient,
        verifier: Verifier | None,
        settings: InsiSettings,
        policy: Policy,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        chance: Random,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` gives aware datetimes; `chance` spreads retries; `sleep` waits for the rate limit, or the base."""
        self._storage = storage
        self._registrar = registrar
        self._client = client
        self._settings = settings
        self._clock = clock
        self._new_id = new_id
        self._chance = chance
        self._sleep = sleep
        self._endings = Endings(settings, policy)
        self._verifications = Verifications(verifier, now=self._now, pause=self._pause, heard=self._heard)
        self._bucket = TokenBucket(settings.rate, settings.burst)
        self._batch = min(max(_FEWEST, round(settings.rate * _BATCH_SECONDS)), _MOST)
        self._pool = ThreadPoolExecutor(_PARALLEL, "insigne-insi-call")
        self.breaker = CircuitBreaker(settings.breaker.rule())
        self.counters = InsiCounters()

    def work(self, limit: int = 0) -> int:
        """Work on up to `limit` due jobs (0: a batch fit for the rate limit); how many were worked on.

        While the service is down for everybody one job at a time is let through, to see. Raises `StoreError` when the
        base cannot be used.
        """
        if not self.breaker.allows(time.monotonic()):
            return 0
        if not self._is_closed():
            return self._written(self._try_one())
        alone, batches = _sorted(self._claim(limit or self._batch))
        worked = self._ask_each(alone)
        for ticket, claimed in batches.items():
            worked += self._ask_batch(ticket, claimed)
        return worked

    def _ask_each(self, claimed: Sequence[Claimed]) -> int:
        """Ask one by one. An answer is written at once, with those that come a moment after it."""
        ended: SimpleQueue[Future[Done]] = SimpleQueue()
        asked = [self._pool.submit(self._ask_in_turn, one) for one in claimed]
        for one in asked:
            one.add_done_callback(ended.put)
        left = len(asked)
        try:
            while left:
                together = _taken_together(ended, left)
                left -= len(together)
                self._finish([one.result() for one in together])
        finally:
            for one in asked:  # the base failed: what was not asked yet is claimed again later
                one.cancel()
        return len(asked)

    def _ask_batch(self, ticket: str, claimed: Sequence[Claimed]) -> int:
        """Ask together, with all others due of the same batch or campaign; what is deposited, a batch at a time."""
        most = self._settings.verification.batch_lines
        claimed = [*claimed, *self._claim_like(claimed[0][0], most - len(claimed))]
        parts = [claimed] if ticket else [claimed[start : start + most] for start in range(0, len(claimed), most)]
        return sum(self._written(self._ask_together(ticket, part)) for part in parts)

    def _written(self, done: Sequence[Done]) -> int:
        """Record what came of questions; how many. A batch may be large: others write in between."""
        for start in range(0, len(done), _MOST):
            self._finish(done[start : start + _MOST])
        return len(done)

    def _claim_like(self, job: Job, limit: int) -> list[Claimed]:
        """Claim other jobs due of the same campaign, of the same batch once deposited."""
        if limit <= 0:
            return []
        return self._claimed(lambda transaction: transaction.due_together(job, self._now(), limit))

    def _ask_together(self, ticket: str, claimed: Sequence[Claimed]) -> list[Done]:
        """Deposit a batch, or collect one; unless the service went down for everybody meanwhile."""
        if not self._is_closed():
            return [Done(*one, put_off=True) for one in claimed]
        if ticket:
            return self._safely(lambda: self._verifications.collect(ticket, claimed), claimed)
        barred = [Done(job, identity, barred=self._endings.barred(job, identity)) for job, identity in claimed]
        asked = [one for one, done in zip(claimed, barred, strict=True) if not done.barred]
        refused = [done for done in barred if done.barred]
        return refused + (self._safely(lambda: self._verifications.deposit(asked), asked) if asked else [])

    def _safely(self, ask: Callable[[], list[Done]], claimed: Sequence[Claimed]) -> list[Done]:
        """What came of asking. What fails on the way is a fault of these questions, asked again later like others."""
        try:
            return ask()
        except InsiUnusable as unusable:  # a file of ours is not there: nobody can be asked about
            code, reason = _UNUSABLE, str(unusable)
            self._heard(Evidence.DOWN, claimed[0][0].identity, code)
        except Exception as error:  # one odd answer must not keep the others waiting, nor come back at every turn
            code, reason = _DEFECT, type(error).__name__
        _log.error("insi.question-failed", code=code, reason=reason)
        return [Done(job, identity, result=InsiFault(code), lost=True) for job, identity in claimed]

    def _try_one(self) -> list[Done]:
        """Ask one question, to see whether the service is back; with nothing due to ask, the try is kept for later."""
        done: list[Done] = []
        try:
            done = [self._ask_alone(claimed) for claimed in self._claim(1)]
        finally:
            if not any(one.calls for one in done):
                self.breaker.forgo()
        return done

    def ask_now(self, identity_id: str, kind: JobKind, author: str) -> Job:
        """Queue a job on behalf of a person and work on it at once, whatever the breaker says; the job as it ended.

        A claim that another worker has on it is lost to this one.
        """
        transaction = self._storage.begin()
        try:
            job = self._leased(queued(transaction, identity_id, kind, author, now=self._now(), new_id=self._new_id))
            transaction.put_job(job)
            identity = transaction.identity(identity_id)
            transaction.commit()
        finally:
            transaction.rollback()
        return self._finish([self._ask((job, identity))])[0]

    def close(self) -> None:
        """Close the connections kept; what is in hand ends, and nothing more is worked on."""
        self._pool.shutdown(wait=False)
        self._client.close()
        self._verifications.close()

    def _claim(self, limit: int) -> list[Claimed]:
        return self._claimed(lambda transaction: transaction.due_jobs(self._now(), limit))

    def _claimed(self, found: Callable[[InsiTransaction], Sequence[Job]]) -> list[Claimed]:
        transaction = self._storage.begin()
        try:
            claimed: list[Claimed] = []
            for due in found(transaction):
                job = self._leased(due)
                transaction.put_job(job)
                claimed.append((job, transaction.identity(job.identity)))
            transaction.commit()
        finally:
            transaction.rollback()
        return claimed

    def _leased(self, job: Job) -> Job:
        lease = moment(self._clock() + _LEASE)
        return msgspec.structs.replace(job, state="calling", attempts=job.attempts + 1, lease=lease)

    def _is_closed(self) -> bool:
        return self.breaker.state(time.monotonic()) is BreakerState.CLOSED

    def _ask_in_turn(self, claimed: Claimed) -> Done:
        """Ask, unless the service went down for everybody since the batch was claimed."""
        return self._ask_alone(claimed) if self._is_closed() else Done(*claimed, put_off=True)

    def _ask_alone(self, claimed: Claimed) -> Done:
        return self._safely(lambda: [self._ask(claimed)], [claimed])[0]

    def _ask(self, claimed: Claimed) -> Done:
        job, identity = claimed
        barred = self._endings.barred(job, identity)
        if barred or identity is None:
            return Done(job, identity, barred=barred)
        if job.kind == "retrieve":
            return self._retrieve(job, identity)
        return (
            self._verifications.collect(job.ticket, [claimed])[0]
            if job.ticket
            else self._verifications.one(job, identity)
        )

    def _retrieve(self, job: Job, identity: Identity) -> Done:
        traits = identity.traits
        place = traits.birth_place
        today = self._clock().date()
        born = dashed(traits.birth_date)
        given = given_names_of(identity)
        prepared = prepare_search(traits.birth_name, given, traits.sex, born, place, today=today, any_place=True)
        if prepared.search is None:
            return Done(job, identity, barred=f"traits: {prepared.errors[0].field}")
        caller = Caller(job.author, f"job {job.id} ({job.origin})")
        made = retrieve(self._client, prepared.search, caller, self._pause)
        for call in made:
            self._tell(call.result, identity.id)
        traces = tuple(
            trace_of(call, moment(call.started), mode_of(job), job=job.id, identity=identity.id) for call in made
        )
        doubt = UNKNOWN_TO_COG.message_fr if UNKNOWN_TO_COG in prepared.remarks else ""
        return Done(job, identity, traces, prepared.search.outcome, doubt)

    def _finish(self, done: Sequence[Done]) -> list[Job]:
        """Record what came of questions; a base that others hold, or that is full for a moment, gets it a little later.

        Recording twice what a lost connection may have recorded changes nothing: calls keep their ids, claims are over.
        """
        done = [self._numbered(one) for one in done]
        for failures in range(1, _WRITINGS):
            try:
                return self._record(done)
            except StoreError:
                self._sleep(_UNWRITTEN.delay(failures, self._chance.random()))
        return self._record(done)

    def _record(self, done: Sequence[Done]) -> list[Job]:
        """Record calls, ends of jobs, and what the registry is told, in one transaction."""
        transaction = self._storage.begin(_LOCK_WAIT)
        try:
            jobs = []
            for one in done:
                for call in one.calls:
                    transaction.put_call(call)
                job, act = self._ended(transaction, one)
                if act is not None:
                    source = Source(self._now(), one.job.author, "insi", one.job.id, local=True)
                    job = self._told(transaction, job, act, source)
                jobs.append(job)
            transaction.commit()
        finally:
            transaction.rollback()
        return jobs

    def _numbered(self, one: Done) -> Done:
        """Give its calls their ids: by the one thread that writes, in the order of the calls."""
        calls = tuple(msgspec.structs.replace(call, id=self._new_id()) for call in one.calls)
        return dataclasses.replace(one, calls=calls)

    def _told(self, transaction: InsiTransaction, job: Job, act: Act, source: Source) -> Job:
        """Tell the registry; an identity merged or made doubtful meanwhile refuses, alone."""
        try:
            self._registrar.act_within(transaction, [(act, source)])
        except Refused as refused:
            _log.warning("insi.outcome-refused", job=job.id, reason=refused.text)
            job = msgspec.structs.replace(job, error="refused")
            transaction.put_job(job)
        return job

    def _ended(self, transaction: InsiTransaction, one: Done) -> tuple[Job, Act | None]:
        """The job as it is from now on, and the act it calls for; nothing when the claim was lost meanwhile.

        What is learnt of an identity that is not what it was when it was asked about is nobody's: it is asked again, as
        it is when a person asked meanwhile and no answer came.
        """
        current = transaction.job(one.job.id)
        if current is None or not is_same_claim(current, one.job):
            return current or one.job, None
        ended, act = self._endings.ended(dataclasses.replace(one, job=current), self._clock(), self._chance.random())
        if one.identity is not None and self._endings.outdated(one, transaction.identity(one.identity.id)):
            ended, act = asked_again(current, self._now(), CHANGED), None
        elif is_asked_since(current, one.job) and not one.answered:
            ended, act = asked_again(current, self._now(), ended.error), None
        transaction.put_job(ended)
        return ended, act

    def _tell(self, result: InsiResult, subject: str) -> None:
        """Tell the counters and the breaker of a search."""
        name = {"00": "found", "01": "not_found", "02": "several"}.get(
            result.code if not isinstance(result, InsiFault) else "", "faults"
        )
        setattr(self.counters, name, getattr(self.counters, name) + 1)
        self._heard(evidence(result), subject, result.code)

    def _heard(self, told: Evidence, subject: str, code: str) -> None:
        """Tell the breaker; announce an outage once at its start and once at its end."""
        change = self.breaker.record(told, subject, time.monotonic())
        if change is Change.OPENED:
            self.counters.outages += 1
            _log.error("insi.outage-started", code=code)
        elif change is Change.CLOSED:
            _log.warning("insi.outage-ended")

    def _pause(self) -> None:
        seconds = self._bucket.reserve(time.monotonic())
        if seconds > 0:
            self._sleep(seconds)

    def _now(self) -> str:
        return moment(self._clock())


def _sorted(claimed: Sequence[Claimed]) -> tuple[list[Claimed], dict[str, list[Claimed]]]:
    """What is asked one by one; and by ticket ("": to be deposited) what is asked together."""
    alone: list[Claimed] = []
    batches: dict[str, list[Claimed]] = {}
    for one in claimed:
        job = one[0]
        if job.ticket or (job.kind == "verify" and is_of_campaign(job)):
            batches.setdefault(job.ticket, []).append(one)
        else:
            alone.append(one)
    return alone, batches


def _taken_together(ended: "SimpleQueue[Future[Done]]", most: int) -> list[Future[Done]]:
    """The next question that ended, once one did, and those that end a moment later."""
    taken = [ended.get()]
    until = time.monotonic() + _GATHER
    while len(taken) < min(most, _MOST):
        try:
            taken.append(ended.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            break
    return taken
