"""How a question of the queue ends: its job from then on, and what the registry is told. Pure."""

from dataclasses import replace as replace_done
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from insigne.insi.automation import eligible
from insigne.insi.campaigns import moment
from insigne.insi.done import Done
from insigne.insi.jobs import Job, JobKind, in_no_batch
from insigne.insi.outcomes import outcome_of
from insigne.insi.settings import InsiSettings
from insigne.insi.verifying import digest, verifiable
from insigne.insi.wire.model import InsiFault
from insigne.registry.acts import Act, NoteInsiOutcome, RecordVerification
from insigne.registry.settings import Policy
from insigne.registry.state import Identity

CHANGED: Final = "changed"
"""Error of a question about an identity that changed while it was asked: it is asked again."""
OVERDUE: Final = "pending"
"""Error of a verification whose batch stayed pending too long: it is deposited again."""


class Endings:
    """Tells how questions end, by the settings of INSi and the policy of the registry."""

    def __init__(self, settings: InsiSettings, policy: Policy) -> None:
        self._settings = settings
        self._policy = policy
        self._backoff = settings.retry.backoff()

    def barred(self, job: Job, identity: Identity | None) -> str:
        """Why the question is not asked, "" when it may be."""
        return "unknown" if identity is None else eligible(identity, self._policy) or _settled(job, identity)

    def outdated(self, one: Done, now: Identity | None) -> bool:
        """Whether what was learnt is about what the identity was when it was asked about, and not what it is now."""
        then = one.identity
        if then is None or now is None:
            return False
        if one.barred:
            return now.version != then.version  # what barred the question may be gone
        if not one.answered:
            return False
        return bool(self.barred(one.job, now)) or _subject(one.job.kind, now) != _subject(one.job.kind, then)

    def ended(self, one: Done, now: datetime, chance: float) -> tuple[Job, Act | None]:
        """The job as it is from now on, and the act it calls for. `chance`, from 0 to 1, spreads retries."""
        job, identity = one.job, one.identity
        if one.put_off:
            return replace(job, state="waiting", attempts=job.attempts - 1, lease=""), None
        if one.deposited and identity is not None:
            if not self._is_overdue(job, now):
                return self._in_batch(job, identity, one.deposited, now), None
            one = replace_done(one, result=InsiFault(OVERDUE), lost=True)
        if one.barred or identity is None:
            return _closed(job, "cancelled", one.barred or "unknown"), None
        call = one.calls[-1].id if one.calls else ""
        if one.verdict:
            return _closed(job, "done", one.verdict), RecordVerification(identity.id, 0, one.verdict, call)
        if one.result is not None and not isinstance(one.result, InsiFault):
            act = outcome_of(identity, one.result, call, self._policy.comparison, doubt=one.doubt)
            return _closed(job, "done", one.result.code), act
        fault = one.result if isinstance(one.result, InsiFault) else InsiFault("verification")
        waits = NoteInsiOutcome(identity.id, "waiting", cause=fault.code)
        if one.answered:
            return _closed(job, "failed", "fault", fault.code), waits
        told = job.attempts == self._settings.retry.attempts
        due = moment(now + timedelta(seconds=self._backoff.delay(job.attempts, chance)))
        worn_out = job.attempts % self._settings.retry.attempts == 0  # a batch never given back is deposited again
        again = replace(job, state="waiting", due=due, lease="", error=fault.code)
        return in_no_batch(again) if one.lost or worn_out else again, waits if told else None

    def _in_batch(self, job: Job, identity: Identity, ticket: str, now: datetime) -> Job:
        """The job that waits for the verdicts of a batch; waiting is no attempt."""
        due = moment(now + timedelta(seconds=self._settings.verification.poll_seconds))
        waiting = replace(job, state="waiting", attempts=job.attempts - 1, lease="", due=due, error="", ticket=ticket)
        if not job.ticket:
            waiting = replace(waiting, verified=digest(verifiable(identity)))
        return waiting if job.deposited else replace(waiting, deposited=moment(now))

    def _is_overdue(self, job: Job, now: datetime) -> bool:
        """Whether a batch has been pending for so long that its verdicts are awaited no more."""
        limit = timedelta(hours=self._settings.verification.pending_hours)
        return bool(job.deposited) and job.deposited < moment(now - limit)


def is_same_claim(current: Job, claimed: Job) -> bool:
    """Whether the job is still in the hands that claimed it.

    Its lease tells a claim from another one. The count of attempts alone would not: waiting in a batch turns it back.
    """
    return current.state == "calling" and (current.lease, current.attempts) == (claimed.lease, claimed.attempts)


def is_asked_since(current: Job, claimed: Job) -> bool:
    """Whether a person asked the question of a job while it was in hand."""
    return (current.origin, current.author) != (claimed.origin, claimed.author)


def asked_again(job: Job, now: str, error: str) -> Job:
    """The job as it waits for a first attempt, by itself and due at once."""
    return replace(in_no_batch(job), state="waiting", due=now, lease="", error=error, attempts=0)


def _subject(kind: JobKind, identity: Identity) -> object:
    """What of the identity a question is about."""
    return identity.traits if kind == "retrieve" else verifiable(identity)


def _settled(job: Job, identity: Identity) -> str:
    """Why nobody needs the answer to a question of our own any more: a card or a symbol gave the INS meanwhile."""
    return "ins-held" if job.kind == "retrieve" and job.origin == "automatic" and identity.ins is not None else ""


def _closed(job: Job, state: str, outcome: str, error: str = "") -> Job:
    return replace(in_no_batch(job), state=state, outcome=outcome, error=error, lease="")
