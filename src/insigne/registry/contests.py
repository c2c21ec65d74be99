"""An INS that two identities of one domain hold is contested, until one of them has it no more.

However it was lost, what was contested with it is looked at by the same decision. A merge of the two ends the contest,
and so does the word of the repository that masters both. Any other loss was decided about the one who lost it: it does
not say that the INS is the other's, which a person confirms (work item `ins-to-confirm`).

What was contested before a merge is so again once the merge is undone.
"""

from collections.abc import Iterator
from typing import Final

from insigne.registry import events as ev
from insigne.registry.attach import living_holders
from insigne.registry.decision import Draft, Fault, Subject
from insigne.registry.refusals import refused
from insigne.registry.state import Identity, MergedContest

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
    if not confirmed and is_to_confirm(draft, identity):
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


def merged_contest(draft: Draft, absorbed: Identity) -> MergedContest | None:
    """What stands against the INS of an identity that is about to be merged; None when it has none."""
    if absorbed.ins is None:
        return None
    others = rivals(draft, absorbed, absorbed.ins.ins.matricule)
    return MergedContest(
        contested=absorbed.ins.contested,
        to_confirm=absorbed.ins.contested and is_to_confirm(draft, absorbed),
        others=tuple(other.id for other in others if other.ins is not None and other.ins.contested),
    )


def contest_again(draft: Draft, identity: Identity, before: MergedContest | None) -> None:
    """Contest the INS of an identity whose merge was undone, by who holds it today and by what stood against it before.

    The others that were contested as well are so again, even confirmed since: as long as this one was merged, nobody
    could tell that it holds the INS too.
    """
    if identity.ins is None:
        return
    others = rivals(draft, identity, identity.ins.ins.matricule)
    if others:
        identity = _contested(draft, identity)
    if not others or (before is not None and before.to_confirm):
        wait_for_a_person(draft, identity)
    for other in others:
        draft.raise_item("same-ins", (identity.id, other.id))
        if before is not None and other.id in before.others:
            _contested(draft, other)


def _contested(draft: Draft, identity: Identity) -> Identity:
    if identity.ins is None or identity.ins.contested:
        return identity
    return draft.on_identity(identity, ev.InsContested(identity.ins.ins, contested=True))


def is_to_confirm(draft: Draft, identity: Identity) -> bool:
    """Whether a person is waited for to say that the INS of this identity is its own."""
    return draft.working.open_work_item(f"{TO_CONFIRM}|{identity.id}") is not None


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
