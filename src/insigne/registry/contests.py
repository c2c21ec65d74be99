"""An INS that two identities of one domain hold is contested, until one of them has it no more.

However it was lost (by a message, an act or a merge), what was contested with it is settled by the same decision.
"""

from collections.abc import Iterator

from insigne.registry import events as ev
from insigne.registry.attach import living_holders
from insigne.registry.decision import Draft
from insigne.registry.state import Identity


def rivals(draft: Draft, identity: Identity, matricule: str) -> list[Identity]:
    """The other identities of the same domain that hold this matricule."""
    return [i for i in living_holders(draft, matricule) if i.id != identity.id and i.domain == identity.domain]


def end_contests(draft: Draft, first: int) -> None:
    """Settle what the events of the decision, those from rank `first` on, leave without a rival."""
    for identity_id, matricule in dict.fromkeys(_lost(draft.working.records[first:])):
        identity = draft.identity(identity_id)
        if identity.ins is not None and identity.ins.ins.matricule == matricule and not identity.merged_into:
            continue
        for other in rivals(draft, identity, matricule):
            draft.close_item("same-ins", (identity.id, other.id), "held by one identity only")
            if other.ins is not None and other.ins.contested and not rivals(draft, other, matricule):
                draft.on_identity(other, ev.InsContested(other.ins.ins, contested=False))


def _lost(records: list[ev.Recorded]) -> Iterator[tuple[str, str]]:
    """Who lost which matricule, be it for a while: an event cannot know what follows it."""
    for record in records:
        match record.event:
            case ev.InsWithdrawn(before=ins):
                yield record.stream_id, ins.matricule
            case ev.InsRecorded(before=before) if before is not None:
                yield record.stream_id, before.matricule
            case ev.IdentityMerged(snapshot=snapshot) if snapshot.ins is not None:
                yield record.stream_id, snapshot.ins.ins.matricule
