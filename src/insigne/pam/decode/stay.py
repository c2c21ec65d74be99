"""What PV1, PV2, ZBE, ZFM and ZFV say of a stay and its movement (pam-fr §3.5 to §3.8)."""

from typing import Any

from insigne.hl7 import NULL, Delimiters, Message, Segment, decode_field
from insigne.pam.decode import datatypes as dt
from insigne.pam.decode.triggers import CANCELLED_BY, CORRECTION, REVERSIBLE
from insigne.pam.remembered import remembered
from insigne.registry.commands import MovementAssertion
from insigne.registry.state import StayHeader
from insigne.registry.values import Identifier, Location, Practitioner, Ward

_HEADER_FIELDS: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    (
        "PV1",
        (
            ("patient_class", 2),
            ("admission_type", 4),
            ("hospital_service", 10),
            ("discharge_disposition", 36),
            ("admit_time", 44),
            ("discharge_time", 45),
        ),
    ),
    ("PV2", (("expected_admit", 8), ("expected_discharge", 9))),
    (
        "ZFM",
        (("admit_mode", 1), ("discharge_mode", 2), ("origin", 3), ("destination", 4), ("emergency_passage", 5)),
    ),
    (
        "ZFV",
        (
            ("legal_origin", 1),
            ("transport_out", 2),
            ("placement_start", 4),
            ("placement_end", 5),
            ("custom_discharge_mode", 9),
            ("transport_care", 11),
        ),
    ),
)

#: What EVN-3 plans; PV2, which says it too, is not meant for a French pre-admission.
_PLANNED = {"A05": "expected_admit", "A14": "expected_admit", "A16": "expected_discharge"}


def number(segment: Segment | None, field: int, kind: str) -> Identifier | None:
    """A visit or account number (a CX), under its own type whatever CX-5 says."""
    raw = segment.field(field) if segment is not None else ""
    found = _read_number(raw, segment.delimiters) if segment is not None and raw else None
    return found if found is None or found.type == kind else Identifier(kind, found.authority, found.value)


def header(message: Message, pv1: Segment | None) -> tuple[StayHeader, tuple[str, ...]]:
    """The stay as a whole, and the names of the fields that `""` deletes."""
    if pv1 is None:
        return StayHeader(), ()
    values: dict[str, str] = {}
    for segment_name, fields in _HEADER_FIELDS:
        segment = pv1 if segment_name == "PV1" else message.segment(segment_name)
        if segment is not None:
            values |= segment.named(fields)
    planned = _PLANNED.get(message.trigger)
    if planned is not None and not values.get(planned):
        event = message.segment("EVN")
        values[planned] = event.value(3) if event is not None else ""
    structured = _origin(message.segment("ZFV"))
    structured["preadmit_number"] = number(pv1, 5, "VN")
    structured["referring"] = _practitioner(pv1, 8)
    structured["admitting"] = _practitioner(pv1, 17)
    structured.update((name, _kept(value)) for name, value in values.items())
    return StayHeader(**structured), tuple(name for name, value in values.items() if value == NULL)


def _kept(value: str) -> str:
    return "" if value == NULL else value


def _origin(zfv: Segment | None) -> dict[str, Any]:
    """What only the structured fields of ZFV say: last stay elsewhere, addresses, account there, archive numbers."""
    if zfv is None:
        return {}
    archives = (dt.identifier(repetition, "MR") for repetition in zfv.decoded(8))
    return {
        "legal_origin_date": _kept(zfv.value(1, 2)),
        "transfer_addresses": tuple(dt.address(repetition) for repetition in zfv.decoded(6)),
        "origin_account": number(zfv, 7, "AN"),
        "archives": tuple(found for found in archives if found is not None),
    }


def movement(message: Message, pv1: Segment | None) -> MovementAssertion | None:
    """The movement of the ZBE, or None without a usable one."""
    zbe = message.segment("ZBE")
    if zbe is None:
        return None
    ids = tuple(dt.entity(repetition) for repetition in zbe.decoded(1) if dt.value(repetition, 1).strip())
    if not ids:
        return None
    trigger = message.trigger
    action = _action(trigger, zbe.value(4))
    return MovementAssertion(
        ids=ids,
        trigger=trigger,
        action=action,
        start=_kept(zbe.value(2)),
        original_trigger=_kept(zbe.value(6)) or CANCELLED_BY.get(trigger, ""),
        nature=_kept(zbe.value(9)),
        historic=zbe.value(5) == "Y",
        patient_class=_kept(pv1.value(2)) if pv1 is not None else "",
        location=_location(pv1, 3),
        prior_location=_location(pv1, 6),
        pending_location=_location(pv1, 42),
        medical_ward=_ward(zbe, 7),
        care_ward=_ward(zbe, 8),
        attending=_practitioner(pv1, 7),
    )


def _action(trigger: str, declared: str) -> str:
    """INSERT, UPDATE or CANCEL: the event says it, save for those that undo each other, where ZBE-4 does."""
    if trigger in CANCELLED_BY:
        return "CANCEL"
    if trigger == CORRECTION:
        return "UPDATE"
    return "CANCEL" if trigger in REVERSIBLE and declared == "CANCEL" else "INSERT"


def _location(segment: Segment | None, field: int) -> Location:
    raw = segment.field(field) if segment is not None else ""
    return _read_location(raw, segment.delimiters) if segment is not None and raw else Location()


def _ward(segment: Segment, field: int) -> Ward:
    raw = segment.field(field)
    return _read_ward(raw, segment.delimiters) if raw else Ward()


def _practitioner(segment: Segment | None, field: int) -> Practitioner:
    raw = segment.field(field) if segment is not None else ""
    return _read_practitioner(raw, segment.delimiters) if segment is not None and raw else Practitioner()


# A hospital has few places and practitioners, named again and again; a stay has its numbers in each message.


@remembered
def _read_number(raw: str, delimiters: Delimiters) -> Identifier | None:
    return dt.identifier(decode_field(raw, delimiters)[0], "")


@remembered
def _read_location(raw: str, delimiters: Delimiters) -> Location:
    return dt.location(decode_field(raw, delimiters)[0])


@remembered
def _read_ward(raw: str, delimiters: Delimiters) -> Ward:
    return dt.ward(decode_field(raw, delimiters)[0])


@remembered
def _read_practitioner(raw: str, delimiters: Delimiters) -> Practitioner:
    return dt.practitioner(decode_field(raw, delimiters)[0])
