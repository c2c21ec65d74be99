"""What is kept of the conversation with INSi (`insi.ports.InsiTransaction`): jobs, calls, campaigns."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from insigne.insi.jobs import CallTrace, Campaign, Job
from insigne.store import statements
from insigne.store.reading import Reader
from insigne.store.session import Row
from insigne.store.writing import Writer


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs to list: fields are those of `Job`, "" means any. `origin` of a campaign is "campaign:ID"."""

    state: str = ""
    kind: str = ""
    identity: str = ""
    origin: str = ""


class CallFilter(msgspec.Struct, frozen=True):
    """Which calls to list: fields are those of `CallTrace`, "" means any.

    `since` (included) and `until` (excluded) are RFC 3339 UTC, of the width of the base (milliseconds).
    """

    identity: str = ""
    job: str = ""
    author: str = ""
    code: str = ""
    since: str = ""
    until: str = ""


_ANY_JOB: Final = JobFilter()
_ANY_CALL: Final = CallFilter()


class InsiReader(Reader):
    """Jobs and campaigns, as both transactions and views read them."""

    def job(self, job_id: str) -> Job | None:
        """See `InsiTransaction.job`."""
        found = self.select(statements.JOB, (job_id,))
        return Job(*found[0]) if found else None

    def campaign(self, campaign_id: str) -> Campaign | None:
        """See `InsiTransaction.campaign`."""
        found = self.select(statements.CAMPAIGN, (campaign_id,))
        return Campaign(*found[0]) if found else None

    def last_campaign(self, author: str) -> Campaign | None:
        """See `InsiTransaction.last_campaign`."""
        found = self.select(statements.LAST_CAMPAIGN, (author,))
        return Campaign(*found[0]) if found else None

    def waiting_jobs(self, origin: str) -> list[str]:
        """The ids of the jobs of that origin that wait."""
        return [row[0] for row in self.select(statements.WAITING_JOBS, (origin,))]

    def to_verify(self, after: str, older_than: str, limit: int) -> list[str]:
        """See `InsiTransaction.to_verify`; a contested INS counts for nothing, so it is not verified."""
        return [row[0] for row in self.select(statements.TO_VERIFY, (older_than, after, limit))]

    def count_to_verify(self, older_than: str) -> int:
        """See `InsiTransaction.count_to_verify`."""
        count: int = self.select(statements.COUNT_TO_VERIFY, (older_than,))[0][0]
        return count


class InsiWriter(InsiReader, Writer):
    """What a write transaction adds; jobs and calls are in `transaction.UnitOfWork`, which gathers them with states."""

    def due_jobs(self, now: str, limit: int) -> list[Job]:
        """See `InsiTransaction.due_jobs`."""
        found = self.select(statements.DUE_JOBS, (now, limit)) + self.select(statements.LOST_JOBS, (now, limit))
        return sorted((Job(*row) for row in found), key=lambda job: (job.due, job.id))[:limit]

    def due_together(self, like: Job, now: str, limit: int) -> list[Job]:
        """See `InsiTransaction.due_together`."""
        if like.ticket:
            found = self.select(statements.DUE_TO_COLLECT, (like.ticket, now, like.origin, limit))
        else:
            found = self.select(statements.DUE_TO_DEPOSIT, (now, like.origin, limit))
        return [Job(*row) for row in found]

    def running_campaigns(self) -> list[Campaign]:
        """See `InsiTransaction.running_campaigns`; oldest first."""
        return [Campaign(*row) for row in self.select(statements.RUNNING_CAMPAIGNS)]

    def put_campaign(self, campaign: Campaign) -> None:
        """See `InsiTransaction.put_campaign`."""
        self.execute(statements.PUT_CAMPAIGN, msgspec.structs.astuple(campaign))


class InsiQueries(InsiReader):
    """What people and interfaces ask."""

    def jobs(self, wanted: JobFilter = _ANY_JOB, *, limit: int = 100, after: str = "") -> list[Job]:
        """Jobs, newest first, at most `limit`; `after` is the id of the last one of the page before."""
        sql, parameters = _filtered(statements.JOBS, statements.JOB_FILTERS, wanted)
        if after:
            sql += statements.JOBS_BEFORE
            parameters.append(after)
        return [Job(*row) for row in self.select(sql + statements.JOBS_ORDER, (*parameters, limit))]

    def last_job(self, identity: str) -> Job | None:
        """The question about that identity that was asked last."""
        return next(iter(self.jobs(JobFilter(identity=identity), limit=1)), None)

    def job_states(self) -> dict[str, int]:
        """How many jobs there are in each state that has any."""
        return dict(self.select(statements.JOB_STATES))

    def job_ends(self, origin: str) -> dict[tuple[str, str], int]:
        """How many jobs of that origin there are, by (state, outcome)."""
        return {(state, outcome): count for state, outcome, count in self.select(statements.JOB_ENDS, (origin,))}

    def calls(self, wanted: CallFilter = _ANY_CALL, *, limit: int = 100, after: str = "") -> list[CallTrace]:
        """Calls without their raw answers, newest first, at most `limit`; `after` is the id of the last one before."""
        sql, parameters = _filtered(statements.CALLS, statements.CALL_FILTERS, wanted)
        if after:
            sql += statements.CALLS_BEFORE
            parameters.append(after)
        return [_call(row) for row in self.select(sql + statements.CALLS_ORDER, (*parameters, limit))]

    def call(self, call_id: str) -> CallTrace | None:
        """The call of that id with its raw answer, for who has the right to read it (EXI REC 07); erased: empty."""
        found = self.select(statements.CALL, (call_id,))
        return _call(found[0]) if found else None

    def campaigns(self) -> list[Campaign]:
        """Every campaign, newest first."""
        return [Campaign(*row) for row in self.select(statements.CAMPAIGNS)]


def job_row(job: Job) -> Row:
    """The row of `statements.PUT_JOB`: its columns are the fields of the job."""
    return msgspec.structs.astuple(job)


def call_row(call: CallTrace) -> Row:
    """The row of `statements.INSERT_CALL`: its columns are the fields of the call."""
    return msgspec.structs.astuple(call)


def is_open(job: Job, identity: str, kind: str) -> bool:
    """Whether the job is of that kind about that identity and has not ended, as `statements.OPEN_JOBS` has it."""
    return job.identity == identity and job.kind == kind and job.state in {"waiting", "calling"}


def _filtered(sql: str, conditions: dict[str, str], wanted: msgspec.Struct) -> tuple[str, list[Any]]:
    asked = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value}
    return sql + "".join(conditions[name] for name in asked), list(asked.values())


def _call(row: Sequence[Any]) -> CallTrace:
    """The trace of an `insi_call` row; what a purge erased reads as empty."""
    values: list[Any] = [b"" if value is None else value for value in row]
    return CallTrace(*values)
