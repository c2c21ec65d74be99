"""Notes, in the transaction of an event, whose documents are to be looked at again. The worker does it, later."""

from collections.abc import Callable
from typing import Final, cast

from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.whose import standing
from insigne.exchange.ports import Transaction
from insigne.registry import events as ev
from insigne.registry.values import Identifier
from insigne.registry.workingset import WorkingSet

_HARMLESS: Final = (
    ev.PriorSearchMade,
    ev.NationalAnswerRefused,
    ev.CandidateRead,
    ev.CandidateDropped,
    ev.ProofRecorded,
    ev.IdentityLinked,
    ev.IdentityUnlinked,
    ev.TrustRaised,
    ev.IdentitySnapshot,
)
"""Events that change nothing of where documents may go; any other one is looked at."""


def _concerned(record: ev.Recorded) -> tuple[str, ...]:
    """The identities whose documents an event may move."""
    if isinstance(record.event, ev.EncounterReassigned):
        return (record.event.before, record.event.after)
    if record.stream != "identity" or isinstance(record.event, _HARMLESS):
        return ()
    return (record.stream_id,)


def _stays(record: ev.Recorded) -> tuple[tuple[str, Identifier | None], ...]:
    """The numbers that say another stay than before: documents may name it that came before it was known."""
    match record.event:
        case ev.EncounterOpened(visit=visit, account=account):
            return (("VN", visit), ("AN", account))
        case ev.AccountChanged(before=before, after=after):
            return (("AN", before), ("AN", after))
        case _:
            return ()


class DocumentFollower:
    """A `exchange.ports.Follower`: one row an identity that has documents, whatever their number."""

    def __init__(self, *, now: Callable[[], str]) -> None:
        self._now = now

    def follow(self, changes: WorkingSet, transaction: Transaction) -> None:
        """See `exchange.ports.Follower.follow`."""
        base = cast("DocumentTransaction", transaction)
        if not base.holds_documents():
            return
        changed: dict[str, None] = {}
        for name in (name for record in changes.records for name in _concerned(record)):
            changed[name] = None
            stands = standing(changes, name)  # documents are kept with the one that stands for their patient
            if stands is not None:
                changed[stands.id] = None
        stays = {(kind, one.value) for record in changes.records for kind, one in _stays(record) if one is not None}
        concerned = base.with_documents(list(changed)) if changed else []
        if stays:
            concerned += base.naming_stays(sorted(stays))
        if concerned:
            base.ask_review(concerned, self._now())
