"""Rules on the patient: identifiers and INS (V10 to V13, V25), status (V14), birth (V15), merges (V23), contacts."""

import re
from typing import Final, NamedTuple

from insigne.hl7 import NULL, Delimiters, Segment
from insigne.ins import BirthDate, Cog, check_matricule, oid_allowed
from insigne.ins.matricule import NIA_OID, NIR_OID, OIDS
from insigne.ins.status import allowed_attributes, forces_provisional
from insigne.pam.findings import Report, shown
from insigne.pam.profile import Event
from insigne.pam.remembered import remembered
from insigne.pam.rules.context import ValidationContext
from insigne.pam.rules.fields import is_date_time

ATTRIBUTES: Final = frozenset({"HOMA", "DOUT", "FICT"})
_INS_OIDS: Final = frozenset(oid for oid, (_, kind) in OIDS.items() if kind != "ins-c")
_INS_NAMESPACE: Final = "ASIP-SANTE-INS-NI"
_ONE_PATIENT: Final = frozenset({"A40", "A47"})
_USUAL_MATRICULE = re.compile(r"[12]\d\d(?:0[1-9]|1[0-2])(?!00)\d\d(?!000)\d{3}(?!000)\d{3}\d\d")
_USUAL_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])")
_COG_CODE = re.compile(r"\d{5}|2[AB]\d{3}")
_MATRICULE_RULES: Final = {
    "matricule-key": "V12.key",
    "matricule-format": "V12.format",
    "matricule-spelling": "V12.format",
}


class Identifier(NamedTuple):
    """One repetition of an identifier field (CX), raw."""

    rank: int
    value: str
    namespace: str
    oid: str
    type: str
    dated: bool

    def same_as(self, other: "Identifier") -> bool:
        """Whether both are the same identifier: value, authority and type."""
        authority = self.oid == other.oid if self.oid or other.oid else self.namespace == other.namespace
        return authority and (self.value, self.type) == (other.value, other.type)


def identifiers(segment: Segment, field: int) -> tuple[Identifier, ...]:
    """Read the repetitions of an identifier field; missing components are empty."""
    raw = segment.field(field)
    return _read_identifiers(raw, segment.delimiters) if raw else ()


@remembered
def _read_identifiers(text: str, delimiters: Delimiters) -> tuple[Identifier, ...]:
    found = []
    for rank, raw in enumerate(text.split(delimiters.split_repetition), 1):
        parts = raw.split(delimiters.split_component)
        count = len(parts)
        namespace, _, universal = (parts[3] if count > 3 else "").partition(delimiters.split_subcomponent)
        found.append(
            Identifier(
                rank=rank,
                value=parts[0],
                namespace=namespace,
                oid=universal.partition(delimiters.split_subcomponent)[0],
                type=parts[4] if count > 4 else "",
                dated=count > 6 and any(parts[6:8]),
            )
        )
    return tuple(found)


