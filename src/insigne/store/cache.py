"""A bounded memory of what was read last."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from insigne.registry.ports import Key
from insigne.registry.state import Encounter, Identity

#: States and lookups kept from one transaction to the next; about 5 kB each.
CACHE_SIZE: Final = 8192

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The `size` entries used last; the one unused for longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """The value of `key`, or None; it is then the one used last."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        entries = self._entries
        entries[key] = value
        entries.move_to_end(key)
        if len(entries) > self._size:
            entries.popitem(last=False)

    def forget(self, key: K) -> None:
        """Drop one entry, if it is there."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()


class Caches:
    """What the writer remembers between transactions; only good while nobody else has written.

    `documents` is whether documents are kept of anybody, None when that is not known.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self.identities: Recent[str, Identity] = Recent(size)
        self.encounters: Recent[str, Encounter] = Recent(size)
        self.holders: Recent[Key, tuple[str, ...]] = Recent(size)
        self.stays: Recent[Key, tuple[str, ...]] = Recent(size)
        self.open_items: Recent[str, str] = Recent(size)  # "" when none is
        self.documents: bool | None = None

    def clear(self) -> None:
        """Forget everything."""
        self.identities.clear()
        self.encounters.clear()
        self.holders.clear()
        self.stays.clear()
        self.open_items.clear()
        self.documents = None
