"""What the registry does not model, copied from the message that caused the event: NK1, IN1, OBX, PV1-21…"""

from collections.abc import Iterator, Sequence

from insigne.hl7 import Message, Segment
from insigne.hl7.delimiters import STANDARD
from insigne.hl7.location import Location
from insigne.pam.profile import Structure

#: Segments that we write ourselves: only fields of theirs may be copied.
OURS = frozenset({"MSH", "EVN", "PID", "PD1", "PV1", "PV2", "MRG", "ZBE", "ZFA", "ZFP", "ZFV", "ZFM", "ZFD", "ZFS"})
#: What may be told of a person at other places than where we write it: never copied.
_KEPT = frozenset({"MSH", "MRG"})


class Relay:
    """The segments and fields to copy, read once from the settings."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.segments: set[str] = set()
        self.fields: list[tuple[str, int]] = []
        for path in paths:
            try:
                place = Location.parse(path)
            except ValueError as error:
                raise ValueError(f"relay_segments: {error}") from None
            if place.field is not None and place.segment in OURS - _KEPT:
                self.fields.append((place.segment, place.field))
            elif place.field is None and place.segment not in OURS:
                self.segments.add(place.segment)
            else:
                raise ValueError(
                    f"relay_segments: {path!r}: name a segment that we do not write (IN1, NK1, OBX), or a field "
                    "that we leave empty (PV1-21)"
                )

    def copied(self, lines: list[str], original: Message, structure: Structure) -> list[str]:
        """The lines with what is copied, each segment at its place in the structure."""
        for name, field in self.fields:
            lines = [_filled(line, original, name, field) if line.startswith(name) else line for line in lines]
        wanted = [(segment, group) for segment, group in _grouped(original, structure) if segment.name in self.segments]
        visit = original.segment("PV1")
        return _placed(lines, wanted, visit.position if visit is not None else 0, structure) if wanted else lines


def _grouped(original: Message, structure: Structure) -> Iterator[tuple[Segment, int]]:
    """Each segment with the group of the structure that it is in, 0 for none: a ROL may follow PID, PV2, PR1 or IN1."""
    openers = {slot.segment: slot.group for slot in structure.slots if slot.opens_group}
    members = {(slot.segment, slot.group) for slot in structure.slots if slot.group}
    group = 0
    for segment in original.segments():
        group = openers.get(segment.name, group)
        if (segment.name, group) not in members:
            group = 0
        yield segment, group


def _filled(line: str, original: Message, name: str, field: int) -> str:
    source = original.segment(name)
    said = written(source).split("|") if source is not None else []
    fields = line.split("|")
    if field >= len(said) or not said[field] or (field < len(fields) and fields[field]):
        return line
    fields += [""] * (field + 1 - len(fields))
    fields[field] = said[field]
    return "|".join(fields)


def written(segment: Segment) -> str:
    """A segment with the recommended delimiters."""
    if segment.delimiters.field == "|" and segment.delimiters.encoding_characters == "^~\\&":
        return segment.text
    fields = [
        "~".join("^".join("&".join(map(STANDARD.escape, parts)) for parts in repetition) for repetition in decoded)
        for decoded in (segment.decoded(number) for number in range(1, segment.field_count + 1))
    ]
    return "|".join((segment.name, *fields))


def _placed(lines: list[str], wanted: list[tuple[Segment, int]], visited: int, structure: Structure) -> list[str]:
    """Put the segments among the lines, in the order of the structure; those that it has no place for are left out.

    A segment may have two places (ROL, before the visit and after it): the one on its side of PV1, which is the segment
    of rank `visited` in the message copied from, is taken.
    """
    slots = [slot for slot in structure.slots if not slot.forbidden]
    names = [slot.segment for slot in slots]
    alone = [slot.segment if not slot.group else "" for slot in slots]
    heads = {slot.group: rank for rank, slot in enumerate(slots) if slot.opens_group}
    visit = names.index("PV1") if "PV1" in names else len(names)
    ranked = [((_slot(names, line[:3], 0), 0, rank), line) for rank, line in enumerate(lines)]
    for segment, group in wanted:
        place = (
            heads.get(group, -1) if group else _slot(alone, segment.name, visit if segment.position > visited else 0)
        )
        if place >= 0:
            ranked.append(((place, 1, segment.position), written(segment)))
    ranked.sort(key=lambda one: one[0])
    return [line for _, line in ranked]


def _slot(slots: list[str], name: str, start: int) -> int:
    """The rank of the first slot of that name from `start` on, else the first one at all; -1 without any."""
    if name in slots[start:]:
        return slots.index(name, start)
    return slots.index(name) if name in slots else -1
