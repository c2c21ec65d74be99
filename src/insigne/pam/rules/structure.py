"""Which segments a message has, in which order, against the structure of its event; no segment is looked into."""

from collections import Counter
from typing import Final

from insigne.hl7 import Location
from insigne.pam.findings import Report
from insigne.pam.profile import Event, Slot, Structure

FRENCH_SEGMENTS: Final = frozenset({"ZBE", "ZFA", "ZFP", "ZFV", "ZFM", "ZFD", "ZFS"})
#: Missing segments that a named rule reports, with words of its own.
_MISSING_RULES: Final = {"ZBE": "V19.missing", "MRG": "V23.missing"}


def check_structure(report: Report, names: tuple[str, ...], structure: Structure, event: Event | None) -> None:
    """Add to `report` what is missing, repeated, misplaced, forbidden or unknown among the segments of a message."""
    _Walk(report, names, structure, event).run()


class _Walk:
    """Goes through the segments of a message with a finger on the slots of the structure.

    The finger never goes back, except to the head of a repeatable group. It does not jump over a required slot whose
    segment comes later in the message: the segment at hand is then the one out of place.
    """

    def __init__(self, report: Report, names: tuple[str, ...], structure: Structure, event: Event | None) -> None:
        self.report = report
        self.names = names
        self.slots = structure.slots
        self.structure = structure
        self.event = event
        self.finger = 0
        self.filled: set[int] = set()
        self.reported: set[str] = set()
        self.last = {name: position for position, name in enumerate(names)}  # of each segment, its last place
        self.order = " ".join(dict.fromkeys(slot.segment for slot in structure.slots if not slot.forbidden))

    def run(self) -> None:
        seen: Counter[str] = Counter()
        known = {slot.segment for slot in self.slots}
        for position, name in enumerate(self.names):
            seen[name] += 1
            place = Location(name if len(name) == 3 else name[:3].ljust(3, "?"), seen[name])
            if name not in known:
                self._stranger(name, place)
            else:
                self._known(name, place, position)
        self._missing(self.slots, range(len(self.slots)))

    def _stranger(self, name: str, place: Location) -> None:
        values = {"segment": name[:8]}
        if name in FRENCH_SEGMENTS and name in self.report.edition.segments:
            self.report.add("V20.unexpected", place, **values)
        elif name.startswith("Z"):
            self.report.add("S-local.segment", place, **values)
        elif name in self.report.edition.segments:
            self.report.add("V08.unexpected", place, **values)
        else:
            self.report.add("V08.unknown", place, **values)

    def _known(self, name: str, place: Location, position: int) -> None:
        index = self._next(name, position)
        if index is None:
            self._misplaced(name, place)
            return
        slot = self.slots[index]
        if slot.forbidden:
            self.report.add("S-forbidden.segment", place, segment=name)
        if slot.opens_group and index in self.filled:
            members = [rank for rank, other in enumerate(self.slots) if other.group == slot.group]
            self._missing(self.slots, members)
            self.filled.difference_update(members)
        self.finger = index
        self.filled.add(index)

    def _next(self, name: str, position: int) -> int | None:
        """Return the slot that takes the segment, or None when it is out of place."""
        current = self.slots[self.finger]
        if current.group in self.structure.repeatable_groups:
            head = next(rank for rank, slot in enumerate(self.slots) if slot.group == current.group)
            if self.slots[head].segment == name and head in self.filled:
                return head
        for index in range(self.finger, len(self.slots)):
            slot = self.slots[index]
            if slot.segment == name and (slot.repeatable or slot.forbidden or index not in self.filled):
                return index
            if self._must_wait(index, slot, position):
                return None
        return None

    def _must_wait(self, index: int, slot: Slot, position: int) -> bool:
        comes_later = self.last.get(slot.segment, -1) > position
        return slot.required and not slot.group and index not in self.filled and comes_later

    def _misplaced(self, name: str, place: Location) -> None:
        """A segment whose slots are all behind or taken: once too often, or out of order."""
        slots = [index for index, slot in enumerate(self.slots) if slot.segment == name]
        taken = all(index in self.filled for index in slots)
        groups = self.structure.repeatable_groups
        repeats = any(self.slots[index].repeatable or self.slots[index].group in groups for index in slots)
        if taken and not repeats:
            merging = name == "PID" and self.event is not None and self.event.family == "identity"
            if merging and "MRG" in self.names and self.event is not None:
                self.report.add("V23.group", place, event=self.event.id)
            elif name not in self.reported:
                self.report.add("S-repeat.segment", place, segment=name)
            self.reported.add(name)
            return
        key = "V20.order" if name in FRENCH_SEGMENTS else "V08.order"
        self.report.add(key, place, segment=name, order=self.order)
        self.reported.add(name)
        self.filled.update(slots)

    def _missing(self, slots: tuple[Slot, ...], ranks: range | list[int]) -> None:
        opened = {slots[rank].group for rank in self.filled if slots[rank].opens_group}
        for rank in ranks:
            slot = slots[rank]
            if not slot.required or rank in self.filled or slot.segment in self.reported:
                continue
            if slot.group in self.structure.optional_groups and slot.group not in opened:
                continue
            if slot.segment == "PV1" and self.event is not None and self.event.family == "identity":
                self.report.add("V16.missing", Location("PV1"))
                continue
            key = _MISSING_RULES.get(slot.segment, "S-missing.segment")
            event = self.event.id if self.event else ""
            self.report.add(key, Location(slot.segment), segment=slot.segment, order=self.order, event=event)
