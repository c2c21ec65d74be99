"""What came of a question of the queue, before it is recorded."""

from dataclasses import dataclass

from insigne.insi.jobs import CallTrace, Job
from insigne.insi.wire.model import InsiFault, InsiResult
from insigne.registry.state import Identity

Claimed = tuple[Job, Identity | None]
"""A job in hand, and the identity it is about as it stood then."""


@dataclass(frozen=True, slots=True)
class Done:
    """A claimed job and what came of it: the calls made, their outcome, or why none was made.

    `doubt`: what there is to say of the question. `put_off`: the service went down for everybody before the job's turn
    came. `deposited`: it waits in that batch, whose verdicts are collected later. `lost`: its batch gives no verdict
    that holds.
    """

    job: Job
    identity: Identity | None
    calls: tuple[CallTrace, ...] = ()
    result: InsiResult | None = None
    doubt: str = ""
    verdict: str = ""
    barred: str = ""
    put_off: bool = False
    deposited: str = ""
    lost: bool = False

    @property
    def answered(self) -> bool:
        """Whether something was learnt of the identity: a verdict, an answer, or that its traits cannot be asked."""
        if isinstance(self.result, InsiFault):
            return self.result.kind == "input"
        return bool(self.verdict) or self.result is not None
