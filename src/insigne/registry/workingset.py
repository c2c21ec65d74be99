"""What a command has changed so far, over what is committed.

A working set is a `View` of its parent with the changes of one message (or one batch) on top. Dropping it undoes them:
that is how one bad message leaves nothing behind and does not spoil its neighbours.
"""

from collections.abc import Callable, Mapping

from insigne.registry.events import Recorded
from insigne.registry.evolve import State, evolve
from insigne.registry.index import encounter_keys, identity_keys
from insigne.registry.ports import Key, View
from insigne.registry.state import Encounter, Identity, WorkItem

_NO_KEYS: frozenset[Key] = frozenset()


class WorkingSet:
    """A view with pending changes, and the events that made them, in order."""

    def __init__(self, parent: View) -> None:
        self._parent = parent
        self.records: list[Recorded] = []
        self.identities: dict[str, Identity] = {}
        self.encounter_states: dict[str, Encounter] = {}
        self.work_items: dict[str, WorkItem] = {}
        self._holders: dict[Key, tuple[str, ...]] = {}
        self._encounters: dict[Key, tuple[str, ...]] = {}
        self._open_items: dict[str, str | None] = {}

    @property
    def base(self) -> View:
        """What is under all working sets: the transaction that will hold the changes, for what is kept beside them."""
        parent = self._parent
        return parent.base if isinstance(parent, WorkingSet) else parent

    @property
    def changed_holders(self) -> Mapping[Key, tuple[str, ...]]:
        """Who holds each key whose holders changed, now."""
        return self._holders

    @property
    def changed_encounters(self) -> Mapping[Key, tuple[str, ...]]:
        """The stays that each key leads to whose stays changed, now."""
        return self._encounters

    def identity(self, identity_id: str) -> Identity | None:
        """See `View.identity`."""
        return self.identities.get(identity_id) or self._parent.identity(identity_id)

    def holders(self, key: Key) -> tuple[str, ...]:
        """See `View.holders`."""
        return _overlaid(self._holders, key, self._parent.holders)

    def encounter(self, encounter_id: str) -> Encounter | None:
        """See `View.encounter`."""
        return self.encounter_states.get(encounter_id) or self._parent.encounter(encounter_id)

    def encounters(self, key: Key) -> tuple[str, ...]:
        """See `View.encounters`."""
        return _overlaid(self._encounters, key, self._parent.encounters)

    def work_item(self, item_id: str) -> WorkItem | None:
        """See `View.work_item`."""
        return self.work_items.get(item_id) or self._parent.work_item(item_id)

    def open_work_item(self, key: str) -> str | None:
        """See `View.open_work_item`."""
        if key in self._open_items:
            return self._open_items[key]
        return self._parent.open_work_item(key)

    def state(self, record: Recorded) -> State | None:
        """The present state of the object a record is about."""
        if record.stream == "identity":
            return self.identity(record.stream_id)
        if record.stream == "encounter":
            return self.encounter(record.stream_id)
        return self.work_item(record.stream_id)

    def add(self, record: Recorded) -> None:
        """Apply an event: the state, the lookups and the list of records move together."""
        # Nothing has the id of what is new: no need to look for it.
        before = self.state(record) if record.version > 1 else None
        after = evolve(before, record)
        self.records.append(record)
        if isinstance(after, Identity):
            self.identities[after.id] = after
            if not isinstance(before, Identity):
                self._reindex(self._holders, self.holders, _NO_KEYS, identity_keys(after), after.id)
            elif before.identifiers is not after.identifiers or before.ins is not after.ins:
                self._reindex(self._holders, self.holders, identity_keys(before), identity_keys(after), after.id)
        elif isinstance(after, Encounter):
            self.encounter_states[after.id] = after
            if not isinstance(before, Encounter):
                self._reindex(self._encounters, self.encounters, _NO_KEYS, encounter_keys(after), after.id)
            elif before.visit is not after.visit or before.account is not after.account:
                self._reindex(
                    self._encounters, self.encounters, encounter_keys(before), encounter_keys(after), after.id
                )
        else:
            self.work_items[after.id] = after
            self._open_items[after.key] = None if after.closed else after.id

    def absorb(self, child: "WorkingSet") -> None:
        """Take over the changes of a child working set: its command was accepted."""
        self.records += child.records
        self.identities.update(child.identities)
        self.encounter_states.update(child.encounter_states)
        self.work_items.update(child.work_items)
        self._holders.update(child._holders)
        self._encounters.update(child._encounters)
        self._open_items.update(child._open_items)

    @staticmethod
    def _reindex(
        overlay: dict[Key, tuple[str, ...]],
        look_up: Callable[[Key], tuple[str, ...]],
        old: frozenset[Key],
        new: frozenset[Key],
        object_id: str,
    ) -> None:
        for key in new - old:
            overlay[key] = (*look_up(key), object_id)
        for key in old - new:
            overlay[key] = tuple(holder for holder in look_up(key) if holder != object_id)


def _overlaid(
    overlay: dict[Key, tuple[str, ...]], key: Key, committed: Callable[[Key], tuple[str, ...]]
) -> tuple[str, ...]:
    found = overlay.get(key)
    return committed(key) if found is None else found
