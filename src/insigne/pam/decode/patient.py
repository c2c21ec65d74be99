"""What PID, PD1 and the French Z segments say of a person (pam-fr §3.3, §3.4, §3.8, §5)."""

from typing import Any

from insigne.hl7 import NULL, Message, Segment
from insigne.ins.names import first_given_name_matches
from insigne.pam.decode import datatypes as dt
from insigne.registry.commands import DetailsAssertion, DmpAssertion, Patient, TraitsAssertion
from insigne.registry.values import Identifier, Ins, LegalCareMode

#: PID-8 to the registry's sex: anything but M and F is undetermined.
_SEX = {"M": "M", "F": "F", "": None, NULL: ""}
_ACTIONS = frozenset({"INSERT", "UPDATE", "CANCEL"})


def patient(message: Message, pid: Segment, pd1: Segment | None) -> Patient:
    """Everything the message says of the patient of this PID."""
    identifiers, ins, ins_deleted = identifier_list(pid, 3)
    details = _plain_details(pid, pd1)
    traits: dict[str, str | None] = {"birth_date": dt.said(pid.value(7)), "sex": _SEX.get(pid.value(8).upper(), "I")}
    _names(message, pid, traits, details)
    _addresses(pid, traits, details)
    _french_segments(message, details)
    return Patient(
        identifiers=identifiers,
        ins=ins,
        ins_deleted=ins_deleted,
        reliability=_codes(pid),
        traits=TraitsAssertion(**traits),
        details=DetailsAssertion(**details),
    )


def identifier_list(segment: Segment, field: int) -> tuple[tuple[Identifier, ...], tuple[Ins, ...], bool]:
    """A list of CX (PID-3, MRG-1) as (identifiers, INS, whether the INS is deleted by `""`), told apart by CX-5."""
    identifiers: list[Identifier] = []
    ins: list[Ins] = []
    deleted = False
    for repetition in segment.decoded(field):
        if not dt.is_ins(repetition):
            found = dt.identifier(repetition, "PI")
            if found is not None:
                identifiers.append(found)
        elif dt.text(repetition, 1) == NULL:
            deleted = True
        elif dt.text(repetition, 1):
            ins.append(dt.ins(repetition))
    return tuple(identifiers), tuple(ins), deleted


def _codes(pid: Segment) -> tuple[str, ...]:
    return tuple(code for repetition in pid.decoded(32) if (code := dt.text(repetition, 1).strip()) not in {"", NULL})


def _names(message: Message, pid: Segment, traits: dict[str, str | None], details: dict[str, Any]) -> None:
    """PID-5:

    birth names in the first repetition typed L, used names in D; the first untyped one is taken as L when there is
    none.
    """
    repetitions = pid.decoded(5)
    others: list[tuple[str, str, str]] = []
    birth = "L" if any(dt.text(repetition, 7).strip() == "L" for repetition in repetitions) else ""
    for repetition in repetitions:
        kind = dt.text(repetition, 7).strip()
        family, given = dt.text(repetition, 1), dt.text(repetition, 2)
        if kind == birth and "birth_name" not in traits:
            traits["birth_name"] = dt.said(family)
            traits["first_given_name"] = dt.said(given)
            traits["given_names"] = _given_names(message, given, dt.text(repetition, 3))
            details["title"] = dt.said(dt.text(repetition, 5))
        elif kind == "D":
            details["used_name"] = dt.said(family)
            details["used_given_name"] = dt.said(given)
        else:
            others.append((kind, dt.value(repetition, 1), dt.value(repetition, 2)))
    if others:
        details["other_names"] = tuple(others)
    mother = pid.decoded(6)
    if mother:
        details["mother_name"] = dt.said(dt.text(mother[0], 1))


def _given_names(message: Message, first: str, further: str) -> str | None:
    """XPN-3: in France the whole list of birth given names; elsewhere the given names after the first.

    Many French messages do not say FRA in MSH-12: a list that begins with the first given name is a whole one.
    """
    whole = message.version_country == "FRA" or first in {"", NULL} or first_given_name_matches(first, further)
    if dt.said(further) and not whole:
        return f"{first} {further}"
    return dt.said(further)


