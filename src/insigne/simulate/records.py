"""What the simulated desk holds: records of patients and of stays, changed by scripts as the hospital lives."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from insigne.simulate.people import Citizen
from insigne.simulate.truth import Identifier, Ins, Movement, National, Person, Stay, Traits

STATUS_AFTER: Final = {
    **dict.fromkeys(("A05", "A14"), "planned"),
    **dict.fromkeys(("A01", "A04", "A06", "A07", "A22"), "in-progress"),
    "A21": "onleave",
    "A03": "finished",
}
"""What a movement makes of its stay, in FHIR R4 words; the other movements leave it as it is."""


@dataclass(slots=True)
class Proof:
    """How an identity was obtained and checked (ZFD-5 to 8): codes of PAM-FR, dates YYYYMMDD, "" when not given."""

    mode: str = "SM"
    insi_date: str = ""
    document: str = ""
    document_end: str = ""


@dataclass(slots=True)
class PatientRecord:
    """A patient as the desk's software holds it, duplicates included.

    `reliability` is PID-32; `full_list` says whether all given names are known (XPN-3); `shown_ins` is what PID-3
    carries.
    """

    person: str
    ipp: str
    citizen: Citizen
    birth_name: str
    given_names: tuple[str, ...]
    sex: str
    birth: date
    street: str
    phone: str
    updated: str = ""
    full_list: bool = True
    ins: Ins | None = None
    shown_ins: tuple[Ins, ...] = ()
    reliability: tuple[str, ...] = ("PROV",)
    proof: Proof = field(default_factory=Proof)
    national: National | None = None
    billing_nir: str = ""
    mother: "PatientRecord | None" = None
    mother_account: str = ""
    merged_into: str = ""
    duplicates_of: str = ""
    links: list[str] = field(default_factory=list)
    stays: list["StayRecord"] = field(default_factory=list)


@dataclass(slots=True)
class MovementRecord:
    """A movement as notified, with the state of the stay it brought, so that it can be cancelled.

    `location` is `UF room bed`; `ward` is the medical and care responsibility, by its place in the hospital's plan.
    """

    id: str
    trigger: str
    start: str
    nature: str
    location: str
    patient_class: str
    doctor: int
    ward: int
    cancelled: bool = False


@dataclass(slots=True)
class StayRecord:
    """A stay: visit number, account, class and movements.

    `location`, `ward` and `doctor` are those of the last movement that stands.
    """

    patient: PatientRecord
    visit: str
    account: str
    patient_class: str
    location: str = ""
    ward: int = 0
    doctor: int = 0
    status: str = "planned"
    preadmit: str = ""
    admitted: str = ""
    discharged: str = ""
    admission_type: str = ""
    movements: list[MovementRecord] = field(default_factory=list)

    @property
    def last(self) -> MovementRecord | None:
        """The last movement not cancelled, None when there is none."""
        return next((movement for movement in reversed(self.movements) if not movement.cancelled), None)

    def settle(self) -> None:
        """Recompute status, class, place and doctor from the movements that stand."""
        standing = [movement for movement in self.movements if not movement.cancelled]
        self.status = "cancelled"
        for movement in standing:
            self.status = STATUS_AFTER.get(movement.trigger, self.status)
        self.location = next((m.location for m in reversed(standing) if m.location), "")
        if standing:
            self.patient_class, self.doctor, self.ward = (
                standing[-1].patient_class,
                standing[-1].doctor,
                standing[-1].ward,
            )

    def truth(self) -> Stay:
        """Return the stay as it must be held in the end."""
        return Stay(
            visit=self.visit,
            account=self.account,
            class_=self.patient_class,
            status=self.status,
            location=self.location,
            movements=tuple(Movement(m.id, m.trigger, m.cancelled) for m in self.movements),
        )


def status_held(record: PatientRecord) -> str:
    """Return the RNIV status a receiver of the feed derives: VALI with an INS is qualified, VALI alone validated."""
    if "VALI" not in record.reliability or {"DOUT", "FICT"} & set(record.reliability):
        return "PROV"
    return "QUAL" if record.ins else "VALI"


def truth_of(record: PatientRecord, authority: str) -> Person:
    """Return the line of the truth file for a record."""
    given = record.given_names if record.full_list else record.given_names[:1]
    return Person(
        person=record.person,
        identifiers=(Identifier(authority, "PI", record.ipp),),
        traits=Traits(
            record.birth_name,
            given,
            {"U": "I"}.get(record.sex, record.sex),
            record.birth.isoformat(),
            record.citizen.birth_place,
        ),
        ins=record.ins,
        national=record.national,
        status=status_held(record),
        merged_into=record.merged_into or None,
        stays=tuple(stay.truth() for stay in record.stays),
        duplicates_of=record.duplicates_of or None,
        attributes=tuple(code for code in record.reliability if code in {"HOMA", "DOUT", "FICT"}),
        mother=record.mother.person if record.mother else None,
        links=tuple(record.links),
        billing_nir=record.billing_nir or None,
    )
