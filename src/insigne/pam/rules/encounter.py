"""Rules on the stay and the movement: PV1 (V16 to V18, V24), ZBE (V19), changes of class (V22)."""

import re
from typing import Final

from insigne.hl7 import Segment
from insigne.pam.findings import Report, shown
from insigne.pam.profile import Event
from insigne.pam.rules.fields import written_as_cx

_EVENT: Final = re.compile("[A-Z][0-9]{2}")
_ACTIONS: Final = frozenset({"INSERT", "UPDATE", "CANCEL"})
_VISIT_CLASSES: Final = frozenset("IOERV")
_TARGET_CLASSES: Final = {"A06": frozenset("IR"), "A07": frozenset("OE")}
_CORRECTED: Final = frozenset({"A01", "A04", "A05"})
_LOCATION_RULES: Final = {
    "PV1-3.1": (3, 1, "V18.ward"),
    "PV1-6": (6, None, "V18.previous"),
    "PV1-42": (42, None, "V18.pending"),
}


def check_visit(report: Report, visit: Segment, event: Event) -> None:
    """Check PV1 in an identity message (V16) or with a movement (V17, V18, V24)."""
    patient_class = visit.value(2)
    if event.family != "movement":
        if event.family == "identity":
            _check_empty(report, visit, patient_class)
        return
    if patient_class == "N":
        report.add("V16.movement", visit.location(2))
    elif patient_class in _VISIT_CLASSES and not visit.field(19):
        report.add("V17.visit", visit.location(19))
    for path, (field, component, key) in _LOCATION_RULES.items():
        if event.id in report.edition.locations[path] and not visit.value(field):
            report.add(key, visit.location(field, None, component), event=event.id)
    if visit.field(41) and event.id not in ("A03", "Z99"):
        report.add("V24.account", visit.location(41), event=event.id)


def _check_empty(report: Report, visit: Segment, patient_class: str) -> None:
    if patient_class and patient_class != "N":
        report.add("V16.class", visit.location(2))
    content = (number for number in range(3, visit.field_count + 1) if visit.field(number).strip("^~&"))
    first = next(content, None)
    if first is not None:
        report.add("V16.content", visit.location(first))


def check_complement(report: Report, complement: Segment) -> None:
    """Note the free text of PV2-12."""
    if complement.field(12):
        report.add("C-free-text.visit", complement.location(12))


def check_movement(report: Report, movement: Segment, event: Event) -> None:
    """Check ZBE against the event (V19)."""
    for index, raw in enumerate(movement.repetitions(1), 1):
        parts = movement.delimiters.components(raw)
        if written_as_cx(parts):
            report.add("V19.identifier", movement.location(1, index))
        elif len(parts) > 2 and bool(parts[2]) != bool("".join(parts[3:4])):
            report.add("V19.universal", movement.location(1, index))
    action, origin = movement.value(4), movement.value(6)
    nonsense = bool(origin) and _EVENT.fullmatch(origin) is None
    if nonsense:
        report.add("V19.origin-code", movement.location(6), code=shown(origin, report.edition))
    if action not in _ACTIONS and movement.value(5) in _ACTIONS:
        report.add("V19.shifted", movement.location(), first=3 if movement.field(3) else 4)
        return
    if action in _ACTIONS and action not in event.actions:
        expected = "/".join(sorted(event.actions))
        report.add("V19.action", movement.location(4), code=action, event=event.id, expected=expected)
    elif action in ("CANCEL", "UPDATE") and not nonsense:
        _check_origin(report, movement, event, origin)
    if movement.value(9) == "C" and not (event.id == "Z99" and origin in _CORRECTED):
        report.add("V19.correction", movement.location(9))


def _check_origin(report: Report, movement: Segment, event: Event, origin: str) -> None:
    if not origin:
        report.add("V19.origin", movement.location(6))
    elif event.cancels and origin not in event.cancels:
        report.add(
            "V19.origin-event",
            movement.location(6),
            code=shown(origin, report.edition),
            event=event.id,
            expected="/".join(sorted(event.cancels)),
        )


def check_change_of_class(
    report: Report, event: Event, visit: Segment | None, movement: Segment | None, merge: Segment | None
) -> None:
    """Check the target class and the use of MRG in A06 and A07 (V22)."""
    targets = _TARGET_CLASSES.get(event.id)
    if targets is None or visit is None:
        return
    patient_class = visit.value(2)
    cancelling = movement is not None and movement.value(4) == "CANCEL"
    if patient_class in _VISIT_CLASSES and patient_class not in targets and not cancelling:
        expected = "/".join(sorted(targets))
        report.add("V22.class", visit.location(2), code=patient_class, event=event.id, expected=expected)
    if merge is not None and not merge.field(3) and not merge.field(5):
        report.add("V22.merge", merge.location())
