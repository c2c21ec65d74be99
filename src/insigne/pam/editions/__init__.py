"""The editions of PAM as data: the French national extension from 2.3 to 2.11.2, international PAM, plain HL7 feeds."""

from insigne.pam.editions.choose import EDITIONS, NEWEST, UnknownVersion, edition, edition_of
from insigne.pam.profile import Component, Edition, Event, Field, Severity, Slot, Structure, Table

__all__ = [
    "EDITIONS",
    "NEWEST",
    "Component",
    "Edition",
    "Event",
    "Field",
    "Severity",
    "Slot",
    "Structure",
    "Table",
    "UnknownVersion",
    "edition",
    "edition_of",
]
