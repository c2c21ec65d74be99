"""Queuing a search of INSi because of what happened: an identity of ours arrived, or comes for a visit.

Never over a whole base: only for people with a visit or at their creation, and only when the site asked for it
(`insi.automatic`). The answer waits for a named person.
"""

from collections.abc import Callable
from typing import cast

from insigne.exchange.load.loader import CAUSE_KIND
from insigne.exchange.ports import Transaction
from insigne.ins.status import Status, forces_provisional
from insigne.insi.jobs import Job
from insigne.insi.ports import InsiTransaction
from insigne.insi.settings import InsiSettings
from insigne.registry.events import EncounterOpened, IdentityCreated
from insigne.registry.settings import Policy
from insigne.registry.state import Identity
from insigne.registry.workingset import WorkingSet

AUTHOR = "insigne"


def eligible(identity: Identity, policy: Policy) -> str:
    """Why INSi may not be asked about this identity, "" when it may (EXI ID 26, design: settled 9 and 13)."""
    if identity.merged_into:
        return "merged"
    if identity.domain not in policy.own:
        return "not-ours"
    if forces_provisional(identity.attributes):
        return "doubtful-or-fictitious"
    if identity.details.collection.birth_date_corrected == "Y":
        return "birth-date-completed"
    if identity.traits.sex not in {"M", "F"}:
        return "sex-undetermined"
    return ""


class InsiFollower:
    """Queues a retrieval, in the same transaction, for identities of ours that have no INS."""

    def __init__(
        self, settings: InsiSettings, policy: Policy, *, now: Callable[[], str], new_id: Callable[[], str]
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._now = now
        self._new_id = new_id

    def follow(self, changes: WorkingSet, transaction: Transaction) -> None:
        """See `exchange.ports.Follower.follow`."""
        if not self._settings.automatic or not self._policy.own:
            return
        base = cast("InsiTransaction", transaction)
        for identity_id in self._concerned(changes):
            identity = changes.identity(identity_id)
            if identity is None or not self._wanted(identity) or _waits(changes, identity_id):
                continue
            if base.open_job(identity_id, "retrieve") is None:
                now = self._now()
                base.put_job(Job(self._new_id(), "retrieve", identity_id, "automatic", AUTHOR, now, due=now))

    def _concerned(self, changes: WorkingSet) -> dict[str, None]:
        """Who was created or comes for a visit; of a base that is loaded, nobody: its people are asked as they come."""
        concerned: dict[str, None] = {}
        for record in changes.records:
            if isinstance(record.event, IdentityCreated) and record.cause_kind != CAUSE_KIND:
                concerned[record.stream_id] = None
            elif isinstance(record.event, EncounterOpened):
                concerned[record.event.identity] = None
        return concerned

    def _wanted(self, identity: Identity) -> bool:
        if identity.ins is not None or eligible(identity, self._policy):
            return False
        # RECO PP 03: no call for a provisional identity whose document nobody holds, when the site blocks it.
        return self._settings.reco_pp_03 != "block" or identity.status is not Status.PROV


def _waits(changes: WorkingSet, identity_id: str) -> bool:
    """Whether an answer waits for a person already: a newer one would take its place under their eyes."""
    return changes.open_work_item(f"to-compare|{identity_id}") is not None
