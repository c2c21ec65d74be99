"""What an edition of PAM says, as plain immutable values: fields, data types, tables, structures, events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a data type: usage (R, RE, C, CE, O, X), type, longest text (0: no limit), table or ""."""

    usage: str
    type: str
    length: int
    table: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a segment. `most`: repetitions allowed, 0 for no limit. A forbidden field has usage X."""

    number: int
    name: str
    type: str
    length: int
    table: str
    usage: str
    most: int


@dataclass(frozen=True, slots=True)
class Table:
    """A list of codes. `open`: partners may agree on others. `strict`: a code outside is an error, not a warning.
    `countries`: any three capital letters, for the codes of ISO 3166.
    """

    id: str
    codes: frozenset[str]
    open: bool = False
    strict: bool = False
    countries: bool = False

    def accepts(self, code: str) -> bool:
        """Whether a code may be sent."""
        if self.countries:
            return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()
        return self.open or code in self.codes


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a segment in a structure. `group` numbers the group it belongs to, 0 for none."""

    segment: str
    required: bool
    repeatable: bool
    forbidden: bool
    group: int
    opens_group: bool


@dataclass(frozen=True, slots=True)
class Structure:
    """The segments of one event, in order, and the structure identifier of MSH-9.3."""

    id: str
    slots: tuple[Slot, ...]
    repeatable_groups: frozenset[int]
    optional_groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Event:
    """A trigger event. `actions`: ZBE-4 it may carry; `cancels`: events whose movement it cancels; `family` tells
    ITI-30 ("identity") from ITI-31 ("movement") and from what moves nobody ("other": account changes, A08).
    """

    id: str
    family: Literal["identity", "movement", "other"]
    actions: frozenset[str]
    cancels: frozenset[str]


@dataclass(frozen=True, eq=False)
class Edition:
    """One edition of the profile, resolved: nothing is left to look up in its parent.

    `extension` is MSH-12.3 on the wire; `models` says, by language ("en", "fr"), what is modelled; `severities` holds
    the severities that differ from the catalogue of rules, by rule or "rule.variant" ("off" silences);
    `locations` maps "PV1-3.1", "PV1-6" and "PV1-42" to the events that require them; `later` lists identifier types
    that appeared after this edition.
    """

    id: str
    label: str
    hl7_version: str
    country: str
    extension: str
    date: str
    reference: str
    parent: str
    lengths: bool
    models: Mapping[str, str]
    events: Mapping[str, Event]
    structures: Mapping[str, Structure]
    segments: Mapping[str, Mapping[int, Field]]
    types: Mapping[str, tuple[Component, ...]]
    tables: Mapping[str, Table]
    locations: Mapping[str, frozenset[str]]
    severities: Mapping[str, Severity | Literal["off"]]
    later: frozenset[str]

    @property
    def french(self) -> bool:
        """Whether this is an edition of the French national extension."""
        return self.country == "FRA"

    def __repr__(self) -> str:
        return f"Edition({self.id!r})"
