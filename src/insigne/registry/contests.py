"""An INS that two identities of one domain hold is contested, until one of them has it no more.

However it was lost, what was contested with it is looked at by the same decision. A merge of the two ends the contest,
and so does the word of the repository that masters both. Any other loss was decided about the one who lost it: it does
not say that the INS is the other's, which a person confirms (work item `ins-to-confirm`).
"""

from collections.abc import Iterator
from typing import Final

from insigne.registry import events as ev
from insigne.registry.attach import living_holders
from insigne.registry.decision import Draft, Fault, Subject
from insigne.registry.refusals import refused
from insigne.registry.state import Identity

TO_CONFIRM: Final = "ins-to-confirm"
"""Kind of the work item of an INS that only one identity holds now, which nobody has said to be its own."""


def rivals(draft: Draft, identity: Identity, matricule: str) -> list[Identity]:
    """The other identities of the same domain that hold this matricule."""
    return [i for i in living_holders(draft, matricule) if i.id != identity.id and i.domain == identity.domain]


def end_contests(draft: Draft, first: int, *, act: bool) -> None:
    """Settle what the events of the decision, those from rank `first` on, leave without a rival.

    `act`: the decision is an act of somebody here, and not the word of a feed.
    """
    for (identity_id, matricule), event in dict(_lost(draft.working.records[first:])).items():
        identity = draft.identity(identity_id)
        if identity.ins is not None and identity.ins.ins.matricule == matricule and not identity.merged_into:
            continue
        draft.close_item(TO_CONFIRM, (identity.id,), "held no more")
        for other in rivals(draft, identity, matricule):
            draft.close_item("same-ins", (identity.id, other.id), "held by one identity only")
            if act and not _joins(event, other):
                wait_for_a_person(draft, other)
            end_contest(draft, other)


def wait_for_a_person(draft: Draft, identity: Identity) -> None:
    """Keep a contested INS from becoming its holder's by itself."""
    if identity.ins is not None and identity.ins.contested:
        draft.raise_item(TO_CONFIRM, (identity.id,))


def end_contest(draft: Draft, identity: Identity, *, confirmed: bool = False) -> Identity:
    """Let the INS count again, once nobody else holds it and, if a person is waited for, it is `confirmed` by one."""
    if identity.ins is None or not identity.ins.contested or rivals(draft, identity, identity.ins.ins.matricule):
        return identity
    if not confirmed and draft.working.open_work_item(f"{TO_CONFIRM}|{identity.id}") is not None:
        return identity
    draft.close_item(TO_CONFIRM, (identity.id,), "confirmed")
    return draft.on_identity(identity, ev.InsContested(identity.ins.ins, contested=False))


def confirm(draft: Draft, identity: Identity, *, apply: bool) -> None:
    """Settle, by a named person, the work item of an INS to confirm. Raises `Refused` as long as nothing is decided."""
    if identity.merged_into or identity.ins is None or not identity.ins.contested:
        return
    if not apply:
        raise refused("ins-unconfirmed", Fault.FORBIDDEN, Subject.INS)
    if end_contest(draft, identity, confirmed=True).version == identity.version:
        raise refused("ins-contested", Fault.FORBIDDEN, Subject.INS)
    draft.subject = identity.id


def _joins(event: ev.AnyEvent, other: Identity) -> bool:
    return isinstance(event, ev.IdentityMerged) and event.into == other.id


def _lost(records: list[ev.Recorded]) -> Iterator[tuple[tuple[str, str], ev.AnyEvent]]:
    """Who lost which matricule by which event, be it for a while: an event cannot know what follows it."""
    for record in records:
        match record.event:
            case ev.InsWithdrawn(before=ins):
                yield (record.stream_id, ins.matricule), record.event
            case ev.InsRecorded(before=before) if before is not None:
                yield (record.stream_id, before.matricule), record.event
            case ev.IdentityMerged(snapshot=snapshot) if snapshot.ins is not None:
                yield (record.stream_id, snapshot.ins.ins.matricule), record.event
