"""Merging and undoing by hand, and the work items people settle."""

import msgspec

from insigne.ins.status import forces_provisional
from insigne.registry import acts
from insigne.registry import events as ev
from insigne.registry.attach import find, person_identifiers
from insigne.registry.commands import MergePatients, Patient, RecordMovement
from insigne.registry.contests import TO_CONFIRM, confirm, contest_again
from insigne.registry.decision import Draft, Fault, Subject
from insigne.registry.merge import OTHER_INS, join
from insigne.registry.record import apply_held
from insigne.registry.refusals import refused
from insigne.registry.reliability import record_ins
from insigne.registry.state import Identity, WorkItem, held_parts
from insigne.registry.stays import record_held, stay_of
from insigne.registry.values import Identifier


def merge_identities(draft: Draft, act: acts.MergeIdentities) -> None:
    """Two identities with different INS are not merged by hand, nor a doubtful or fictitious one, nor others' own."""
    survivor, absorbed = _standing(draft, act.survivor), _standing(draft, act.absorbed)
    _of_ours(draft, survivor)
    _of_ours(draft, absorbed)
    _unchanged(survivor, act.version)
    if survivor.id == absorbed.id:
        raise refused("merge-itself", Fault.DUPLICATE_KEY, Subject.PATIENT)
    if survivor.domain != absorbed.domain:
        raise refused("merge-domains", Fault.FORBIDDEN, Subject.PATIENT)
    numbers = {i.ins.ins.matricule for i in (survivor, absorbed) if i.ins is not None}
    if len(numbers) > 1:
        raise refused("merge-ins", Fault.FORBIDDEN, Subject.INS)
    if any(forces_provisional(i.attributes) for i in (survivor, absorbed)):
        raise refused("merge-attribute", Fault.FORBIDDEN, Subject.RELIABILITY)
    join(draft, absorbed, survivor, act.reason)


def unmerge_identities(draft: Draft, act: acts.UnmergeIdentities) -> None:
    """The absorbed identity stands by itself again; what came since stays with the survivor, for a person to sort."""
    absorbed = draft.working.identity(act.absorbed)
    if absorbed is None or not absorbed.merged_into:
        raise refused("not-merged", Fault.UNKNOWN_KEY, Subject.PATIENT)
    _of_ours(draft, absorbed)
    _unchanged(absorbed, act.version)
    survivor = _undone(draft, absorbed, act.reason)
    draft.raise_item("unmerged", (absorbed.id, survivor.id), cause=act.reason)
    draft.subject = absorbed.id


def _undone(draft: Draft, absorbed: Identity, reason: str) -> Identity:
    """Let a merged identity stand again, with the INS that the merge took from it; the one it was merged into."""
    survivor, before = draft.identity(absorbed.merged_into), absorbed.merged_contest
    absorbed = draft.on_identity(absorbed, ev.MergeUndone(survivor.id, reason))
    survivor = draft.on_identity(survivor, ev.AbsorbedReleased(absorbed.id))
    lost = absorbed.ins_history[-1] if absorbed.ins is None and absorbed.ins_history else None
    if lost is not None and lost.reason == OTHER_INS:
        contested = before is None or before.contested  # not said by an earlier release: a person confirms it
        absorbed = record_ins(draft, absorbed, lost.ins, "merge undone", contested=contested)
        draft.close_item("merge-other-ins", (absorbed.id, survivor.id), "merge undone")
    contest_again(draft, absorbed, before)
    return draft.identity(survivor.id)


def assign_work_item(draft: Draft, act: acts.AssignWorkItem) -> None:
    """Give an open item to somebody, or to nobody."""
    item = _open_item(draft, act.item)
    if item.assignee != act.assignee:
        draft.emit("work-item", item.id, ev.WorkItemAssigned(item.assignee, act.assignee), item.version + 1)


def close_work_item(draft: Draft, act: acts.CloseWorkItem) -> None:
    """Settle an item; with `apply`, what was held back is applied first, by the rules of its command.

    An answer of INSi that waits is accepted or refused by a named person: closing its item would lose it unseen. An INS
    to confirm is confirmed by `apply`. An INS that two identities hold is settled by one of them losing it, or by their
    merge, which close the item: nobody would be told of the contest any more.
    """
    item = _open_item(draft, act.item)
    if item.kind == "to-compare" and any(_stands(draft, subject) for subject in item.subjects):
        raise refused("answer-waits", Fault.FORBIDDEN, Subject.INS)
    if item.kind == "same-ins" and _share_an_ins(draft, item.subjects):
        raise refused("same-ins-held", Fault.FORBIDDEN, Subject.INS)
    draft.emit("work-item", item.id, ev.WorkItemClosed(act.outcome), item.version + 1)
    if item.kind == TO_CONFIRM:
        confirm(draft, draft.identity(item.subjects[0]), apply=act.apply)
    elif act.apply:
        _apply_held(draft, item, act.seen)


def _stands(draft: Draft, identity_id: str) -> bool:
    identity = draft.working.identity(identity_id)
    return identity is not None and not identity.merged_into


