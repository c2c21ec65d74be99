"""What the registry needs from outside: reading what is committed. Implemented by `store`, and in memory for tests."""

from typing import Protocol

from insigne.registry.state import Encounter, Identity, WorkItem

#: (type, authority key, value); the INS is looked up under type "INS" and an empty authority, by matricule.
Key = tuple[str, str, str]


class View(Protocol):
    """Committed state, as one transaction sees it."""

    def identity(self, identity_id: str) -> Identity | None:
        """The identity of that id, merged ones included."""
        ...

    def holders(self, key: Key) -> tuple[str, ...]:
        """The ids of the identities that hold or held the identifier (see `index.identity_keys`), oldest first."""
        ...

    def encounter(self, encounter_id: str) -> Encounter | None:
        """The stay of that id."""
        ...

    def encounters(self, key: Key) -> tuple[str, ...]:
        """The ids of the stays with that visit (type "VN") or account (type "AN") number, oldest first."""
        ...

    def work_item(self, item_id: str) -> WorkItem | None:
        """The work item of that id."""
        ...

    def open_work_item(self, key: str) -> str | None:
        """The id of the open work item with that key."""
        ...
