"""The queue of INSi at work: claim, call, record. One cycle is safe against a kill at any point.

Claiming gives a lease. Calls are made outside any transaction. Their traces, the end of the job and what the registry
is told are then written in one transaction (`recording`), if the claim still holds: a job whose worker died is claimed
again, its call made again, and its outcome applied once.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from random import Random
from typing import Final

import msgspec
import structlog

from insigne.exchange.apply import Registrar
from insigne.insi.campaigns import moment
from insigne.insi.client import Caller, InsiClient, InsiUnusable, retrieve
from insigne.insi.desk import queued
from insigne.insi.done import Claimed, Done
from insigne.insi.endings import Endings
from insigne.insi.entry import UNKNOWN_TO_COG, prepare_search
from insigne.insi.hearing import Hearing
from insigne.insi.jobs import DEFECT, Job, JobKind, is_of_campaign
from insigne.insi.outcomes import given_names_of
from insigne.insi.ports import InsiStorage, InsiTransaction
from insigne.insi.recording import Recorder
from insigne.insi.settings import InsiSettings
from insigne.insi.traces import trace_of
from insigne.insi.verification import Verifier
from insigne.insi.verifying import Verifications, dashed, mode_of
from insigne.insi.wire.model import InsiFault
from insigne.net.breaker import Evidence
from insigne.net.rate import TokenBucket
from insigne.registry.settings import Policy
from insigne.registry.state import Identity

_log = structlog.get_logger("insigne.insi")
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
        self._client = client
        self._settings = settings
        self._clock = clock
        self._new_id = new_id
        self._sleep = sleep
        self._endings = Endings(settings, policy)
        self._recorder = Recorder(
            storage, registrar, self._endings, clock=clock, new_id=new_id, chance=chance, sleep=sleep
        )
        self._hearing = Hearing(settings)
        self._verifications = Verifications(verifier, now=self._now, pause=self._pause, heard=self._hearing.heard)
        self._bucket = TokenBucket(settings.rate, settings.burst)
        self._batch = min(max(_FEWEST, round(settings.rate * _BATCH_SECONDS)), _MOST)
        self._pool = ThreadPoolExecutor(_PARALLEL, "insigne-insi-call")
        self.breaker, self.counters = self._hearing.breaker, self._hearing.counters

    def work(self, limit: int = 0) -> int:
        """Work on up to `limit` due jobs (0: a batch fit for the rate limit); how many were worked on.

        While the service is down for everybody one job at a time is let through, to see. Raises `StoreError` when the
        base cannot be used.
        """
        if not self.breaker.allows(time.monotonic()):
            return 0
        if not self._hearing.is_closed:
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
        if not self._hearing.is_closed:
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
            self._hearing.heard(Evidence.DOWN, claimed[0][0].identity, code)
        except Exception as error:  # one odd answer must not keep the others waiting, nor come back at every turn
            code, reason = DEFECT, type(error).__name__
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

    def _ask_in_turn(self, claimed: Claimed) -> Done:
        """Ask, unless the service went down for everybody since the batch was claimed."""
        return self._ask_alone(claimed) if self._hearing.is_closed else Done(*claimed, put_off=True)

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
            self._hearing.search(call, identity.id)
        traces = tuple(
            trace_of(call, moment(call.started), mode_of(job), job=job.id, identity=identity.id) for call in made
        )
        doubt = UNKNOWN_TO_COG.message_fr if UNKNOWN_TO_COG in prepared.remarks else ""
        return Done(job, identity, traces, prepared.search.outcome, doubt)

    def _finish(self, done: Sequence[Done]) -> list[Job]:
        return self._recorder.finish(done)

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
