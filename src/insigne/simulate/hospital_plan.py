"""The simulated hospital: its authorities, its wards and its doctors. Data only; no such hospital exists."""

from typing import Final, NamedTuple

from insigne.simulate.names import DOCTORS as DOCTOR_NAMES

_ROOT: Final = "2.25.174928465610842756913865024317582960413"
NAMESPACE: Final = "CH-VALBRUME"
FINESS: Final = "990000019"

PATIENT_OID: Final = f"{_ROOT}.1"
ACCOUNT_OID: Final = f"{_ROOT}.2"
VISIT_OID: Final = f"{_ROOT}.3"
MOVEMENT_OID: Final = f"{_ROOT}.4"
CONTACT_OID: Final = f"{_ROOT}.5"
LEGAL_CARE_OID: Final = f"{_ROOT}.6"


class Ward(NamedTuple):
    """A functional unit (UF): code, label, rooms."""

    code: str
    label: str
    rooms: int


EMERGENCY: Final = 0
MATERNITY: Final = 1
CONSULTATIONS: Final = 2
SESSIONS: Final = 3
PSYCHIATRY: Final = 4
FIRST_CARE_WARD: Final = 5

WARDS: Final = (
    Ward("1001", "URGENCES ADULTES", 20),
    Ward("3101", "MATERNITÉ", 24),
    Ward("5001", "CONSULTATIONS EXTERNES", 12),
    Ward("5102", "HÉMODIALYSE", 16),
    Ward("6001", "PSYCHIATRIE GÉNÉRALE", 18),
    Ward("2101", "CARDIOLOGIE", 28),
    Ward("2102", "PNEUMOLOGIE", 24),
    Ward("2201", "CHIRURGIE DIGESTIVE", 30),
    Ward("2202", "ORTHOPÉDIE", 30),
    Ward("2301", "NEUROLOGIE", 22),
    Ward("2401", "MÉDECINE POLYVALENTE", 36),
    Ward("2501", "RÉANIMATION", 12),
    Ward("4101", "GÉRIATRIE COURT SÉJOUR", 30),
)


class Doctor(NamedTuple):
    """A hospital doctor: RPPS number, family and given name."""

    rpps: str
    family: str
    given: str


def _luhn_digit(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


DOCTORS: Final = tuple(
    Doctor(stem + _luhn_digit(stem), family, given)
    for index, (family, given) in enumerate(DOCTOR_NAMES)
    for stem in (f"109990{index:04d}",)
)
