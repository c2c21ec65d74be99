"""ER7 segments of PAM-FR, written from plain templates.

A second implementation on purpose: the product's encoder is not used, so that neither hides the other's mistakes. Only
the escape rule of HL7 is shared.
"""

from collections.abc import Sequence
from typing import Final

from insigne.hl7.delimiters import STANDARD
from insigne.ins.matricule import NAMESPACES
from insigne.simulate.editions import Edition
from insigne.simulate.hospital_plan import (
    ACCOUNT_OID,
    CONTACT_OID,
    DOCTORS,
    FINESS,
    LEGAL_CARE_OID,
    MOVEMENT_OID,
    NAMESPACE,
    PATIENT_OID,
    VISIT_OID,
    WARDS,
)
from insigne.simulate.records import MovementRecord, PatientRecord, StayRecord
from insigne.simulate.truth import Ins

_escape = STANDARD.escape
_SITE: Final = f"{NAMESPACE}&{FINESS}&N"
_RPPS: Final = "ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO"
_BILLING: Final = "ASIP-SANTE-NIR&1.2.250.1.213.1.4.8&ISO"
_STRUCTURES: Final = {
    **dict.fromkeys(("A01", "A04", "A13", "Z99"), "ADT_A01"),
    **dict.fromkeys(("A05", "A14", "A28", "A31"), "ADT_A05"),
    **dict.fromkeys(("A06", "A07"), "ADT_A06"),
    **dict.fromkeys(("A10", "A11"), "ADT_A09"),
    **dict.fromkeys(("A21", "A22", "A25", "A26", "A27"), "ADT_A21"),
    **dict.fromkeys(("A52", "A53", "A55"), "ADT_A52"),
    **dict.fromkeys(("A47", "A49"), "ADT_A30"),
    "A40": "ADT_A39",
    "A44": "ADT_A43",
}


def msh(edition: Edition, charset: str, event: str, control_id: str, time: str) -> str:
    """Return MSH. `charset` is MSH-18, `time` is MSH-7."""
    profile = f"||{edition.number}^IHE_FRANCE-{edition.number}-PAM" if edition.latest else ""
    structure = _STRUCTURES.get(event, f"ADT_{event}")
    return (
        f"MSH|^~\\&|GAM|{NAMESPACE}|INSIGNE|{NAMESPACE}|{time}||ADT^{event}^{structure}|{control_id}|P"
        f"|2.5^FRA^{edition.number}|||||FRA|{charset}|FR{profile}"
    )


def evn(recorded: str, planned: str, occurred: str) -> str:
    """Return EVN: when it was recorded, is planned (pending events) and happened."""
    return f"EVN||{recorded}|{planned}|||{occurred}|{NAMESPACE}^{FINESS}^N"


def ipp(value: str) -> str:
    """Return a local patient identifier (CX of type PI)."""
    return f"{value}^^^{NAMESPACE}&{PATIENT_OID}&ISO^PI"


def ins_identifier(ins: Ins) -> str:
    """Return an INS as PID-3 and MRG-1 carry it; the matricule `""` asks to delete."""
    return f"{ins.matricule}^^^{NAMESPACES[ins.oid]}&{ins.oid}&ISO^INS"


def account(number: str) -> str:
    """Return an account number (NDA, CX of type AN)."""
    return f"{number}^^^{NAMESPACE}&{ACCOUNT_OID}&ISO^AN"


def visit(number: str) -> str:
    """Return a visit number (CX of type VN)."""
    return f"{number}^^^{NAMESPACE}&{VISIT_OID}&ISO^VN"


def names(record: PatientRecord) -> str:
    """Return PID-5: birth name, then the used name when there is one."""
    citizen = record.citizen
    title = {"M": "M.", "F": "Mme"}.get(record.sex, "")
    full = " ".join(record.given_names) if record.full_list else ""
    birth = f"{record.birth_name}^{record.given_names[0]}^{full}^^{title}^^L"
    if not (citizen.used_name or citizen.used_given_name):
        return birth
    family = citizen.used_name or record.birth_name
    return f"{birth}~{family}^{citizen.used_given_name or record.given_names[0]}^^^{title}^^D"


def pid(record: PatientRecord, account_number: str = "", ins: Sequence[Ins] | None = None) -> str:
    """Return PID. `ins` replaces the INS that the record would show."""
    citizen = record.citizen
    identifiers = [ipp(record.ipp), *map(ins_identifier, record.shown_ins if ins is None else ins)]
    if record.billing_nir:
        identifiers.append(f"{record.billing_nir}^^^{_BILLING}^NH")
    home = citizen.residence
    address = f"{_escape(record.street)}^^{home.label}^^{home.postal}^FRA^H"
    born = f"^^{_escape(citizen.birth_label)}^^^{citizen.birth_country}^BDL^^{citizen.birth_place}"
    phones = f"^PRN^CP^^^^^^^^^{record.phone}" + (f"~^NET^Internet^{citizen.email}" if citizen.email else "")
    mother = record.mother
    mother_ids = f"{ipp(mother.ipp)}~{account(record.mother_account)}" if mother else ""
    mother_name = f"{mother.birth_name}^{mother.given_names[0]}^^^^^L" if mother else ""
    multiple = ("Y", str(citizen.order)) if citizen.order else ("N", "") if mother else ("", "")
    number = account(account_number) if account_number else ""
    return (
        f"PID|1||{'~'.join(identifiers)}||{names(record)}|{mother_name}|{record.birth:%Y%m%d}|{record.sex}|||{address}~{born}||{phones}"
        f"|||||{number}|||{mother_ids}|||{multiple[0]}|{multiple[1]}|||||N||{'~'.join(record.reliability)}|{record.updated}"
    )


