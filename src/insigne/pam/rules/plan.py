"""What an edition says of a segment, compiled once: one expression that a segment without departure matches whole.

Nearly every segment matches, in a few microseconds and without keeping anything of its content; the others are read
again, field by field, by `insigne.pam.rules.fields`, which says what is wrong. The expression may refuse a segment that
has nothing to reproach (escape sequences, 29 February), which only costs the second reading; it never accepts one that
has something.
"""

import re
from functools import cache, cached_property
from typing import Final

from insigne.pam.profile import Component, Edition, Field, Table

#: Fields that a named rule looks at instead of the generic one, for the whole field or for its code alone.
LEFT_TO_RULES: Final = frozenset({"MSH-1", "MSH-2", "MSH-9", "MSH-10", "MSH-12", "EVN-1", "EVN-2", "PID-7", "PID-32"})
REQUIRED_BY_RULES: Final = LEFT_TO_RULES | {"PID-3", "MRG-1"}
TEXT_TYPES: Final = frozenset({"ST", "TX", "FT", "IS", "ID", "varies"})
CODED_TYPES: Final = frozenset({"IS", "ID", "CE", "CWE", "CNE"})

_ANY = r"[^|]*+"
_RUN = re.compile(r"\[[^\]]*\]\{1,\d*\}\+")
_DAY = r"(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
_DATE = rf"(?:19|20)\d\d{_DAY}"
_TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d){1,2}(?:\.\d{1,4})?(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_PRIMITIVES = {
    "DT": _DATE,
    "DTM": rf"{_DATE}(?:{_TIME})?",
    "NM": r"[+-]?\d++(?:\.\d++)?",
    "SI": r"\d++",
}


class FieldPlan:
    """A field with its place as "PID-3", its code list, and the expression that its clean contents match."""

    def __init__(self, field: Field, place: str, table: Table | None, expression: str) -> None:
        self.field = field
        self.place = place
        self.table = table
        self._expression = expression

    @cached_property
    def _clean(self) -> re.Pattern[str]:
        return re.compile(self._expression)

    def is_clean(self, raw: str) -> bool:
        """Whether a field written with the standard delimiters surely has nothing to reproach."""
        return self._clean.fullmatch(raw) is not None


class SegmentPlan:
    """A segment: its fields, and the expression that it matches whole when nothing in it departs from the edition."""

    __slots__ = ("_clean", "fields", "name", "required")

    def __init__(self, edition: Edition, name: str) -> None:
        known = edition.segments[name]
        builder = _Builder(edition)
        self.name = name
        self.fields: dict[int, FieldPlan] = {}
        parts = [_ANY] * max(known)
        for number, field in known.items():
            place = f"{name}-{number}"
            expression = builder.field(field, place)
            parts[number - 1] = expression
            self.fields[number] = FieldPlan(field, place, edition.tables.get(field.table), expression)
        required = [n for n, f in known.items() if f.usage == "R" and f"{name}-{n}" not in REQUIRED_BY_RULES]
        self.required = tuple(required)
        self._clean = re.compile(_whole(name, parts, max(required, default=0))).fullmatch

    def is_clean(self, text: str) -> bool:
        """Whether a segment written with the standard delimiters surely has nothing to reproach."""
        return self._clean(text) is not None


def _whole(name: str, parts: list[str], needed: int) -> str:
    """The expression of a segment: its fields up to the last one it cannot do without, then as many as are sent."""
    head = name
    if name == "MSH":
        head, parts, needed = r"MSH\|\^~\\&", parts[2:], needed - 2
    start = "".join([head, *(rf"\|{part}" for part in parts[: max(needed, 0)])])
    tail = ""
    for part in reversed(parts[max(needed, 0) :]):
        tail = rf"(?:\|{part}{tail})?+"
    return start + tail


@cache
def plan_of(edition: Edition, segment: str) -> SegmentPlan | None:
    """Return the plan of a segment, None when the edition does not know it."""
    return SegmentPlan(edition, segment) if segment in edition.segments else None


def _optional(expression: str) -> str:
    """Make an expression match nothing too; a run of characters needs no group for that."""
    if _RUN.fullmatch(expression):
        return expression.replace("{1,", "{0,")
    return f"(?:{expression})?" if expression else ""


class _Builder:
    """Writes the expressions of one edition, for the standard delimiters."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    def field(self, field: Field, place: str) -> str:
        if place in LEFT_TO_RULES:
            return _ANY
        if field.usage == "X":
            return ""
        table = self.edition.tables.get(field.table)
        if field.type in self.edition.types:
            one = self._composite(field.type, table if field.type in CODED_TYPES else None)
        else:
            one = self._primitive(field.type, field.length, table)
        once = rf"(?:{one})"
        if field.most == 1:
            many = one
        else:
            extra = "*" if field.most == 0 else f"{{0,{field.most - 1}}}"
            many = rf"{once}(?:~{once}){extra}"
        return rf"(?=[^|])(?:{many})" if field.usage == "R" else _optional(many)

    def _composite(self, name: str, table: Table | None) -> str:
        components = list(self.edition.types[name])
        while components and components[-1].usage == "X":
            components.pop()
        tail = r"\^*+"
        for rank in range(len(components), 0, -1):
            component = components[rank - 1]
            one = self._component(component, table if rank == 1 else None)
            one = rf"(?=[^|~^])(?:{one})" if component.usage == "R" else _optional(one)
            if rank == 1:
                return one + tail
            needed = any(later.usage == "R" for later in components[rank - 1 :])
            tail = rf"(?:\^{one}{tail})" + ("" if needed else "?")
        return tail

    def _component(self, component: Component, table: Table | None) -> str:
        if component.usage == "X":
            return ""
        table = table or self.edition.tables.get(component.table)
        inner = self.edition.types.get(component.type)
        if inner is None:
            return self._primitive(component.type, component.length, table)
        parts = list(inner)
        while parts and parts[-1].usage == "X":
            parts.pop()
        tail = "&*+"
        for rank in range(len(parts), 0, -1):
            part = parts[rank - 1]
            one = self._subcomponent(part, table if rank == 1 and component.type in CODED_TYPES else None)
            if rank == 1:
                return (one if part.usage == "R" else _optional(one)) + tail
            tail = rf"(?:&{_optional(one)}{tail})?"
        return tail

    def _subcomponent(self, part: Component, table: Table | None) -> str:
        if part.usage == "X":
            return ""
        if part.type in self.edition.types:
            return self._text(part.length)
        return self._primitive(part.type, part.length, table or self.edition.tables.get(part.table))

    def _primitive(self, kind: str, length: int, table: Table | None) -> str:
        if kind in _PRIMITIVES:
            return _PRIMITIVES[kind]
        if table is not None and table.countries:
            return "[A-Z]{3}"
        if table is not None and not table.open:
            # The longest first: nothing is tried again once a code has matched, and B begins BDL.
            codes = sorted(table.codes, key=lambda code: (-len(code), code))
            return rf"(?:{'|'.join(map(re.escape, codes))})"
        return self._text(length)

    def _text(self, length: int) -> str:
        most = length if length and self.edition.lengths else ""
        return rf"[^|~^&\\]{{1,{most}}}+"
