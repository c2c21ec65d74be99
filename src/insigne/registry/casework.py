"""Merging and undoing by hand, and the work items people settle."""

import msgspec

from insigne.ins.status import forces_provisional
from insigne.registry import acts
from insigne.registry import events as ev
from insigne.registry.commands import MergePatients, Patient, RecordMovement
from insigne.registry.decision import Draft, Fault, Refused, Subject
from insigne.registry.merge import join
from insigne.registry.record import apply_held
from insigne.registry.state import Identity, WorkItem
from insigne.registry.stays import record_held


def merge_identities(draft: Draft, act: acts.MergeIdentities) -> None:
    """Two identities with different INS are not merged by hand, nor a doubtful or fictitious one."""
    survivor, absorbed = _standing(draft, act.survivor), _standing(draft, act.absorbed)
    if survivor.id == absorbed.id:
        raise Refused(Fault.DUPLICATE_KEY, Subject.PATIENT, "an identity cannot be merged with itself")
    if survivor.domain != absorbed.domain:
        raise Refused(Fault.FORBIDDEN, Subject.PATIENT, "identities of two domains are linked, not merged")
    numbers = {i.ins.ins.matricule for i in (survivor, absorbed) if i.ins is not None}
    if len(numbers) > 1:
        raise Refused(Fault.FORBIDDEN, Subject.INS, "they hold different INS: one of them is wrong, settle that first")
    if any(forces_provisional(i.attributes) for i in (survivor, absorbed)):
        raise Refused(Fault.FORBIDDEN, Subject.RELIABILITY, "one of them is DOUT or FICT: lift the attribute first")
    join(draft, absorbed, survivor)


def unmerge_identities(draft: Draft, act: acts.UnmergeIdentities) -> None:
    """The absorbed identity stands by itself again; what came since stays with the survivor, for a person to sort."""
    absorbed = draft.working.identity(act.absorbed)
    if absorbed is None or not absorbed.merged_into:
        raise Refused(Fault.UNKNOWN_KEY, Subject.PATIENT, "this identity is not merged")
    survivor = draft.identity(absorbed.merged_into)
    absorbed = draft.on_identity(absorbed, ev.MergeUndone(survivor.id, act.reason))
    survivor = draft.on_identity(survivor, ev.AbsorbedReleased(absorbed.id))
    if absorbed.ins is not None and survivor.ins is not None and absorbed.ins.ins == survivor.ins.ins:
        draft.on_identity(absorbed, ev.InsContested(absorbed.ins.ins, contested=True))
        draft.raise_item("same-ins", (absorbed.id, survivor.id))
    draft.raise_item("unmerged", (absorbed.id, survivor.id), cause=act.reason)
    draft.subject = absorbed.id


def assign_work_item(draft: Draft, act: acts.AssignWorkItem) -> None:
    """Give an open item to somebody, or to nobody."""
    item = _open_item(draft, act.item)
    if item.assignee != act.assignee:
        draft.emit("work-item", item.id, ev.WorkItemAssigned(item.assignee, act.assignee), item.version + 1)


def close_work_item(draft: Draft, act: acts.CloseWorkItem) -> None:
    """Settle an item; with `apply`, what was held back is applied first, by the rules of its command."""
    item = _open_item(draft, act.item)
    draft.emit("work-item", item.id, ev.WorkItemClosed(act.outcome), item.version + 1)
    if act.apply:
        _apply_held(draft, item)


def _apply_held(draft: Draft, item: WorkItem) -> None:
    held = bytes(item.held)
    match item.kind:
        case "overlay":
            identity = draft.identity(item.subjects[0])
            apply_held(draft, identity, msgspec.json.decode(held, type=Patient))
        case "merge-held":
            command = msgspec.json.decode(held, type=MergePatients)
            first, second = (_standing(draft, subject) for subject in item.subjects)
            _join_held(draft, command, first, second)
        case "stay-of-another":
            record_held(draft, draft.identity(item.subjects[0]), msgspec.json.decode(held, type=RecordMovement))
        case _:
            raise Refused(Fault.FORBIDDEN, Subject.PATIENT, f"nothing was held back by an item of kind {item.kind}")


def _join_held(draft: Draft, command: MergePatients, first: Identity, second: Identity) -> None:
    survivors = {identifier.key for identifier in command.patient.identifiers}
    asked = any(held.identifier.key in survivors for held in second.identifiers)
    join(draft, first, second) if asked else join(draft, second, first)


def _standing(draft: Draft, identity_id: str) -> Identity:
    identity = draft.working.identity(identity_id)
    if identity is None:
        raise Refused(Fault.UNKNOWN_KEY, Subject.PATIENT, "no such identity")
    return draft.survivor(identity)


def _open_item(draft: Draft, item_id: str) -> WorkItem:
    item = draft.working.work_item(item_id)
    if item is None or item.closed:
        raise Refused(Fault.UNKNOWN_KEY, Subject.PATIENT, "no such work item, or it is closed")
    return item
