"""What PID, PD1 and the French Z segments say of a person (pam-fr §3.3, §3.4, §3.8, §5)."""

from typing import Any, Final, NamedTuple

from insigne.hl7 import NULL, Delimiters, Hl7Error, Location, Message, Segment, decode_field
from insigne.ins.names import first_given_name_matches
from insigne.pam.decode import datatypes as dt
from insigne.pam.remembered import remembered
from insigne.registry.commands import DetailsAssertion, DmpAssertion, Patient, TraitsAssertion
from insigne.registry.values import Address, Identifier, Ins, LegalCareMode, Telecom

#: No patient has as many. Each is compared with all those of the identity: thousands would hold up the other senders.
MOST_IDENTIFIERS: Final = 250
#: PID-8 to the registry's sex: anything but M and F is undetermined.
_SEX = {"M": "M", "F": "F", "": None, NULL: ""}
_ACTIONS = frozenset({"INSERT", "UPDATE", "CANCEL"})
_PID_FIELDS = (
    ("language", 15),
    ("marital_status", 16),
    ("birth_place_text", 23),
    ("multiple_birth", 24),
    ("birth_order", 25),
    ("nationality", 26),
    ("death_date", 29),
    ("death_indicator", 30),
    ("unknown_identity", 31),
    ("last_update", 33),
    ("last_update_facility", 34),
)
_PD1_FIELDS = (("living_arrangement", 2), ("protected", 12))
_ZFD_FIELDS = (
    ("gestation_weeks", 2),
    ("sms_consent", 3),
    ("birth_date_corrected", 4),
    ("collection_mode", 5),
    ("insi_date", 6),
    ("proof", 7),
    ("proof_expiry", 8),
)
_ZFP_FIELDS = (("occupation", 1), ("occupation_group", 2))
_ZFA_FIELDS = (
    ("status", 1),
    ("status_date", 2),
    ("closed_date", 3),
    ("feeding", 9),
    ("feeding_date", 10),
    ("consulting", 11),
    ("consulting_date", 12),
)


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


IdentifierList = tuple[tuple[Identifier, ...], tuple[Ins, ...], bool]


def identifier_list(segment: Segment, field: int) -> IdentifierList:
    """A list of CX (PID-3, MRG-1) as (identifiers, INS, whether the INS is deleted by `""`), told apart by CX-5.

    Raises Hl7Error (AE, 102) beyond MOST_IDENTIFIERS repetitions.
    """
    raw = segment.field(field)
    if raw.count(segment.delimiters.split_repetition) >= MOST_IDENTIFIERS:
        words = f"{segment.name}-{field} lists more than {MOST_IDENTIFIERS} identifiers: send those of one patient only"
        raise Hl7Error("AE", "102", words, location=Location(segment.name, field=field))
    return _read_identifiers(raw, segment.delimiters) if raw else ((), (), False)


@remembered
def _read_identifiers(raw: str, delimiters: Delimiters) -> IdentifierList:
    identifiers: list[Identifier] = []
    ins: list[Ins] = []
    deleted = False
    for repetition in decode_field(raw, delimiters):
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


class _Names(NamedTuple):
    """PID-5. `birth`: XPN-1, 2, 3 and 5 of the birth name; `used`: XPN-1 and 2; the others: type, XPN-1 and 2."""

    birth: tuple[str, str, str, str] | None
    used: tuple[str, str] | None
    others: tuple[tuple[str, str, str], ...]


@remembered
def _read_names(raw: str, delimiters: Delimiters) -> _Names:
    """Birth names in the first repetition typed L, used names in D.

    The first untyped one is taken as L when there is none.
    """
    names = [dt.texts(repetition, 7) for repetition in decode_field(raw, delimiters)]
    kinds = [name[6].strip() for name in names]
    expected = "L" if "L" in kinds else ""
    birth, used, others = None, None, []
    for kind, (family, given, further, _, title, *_) in zip(kinds, names, strict=True):
        if kind == expected and birth is None:
            birth = (family, given, further, title)
        elif kind == "D":
            used = (family, given)
        else:
            others.append((kind, _kept(family), _kept(given)))
    return _Names(birth, used, tuple(others))


