"""What PV1, PV2, ZBE, ZFM and ZFV say of a stay and its movement (pam-fr §3.5 to §3.8)."""

from typing import NamedTuple

from insigne.hl7 import NULL
from insigne.pam.encode import datatypes as dt
from insigne.pam.encode.dialect import Dialect
from insigne.pam.encode.notice import Action
from insigne.pam.encode.patient import row
from insigne.registry.state import Encounter, Movement
from insigne.registry.values import Identifier, Location

#: The movements whose correction may have the nature C (ZBE-9).
_ENTRIES = frozenset({"A01", "A04", "A05"})
#: What is cancelled at the place it was said, not at the one that stands again: entries and what was only planned.
_AT_ITS_PLACE = frozenset({"A11", "A27", "A38", "A25", "A26"})
#: Before anybody is housed, the unit in charge is the only one known; editions up to 2.6 want one.
_PLANNED = frozenset({"A05", "A38"})
_CLASS_AFTER = {"A01": "I", "A04": "O", "A06": "I", "A07": "O"}
_NOWHERE = Location()
#: Everything about a movement changes, as far as is known.
_ALL = "HMS"


class Event(NamedTuple):
    """A movement to tell: its stay as of the event, the movement, the event and its action (ZBE-4)."""

    stay: Encounter
    movement: Movement
    trigger: str
    action: Action
    cleared: frozenset[str] = frozenset()


def number(dialect: Dialect, identifier: Identifier | None) -> str:
    """A visit or account number, "" for none."""
    return dt.cx(identifier, dialect.authority) if identifier is not None else ""


def pv1(dialect: Dialect, event: Event) -> str:
    """PV1 of a movement. A cancellation shows what stands again."""
    stay, movement, cleared = event.stay, event.movement, event.cleared
    header, name = stay.header, dialect.authority
    standing = _standing(event)
    cancelled = event.action == "CANCEL"
    patient_class = (header.patient_class if cancelled else movement.patient_class) or header.patient_class
    location = standing.location if standing.location != _NOWHERE else movement.location
    if location == _NOWHERE and event.trigger in dialect.edition.locations["PV1-3.1"] & _PLANNED:
        location = Location(ward=movement.care_ward.code or movement.medical_ward.code)
    attending = standing.attending if standing.attending.id or standing.attending.family else movement.attending

    def said(field: str, value: str) -> str:
        return dt.escape(value) if value else NULL if field in cleared else ""

    return row(
        dialect,
        "PV1",
        {
            2: dt.escape(patient_class) or _CLASS_AFTER.get(event.trigger, ""),
            3: dt.pl(location, name),
            4: said("admission_type", header.admission_type),
            5: number(dialect, header.preadmit_number),
            6: dt.pl(_prior(event), name),
            7: dt.xcn(attending, name),
            8: dt.xcn(header.referring, name),
            10: said("hospital_service", header.hospital_service),
            17: dt.xcn(header.admitting, name),
            19: number(dialect, stay.visit),
            36: said("discharge_disposition", header.discharge_disposition),
            42: dt.pl(movement.pending_location, name),
            44: said("admit_time", header.admit_time),
            45: said("discharge_time", header.discharge_time),
        },
    )


def _standing(event: Event) -> Movement:
    """The movement whose place PV1 shows."""
    if event.action != "CANCEL" or event.trigger in _AT_ITS_PLACE:
        return event.movement
    active = event.stay.active
    return active[-1] if active else event.movement


def _before(event: Event) -> Movement | None:
    """The movement that counted just before this one."""
    found = None
    for movement in event.stay.active:
        if movement.id == event.movement.id:
            return found
        found = movement
    return found


def _prior(event: Event) -> Location:
    """PV1-6: as it was said, else, for a transfer, where the patient was before."""
    if event.action == "CANCEL":
        return _NOWHERE
    if event.movement.prior_location != _NOWHERE or event.trigger != "A02":
        return event.movement.prior_location
    before = _before(event)
    return before.location if before is not None else _NOWHERE


