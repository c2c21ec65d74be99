"""One segment: split when it is first looked into, and no further than what is asked."""

from typing import TypeAlias

from insigne.hl7.delimiters import Delimiters
from insigne.hl7.header import HEADER_SEGMENTS
from insigne.hl7.location import Location

#: A field: its repetitions, each a list of components, each a tuple of sub-components. An empty field is `[]`.
FieldTree: TypeAlias = list[list[tuple[str, ...]]]


class Segment:
    """A segment of a message, read-only.

    name: usually three characters. position: 1-based rank in the message. occurrence: 1-based rank among the segments
    of the same name. text: as received, without the segment end.

    Fields are numbered as in HL7: MSH-1 is the field separator and MSH-2 the encoding characters (BHS and FHS too).
    "Raw" means as received, escape sequences included.
    """

    __slots__ = ("_fields", "delimiters", "name", "occurrence", "position", "text")

    def __init__(
        self,
        name: str,
        text: str,
        delimiters: Delimiters,
        position: int,
        occurrence: int,
    ) -> None:
        self.name = name
        self.text = text
        self.delimiters = delimiters
        self.position = position
        self.occurrence = occurrence
        self._fields: list[str] | None = None

    def __repr__(self) -> str:
        return f"<Segment {self.location()} at {self.position}>"  # never the content: it may end in a log

    def _split(self) -> list[str]:
        fields = self.text.split(self.delimiters.field)
        if self.name in HEADER_SEGMENTS:
            fields.insert(1, self.delimiters.field)
        self._fields = fields
        return fields

    @property
    def field_count(self) -> int:
        """The highest field number present."""
        return len(self._fields or self._split()) - 1

    def field(self, n: int) -> str:
        """Return field `n`, raw; "" when it is absent."""
        fields = self._fields or self._split()
        return fields[n] if n < len(fields) else ""

    def repetitions(self, n: int) -> list[str]:
        """Return the raw repetitions of field `n`; [] when it is empty."""
        raw = self.field(n)
        if not raw:
            return []
        return [raw] if self._is_verbatim(n) else raw.split(self.delimiters.split_repetition)

    def components(self, n: int) -> list[list[str]]:
        """Return the raw components of each repetition of field `n`; [] when it is empty."""
        raw = self.field(n)
        if not raw:
            return []
        if self._is_verbatim(n):
            return [[raw]]
        component = self.delimiters.split_component
        return [rep.split(component) for rep in raw.split(self.delimiters.split_repetition)]

    def value(self, n: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """Return one value, unescaped; "" when it is absent."""
        fields = self._fields or self._split()
        raw = fields[n] if n < len(fields) else ""
        if not raw:
            return ""
        if raw.isalnum() or (n < 3 and self.name in HEADER_SEGMENTS):  # no delimiter is a letter or a digit
            return raw if component == subcomponent == repetition == 1 else ""
        delimiters = self.delimiters
        for separator, rank in (
            (delimiters.split_repetition, repetition),
            (delimiters.split_component, component),
            (delimiters.split_subcomponent, subcomponent),
        ):
            if separator in raw:
                parts = raw.split(separator)
                raw = parts[rank - 1] if rank <= len(parts) else ""
            elif rank > 1:
                return ""
        return delimiters.unescape(raw) if delimiters.split_escape in raw else raw

    def decoded(self, n: int) -> FieldTree:
        """Return the whole of field `n`, every sub-component unescaped; the cheapest way to read several of them."""
        raw = self.field(n)
        if not raw:
            return []
        if self._is_verbatim(n):
            return [[(raw,)]]
        delimiters = self.delimiters
        tree = split_fields([raw], delimiters)[0]
        if delimiters.split_escape in raw:
            unescape = delimiters.unescape
            return [[tuple(map(unescape, component)) for component in repetition] for repetition in tree]
        return tree

    def tree(self) -> list[FieldTree]:
        """Return every field split to its raw sub-components; the item of index 0 is field 1."""
        return split_segment(self.name, self.text, self.delimiters)

    def location(
        self,
        field: int | None = None,
        repetition: int | None = None,
        component: int | None = None,
        subcomponent: int | None = None,
    ) -> Location:
        """Return where this segment, or something in it, is; fit for ERR-2."""
        return Location(self.name, self.occurrence, field, repetition, component, subcomponent)

    def _is_verbatim(self, n: int) -> bool:
        """MSH-1 and MSH-2 hold the delimiters themselves."""
        return n < 3 and self.name in HEADER_SEGMENTS


def split_segment(name: str, text: str, delimiters: Delimiters) -> list[FieldTree]:
    """Split the text of a segment down to raw sub-components; the item of index 0 is field 1."""
    fields = text.split(delimiters.field)
    if name not in HEADER_SEGMENTS:
        return split_fields(fields[1:], delimiters)
    verbatim: list[FieldTree] = [[[(raw,)]] for raw in (delimiters.field, *fields[1:2])]
    return verbatim + split_fields(fields[2:], delimiters)


def split_fields(fields: list[str], delimiters: Delimiters) -> list[FieldTree]:
    """Split raw fields down to raw sub-components.

    The cost is in the objects made: `zip` wraps the components of a repetition in one call, and only those that hold
    a sub-component separator are split again.
    """
    repetition, component, sub = delimiters.split_repetition, delimiters.split_component, delimiters.split_subcomponent
    tree: list[FieldTree] = []
    add = tree.append
    for raw in fields:
        if not raw:
            add([])
        elif raw.isalnum():
            add([[(raw,)]])
        else:
            repetitions: FieldTree = []
            for text in raw.split(repetition) if repetition in raw else (raw,):
                components: list[tuple[str, ...]] = [*zip(text.split(component))] if component in text else [(text,)]
                if sub in text:
                    for index, (part,) in enumerate(components):
                        if sub in part:
                            components[index] = tuple(part.split(sub))
                repetitions.append(components)
            add(repetitions)
    return tree
