"""Addresses of MSSanté that mean something by themselves."""


def is_patient_address(address: str, patient_domain: str) -> bool:
    """Whether an address is of a patient's own box: its domain is that of patients (`dmp.mss.patient_domain`)."""
    return address.rpartition("@")[2].casefold() == patient_domain.casefold()