def _share_an_ins(draft: Draft, subjects: tuple[str, ...]) -> bool:
    """Whether two of these identities still stand and hold the same INS."""
    standing = [draft.identity(subject) for subject in subjects if _stands(draft, subject)]
    held = [identity.ins.ins.matricule for identity in standing if identity.ins is not None]
    return len(set(held)) < len(held)


def _apply_held(draft: Draft, item: WorkItem, seen: int) -> None:
    held = bytes(item.held)
    if item.superseded:
        raise refused("superseded", Fault.CONFLICT, Subject.PATIENT)
    if held == b"null":
        raise refused("nothing-held", Fault.FORBIDDEN, Subject.PATIENT, kind=item.kind)
    if max(seen, 1) < item.held_since:
        raise refused("held-since", Fault.CONFLICT, Subject.PATIENT)
    match item.kind:
        case "overlay":
            identity = draft.identity(item.subjects[0])
            if identity.merged_into:  # its traits are not those of the survivor
                raise refused("overlay-merged", Fault.FORBIDDEN, Subject.PATIENT)
            apply_held(draft, identity, msgspec.json.decode(held, type=Patient))
        case "merge-held":
            _join_held(draft, item, msgspec.json.decode(held, type=MergePatients))
        case "stay-of-another":
            _give_stay(draft, item)
        case _:
            raise refused("not-applied", Fault.FORBIDDEN, Subject.PATIENT, kind=item.kind)


def _give_stay(draft: Draft, item: WorkItem) -> None:
    """Give the stay to the identity that movements named, with these movements, unless it has gone to a third one."""
    known = {draft.survivor(draft.identity(subject)).id for subject in item.subjects}
    commands = [msgspec.json.decode(held, type=RecordMovement) for held in held_parts(item.held)]
    for stay in filter(None, (stay_of(draft, command) for command in commands)):
        if draft.survivor(draft.identity(stay.identity)).id not in known:
            raise refused("stay-moved", Fault.FORBIDDEN, Subject.VISIT)
    for command in commands:
        record_held(draft, draft.identity(item.subjects[0]), command)


def _join_held(draft: Draft, item: WorkItem, command: MergePatients) -> None:
    """Merge as the message asked, once the merges that contradict it are undone.

    Nobody else than those it named when it was held: identifiers may name another identity by now. Nothing is left to
    do once both were merged into the same one.
    """
    absorbed, survivor = (_named(draft, item, one) for one in (command.prior, command.patient.identifiers))
    one = draft.survivor(survivor)
    together = one.id == draft.survivor(absorbed).id
    if together and absorbed.merged_into and not _led_to(draft, survivor, (absorbed.id,)):
        draft.notice("already-merged", Subject.PRIOR)
        draft.subject = one.id
        return
    if survivor.merged_into and together:
        _undone(draft, survivor, "merged the other way")
    if draft.identity(absorbed.id).merged_into:
        _undone(draft, absorbed, "merged with another identity")
    target = draft.survivor(draft.identity(survivor.id))
    if target.id == absorbed.id:
        raise refused("merge-itself", Fault.DUPLICATE_KEY, Subject.PATIENT)
    join(draft, draft.identity(absorbed.id), target)


def _led_to(draft: Draft, identity: Identity, subjects: tuple[str, ...]) -> bool:
    """Whether an identity is one of these, or was merged into one, be it through others."""
    while identity.id not in subjects and identity.merged_into:
        identity = draft.identity(identity.merged_into)
    return identity.id in subjects


def _named(draft: Draft, item: WorkItem, identifiers: tuple[Identifier, ...]) -> Identity:
    """Who identifiers name: a subject of the item, or who had the first one before it was opened, merged then maybe."""
    persons = person_identifiers(identifiers)
    found = find(draft, persons)
    identity = found.current or found.retired
    if identity is None:
        raise refused("merge-unknown", Fault.UNKNOWN_KEY, Subject.PATIENT)
    held = identity.holds(persons[0])
    if not ((held is not None and held.since < item.opened) or _led_to(draft, identity, item.subjects)):
        raise refused("merge-moved", Fault.FORBIDDEN, Subject.PATIENT)
    return identity


def _of_ours(draft: Draft, identity: Identity) -> None:
    if identity.domain not in draft.policy.own:
        raise refused("other-repository", Fault.FORBIDDEN, Subject.PATIENT)


def _unchanged(identity: Identity, version: int) -> None:
    if version and version != identity.version:
        raise refused("version", Fault.CONFLICT, Subject.PATIENT)


def _standing(draft: Draft, identity_id: str) -> Identity:
    identity = draft.working.identity(identity_id)
    if identity is None:
        raise refused("unknown-identity", Fault.UNKNOWN_KEY, Subject.PATIENT)
    return draft.survivor(identity)


def _open_item(draft: Draft, item_id: str) -> WorkItem:
    item = draft.working.work_item(item_id)
    if item is None or item.closed:
        raise refused("unknown-item", Fault.UNKNOWN_KEY, Subject.PATIENT)
    return item
