"""Rules V01 to V07: the bytes as read, MSH and EVN."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from insigne.hl7 import Location, Message, Segment
from insigne.pam.findings import Report, shown
from insigne.pam.profile import Structure

#: Code of a note left by the reading of the message → finding. Framing bytes and a missing last CR are not worth one.
_NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lf": "V01.line-ends",
        "crlf": "V01.line-ends",
        "bom": "V01.bom",
        "leading-space": "V01.before-msh",
        "nul": "V01.nul",
        "blank-segment": "V01.blank-segment",
        "charset-undeclared": "V06.charset-undeclared",
        "charset-suspect": "V06.charset-suspect",
        "charset-repaired": "V06.charset-repaired",
    }
)
_MSH_18: Final = Location("MSH", field=18)


def check_notes(report: Report, message: Message) -> None:
    """Turn the notes of the reading into findings (V01, V06)."""
    notes = message.notes
    if not notes:
        return
    said: set[str] = set()
    for note in notes:
        key = _NOTES.get(note.code)
        if key is not None and key not in said:
            said.add(key)
            report.add(key, _MSH_18 if key.startswith("V06") else None)


def check_header(report: Report, message: Message, header: Segment) -> None:
    """Check the delimiters (V02), MSH-10 (V05), the country and the language (V06)."""
    if message.delimiters.field != "|" or message.delimiters.encoding_characters != "^~\\&":
        report.add("V02.delimiters", header.location(2))
    control = header.value(10)
    if not control:
        report.add("V05.missing", header.location(10))
    elif len(control) > 20:
        report.add("V05.length", header.location(10))
    if header.field(17) != "FRA":
        report.add("V06.country", header.location(17))
    if header.value(19).upper() != "FR":
        report.add("V06.language", header.location(19))


def structure_of(report: Report, header: Segment) -> Structure | None:
    """Check MSH-9 (V03) and return the structure of the event in this edition, None when there is none."""
    edition = report.edition
    code, _, rest = header.field(9).partition("^")
    trigger, _, declared = rest.partition("^")
    structure = edition.structures.get(trigger)
    if code == "ADT" and structure is not None and structure.id == declared:
        return structure  # the usual case, without a closer reading
    code, trigger, declared = header.value(9), header.value(9, 2), header.value(9, 3)
    if code == "ACK":
        return edition.structures.get("ACK")
    if not code or not trigger:
        report.add("V03.missing", header.location(9))
        return None
    if code != "ADT":
        report.add("V03.type", header.location(9, None, 1), code=shown(code, edition))
        return None
    structure = edition.structures.get(trigger)
    if structure is None:
        report.add("V03.event", header.location(9, None, 2), code=shown(trigger, edition))
        return None
    if not declared:
        report.add("V03.structure-missing", header.location(9, None, 3), expected=structure.id)
    elif declared != structure.id:
        report.add("V03.structure", header.location(9, None, 3), expected=structure.id)
    return structure


def check_event(report: Report, event: Segment, trigger: str) -> None:
    """Check EVN-1 and EVN-2 (V07)."""
    if not event.field(2):
        report.add("V07.recorded", event.location(2))
    repeated = event.field(1)
    if repeated and repeated != trigger:
        report.add("V07.event", event.location(1))
    elif repeated:
        report.add("V09.field", event.location(1), name="Event Type Code")