def pv2(dialect: Dialect, event: Event) -> str:
    """PV2: planned admission and discharge."""
    header, cleared = event.stay.header, event.cleared
    return row(
        dialect,
        "PV2",
        {
            8: dt.escape(header.expected_admit) or (NULL if "expected_admit" in cleared else ""),
            9: dt.escape(header.expected_discharge) or (NULL if "expected_discharge" in cleared else ""),
        },
    )


def planned(event: Event) -> str:
    """EVN-3: when what is planned is to happen."""
    header = event.stay.header
    if event.action != "INSERT":
        return ""
    if event.trigger in {"A05", "A14"}:
        return dt.escape(header.expected_admit)
    return dt.escape(header.expected_discharge) if event.trigger == "A16" else ""


def zbe(dialect: Dialect, event: Event) -> str:
    """ZBE: the movement. An UPDATE or a CANCEL names the event that made it."""
    movement = event.movement
    original = movement.trigger if event.action != "INSERT" and movement.trigger != event.trigger else ""
    return row(
        dialect,
        "ZBE",
        {
            1: dt.ei(movement.id, dialect.authority),
            2: dt.escape(movement.start),
            4: event.action,
            5: "Y" if movement.historic else "N",
            6: dt.escape(original),
            7: dt.xon(movement.medical_ward, dialect.authority),
            8: dt.xon(movement.care_ward, dialect.authority),
            9: _nature(dialect, event),
        },
    )


def _nature(dialect: Dialect, event: Event) -> str:
    """ZBE-9 as it was said, else what the movement changed; C is for the correction of an entry only."""
    movement = event.movement
    said = movement.nature
    codes = (dialect.fields("ZBE") or {}).get(9)
    known = said and (codes is None or said in codes)
    correction = event.trigger == "Z99" and movement.trigger in _ENTRIES
    if known and (said != "C" or correction):
        return dt.escape(said)
    before = _before(event)
    if event.trigger not in {"A02", "A12", "Z99"} or before is None:
        return "D" if movement.trigger == "A54" else _ALL
    changed = "".join(
        letter
        for letter, differs in (
            ("H", movement.location.ward != before.location.ward),
            ("M", movement.medical_ward.code != before.medical_ward.code),
            ("S", movement.care_ward.code != before.care_ward.code),
        )
        if differs
    )
    return _COMBINED.get(changed, changed) or ("L" if movement.location != before.location else _ALL)


#: The combinations of the table, whose letters are not always in the same order (FR-ZBE-9).
_COMBINED = {"HM": "MH", "HS": "SH", "MS": "SM"}


_PMSI = ("admit_mode", "discharge_mode", "origin", "destination", "emergency_passage")


def zfm(dialect: Dialect, event: Event) -> str:
    """ZFM: the PMSI modes."""
    header, cleared = event.stay.header, event.cleared
    said = {
        field: dt.escape(value) if value else NULL
        for field, name in enumerate(_PMSI, 1)
        if (value := getattr(header, name)) or name in cleared
    }
    return row(dialect, "ZFM", said) if said else ""


def zfv(dialect: Dialect, event: Event) -> str:
    """ZFV: where the patient comes from and goes to, placement, transport."""
    header, cleared = event.stay.header, event.cleared

    def said(field: str, value: str) -> str:
        return dt.escape(value) if value else NULL if field in cleared else ""

    origin = dt.components(dt.escape(header.legal_origin), dt.escape(header.legal_origin_date))
    return row(
        dialect,
        "ZFV",
        {
            1: origin or said("legal_origin", ""),
            2: said("transport_out", header.transport_out),
            4: said("placement_start", header.placement_start),
            5: said("placement_end", header.placement_end),
            6: "~".join(dt.xad(address) for address in header.transfer_addresses),
            7: number(dialect, header.origin_account),
            8: "~".join(number(dialect, one) for one in header.archives),
            9: said("custom_discharge_mode", header.custom_discharge_mode),
            11: said("transport_care", header.transport_care),
        },
    )
