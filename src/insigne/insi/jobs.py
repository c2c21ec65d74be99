"""What is kept of the conversation with INSi:

jobs to be done, calls made, campaigns. Primary records, beside the journal.

A job lives through crashes: it is claimed with a lease, and a claim whose lease ran out is given again. What it
brings is written in the same transaction as the end of the job, so it is never applied twice.
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

DEFECT: Final = "defect"
"""Error of a question that a defect of ours kept from being asked, or its answer from being understood or written."""
JobKind = Literal["retrieve", "verify"]
JobState = Literal["waiting", "calling", "done", "failed", "cancelled"]
CampaignState = Literal["running", "paused", "done", "cancelled"]


class Job(Struct, frozen=True):
    """One thing to ask INSi about one identity. Times are RFC 3339 UTC of the width of the base.

    `origin` is "automatic", "user" or "campaign:ID"; `author` the person on whose behalf, or the system. `due` is when
    it may be tried, `lease` until when a claim holds. `outcome` is 00, 01, 02, OK, KO, or why INSi was not asked;
    `error` the last fault's code. `ticket` is that of the batch a verification waits in, `deposited` when it went
    there, `verified` the digest of what was deposited of the identity; "" outside a batch.
    """

    id: str
    kind: JobKind
    identity: str
    origin: str
    author: str
    created: str
    due: str
    state: JobState = "waiting"
    attempts: int = 0
    lease: str = ""
    outcome: str = ""
    error: str = ""
    ticket: str = ""
    deposited: str = ""
    verified: str = ""


def in_no_batch(job: Job) -> Job:
    """The job as it is once it waits in no batch."""
    return replace(job, ticket="", deposited="", verified="")


_CAMPAIGN = "campaign:"


def campaign_origin(campaign_id: str) -> str:
    """The origin of the jobs of a campaign."""
    return f"{_CAMPAIGN}{campaign_id}"


def is_of_campaign(job: Job) -> bool:
    """Whether a campaign asked for it."""
    return job.origin.startswith(_CAMPAIGN)


class CallTrace(Struct, frozen=True):
    """One call:

    who, when, why, criteria, code, and the raw answer unchanged, readable only with the right (EXI REC 07).

    `operation` is search, vitale, verify, verify-deposit or verify-collect (the two calls of a batch); `mode` the name
    of the certificate shown, INSI-AUTO or INSI-MANU (without one, by who started it). `criteria` is a JSON object,
    personal. `code` is the business code or the fault's; `subcode` its siram class.
    """

    id: str
    time: str
    job: str
    identity: str
    author: str
    why: str
    operation: str
    mode: str
    criteria: bytes
    code: str
    subcode: str
    text: str
    raw: bytes
    milliseconds: int


class Campaign(Struct, frozen=True):
    """A verification of many identities, at a pace and between two hours (`from_hour`, `to_hour`, local).

    `older_than` selects identities whose INS was not verified since; `cursor` is the last identity queued.
    """

    id: str
    name: str
    author: str
    created: str
    older_than: str
    per_minute: int
    from_hour: int
    to_hour: int
    state: CampaignState = "running"
    cursor: str = ""
    total: int = 0
    queued: int = 0
