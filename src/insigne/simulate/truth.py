"""The truth about a simulated hospital: one record a line of `truth.jsonl`, as the public contract shapes it.

A line is a person as the hospital should know them once the whole feed has been received, or one of the duplicate
records made of a person at the desk (`duplicates_of` names that person; `merged_into` says the feed merged it).
"""

import msgspec


class PeopleError(ValueError):
    """A file of people that cannot be used. The text names file, line and remedy."""


class Identifier(msgspec.Struct, frozen=True):
    """A person identifier: authority (OID), type of HL7 table 0203, value."""

    authority: str
    type: str
    value: str


class Traits(msgspec.Struct, frozen=True):
    """Strict traits: list of given names, date YYYY-MM-DD, sex M, F or I (undetermined), COG code of the birthplace."""

    birth_name: str
    given_names: tuple[str, ...]
    sex: str
    birth_date: str
    birth_place: str


class Ins(msgspec.Struct, frozen=True):
    """A matricule INS (15 characters) under its OID."""

    oid: str
    matricule: str


class PastIns(msgspec.Struct, frozen=True):
    """A matricule the nation gave the person before; `start` and `end` are dates YYYY-MM-DD."""

    oid: str
    matricule: str
    start: str
    end: str


class National(msgspec.Struct, frozen=True):
    """What INSi answers about the person: the INS of the end of the feed, and those before it."""

    oid: str
    matricule: str
    history: tuple[PastIns, ...] = ()


class Movement(msgspec.Struct, frozen=True):
    """A movement of a stay: ZBE-1.1, the trigger that made it, whether it was cancelled."""

    id: str
    trigger: str
    cancelled: bool


class Stay(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """A stay at the end of the feed: PV1-19, PID-18, PV1-2, status (FHIR R4 words), last UF, room and bed, movements.

    `status`: planned, in-progress, onleave, finished or cancelled. `location` is "" when no message gave one.
    """

    visit: str
    account: str
    class_: str
    status: str
    location: str
    movements: tuple[Movement, ...]


class Person(msgspec.Struct, frozen=True):
    """One line of `truth.jsonl`.

    `ins` is what the hospital must hold, `national` what INSi answers about these traits, `status` the RNIV status a
    receiver must derive (None for people the hospital never saw). `stays` of a survivor include those of the records
    merged into it. `merged_into`, `duplicates_of`, `mother` and `links` hold keys `person` of other lines. `attributes`
    are RNIV attributes; `billing_nir` is the number of type NH some messages carry: it is no INS.
    """

    person: str
    identifiers: tuple[Identifier, ...]
    traits: Traits
    ins: Ins | None
    national: National | None
    status: str | None
    merged_into: str | None
    stays: tuple[Stay, ...]
    duplicates_of: str | None
    attributes: tuple[str, ...] = ()
    mother: str | None = None
    links: tuple[str, ...] = ()
    billing_nir: str | None = None
