"""What the conversation with INSi needs from the base. Implemented by `store`."""

from collections.abc import Sequence
from typing import Protocol

from insigne.exchange.ports import Transaction
from insigne.insi.jobs import CallTrace, Campaign, Job


class InsiTransaction(Transaction, Protocol):
    """A write transaction of the base that also keeps jobs, calls and campaigns."""

    def put_job(self, job: Job) -> None:
        """Write a job, new or changed."""
        ...

    def job(self, job_id: str) -> Job | None:
        """The job of that id."""
        ...

    def open_job(self, identity: str, kind: str) -> Job | None:
        """The job of that kind about that identity that is neither done, failed nor cancelled."""
        ...

    def due_jobs(self, now: str, limit: int) -> list[Job]:
        """Jobs waiting whose time has come, and those whose lease ran out, oldest due first."""
        ...

    def due_together(self, like: Job, now: str, limit: int) -> list[Job]:
        """Verifications waiting whose time has come, of the same origin and, once deposited, of the same batch."""
        ...

    def put_call(self, call: CallTrace) -> None:
        """Write a call; it is never changed."""
        ...

    def put_campaign(self, campaign: Campaign) -> None:
        """Write a campaign, new or changed."""
        ...

    def campaign(self, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""
        ...

    def running_campaigns(self) -> Sequence[Campaign]:
        """The campaigns that are running."""
        ...

    def last_campaign(self, author: str) -> Campaign | None:
        """The campaign that this author started last."""
        ...

    def count_to_verify(self, older_than: str) -> int:
        """How many identities `to_verify` would give."""
        ...

    def to_verify(self, after: str, older_than: str, limit: int) -> list[str]:
        """Ids, after that one, of living identities that hold an INS not verified (nor obtained) since."""
        ...


class InsiStorage(Protocol):
    """Where jobs and calls are kept."""

    def begin(self, wait: float | None = None) -> InsiTransaction:
        """See `exchange.ports.Storage.begin`."""
        ...
