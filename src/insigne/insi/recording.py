"""What came of questions, written: calls, ends of jobs, and what the registry is told, in one transaction."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

import msgspec
import structlog

from insigne.exchange.apply import Registrar
from insigne.exchange.errors import StoreError
from insigne.exchange.persistence import WRITE_WAIT, persistently
from insigne.insi.campaigns import moment
from insigne.insi.done import Done
from insigne.insi.endings import CHANGED, Endings, asked_again, is_asked_since, is_same_claim
from insigne.insi.jobs import DEFECT, Job
from insigne.insi.ports import InsiStorage, InsiTransaction
from insigne.insi.wire.model import InsiFault
from insigne.registry.acts import Act
from insigne.registry.decision import Refused
from insigne.registry.source import Source

_log = structlog.get_logger("insigne.insi")


class Recorder:
    """Writes outcomes by `endings`. `chance` spreads retries; `sleep` waits for the base."""

    def __init__(
        self,
        storage: InsiStorage,
        registrar: Registrar,
        endings: Endings,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        chance: Random,
        sleep: Callable[[float], None],
    ) -> None:
        self._storage = storage
        self._registrar = registrar
        self._endings = endings
        self._clock = clock
        self._new_id = new_id
        self._chance = chance
        self._sleep = sleep

    def finish(self, done: Sequence[Done]) -> list[Job]:
        """Record what came of questions, persistently.

        Recording twice what a lost connection may have recorded changes nothing: calls keep their ids, claims are over.
        """
        numbered = [self._numbered(one) for one in done]
        try:
            return self._written(numbered)
        except StoreError:
            raise
        except Exception:  # a defect of ours, told once it is known about which
            return [self._apart(one) for one in numbered]

    def _apart(self, one: Done) -> Job:
        """Record what came of one question; one that a defect keeps from being written is asked again later."""
        try:
            [job] = self._written([one])
        except StoreError:
            raise
        except Exception as error:
            _log.error("insi.record-defect", job=one.job.id, error=type(error).__name__)
            fault = Done(one.job, one.identity, one.calls, InsiFault(DEFECT), lost=True)
            [job] = self._written([fault], telling=False)
        return job

    def _written(self, done: Sequence[Done], *, telling: bool = True) -> list[Job]:
        return persistently(lambda: self._record(done, telling=telling), self._sleep, self._chance)

    def _record(self, done: Sequence[Done], *, telling: bool) -> list[Job]:
        """Record calls, ends of jobs, and what the registry is told, in one transaction."""
        transaction = self._storage.begin(WRITE_WAIT)
        try:
            jobs = []
            for one in done:
                for call in one.calls:
                    transaction.put_call(call)
                job, act = self._ended(transaction, one)
                if act is not None and telling:
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

    def _now(self) -> str:
        return moment(self._clock())
