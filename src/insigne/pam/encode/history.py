"""What a batch of events did to each object, and the states as they were in between.

A view shows the state after the last event. What receivers are told of a decision depends on the state before and
after that decision alone: events carry what they replaced, so it is found again by walking back.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from insigne.registry import events as ev
from insigne.registry.ports import View
from insigne.registry.state import Encounter, HeldIns, Identity


class History:
    """The events of a batch by object, over the view after them. A moment is a rank among the events."""

    def __init__(self, records: Sequence[ev.Recorded], view: View) -> None:
        self.records = records
        self._view = view
        self._ranks: dict[tuple[str, str], list[int]] = {}
        for rank, record in enumerate(records):
            self._ranks.setdefault((record.stream, record.stream_id), []).append(rank)

    def decisions(self) -> Iterator[tuple[int, int]]:
        """The first rank of each decision and the one after its last."""
        start = 0
        for rank, record in enumerate(self.records):
            first = self.records[start]
            if (record.cause_kind, record.cause_id) != (first.cause_kind, first.cause_id):
                yield start, rank
                start = rank
        if self.records:
            yield start, len(self.records)

    def identity(self, identity_id: str, moment: int) -> Identity:
        """An identity before the event of rank `moment`, for what decides of its INS and its merges."""
        state = self._view.identity(identity_id)
        if state is None:
            raise LookupError(f"identity {identity_id} has events and no state")
        for rank in reversed(self._ranks.get(("identity", identity_id), ())):
            if rank < moment:
                break
            state = _before(state, self.records[rank])
        return state

    def encounter(self, encounter_id: str, moment: int) -> Encounter:
        """A stay before the event of rank `moment`, for whose it is."""
        state = self._view.encounter(encounter_id)
        if state is None:
            raise LookupError(f"stay {encounter_id} has events and no state")
        for rank in reversed(self._ranks.get(("encounter", encounter_id), ())):
            if rank < moment:
                break
            record = self.records[rank]
            owner = record.event.before if isinstance(record.event, ev.EncounterReassigned) else state.identity
            state = replace(state, version=record.version - 1, identity=owner)
        return state

    def survivor(self, identity_id: str, moment: int) -> Identity:
        """The identity that stood for this one before the event of rank `moment`."""
        identity = self.identity(identity_id, moment)
        seen = {identity.id}
        while identity.merged_into and identity.merged_into not in seen:
            seen.add(identity.merged_into)
            identity = self.identity(identity.merged_into, moment)
        return identity


def _before(state: Identity, record: ev.Recorded) -> Identity:
    """The identity before an event, as far as the event says."""
    event = record.event
    state = replace(state, version=record.version - 1)
    match event:
        case ev.TraitsChanged():
            return replace(state, traits=event.before)
        case ev.DetailsChanged():
            return replace(state, details=event.before)
        case ev.StatusChanged():
            checked, attributes, reliability = event.before
            return replace(state, checked=checked, attributes=attributes, reliability=reliability)
        case ev.InsRecorded():
            held = HeldIns(event.before, "", event.before_contested) if event.before is not None else None
            return replace(state, ins=held)
        case ev.InsWithdrawn():
            return replace(state, ins=HeldIns(event.before, "", event.contested))
        case ev.InsContested() if state.ins is not None:
            return replace(state, ins=replace(state.ins, contested=not event.contested))
        case ev.IdentityMerged():
            return replace(state, merged_into="")
        case ev.MergeUndone():
            return replace(state, merged_into=event.survivor)
        case _:
            return state
