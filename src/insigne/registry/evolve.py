"""(state, event) → state: the only place where a state changes.

Used when a command is applied and when the base is rebuilt from the journal, so both give the same rows. Nothing is
checked here: the rules have decided, the event is a fact.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from insigne.registry import events as ev
from insigne.registry.state import (
    Encounter,
    HeldIdentifier,
    HeldIns,
    HeldProof,
    Identity,
    Movement,
    PastIns,
    WorkItem,
    held_list,
    held_parts,
)
from insigne.registry.values import Traits

State = Identity | Encounter | WorkItem


def evolve(state: State | None, record: ev.Recorded) -> State:
    """The state of `record.stream_id` after `record`.

    `state` is None for the first event of a stream. Raises KeyError for an event without a rule, which is a defect.
    """
    return _RULES[type(record.event)](state, record.event, record)


def _created(_: None, event: ev.IdentityCreated, record: ev.Recorded) -> Identity:
    return Identity(
        id=record.stream_id,
        domain=event.domain,
        version=record.version,
        created=record.time,
        updated=record.time,
        traits=event.traits,
        details=event.details,
        identifiers=tuple(HeldIdentifier(i, record.time) for i in event.identifiers),
        checked=event.checked,
        attributes=event.attributes,
        reliability=event.reliability,
        trusted=event.trusted,
    )


def _traits(state: Identity, event: ev.TraitsChanged, record: ev.Recorded) -> Identity:
    return _touch(state, record, traits=event.after)


def _details(state: Identity, event: ev.DetailsChanged, record: ev.Recorded) -> Identity:
    return _touch(state, record, details=event.after)


def _status(state: Identity, event: ev.StatusChanged, record: ev.Recorded) -> Identity:
    checked, attributes, reliability = event.after
    return _touch(state, record, checked=checked, attributes=attributes, reliability=reliability)


def _trusted(state: Identity, _: ev.TrustRaised, record: ev.Recorded) -> Identity:
    return _touch(state, record, trusted=True)


def _identifier_added(state: Identity, event: ev.IdentifierAdded, record: ev.Recorded) -> Identity:
    kept = tuple(h for h in state.identifiers if h.identifier.key != event.identifier.key)
    return _touch(state, record, identifiers=(*kept, HeldIdentifier(event.identifier, record.time)))


def _identifier_retired(state: Identity, event: ev.IdentifierRetired, record: ev.Recorded) -> Identity:
    key = event.identifier.key
    return _touch(
        state,
        record,
        identifiers=tuple(
            replace(h, until=record.time, reason=event.reason) if h.identifier.key == key and h.current else h
            for h in state.identifiers
        ),
    )


def _ins_recorded(state: Identity, event: ev.InsRecorded, record: ev.Recorded) -> Identity:
    history = state.ins_history
    if state.ins is not None and state.ins.ins != event.ins:
        past = PastIns(state.ins.ins, state.ins.since, record.time, event.reason, not event.before_contested)
        history = (*history, past)
    return _touch(state, record, ins=HeldIns(event.ins, record.time, event.contested), ins_history=history)


def _ins_withdrawn(state: Identity, event: ev.InsWithdrawn, record: ev.Recorded) -> Identity:
    since = state.ins.since if state.ins is not None else record.time
    past = PastIns(event.before, since, record.time, event.reason)
    return _touch(state, record, ins=None, ins_history=(*state.ins_history, past))


def _ins_contested(state: Identity, event: ev.InsContested, record: ev.Recorded) -> Identity:
    if state.ins is None:
        return _touch(state, record)
    return _touch(state, record, ins=replace(state.ins, contested=event.contested))


def _merged(state: Identity, event: ev.IdentityMerged, record: ev.Recorded) -> Identity:
    return _touch(state, record, merged_into=event.into, merged_contest=event.contest)


def _absorbed(state: Identity, event: ev.IdentityAbsorbed, record: ev.Recorded) -> Identity:
    return _touch(state, record, absorbed=(*state.absorbed, event.absorbed))


def _linked(state: Identity, event: ev.IdentityLinked, record: ev.Recorded) -> Identity:
    return _touch(state, record, links=(*state.links, event.other))


def _unlinked(state: Identity, event: ev.IdentityUnlinked, record: ev.Recorded) -> Identity:
    return _touch(state, record, links=tuple(link for link in state.links if link != event.other))


def _noted(state: Identity, _: ev.PriorSearchMade | ev.NationalAnswerRefused, record: ev.Recorded) -> Identity:
    return _touch(state, record)


def _national(state: Identity, record: ev.Recorded, **changes: Any) -> Identity:
    return _touch(state, record, national=replace(state.national, **changes))


def _answer_accepted(state: Identity, event: ev.NationalAnswerAccepted, record: ev.Recorded) -> Identity:
    return _national(
        state,
        record,
        mode=event.mode,
        obtained=record.time,
        call=event.call,
        history=event.history,
        candidate=None,
        candidate_traits=Traits(),
        verified="",
        verdict="",
    )


def _candidate(state: Identity, event: ev.CandidateRead, record: ev.Recorded) -> Identity:
    return _national(state, record, mode="CB", candidate=event.ins, candidate_traits=event.traits)


def _candidate_dropped(state: Identity, _: ev.CandidateDropped, record: ev.Recorded) -> Identity:
    return _national(state, record, candidate=None, candidate_traits=Traits())


def _verified(state: Identity, event: ev.InsVerified, record: ev.Recorded) -> Identity:
    settled = {"candidate": None, "candidate_traits": Traits()} if event.ins == state.national.candidate else {}
    return _national(state, record, verified=record.time, verdict=event.verdict, call=event.call, **settled)


def _proof(state: Identity, event: ev.ProofRecorded, record: ev.Recorded) -> Identity:
    if state.proof is not None and state.proof.proof.high_trust and not event.proof.high_trust:
        return _touch(state, record)  # the document the status rests on is kept
    return _touch(state, record, proof=HeldProof(event.proof, record.author, record.time))


def _proof_voided(state: Identity, _: ev.ProofVoided, record: ev.Recorded) -> Identity:
    return _touch(state, record, proof=None)


def _unmerged(state: Identity, _: ev.MergeUndone, record: ev.Recorded) -> Identity:
    return _touch(state, record, merged_into="", merged_contest=None)


def _released(state: Identity, event: ev.AbsorbedReleased, record: ev.Recorded) -> Identity:
    return _touch(state, record, absorbed=tuple(a for a in state.absorbed if a != event.absorbed))


def _opened(_: None, event: ev.EncounterOpened, record: ev.Recorded) -> Encounter:
    return Encounter(
        id=record.stream_id,
        identity=event.identity,
        version=record.version,
        visit=event.visit,
        account=event.account,
        header=event.header,
    )


def _encounter_changed(state: Encounter, event: ev.EncounterChanged, record: ev.Recorded) -> Encounter:
    return replace(state, version=record.version, header=event.after)


def _put(state: Encounter, movement: Movement, record: ev.Recorded) -> Encounter:
    known = state.movement(movement.id)
    if known is None:
        movements = (*state.movements, movement)
    else:
        movements = tuple(movement if m.id == movement.id else m for m in state.movements)
    return replace(state, version=record.version, movements=movements)


def _movement(state: Encounter, event: ev.MovementRecorded, record: ev.Recorded) -> Encounter:
    return _put(state, event.movement, record)


def _movement_corrected(state: Encounter, event: ev.MovementCorrected, record: ev.Recorded) -> Encounter:
    return _put(state, event.after, record)


def _movement_cancelled(state: Encounter, event: ev.MovementCancelled, record: ev.Recorded) -> Encounter:
    return _put(state, replace(event.movement, cancelled=True), record)


def _reassigned(state: Encounter, event: ev.EncounterReassigned, record: ev.Recorded) -> Encounter:
    return replace(state, version=record.version, identity=event.after)


def _account(state: Encounter, event: ev.AccountChanged, record: ev.Recorded) -> Encounter:
    return replace(state, version=record.version, account=event.after)


def _raised(_: None, event: ev.WorkItemRaised, record: ev.Recorded) -> WorkItem:
    return WorkItem(
        id=record.stream_id,
        kind=event.kind,
        key=event.key,
        subjects=event.subjects,
        opened=record.time,
        version=record.version,
        cause=event.cause,
        held=event.held,
    )


def _held_again(state: WorkItem, event: ev.WorkItemHeldAgain, record: ev.Recorded) -> WorkItem:
    messages = state.messages + 1
    if event.change == "same":
        return replace(state, version=record.version, messages=messages)
    if event.change == "superseded":
        return replace(
            state,
            version=record.version,
            messages=messages,
            held=msgspec.Raw(b"null"),
            held_since=messages,
            superseded=True,
        )
    held = event.held if event.change == "replaced" else held_list([*held_parts(state.held), event.held])
    return replace(
        state,
        version=record.version,
        messages=messages,
        cause=event.cause,
        held=held,
        held_since=messages,
        superseded=False,
    )


def _assigned(state: WorkItem, event: ev.WorkItemAssigned, record: ev.Recorded) -> WorkItem:
    return replace(state, version=record.version, assignee=event.after)


def _closed(state: WorkItem, event: ev.WorkItemClosed, record: ev.Recorded) -> WorkItem:
    return replace(state, version=record.version, closed=record.time, outcome=event.outcome)


def _snapshot(
    _: State | None, event: ev.IdentitySnapshot | ev.EncounterSnapshot | ev.WorkItemSnapshot, record: ev.Recorded
) -> State:
    return replace(event.state, version=record.version)


def _touch(state: Identity, record: ev.Recorded, **changes: Any) -> Identity:
    return replace(state, version=record.version, updated=record.time, **changes)


# One rule per event type. `Any`: each rule takes the state its stream has, which the journal's stream column
# guarantees.
_RULES: dict[type[ev.Event], Callable[[Any, Any, ev.Recorded], State]] = {
    ev.IdentityCreated: _created,
    ev.TraitsChanged: _traits,
    ev.DetailsChanged: _details,
    ev.StatusChanged: _status,
    ev.TrustRaised: _trusted,
    ev.IdentifierAdded: _identifier_added,
    ev.IdentifierRetired: _identifier_retired,
    ev.InsRecorded: _ins_recorded,
    ev.InsWithdrawn: _ins_withdrawn,
    ev.InsContested: _ins_contested,
    ev.IdentityMerged: _merged,
    ev.IdentityAbsorbed: _absorbed,
    ev.IdentityLinked: _linked,
    ev.IdentityUnlinked: _unlinked,
    ev.PriorSearchMade: _noted,
    ev.NationalAnswerRefused: _noted,
    ev.NationalAnswerAccepted: _answer_accepted,
    ev.CandidateRead: _candidate,
    ev.CandidateDropped: _candidate_dropped,
    ev.InsVerified: _verified,
    ev.ProofRecorded: _proof,
    ev.ProofVoided: _proof_voided,
    ev.MergeUndone: _unmerged,
    ev.AbsorbedReleased: _released,
    ev.IdentitySnapshot: _snapshot,
    ev.EncounterOpened: _opened,
    ev.EncounterChanged: _encounter_changed,
    ev.MovementRecorded: _movement,
    ev.MovementCorrected: _movement_corrected,
    ev.MovementCancelled: _movement_cancelled,
    ev.EncounterReassigned: _reassigned,
    ev.AccountChanged: _account,
    ev.EncounterSnapshot: _snapshot,
    ev.WorkItemRaised: _raised,
    ev.WorkItemHeldAgain: _held_again,
    ev.WorkItemAssigned: _assigned,
    ev.WorkItemClosed: _closed,
    ev.WorkItemSnapshot: _snapshot,
}