def _addresses(pid: Segment, traits: dict[str, str | None], details: dict[str, Any]) -> None:
    """PID-11: the birthplace in the repetition typed BDL, the other ones as a list that replaces the former."""
    repetitions = pid.decoded(11)
    if not repetitions:
        return
    if pid.field(11) == NULL:
        traits["birth_place"] = ""
        details["addresses"] = ()
        return
    others = []
    for repetition in repetitions:
        if dt.text(repetition, 7) == "BDL":
            traits["birth_place"] = dt.said(dt.text(repetition, 9).strip())
            details["birth_city"] = dt.said(dt.text(repetition, 3))
            details["birth_country"] = dt.said(dt.text(repetition, 6))
        elif any(any(component) for component in repetition):
            others.append(dt.address(repetition))
    if others:
        details["addresses"] = tuple(others)


def _plain_details(pid: Segment, pd1: Segment | None) -> dict[str, Any]:
    value, said = pid.value, dt.said
    details: dict[str, Any] = {
        "language": said(value(15)),
        "marital_status": said(value(16)),
        "birth_place_text": said(value(23)),
        "multiple_birth": said(value(24)),
        "birth_order": said(value(25)),
        "nationality": said(value(26)),
        "death_date": said(value(29)),
        "death_indicator": said(value(30)),
        "unknown_identity": said(value(31)),
        "last_update": said(value(33)),
        "last_update_facility": said(value(34)),
    }
    if pid.field(21):
        mother = (dt.identifier(repetition, "PI") for repetition in pid.decoded(21))
        details["mother_identifiers"] = tuple(found for found in mother if found is not None)
    phones = [*pid.decoded(13), *pid.decoded(14)]
    if phones:
        found = (dt.telecom(repetition) for repetition in phones)
        details["telecoms"] = tuple(telecom for telecom in found if telecom.value)
    if pd1 is not None:
        details["living_arrangement"] = said(pd1.value(2))
        details["protected"] = said(pd1.value(12))
    return details


def _french_segments(message: Message, details: dict[str, Any]) -> None:
    """ZFD, ZFP, ZFA and ZFS."""
    said = dt.said
    zfd = message.segment("ZFD")
    if zfd is not None:
        lunar = zfd.field(1)
        details["lunar_birth_date"] = said(lunar if lunar == NULL else "-".join(filter(None, _lunar(zfd))))
        details["gestation_weeks"] = said(zfd.value(2))
        details["sms_consent"] = said(zfd.value(3))
        details["birth_date_corrected"] = said(zfd.value(4))
        details["collection_mode"] = said(zfd.value(5))
        details["insi_date"] = said(zfd.value(6))
        details["proof"] = said(zfd.value(7))
        details["proof_expiry"] = said(zfd.value(8))
    zfp = message.segment("ZFP")
    if zfp is not None:
        details["occupation"] = said(zfp.value(1))
        details["occupation_group"] = said(zfp.value(2))
    zfa = message.segment("ZFA")
    if zfa is not None:
        details["dmp"] = _dmp(zfa)
    modes = [(_action(zfs), _legal_care_mode(zfs)) for zfs in message.segments("ZFS")] if "ZFS" in message.text else []
    if modes:
        details["legal_care_modes"] = tuple(modes)


def _lunar(zfd: Segment) -> tuple[str, str, str]:
    """ZFD-1 `dd^mm^yyyy`, most significant part first, each part as written."""
    return _kept(zfd.value(1, 3)), _kept(zfd.value(1, 2)), _kept(zfd.value(1, 1))


def _dmp(zfa: Segment) -> DmpAssertion:
    return DmpAssertion(
        status=dt.said(zfa.value(1)),
        status_date=dt.said(zfa.value(2)),
        closed_date=dt.said(zfa.value(3)),
        feeding=dt.said(zfa.value(9)),
        feeding_date=dt.said(zfa.value(10)),
        consulting=dt.said(zfa.value(11)),
        consulting_date=dt.said(zfa.value(12)),
    )


def _legal_care_mode(zfs: Segment) -> LegalCareMode:
    decoded = zfs.decoded(2)
    return LegalCareMode(
        id=dt.entity(decoded[0]) if decoded else "",
        start=_kept(zfs.value(3)),
        end=_kept(zfs.value(4)),
        mode=_kept(zfs.value(6)),
        rimp_code=_kept(zfs.value(7)),
        comment=_kept(zfs.value(8)),
    )


def _action(zfs: Segment) -> str:
    action = zfs.value(5)
    return action if action in _ACTIONS else "INSERT"


def _kept(value: str) -> str:
    return "" if value == NULL else value
