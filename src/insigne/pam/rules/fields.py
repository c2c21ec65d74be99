"""What is wrong inside a segment that its plan did not match: usage, repetitions, data types, codes, lengths."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from insigne.hl7 import NULL, Location, Segment
from insigne.ins.matricule import NAMESPACES
from insigne.pam.findings import Report, shown
from insigne.pam.profile import Component, Table
from insigne.pam.rules.plan import CODED_TYPES, LEFT_TO_RULES, TEXT_TYPES, FieldPlan, SegmentPlan

_DTM = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
_SIMPLE_IN_PRACTICE: Final = CODED_TYPES | {"TS"}
_CODE_RULES: Final = {"ZBE-9": "V19.nature", "PV1-51": "V24.visit"}
_KNOWN_NAMESPACES: Final = frozenset(NAMESPACES.values())

#: Where the content of a forbidden field belongs instead.
HINTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "PID-2": ("identifiers go in PID-3", "les identifiants vont en PID-3"),
        "PID-4": ("identifiers go in PID-3", "les identifiants vont en PID-3"),
        "PID-9": ("other names are repetitions of PID-5", "les autres noms sont des répétitions de PID-5"),
        "PID-19": (
            "the billing NIR is a repetition of PID-3 with the type NH",
            "le NIR de facturation est une répétition de PID-3 de type NH",
        ),
        "PID-28": ("nationalities go in PID-26", "les nationalités vont en PID-26"),
        "PV1-9": ("a consultant is a ROL segment with CP", "un médecin consulté est un segment ROL avec CP"),
        "PV2-3": ("the legal mode of care goes in ZFS", "le mode légal de soins va en ZFS"),
        "ZFV-10": ("the RIM-P code goes in ZFS-7", "le code RIM-P va en ZFS-7"),
        "ZBE-3": (
            "the next movement ends the period that ZBE-2 starts",
            "le mouvement suivant termine la période que ZBE-2 commence",
        ),
    }
)


def is_date_time(text: str) -> bool:
    """Whether a text is an HL7 date or date and time that exists in the calendar, however precise."""
    found = _DTM.fullmatch(text)
    if found is None:
        return False
    year, month, day, hour, minute, second = (int(part) if part else 0 for part in found.groups()[:6])
    zone = found[7]
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return False
    if (found[2] and not month) or (found[3] and not day):
        return False
    return hour < 24 and minute < 60 and second < 60 and (zone is None or (int(zone[1:3]) < 15 and int(zone[3:]) < 60))


def written_as_cx(components: list[str]) -> bool:
    """Whether the components of a movement identifier (EI) are those of a CX: value, two empty ones, authority."""
    return len(components) > 3 and bool(components[3]) and not components[1] and not components[2]


def check_fields(report: Report, segment: Segment, plan: SegmentPlan, *, standard: bool) -> None:
    """Add to `report` what departs from the edition in a segment; `standard`: its delimiters are those of the plan."""
    known = plan.fields
    for number in plan.required:
        if not segment.field(number):
            report.add("F-required.field", segment.location(number), name=known[number].field.name)
    last = max(known)
    for number in range(3 if plan.name == "MSH" else 1, segment.field_count + 1):
        raw = segment.field(number)
        if not raw or raw == NULL:
            continue
        field = known.get(number)
        if field is not None:
            if not (standard and field.is_clean(raw)):
                _FieldCheck(report, segment, field).run(raw)
        elif number > last:
            report.add("F-extra.field", segment.location(number), segment=plan.name)


class _FieldCheck:
    """Explains one field of one segment."""

    def __init__(self, report: Report, segment: Segment, plan: FieldPlan) -> None:
        self.report = report
        self.edition = report.edition
        self.segment = segment
        self.plan = plan
        self.number = plan.field.number
        self.coded = plan.table if plan.field.type in CODED_TYPES else None

    def run(self, raw: str) -> None:
        field, place = self.plan.field, self.plan.place
        if place in LEFT_TO_RULES:
            return
        location = self.segment.location(self.number)
        if field.usage == "X":
            hint, hint_fr = HINTS.get(place, ("", ""))
            self.report.add(
                "V09.field",
                location,
                name=field.name,
                hint=hint and f" Note: {hint}.",
                hint_fr=hint_fr and f" À noter : {hint_fr}.",
            )
            return
        repetitions = self.segment.delimiters.repetitions(raw)
        if field.most and len(repetitions) > field.most:
            self.report.add("F-repeat.field", location, name=field.name, count=len(repetitions), most=field.most)
        for index, repetition in enumerate(repetitions, 1):
            if repetition and repetition != NULL:
                self._repetition(repetition, index)

    def _repetition(self, raw: str, index: int) -> None:
        kind = self.plan.field.type
        if kind == "varies":
            return  # the type is in another field
        parts = self.segment.delimiters.components(raw)
        components = self.edition.types.get(kind)
        if components is None:
            self._extra(parts[1:], kind, index)
            self._leaf(parts[0], kind, self.plan.field.length, self.plan.table, (index,))
            return
        if self.plan.place == "ZBE-1" and written_as_cx(parts):
            return  # said by V19.identifier
        self._extra(parts[len(components) :], kind, index)
        for rank, component in enumerate(components, 1):
            part = parts[rank - 1] if rank <= len(parts) else ""
            self._component(part, component, kind, (index, rank))

    def _component(self, raw: str, component: Component, kind: str, at: tuple[int, int]) -> None:
        if not raw:
            if component.usage == "R":
                self._missing(kind, at[1], at)
            return
        if raw == NULL:
            return
        if component.usage == "X":
            self.report.add("V09.component", self._location(at), type=kind)
            return
        table = (self.coded if at[1] == 1 else None) or self.edition.tables.get(component.table)
        inner = self.edition.types.get(component.type)
        parts = self.segment.delimiters.subcomponents(raw)
        if inner is None:
            self._extra(parts[1:], component.type, at[0], at[1])
            self._leaf(parts[0], component.type, component.length, table, at)
            return
        if inner[0].usage == "R" and not parts[0]:
            self._missing(component.type, 1, at, outer=kind)
        for rank, part in enumerate(parts[: len(inner)], 1):
            self._subcomponent(part, inner[rank - 1], component.type, table if rank == 1 else None, (*at, rank))
        self._extra(parts[len(inner) :], component.type, at[0], at[1])

    def _subcomponent(
        self, raw: str, part: Component, kind: str, table: Table | None, at: tuple[int, int, int]
    ) -> None:
        if not raw or raw == NULL:
            return
        if part.usage == "X":
            self.report.add("V09.component", self._location(at), type=kind)
        elif part.type in self.edition.types:
            self._leaf(raw, "ST", part.length, None, at)
        else:
            self._leaf(raw, part.type, part.length, table or self.edition.tables.get(part.table), at)

    def _leaf(self, raw: str, kind: str, length: int, table: Table | None, at: tuple[int, ...]) -> None:
        if not raw or raw == NULL:
            return
        value = self.segment.delimiters.unescape(raw)
        if kind in ("DT", "DTM"):
            if not is_date_time(value) or (kind == "DT" and len(value) > 8):
                self._add("F-type.date", at)
        elif kind in ("NM", "SI"):
            if _NUMBER.fullmatch(value) is None:
                self._add("F-type.number", at)
        elif table is not None and not table.accepts(value):
            self._code(value, table, at)
        elif kind in TEXT_TYPES and self.edition.lengths and 0 < length < len(value) and value not in _KNOWN_NAMESPACES:
            self._add("V26.length", at, count=len(value), most=length)

    def _code(self, value: str, table: Table, at: tuple[int, ...]) -> None:
        key = "F-table.strict" if table.strict else "F-table.code"
        if table.countries:
            key = "F-table.country"
        elif self.plan.place in _CODE_RULES:
            key = _CODE_RULES[self.plan.place]
        elif table.id.startswith("FR-") and not table.strict:
            key = "V21.code"
        self._add(
            key,
            at,
            code=shown(value, self.edition),
            table=table.id.replace("FR-", "IHE-FRANCE-"),
            codes=" ".join(sorted(table.codes)),
        )

    def _missing(self, kind: str, rank: int, at: tuple[int, int], outer: str = "") -> None:
        if kind == "CX" and rank == 1:
            self.report.add("V11.value", self._location(at[:1]))
        elif (kind == "CX" and rank == 4) or (outer == "CX" and at[1] == 4):
            self.report.add("V11.authority", self._location((at[0], 4, 1)))
        else:
            inner = (rank,) if outer else ()
            self.report.add("F-required.component", self._location((*at, *inner)), type=kind)

    def _extra(self, parts: list[str], kind: str, *at: int) -> None:
        if any(parts):
            self._add("F-type.extra-component", at, type=kind)

    def _add(self, key: str, at: tuple[int, ...], **values: object) -> None:
        self.report.add(key, self._location(at), name=self.plan.field.name, **values)

    def _location(self, at: tuple[int, ...]) -> Location:
        """Return the place of (repetition, component, sub-component).

        Repetition 1 of a single field goes without, and so does component 1 of a code or a time.
        """
        index, *rest = at
        if rest == [1] and self.plan.field.type in _SIMPLE_IN_PRACTICE:
            rest = []
        return self.segment.location(self.number, None if index == 1 == self.plan.field.most else index, *rest)
