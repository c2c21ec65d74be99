"""One segment: split when it is first looked into, and no further than what is asked."""

from collections.abc import Iterable
from typing import TypeAlias

from insigne.hl7.delimiters import Delimiters
from insigne.hl7.header import HEADER_SEGMENTS
from insigne.hl7.location import Location

#: A decoded field: its repetitions, each a list of components, each a tuple of sub-components. An empty field is `[]`.
Decoded: TypeAlias = list[list[tuple[str, ...]]]
#: A component of a tree: its text or, when it holds several sub-components, the tuple of them.
Component: TypeAlias = str | tuple[str, ...]
#: A field of a tree: its text or, when it holds any separator, its repetitions, each a list of components.
FieldTree: TypeAlias = str | list[list[Component]]


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

    def named(self, fields: Iterable[tuple[str, int]]) -> dict[str, str]:
        """Return the values, as `value(n)` gives them, of those fields that are not empty, by the name beside each."""
        texts = self._fields or self._split()
        count = len(texts)
        return {name: raw if raw.isalnum() else self.value(n) for name, n in fields if n < count and (raw := texts[n])}

    def decoded(self, n: int) -> Decoded:
        """Return the whole of field `n`, every sub-component unescaped; the cheapest way to read several of them."""
        fields = self._fields or self._split()
        raw = fields[n] if n < len(fields) else ""
        if not raw:
            return []
        if raw.isalnum() or (n < 3 and self._is_verbatim(n)):
            return [[(raw,)]]
        return decode_field(raw, self.delimiters)

    def tree(self) -> list[FieldTree]:
        """Return every field, raw, split as deep as it has separators; the item of index 0 is field 1."""
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


def decode_field(raw: str, delimiters: Delimiters) -> Decoded:
    """Split the text of a field, every sub-component unescaped; an empty text is one empty repetition."""
    repetition, component = delimiters.split_repetition, delimiters.split_component
    sub = delimiters.split_subcomponent
    if repetition in raw:
        decoded = [_split_uniformly(text, component, sub) for text in raw.split(repetition)]
    else:
        decoded = [_split_uniformly(raw, component, sub)]
    if delimiters.split_escape in raw:
        unescape = delimiters.unescape
        return [[tuple(map(unescape, component)) for component in components] for components in decoded]
    return decoded


def split_segment(name: str, text: str, delimiters: Delimiters) -> list[FieldTree]:
    """Split the text of a segment as deep as it has separators; the item of index 0 is field 1."""
    repetition, component, sub = delimiters.split_repetition, delimiters.split_component, delimiters.split_subcomponent
    fields: list[FieldTree] = text.split(delimiters.field)  # type: ignore[assignment]  # texts are trees
    first = 1
    if name in HEADER_SEGMENTS:
        fields.insert(1, delimiters.field)
        first = 3
    for n, raw in enumerate(fields[first:], first):
        if not isinstance(raw, str) or not raw or raw.isalnum():
            continue
        if component in raw or repetition in raw or sub in raw:
            fields[n] = [_split_repetition(part, component, sub) for part in raw.split(repetition)]
    del fields[0]
    return fields


def _split_repetition(text: str, component: str, sub: str) -> list[Component]:
    parts: list[Component] = text.split(component)  # type: ignore[assignment]  # texts are components
    if sub in text:
        return [tuple(part.split(sub)) if sub in part else part for part in text.split(component)]
    return parts


def _split_uniformly(text: str, component: str, sub: str) -> list[tuple[str, ...]]:
    """The cost is in the objects made: `zip` wraps every component in one call, few are split again."""
    components: list[tuple[str, ...]] = [*zip(text.split(component))] if component in text else [(text,)]
    if sub in text:
        for index, (part,) in enumerate(components):
            if sub in part:
                components[index] = tuple(part.split(sub))
    return components
