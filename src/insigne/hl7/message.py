"""An HL7 v2 message in ER7, kept byte for byte and read lazily (HL7 v2.5 chapter 2)."""

from typing import Final, Self

from insigne.hl7.charset import CODECS, DEFAULT, CharsetPolicy, decode
from insigne.hl7.delimiters import STANDARD, Delimiters, delimiters_of
from insigne.hl7.errors import Hl7Error, Note
from insigne.hl7.header import HEADER_SEGMENTS, header_line, location_at, split_header, unwrap
from insigne.hl7.layout import find_segment, layout_notes, split_segments
from insigne.hl7.location import Location, located
from insigne.hl7.segment import FieldTree, Segment, split_segment

_FEW: Final = 2
"""So many segments are looked for in the text before all of them are told apart."""
_FRAME_ENDS: Final = (b"\x1c", b"\x1c\r", b"\x1c\n", b"\x1c\r\n")


class Message:
    """A message, read-only: get one from `Message.parse`, a changed copy from `with_value`.

    raw: the bytes as received (or as built). text: decoded, from MSH on, segment ends as found.
    declared_charset: first repetition of MSH-18, as received. charset: the Python codec that gave `text`.

    The properties named after MSH fields are unescaped, and "" when absent.
    """

    __slots__ = (
        "_decoding_notes",
        "_first",
        "_found",
        "_header",
        "_lines",
        "_segments",
        "_start",
        "_values",
        "charset",
        "declared_charset",
        "delimiters",
        "raw",
        "text",
    )

    def __init__(
        self,
        raw: bytes,
        text: str,
        delimiters: Delimiters,
        declared_charset: str,
        charset: str,
        *,
        header: list[str] | None,
        notes: list[Note],
        start: int,
    ) -> None:
        self.raw = raw
        self.text = text
        self.delimiters = delimiters
        self.declared_charset = declared_charset
        self.charset = charset
        self._decoding_notes = notes
        self._start = start  # offset of MSH in raw
        self._lines: list[str] | None = None
        self._header = header  # fields of MSH, in HL7 numbering; None: not split yet
        self._found: dict[str, Segment | None] | None = None  # the first segment of each name asked for
        self._first: dict[str, tuple[int, str]] | None = None  # where the first segment of each name is
        self._segments: list[Segment] | None = None  # all of them, once asked for
        self._values: dict[tuple[int, int], str] = {}  # of MSH, by field and component

    def __repr__(self) -> str:
        return f"<Message of {len(self.raw)} bytes>"  # never the content: it may end in a log

    @classmethod
    def parse(cls, raw: bytes, policy: CharsetPolicy = DEFAULT) -> Self:
        """Read a message, framed or not; only what is needed to decode it is looked into.

        Raises Hl7Error: AR 100 when there is no MSH, AR 101 or 102 when MSH-1 or MSH-2 cannot separate anything, AE 103
        for an unsupported MSH-18, AE 102 with the place of the first byte that the character set cannot hold.
        """
        notes: list[Note] = []
        body, start = raw, 0
        if not raw.startswith(b"MSH") or raw.endswith(_FRAME_ENDS):
            start, end = unwrap(raw, notes)
            body = raw[start:end]
        header, declared = split_header(header_line(body))
        try:
            text, charset = decode(body, declared, policy, notes)
        except UnicodeDecodeError as error:
            raise _undecodable(body, start, error) from None
        delimiters = STANDARD if text.startswith("|^~\\&|", 3) else delimiters_in(text)
        if "\n" in text:
            header = None  # whether a line feed ends the header is for the layout of the whole message to say
        return cls(raw, text, delimiters, declared, charset, header=header, notes=notes, start=start)

    def encode(self) -> bytes:
        """Return the bytes of the message: exactly those received when nothing was changed."""
        return self.raw

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was unusual but did not prevent reading: character set, segment ends, blank segments."""
        return (*self._decoding_notes, *layout_notes(self.text))

    @property
    def names(self) -> tuple[str, ...]:
        """The segment names, in order."""
        separator = self.delimiters.field
        return tuple(_name(line, separator) for line in self._segment_lines())

    def segment(self, name: str) -> Segment | None:
        """Return the first segment of that name."""
        cache = self._found
        if cache is None:
            cache = self._found = {}
        elif name in cache:
            return cache[name]
        found = cache[name] = self._find(name, asked=len(cache))
        return found

    def _find(self, name: str, asked: int) -> Segment | None:
        """Find a segment: the first ones `asked` for in the text; from then on all of them are told apart, once."""
        if self._segments is not None:
            return None  # the first one of each name is in the cache already
        delimiters, text = self.delimiters, self.text
        if self._lines is None and asked < _FEW and "\n" not in text and name != "MSH":  # it is the first of all
            start = text.find(f"\r{name}{delimiters.field}") + 1
            if start:
                end = text.find("\r", start)
                line = text[start:end] if end > 0 else text[start:]
                before = list(filter(None, text[:start].split("\r")))
                return Segment(name, line, delimiters, len(before) + 1, 1)
        first = self._first
        if first is None:
            first = self._first = {}
            for position, line in enumerate(self._segment_lines(), 1):
                first.setdefault(_name(line, delimiters.field), (position, line))
        place = first.get(name)
        return Segment(name, place[1], delimiters, place[0], 1) if place is not None else None

    def segments(self, name: str | None = None) -> list[Segment]:
        """Return the segments of that name, or all of them, in order."""
        known = self._segments
        if known is None:
            known = self._segments = self._read_segments()
        return known.copy() if name is None else [segment for segment in known if segment.name == name]

    def _read_segments(self) -> list[Segment]:
        delimiters = self.delimiters
        separator = delimiters.field
        firsts: dict[str, Segment | None] = {}
        counts: dict[str, int] = {}
        result = []
        for position, line in enumerate(self._segment_lines(), 1):
            name = line[:3] if line[3:4] == separator else line.partition(separator)[0]
            occurrence = counts[name] = counts.get(name, 0) + 1
            segment = Segment(name, line, delimiters, position, occurrence)
            result.append(segment)
            if occurrence == 1:
                firsts[name] = segment
        self._found = firsts
        return result

    def value(self, path: str) -> str:
        """Return the value at a location such as `PID-5[1].2` or `ZBE(2)-1`, unescaped; "" when it is absent.

        Raises ValueError when `path` is not the location of a field or of something in it.
        """
        place = located(path)
        if place.field is None:
            raise ValueError(f"{path!r} names a segment; name a field, as in {place.segment}-1")
        segment = self._at(place)
        if segment is None:
            return ""
        return segment.value(place.field, place.component or 1, place.subcomponent or 1, place.repetition or 1)

    def tree(self) -> list[tuple[str, list[FieldTree]]]:
        """Return the whole message: (segment name, fields), each field split as deep as it has separators.

        The item of index 0 in the fields is field 1. Joined again with the delimiters, it gives the segments back.
        """
        delimiters = self.delimiters
        named = [(_name(line, delimiters.field), line) for line in self._segment_lines()]
        return [(name, split_segment(name, line, delimiters)) for name, line in named]

    def with_value(self, path: str, value: str) -> Self:
        """Return a copy where the field, repetition, component or sub-component at `path` is `value`, escaped.

        What `path` leaves out is replaced as a whole: `PID-5` is the field, `PID-5.1` the component of its first
        repetition. The bytes keep their character set, except that a new MSH-18 is obeyed.

        Raises ValueError when the segment does not exist, when MSH-1 or MSH-2 is named, or when the character set of
        the message cannot hold `value`.
        """
        place = located(path)
        segment = self._at(place)
        if segment is None or place.field is None:
            raise ValueError(f"{path}: the message has no such segment, or no field is named")
        if place.field < 3 and place.segment in HEADER_SEGMENTS:
            raise ValueError(f"{path}: the delimiters of a message cannot be replaced")
        declared, charset = self.declared_charset, self.charset
        if place.segment == "MSH" and place.field == 18 and place.repetition in {None, 1}:
            if value not in CODECS:
                raise ValueError(f"{path}: {value!r} is not a supported character set; use one of {sorted(CODECS)}")
            declared, charset = value, CODECS[value]
        line = _replaced(segment, place, self.delimiters.escape(value))
        offset = find_segment(self.text, self._segment_lines(), segment.position - 1)
        text = self.text[:offset] + line + self.text[offset + len(segment.text) :]
        try:
            encoded = text.encode(charset)
        except UnicodeEncodeError:
            raise ValueError(f"{path}: the value has a character that {charset} lacks; change MSH-18 first") from None
        end = self._start + len(self.text.encode(self.charset))
        raw = self.raw[: self._start] + encoded + self.raw[end:]
        return type(self)(
            raw, text, self.delimiters, declared, charset, header=None, notes=self._decoding_notes, start=self._start
        )

    def header_field(self, n: int) -> str:
        """Return field `n` of MSH, raw; "" when it is absent."""
        header = self._header or self._split_header()
        return header[n] if n < len(header) else ""

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self._msh(10)

    @property
    def message_code(self) -> str:
        """MSH-9.1, such as ADT."""
        return self._msh(9)

    @property
    def trigger(self) -> str:
        """MSH-9.2, such as A28."""
        return self._msh(9, 2)

    @property
    def structure(self) -> str:
        """MSH-9.3, such as ADT_A05."""
        return self._msh(9, 3)

    @property
    def version(self) -> str:
        """MSH-12.1, such as 2.5."""
        return self._msh(12)

    @property
    def version_country(self) -> str:
        """MSH-12.2.1, such as FRA."""
        return self._msh(12, 2)

    @property
    def version_extension(self) -> str:
        """MSH-12.3.1, the edition of the national extension, such as 2.11."""
        return self._msh(12, 3)

    @property
    def sending_application(self) -> str:
        """MSH-3.1."""
        return self._msh(3)

    @property
    def sending_facility(self) -> str:
        """MSH-4.1."""
        return self._msh(4)

    @property
    def receiving_application(self) -> str:
        """MSH-5.1."""
        return self._msh(5)

    @property
    def receiving_facility(self) -> str:
        """MSH-6.1."""
        return self._msh(6)

    @property
    def processing_id(self) -> str:
        """MSH-11.1: P, T or D."""
        return self._msh(11)

    def _msh(self, field: int, component: int = 1) -> str:
        """Return the first sub-component of a component of MSH, unescaped, without splitting the other segments."""
        try:
            return self._values[field, component]
        except KeyError:
            value = self._values[field, component] = self._read_msh(field, component)
            return value

    def _read_msh(self, field: int, component: int) -> str:
        raw = self.header_field(field)
        if raw.isalnum() or not raw:
            return raw if component == 1 else ""
        delimiters = self.delimiters
        components = raw.partition(delimiters.split_repetition)[0].split(delimiters.split_component)
        if component > len(components):
            return ""
        return delimiters.unescape(components[component - 1].partition(delimiters.split_subcomponent)[0])

    def _split_header(self) -> list[str]:
        header = self._header = self._segment_lines()[0].split(self.delimiters.field)
        header.insert(1, self.delimiters.field)
        return header

    def _segment_lines(self) -> list[str]:
        if self._lines is None:
            self._lines = split_segments(self.text)
        return self._lines

    def _at(self, place: Location) -> Segment | None:
        if place.occurrence == 1:
            return self.segment(place.segment)
        same_name = self.segments(place.segment)
        return same_name[place.occurrence - 1] if place.occurrence <= len(same_name) else None


def _name(line: str, separator: str) -> str:
    return line[:3] if line[3:4] == separator else line.partition(separator)[0]


def delimiters_in(text: str) -> Delimiters:
    """Return the delimiters of a text that starts with MSH; raises Hl7Error (AR 101 or 102) when they are unusable."""
    separator = text[3:4]
    if not separator or separator in "\r\n":
        raise Hl7Error("AR", "101", "the message ends before MSH-1", location=Location("MSH", field=1), offset=3)
    header = text[: len(split_segments(text)[0])]
    return delimiters_of(separator, header[4:].partition(separator)[0])


def _undecodable(body: bytes, start: int, error: UnicodeDecodeError) -> Hl7Error:
    place = location_at(body, error.start)
    offset = start + error.start
    where = f"offset {offset} ({place})" if place else f"offset {offset}"
    text = f"the byte at {where} is not valid {error.encoding}; check MSH-18 against the bytes sent"
    return Hl7Error("AE", "102", text, location=place, offset=offset)


def _replaced(segment: Segment, place: Location, new: str) -> str:
    """Write the text of `segment` with `new` at `place`, adding the separators missing before it."""
    delimiters = segment.delimiters
    steps = [(delimiters.field, (place.field or 1) - (segment.name in HEADER_SEGMENTS))]
    if place.repetition or place.component:
        steps.append((delimiters.repetition, (place.repetition or 1) - 1))
    if place.component:
        steps.append((delimiters.component, place.component - 1))
    if place.subcomponent:
        steps.append((delimiters.subcomponent, place.subcomponent - 1))
    return _set(segment.text, steps, new)


def _set(raw: str, steps: list[tuple[str, int]], new: str) -> str:
    if not steps:
        return new
    separator, rank = steps[0]
    parts = raw.split(separator) if separator else [raw]
    if rank >= len(parts):
        if not separator:
            raise ValueError("MSH-2 does not declare the separator that this location needs")
        parts += [""] * (rank + 1 - len(parts))
    parts[rank] = _set(parts[rank], steps[1:], new)
    return separator.join(parts)