def mrg(record: PatientRecord, *, account_number: str = "") -> str:
    """Return MRG naming the prior patient and, for A44 and A49, the account."""
    tail = f"||{account(account_number)}" if account_number else ""
    return f"MRG|{ipp(record.ipp)}{tail}"


def mrg_ins(ins: Ins) -> str:
    """Return MRG naming the prior INS (A47)."""
    return f"MRG|{ins_identifier(ins)}"


PV1_NONE: Final = "PV1||N"
"""PV1 of ITI-30: no visit."""


def location(stay_location: str) -> str:
    """Return a PL from `UF room bed` separated by spaces."""
    if not stay_location:
        return ""
    return "^".join(stay_location.split(" ")) + f"^{_SITE}"


def pv1(stay: StayRecord, *, prior: str = "", pending: str = "", visit_only: bool = False, closed: bool = False) -> str:
    """Return PV1 of a stay. `prior` and `pending` are locations; `closed` says the account is closed (A03)."""
    doctor = DOCTORS[stay.doctor]
    xcn = f"{doctor.rpps}^{doctor.family}^{doctor.given}^^^^^^{_RPPS}^L^^^RPPS"
    fields = [""] * 52
    fields[0] = "PV1"
    fields[2] = stay.patient_class
    fields[3] = location(stay.location)
    fields[4] = stay.admission_type
    fields[5] = visit(stay.preadmit) if stay.preadmit else ""
    fields[6] = location(prior)
    fields[7] = xcn
    fields[19] = visit(stay.visit)
    fields[36] = "3" if closed else ""
    fields[41] = "D" if closed else ""
    fields[42] = location(pending)
    fields[44] = stay.admitted
    fields[45] = stay.discharged
    fields[51] = "V" if visit_only else ""
    return "|".join(fields).rstrip("|")


def zbe(movement: MovementRecord, ward: int, action: str = "INSERT", *, historic: bool = False) -> str:
    """Return ZBE; `action` is INSERT, UPDATE or CANCEL of ZBE-4, the last two naming the movement's own trigger."""
    unit = WARDS[ward]
    xon = f"{unit.label}^^^^^{_SITE}^UF^^^{unit.code}"
    original = "" if action == "INSERT" else movement.trigger
    return (
        f"ZBE|{movement.id}^GAM^{MOVEMENT_OID}^ISO|{movement.start}||{action}|{'Y' if historic else 'N'}|{original}"
        f"|{xon}|{xon}|{movement.nature}"
    )


def zfd(record: PatientRecord, edition: Edition) -> str:
    """Return ZFD, "" when this edition has nothing to say in it."""
    citizen = record.citizen
    lunar = f"00^00^{record.birth.year}" if citizen.imprecise else ""
    weeks = "39" if record.mother else ""
    if not edition.ins:
        consent = "N" if edition.psychiatry else ""
        return f"ZFD|{lunar}|{weeks}|{consent}".rstrip("|") if lunar or weeks else ""
    proof = record.proof
    corrected = "Y" if citizen.imprecise else "N"
    fields = ("ZFD", lunar, weeks, "N", corrected, proof.mode, proof.insi_date, proof.document, proof.document_end)
    return "|".join(fields).rstrip("|")


def zfa(edition: Edition, time: str, choice: int) -> str:
    """Return ZFA for one of six situations of the patient's DMP, "" where the edition has no ZFA."""
    if not edition.dmp:
        return ""
    status = ("ACTIF", "ACTIF", "ACTIF", "INEXISTANT", "FERME", "ACTIF")[choice]
    closed = "20250115" if status == "FERME" else ""
    if not edition.latest:
        return f"ZFA|{status}|{time}|{closed}".rstrip("|")
    feeding, consulting = (("INO", "IC"), ("INO", "INC"), ("IO", "INC"), ("NA", "NA"), ("INO", "IC"), ("NA", "IC"))[
        choice
    ]
    dates = ("" if feeding == "NA" else time, "" if consulting == "NA" else time)
    return f"ZFA|{status}|{time}|{closed}||||||{feeding}|{dates[0]}|{consulting}|{dates[1]}".rstrip("|")


def zfm(mode_in: str, mode_out: str = "", origin: str = "", destination: str = "", emergency: str = "") -> str:
    """Return ZFM (PMSI modes)."""
    return f"ZFM|{mode_in}|{mode_out}|{origin}|{destination}|{emergency}".rstrip("|")


def zfs(number: str, start: str, mode: str, code: str) -> str:
    """Return ZFS: one legal mode of care in psychiatry, beginning."""
    return f"ZFS|1|{number}^GAM^{LEGAL_CARE_OID}^ISO|{start}||INSERT|{mode}|{code}"


def family_doctor(index: int) -> str:
    """Return ROL naming the declared general practitioner."""
    doctor = DOCTORS[index]
    return f"ROL||UC|ODRP|{doctor.rpps}^{doctor.family}^{doctor.given}^^^^^^{_RPPS}^L^^^RPPS"


def contact(record: PatientRecord, number: str, edition: Edition, phone: str) -> str:
    """Return NK1: the spouse, as trust person where the edition has the code, else as emergency contact."""
    citizen = record.citizen
    fields = [""] * 34
    fields[0] = "NK1"
    fields[1] = "1"
    fields[2] = f"{citizen.used_name or record.birth_name}^CAMILLE^^^^^L"
    fields[3] = "SPO"
    fields[5] = f"^PRN^CP^^^^^^^^^{phone}"
    fields[7] = "K" if edition.latest else "C"
    fields[33] = f"{number}^^^{NAMESPACE}&{CONTACT_OID}&ISO^PN"
    return "|".join(fields)