class IdentityCheck:
    """The rules on one PID."""

    def __init__(self, report: Report, pid: Segment, event: Event, context: ValidationContext) -> None:
        self.report = report
        self.pid = pid
        self.event = event
        self.context = context
        self.identifiers = identifiers(pid, 3)
        self.statuses = pid.repetitions(32)

    def run(self, corrected_date: bool) -> None:  # noqa: FBT001 - the one fact taken from another segment (ZFD-4)
        """Check the segment; `corrected_date` tells that ZFD-4 is Y."""
        carried = self._identifiers()
        self._status()
        self._birth_date()
        place = self._birth_place()
        if carried:
            self._ins(carried, corrected_date, has_place=place)
        if self.event.family == "movement" and not self.pid.field(18):
            self.report.add("V17.account", self.pid.location(18))
        order, multiple = self.pid.field(25), self.pid.field(24)
        if order and order != NULL and multiple != "Y":
            self.report.add("C-birth-order.single", self.pid.location(25))
        elif multiple == "Y" and not order:
            self.report.add("C-birth-order.missing", self.pid.location(25))

    def _identifiers(self) -> list[Identifier]:
        """Check PID-3 and return the INS that it carries (not those it deletes)."""
        if not any(one.value and one.type for one in self.identifiers):
            self.report.add("V10.untyped", self.pid.location(3))
        carried = []
        later = self.report.edition.later
        for one in self.identifiers:
            if one.type in later:
                self.report.add("V04.later", self.pid.location(3, one.rank, 5), code=one.type)
            if one.type == "INS":
                if self._ins_identifier(one):
                    carried.append(one)
            elif one.oid == NIA_OID or (one.oid in _INS_OIDS and one.type != "NH") or self._named_ins(one):
                self._add("V11.ins-type", one)
            elif one.type == "NH" and not one.oid:
                self._add("V11.nh-oid", one)
            if one.value == NULL and one.type != "INS":
                self._add("V23.deletion", one)
            if self.context.between_organisations and not one.oid:
                self._add("V25.oid", one)
        if len(carried) > 1:
            natures = sorted(one.oid for one in carried)
            if self.event.id != "A31" or natures != [NIR_OID, NIA_OID]:
                self._add("V11.several-ins", carried[1])
        return carried

    def _named_ins(self, one: Identifier) -> bool:
        return one.namespace.startswith(_INS_NAMESPACE) and one.type != "NH"

    def _ins_identifier(self, one: Identifier) -> bool:
        """Check one identifier of type INS; tell whether it is carried, that is, present and not deleted."""
        if one.oid not in _INS_OIDS:
            self._add("V11.ins-oid", one, component=4)
        elif not oid_allowed(one.oid, self.context.environment):
            self._add("V11.ins-test", one, component=4)
        if one.dated:
            self._add("V11.ins-dates", one, component=7)
        if one.value == NULL:
            if self.event.id != "A47" or one.oid not in _INS_OIDS:
                self._add("V23.deletion", one)
            return False
        if one.value:
            for key in matricule_faults(one.value):
                self._add(key, one, component=1)
        return bool(one.value)

    def _ins(self, carried: list[Identifier], corrected_date: bool, *, has_place: bool) -> None:  # noqa: FBT001 - as in run
        """Check what must come with an INS (V13)."""
        for one in carried:
            if "VALI" not in self.statuses:
                self._add("V13.status", one)
            elif forces_provisional(self.statuses):
                self._add("V13.attribute", one)
            if corrected_date:
                self._add("V13.corrected-date", one)
        pid = self.pid
        split = pid.delimiters.components
        names = [split(raw) for raw in pid.repetitions(5)]
        if not any(len(name) > 6 and name[6] == "L" and all(name[:3]) for name in names):
            self.report.add("V13.name", pid.location(5))
        if pid.field(7) in ("", NULL):
            self.report.add("V13.birth-date", pid.location(7))
        if pid.field(8) not in ("M", "F"):
            self.report.add("V13.sex", pid.location(8))
        if not has_place:
            self.report.add("V13.birth-place", pid.location(11))

    def _status(self) -> None:
        table = self.report.edition.tables["0445"]
        if not self.statuses:
            self.report.add("V14.missing", self.pid.location(32))
            return
        if len(self.statuses) == 1 and self.statuses[0] in table.codes and self.statuses[0] not in ATTRIBUTES:
            return
        for index, code in enumerate(self.statuses, 1):
            place = self.pid.location(32, index)
            if not table.accepts(code):
                if code != NULL:
                    self.report.add("V14.code", place, code=shown(code, self.report.edition))
            elif index == 1 and code in ATTRIBUTES:
                self.report.add("V14.attribute-first", place)
            elif index > 1 and code not in ATTRIBUTES:
                self.report.add("V14.second-status", place)
        attributes = ATTRIBUTES.intersection(self.statuses)
        if not allowed_attributes(attributes):
            self.report.add("V14.attributes", self.pid.location(32))
        if forces_provisional(attributes) and "VALI" in self.statuses:
            self.report.add("V14.attribute-status", self.pid.location(32))

    def _birth_date(self) -> None:
        raw = self.pid.field(7)
        if not raw or raw == NULL:
            return
        text = self.pid.value(7)
        key = birth_date_fault(text)
        if key:
            self.report.add(key, self.pid.location(7))

    def _birth_place(self) -> bool:
        """Check the COG code of the birthplace (PID-11, type BDL) and tell whether there is one."""
        delimiters = self.pid.delimiters
        for index, raw in enumerate(self.pid.repetitions(11), 1):
            if "BDL" not in raw:
                continue
            parts = raw.split(delimiters.split_component)
            if len(parts) > 8 and parts[6] == "BDL" and parts[8]:
                self._cog_code(parts[8], index)
                return True
        return False

    def _cog_code(self, code: str, index: int) -> None:
        key = self._cog_fault(code)
        if key:
            self.report.add(key, self.pid.location(11, index, 9))

    def _cog_fault(self, code: str) -> str:
        if code == NULL:
            return ""
        if not _COG_CODE.fullmatch(code):
            return "I-birthplace.format"
        if code == "99999":
            return "I-birthplace.unknown-place" if "VALI" in self.statuses else ""
        cog = self.context.cog
        known = cog is None or known_place(cog, code, self.pid.value(7)[:8])
        return "" if known else "I-birthplace.unknown-code"

    def _add(self, key: str, one: Identifier, component: int | None = None) -> None:
        self.report.add(key, self.pid.location(3, one.rank, component))


def known_place(cog: Cog, code: str, birth_date: str) -> bool:
    """Whether a code named a place on a birth date."""
    if _USUAL_DATE.fullmatch(birth_date):
        day = f"{birth_date[:4]}-{birth_date[4:6]}-{birth_date[6:]}"
        return any(place.valid_within(day, day) for place in cog.history(code))
    return cog.lookup(code, birth_date) is not None


def matricule_faults(value: str) -> list[str]:
    """Return the findings that a matricule deserves, each once."""
    if _USUAL_MATRICULE.fullmatch(value) and 97 - int(value[:13]) % 97 == int(value[13:]):
        return []  # nearly all of them: what follows would find nothing
    return list(dict.fromkeys(_MATRICULE_RULES.get(found.code, "V12.doubt") for found in check_matricule(value)))


def birth_date_fault(text: str) -> str | None:
    """Return the finding that a birth date deserves, None for a complete date that exists."""
    if _USUAL_DATE.fullmatch(text):
        return None
    if len(text) >= 8 and is_date_time(text):
        return None
    try:
        parsed = BirthDate.parse(text[:8])
    except ValueError:
        return "V15.date"
    if parsed.month > 12 or parsed.day > 31:
        return "V15.lunar"
    return "V15.date" if parsed.is_lunar or parsed.is_complete else "V15.incomplete"


def check_merge(report: Report, merge: Segment, patient: Segment | None, event: Event) -> None:
    """Check MRG-1 (V23) against the identifiers of the PID before it."""
    prior = identifiers(merge, 1)
    if not any(one.value and one.value != NULL for one in prior):
        report.add("V23.prior", merge.location(1))
    elif patient is not None and event.id in _ONE_PATIENT:
        kept = identifiers(patient, 3)
        if any(one.value != NULL and one.same_as(other) for one in prior for other in kept):
            report.add("V23.itself", merge.location(1))


def check_contact(report: Report, contact: Segment, event: Event) -> None:
    """Check that no trust person travels in an identity message."""
    if event.family == "identity" and contact.value(7) == "K":
        report.add("C-trust-person.identity", contact.location(7))
