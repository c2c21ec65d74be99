"""Addresses of MSSanté that mean something by themselves."""

from typing import Final

PATIENT_DOMAIN: Final = "patient.mssante.fr"


def is_patient_address(address: str) -> bool:
    """Whether an address is of a patient's own box."""
    return address.lower().endswith(f"@{PATIENT_DOMAIN}")