def _names(message: Message, pid: Segment, traits: dict[str, str | None], details: dict[str, Any]) -> None:
    """PID-5 and PID-6."""
    raw = pid.field(5)
    if raw:
        names = _read_names(raw, pid.delimiters)
        if names.birth is not None:
            family, given, further, title = names.birth
            traits["birth_name"] = dt.said(family)
            traits["first_given_name"] = dt.said(given)
            traits["given_names"] = _given_names(message, given, further)
            details["title"] = dt.said(title)
        if names.used is not None:
            details["used_name"], details["used_given_name"] = map(dt.said, names.used)
        if names.others:
            details["other_names"] = names.others
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


class _Addresses(NamedTuple):
    """PID-11. `birth`: XAD-3, 6 and 9 of the birthplace."""

    birth: tuple[str, str, str] | None
    others: tuple[Address, ...]


@remembered
def _read_addresses(raw: str, delimiters: Delimiters) -> _Addresses:
    birth, others = None, []
    for repetition in decode_field(raw, delimiters):
        if dt.text(repetition, 7) == "BDL":
            _, _, city, _, _, country, _, _, commune = dt.texts(repetition, 9)
            birth = (city, country, commune)
        elif any(any(component) for component in repetition):
            others.append(dt.address(repetition))
    return _Addresses(birth, tuple(others))


def _addresses(pid: Segment, traits: dict[str, str | None], details: dict[str, Any]) -> None:
    """PID-11: the birthplace in the repetition typed BDL, the other ones as a list that replaces the former."""
    raw = pid.field(11)
    if not raw:
        return
    if raw == NULL:
        traits["birth_place"] = ""
        details["addresses"] = ()
        return
    addresses = _read_addresses(raw, pid.delimiters)
    if addresses.birth is not None:
        city, country, commune = addresses.birth
        traits["birth_place"] = dt.said(commune.strip())
        details["birth_city"] = dt.said(city)
        details["birth_country"] = dt.said(country)
    if addresses.others:
        details["addresses"] = addresses.others


@remembered
def _read_telecoms(raw: str, delimiters: Delimiters) -> tuple[Telecom, ...]:
    found = (dt.telecom(repetition) for repetition in decode_field(raw, delimiters))
    return tuple(telecom for telecom in found if telecom.value)


def _said(segment: Segment, fields: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """What the fields say, by name; a field that says nothing is left out."""
    return {name: dt.said(value) for name, value in segment.named(fields).items()}


def _plain_details(pid: Segment, pd1: Segment | None) -> dict[str, Any]:
    details = _said(pid, _PID_FIELDS)
    if pid.field(21):
        mother = (dt.identifier(repetition, "PI") for repetition in pid.decoded(21))
        details["mother_identifiers"] = tuple(found for found in mother if found is not None)
    home, work = pid.field(13), pid.field(14)
    if home or work:
        found = _read_telecoms(home, pid.delimiters) if home else ()
        details["telecoms"] = found + _read_telecoms(work, pid.delimiters) if work else found
    if pd1 is not None:
        details |= _said(pd1, _PD1_FIELDS)
    return details


def _french_segments(message: Message, details: dict[str, Any]) -> None:
    """ZFD, ZFP, ZFA and ZFS."""
    zfd = message.segment("ZFD")
    if zfd is not None:
        details |= _said(zfd, _ZFD_FIELDS)
        lunar = zfd.field(1)
        if lunar:
            details["lunar_birth_date"] = dt.said(lunar if lunar == NULL else "-".join(filter(None, _lunar(zfd))))
    zfp = message.segment("ZFP")
    if zfp is not None:
        details |= _said(zfp, _ZFP_FIELDS)
    zfa = message.segment("ZFA")
    if zfa is not None:
        details["dmp"] = DmpAssertion(**_said(zfa, _ZFA_FIELDS))
    if message.segment("ZFS") is not None:
        details["legal_care_modes"] = tuple((_action(zfs), _legal_care_mode(zfs)) for zfs in message.segments("ZFS"))


def _lunar(zfd: Segment) -> tuple[str, str, str]:
    """ZFD-1 `dd^mm^yyyy`, most significant part first, each part as written."""
    return _kept(zfd.value(1, 3)), _kept(zfd.value(1, 2)), _kept(zfd.value(1, 1))


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
