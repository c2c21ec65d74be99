"""Validation of a message against an edition: what departs from it, why, and how to mend.

A message without findings costs a few tens of microseconds: each segment is matched whole by one compiled expression,
the sequence of segments is remembered, and only the rules that read across fields run one by one.
"""

from typing import Final

from insigne.hl7 import Hl7Error, Location, Message, Segment
from insigne.pam.editions import EDITIONS, NEWEST, UnknownVersion
from insigne.pam.findings import Finding, Report, catalogue, make_finding
from insigne.pam.profile import Edition, Event, Structure
from insigne.pam.rules.context import DEFAULT_CONTEXT, ValidationContext
from insigne.pam.rules.encounter import check_change_of_class, check_complement, check_movement, check_visit
from insigne.pam.rules.fields import check_fields
from insigne.pam.rules.header import check_event, check_header, check_notes, structure_of
from insigne.pam.rules.identity import IdentityCheck, check_contact, check_merge
from insigne.pam.rules.plan import plan_of
from insigne.pam.rules.structure import FRENCH_SEGMENTS, check_structure

__all__ = ["ValidationContext", "unreadable", "validate", "warm"]

_STANDARD: Final = "^~\\&"
_MOST_SEQUENCES: Final = 4096
#: A longer message is not remembered: what a peer invents must not fill the memory.
_LONGEST_SEQUENCE: Final = 256
_sequences: dict[tuple[str, str, tuple[str, ...]], tuple[Finding, ...]] = {}


def validate(message: Message, edition: Edition, context: ValidationContext = DEFAULT_CONTEXT) -> list[Finding]:
    """Return what departs from `edition` in a message, in the order of the checks; an empty list when nothing does."""
    report = Report(edition)
    segments = message.segments()
    header = segments[0]
    check_notes(report, message)
    check_header(report, message, header)
    structure = structure_of(report, header)
    trigger = message.trigger
    event = edition.events.get(trigger) if message.message_code == "ADT" else None
    if structure is not None:
        names = tuple([segment.name for segment in segments])  # a list first: half the time of a generator
        report.findings += _sequence(edition, names, structure, event)
    _check_segments(report, segments)
    recorded = message.segment("EVN")
    if recorded is not None:
        check_event(report, recorded, trigger)
    if event is not None:
        _check_event_rules(report, message, event, context)
    return report.findings


def warm(edition: Edition) -> None:
    """Make now what the first messages of an edition would wait for: the plans of its segments, the catalogue."""
    catalogue()
    for name in edition.segments:
        plan_of(edition, name)


def unreadable(error: Hl7Error | UnknownVersion) -> Finding:
    """Return, as a finding, why a message could not be read or placed in an edition."""
    newest = EDITIONS[NEWEST]
    if isinstance(error, UnknownVersion):
        return _certain(make_finding("V04.unknown-version", newest, Location("MSH", field=12, component=1)))
    key = {"103": "V06.charset-unsupported", "100": "V01.unreadable"}.get(error.condition)
    if key is None:
        key = "V06.undecodable" if error.ack == "AE" else "V02.unusable"
    return _certain(make_finding(key, newest, error.location, offset=error.offset))


def _certain(finding: Finding | None) -> Finding:
    if finding is None:
        raise RuntimeError("the newest edition turns no rule off")
    return finding


def _sequence(
    edition: Edition, names: tuple[str, ...], structure: Structure, event: Event | None
) -> tuple[Finding, ...]:
    """Check the sequence of segments, remembering the answer: a feed has few different ones, and short."""
    key = (edition.id, event.id if event else structure.id, names)
    known = _sequences.get(key)
    if known is None:
        report = Report(edition)
        check_structure(report, names, structure, event)
        known = tuple(report.findings)
        if len(names) > _LONGEST_SEQUENCE:
            return known
        if len(_sequences) >= _MOST_SEQUENCES:
            _sequences.clear()
        _sequences[key] = known
    return known


def _check_segments(report: Report, segments: list[Segment]) -> None:
    """Check each segment against its plan; the plans are written for the standard delimiters."""
    edition = report.edition
    delimiters = segments[0].delimiters
    standard = delimiters.field == "|" and delimiters.encoding_characters == _STANDARD
    for segment in segments:
        plan = plan_of(edition, segment.name)
        if plan is None:
            continue
        text = segment.text
        if segment.name in FRENCH_SEGMENTS and not text[3:].strip(delimiters.field):
            report.add("V20.empty", segment.location(), segment=segment.name)
        if not (standard and plan.is_clean(text)):
            if report.full:
                return
            check_fields(report, segment, plan, standard=standard)


def _check_event_rules(report: Report, message: Message, event: Event, context: ValidationContext) -> None:
    """Run the rules that read across fields and segments."""
    first = message.segment
    complement = first("ZFD")
    corrected_date = complement is not None and complement.value(4) == "Y"
    patient = None
    for segment in message.segments():
        if segment.name == "PID":
            patient = segment
            IdentityCheck(report, segment, event, context).run(corrected_date)
        elif segment.name == "MRG" and event.family != "movement":
            check_merge(report, segment, patient, event)
        elif segment.name == "NK1":
            check_contact(report, segment, event)
    visit, movement, free_text = first("PV1"), first("ZBE"), first("PV2")
    if visit is not None:
        check_visit(report, visit, event)
    if free_text is not None:
        check_complement(report, free_text)
    if movement is not None and event.family == "movement":
        check_movement(report, movement, event)
    check_change_of_class(report, event, visit, movement, first("MRG"))
