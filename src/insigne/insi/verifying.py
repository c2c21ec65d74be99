"""Verifications of the queue: one by one for people, together for campaigns; each with its traces.

A batch has two calls of its own, its deposit and its collection, whose traces hold the answers as received; each
identity of it has a trace with its verdict, which names the batch.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from insigne.ins import StrictTraits
from insigne.insi.done import Claimed, Done
from insigne.insi.jobs import CallTrace, Job
from insigne.insi.verification import Verifiable, VerificationFailed, Verifier
from insigne.net.breaker import Evidence
from insigne.registry.record import strict
from insigne.registry.state import Identity

NO_INS: Final = "no INS to verify"
NO_ADAPTER: Final = "no verification adapter"
_FAULT: Final = "fault"


@dataclass(frozen=True, slots=True)
class _Said:
    """What a call came to: its code, what it says, the answer as received, how long it took."""

    code: str
    text: str
    raw: bytes
    milliseconds: int


class Verifications:
    """Asks a verifier. `now` writes times as the base does; `pause` keeps the rate; `heard` is told of each call."""

    def __init__(
        self,
        verifier: Verifier | None,
        *,
        now: Callable[[], str],
        pause: Callable[[], None],
        heard: Callable[[Evidence, str, str], None],
    ) -> None:
        self._verifier = verifier
        self._now = now
        self._pause = pause
        self._heard = heard

    def close(self) -> None:
        """Close the connections kept."""
        if self._verifier is not None:
            self._verifier.close()

    def one(self, job: Job, identity: Identity) -> Done:
        """Ask about one identity."""
        item = verifiable(identity)
        if item is None or self._verifier is None:
            return Done(job, identity, barred=NO_INS if item is None else NO_ADAPTER)
        self._pause()
        started = time.perf_counter()
        try:
            verified = self._verifier.verify_one(item)
            said = _Said(verified.verdict, "", verified.raw, _since(started))
            self._heard(Evidence.ALIVE, identity.id, said.code)
        except VerificationFailed as failed:
            said = self._failure(failed, identity.id, started)
        verdict = "" if said.code == _FAULT else said.code
        return Done(job, identity, (self._about(job, item, said),), verdict=verdict)

    def deposit(self, claimed: Sequence[Claimed]) -> list[Done]:
        """Deposit identities together: their verdicts are collected later. Those without an INS are not asked about."""
        items = [verifiable(identity) if identity is not None else None for _, identity in claimed]
        asked = [item for item in items if item is not None]
        if not asked or self._verifier is None:
            reason = NO_INS if self._verifier is not None else NO_ADAPTER
            return [Done(job, identity, barred=reason) for job, identity in claimed]
        self._pause()
        started, ticket = time.perf_counter(), ""
        try:
            deposited = self._verifier.submit_batch(asked)
            ticket = deposited.ticket
            said = _Said("deposited", "", deposited.raw, _since(started))
            self._heard(Evidence.ALIVE, asked[0].reference, said.code)
        except VerificationFailed as failed:
            said = self._failure(failed, asked[0].reference, started)
        call = self._of_batch("verify-deposit", {"lines": len(asked), "ticket": ticket}, claimed[0][0], said)
        done = [
            Done(job, identity, deposited=ticket) if item is not None else Done(job, identity, barred=NO_INS)
            for (job, identity), item in zip(claimed, items, strict=True)
        ]
        return [dataclasses.replace(done[0], calls=(call,)), *done[1:]]

    def collect(self, ticket: str, claimed: Sequence[Claimed]) -> list[Done]:
        """Collect the verdicts of a batch for the jobs that wait for them; a batch not ready yet is left for later."""
        if self._verifier is None:
            return [Done(job, identity, barred=NO_ADAPTER) for job, identity in claimed]
        self._pause()
        started, gone = time.perf_counter(), False
        verdicts: Mapping[str, str] = {}
        try:
            collected = self._verifier.collect(ticket)
            if collected is None:
                self._heard(Evidence.ALIVE, ticket, "pending")
                return [Done(job, identity, deposited=ticket) for job, identity in claimed]
            said = _Said("collected", "", collected.raw, _since(started))
            self._heard(Evidence.ALIVE, ticket, said.code)
            verdicts = collected.verdicts
        except VerificationFailed as failed:
            said, gone = self._failure(failed, ticket, started), failed.gone
        call = self._of_batch("verify-collect", {"ticket": ticket}, claimed[0][0], said)
        if said.code == _FAULT:
            done = [Done(job, identity, lost=gone) for job, identity in claimed]
        else:
            done = list(self._judged(ticket, claimed, verdicts))
        return [dataclasses.replace(done[0], calls=(call, *done[0].calls)), *done[1:]]

    def _judged(self, ticket: str, claimed: Sequence[Claimed], verdicts: Mapping[str, str]) -> Iterator[Done]:
        """Each job with its verdict; one not named, or about an INS or traits that changed since, is asked again."""
        for job, identity in claimed:
            item = verifiable(identity) if identity is not None else None
            verdict = verdicts.get(job.identity, "")
            if item is None:
                yield Done(job, identity, barred=NO_INS)
            elif not verdict or digest(item) != job.verified:  # the verdict of what it was
                yield Done(job, identity, lost=True)
            else:
                said = _Said(verdict, f"batch {ticket}", b"", 0)
                yield Done(job, identity, (self._about(job, item, said),), verdict=verdict)

    def _failure(self, failed: VerificationFailed, subject: str, started: float) -> _Said:
        self._heard(Evidence.DOWN if failed.outage else Evidence.AILING, subject, _FAULT)
        return _Said(_FAULT, str(failed), failed.raw, _since(started))

    def _about(self, job: Job, item: Verifiable, said: _Said) -> CallTrace:
        return self._trace(job, "verify", {"matricule": item.matricule, "oid": item.oid}, said, of_job=True)

    def _of_batch(self, operation: str, criteria: dict[str, object], job: Job, said: _Said) -> CallTrace:
        return self._trace(job, operation, criteria, said, of_job=False)

    def _trace(
        self, job: Job, operation: str, criteria: dict[str, object] | dict[str, str], said: _Said, *, of_job: bool
    ) -> CallTrace:
        shown = self._verifier.certificate if self._verifier is not None else ""
        return CallTrace(
            id="",
            time=self._now(),
            job=job.id if of_job else "",
            identity=job.identity if of_job else "",
            author=job.author,
            why=f"job {job.id} ({job.origin})" if of_job else job.origin,
            operation=operation,
            mode=shown or mode_of(job),
            criteria=msgspec.json.encode(criteria),
            code=said.code,
            subcode="",
            text=said.text,
            raw=said.raw,
            milliseconds=said.milliseconds,
        )


def mode_of(job: Job) -> str:
    """The certificate a question calls for: INSI-MANU when a person asked it (recalled, reference insi.md §4.2)."""
    return "INSI-MANU" if job.origin == "user" else "INSI-AUTO"


def verifiable(identity: Identity) -> Verifiable | None:
    """What is verified of an identity: the INS of a Data Matrix with its traits, else that held with ours, or None."""
    candidate = identity.read_ins
    ins = candidate or (identity.ins.ins if identity.ins is not None else None)
    if ins is None:
        return None
    traits: StrictTraits = strict(identity.national.candidate_traits if candidate else identity.traits)
    return Verifiable(
        identity.id, ins.matricule, ins.oid, dataclasses.replace(traits, birth_date=dashed(traits.birth_date))
    )


def digest(item: Verifiable | None) -> str:
    """What tells whether the same would be verified: of the INS and of the traits verified with it, of nothing else."""
    if item is None:
        return ""
    told = msgspec.json.encode((item.matricule, item.oid, item.traits))
    return hashlib.sha256(told).hexdigest()


def dashed(birth_date: str) -> str:
    """YYYYMMDD as YYYY-MM-DD; another form as it stands, to be refused with its reason."""
    return f"{birth_date[:4]}-{birth_date[4:6]}-{birth_date[6:]}" if len(birth_date) == 8 else birth_date


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
