"""Addresses of MSSanté that mean something by themselves."""

from typing import Final

PATIENT_DOMAIN: Final = "patient.mssante.fr"
"""Of patients' own boxes, in the whole country."""


def is_patient_address(address: str, patient_domain: str) -> bool:
    """Whether an address is of a patient's own box: its domain is `dmp.mss.patient_domain`, or the national one.

    Where another domain is set, that of tests, those of the national one are real people's all the same.
    """
    return address.rpartition("@")[2].casefold() in (patient_domain.casefold(), PATIENT_DOMAIN)
