"""States as of an event: those just committed are remembered, the others are read, or played again from the journal."""

from collections.abc import Iterable, Mapping
from typing import Final

from insigne.exchange.delivery.ports import OutboxView
from insigne.pam.encode import Notice, Ref
from insigne.registry.evolve import State
from insigne.registry.state import Identity
from insigne.registry.workingset import WorkingSet

_SIZE: Final = 4096


class RecentStates:
    """The states that the last notices name; about 5 kB each.

    Written by whoever holds the write lock of the base, once what it wrote is committed; read by the dispatcher.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._size = size
        self._states: dict[Ref, State] = {}

    def get(self, ref: Ref) -> State | None:
        """The state of an object as of that version, if it is remembered."""
        return self._states.get(ref)

    def update(self, states: Mapping[Ref, State]) -> None:
        """Remember states, forgetting the oldest."""
        known = self._states
        for ref, state in states.items():
            known.pop(ref, None)
            known[ref] = state
        while len(known) > self._size:
            del known[next(iter(known))]


class Moment:
    """The base as of one moment, with what was looked up in it: what many receivers are told is read once."""

    def __init__(self, view: OutboxView) -> None:
        self.view = view
        self._identities: dict[str, Identity | None] = {}

    def foresee(self, identity_ids: Iterable[str]) -> None:
        """Read together identities that will be asked for."""
        unknown = {one for one in identity_ids if one not in self._identities}
        if unknown:
            self._identities |= dict.fromkeys(unknown)
            self._identities |= self.view.identities_of(unknown)

    def identity(self, identity_id: str) -> Identity | None:
        """The identity as it is at that moment."""
        if identity_id not in self._identities:
            self._identities[identity_id] = self.view.identity(identity_id)
        return self._identities[identity_id]


def named_states(notices: Iterable[Notice], changes: WorkingSet) -> dict[Ref, State]:
    """The states that notices name, as far as the changes they come from hold them at that version."""
    found: dict[Ref, State] = {}
    for notice in notices:
        for ref in notice.refs:
            state: State | None = None
            if ref.stream == "identity":
                state = changes.identities.get(ref.id)
            elif ref.stream == "encounter":
                state = changes.encounter_states.get(ref.id)
            if state is not None and state.version == ref.version:
                found[ref] = state
    return found


def states_of(notice: Notice, recent: RecentStates, view: OutboxView) -> dict[tuple[str, str], State]:
    """The states a notice names, each at its version. Raises StoreError when one cannot be told any more."""
    states: dict[tuple[str, str], State] = {}
    for ref in notice.refs:
        state = recent.get(ref) or view.state_at(ref.stream, ref.id, ref.version)
        if state is not None:
            states[ref.stream, ref.id] = state
    return states
