"""The national health identity (INS): matricule, strict traits, birth dates and places, trust statuses.

Pure: no input or output but the bundled table of birthplaces, read at first use.
"""

from insigne.ins.cog import UNKNOWN_PLACE, Cog, Place, bundled_cog
from insigne.ins.dates import BirthDate, compatible, complete
from insigne.ins.entry import Entry, enter_traits
from insigne.ins.insee_csv import CogFileError, load_insee_csv
from insigne.ins.matricule import (
    NAMESPACES,
    OIDS,
    Nature,
    Plausibility,
    check_matricule,
    key_of,
    kind_of,
    nature_of,
    oid_allowed,
)
from insigne.ins.names import (
    first_given_name_matches,
    first_given_name_of,
    fold_name,
    normalise_name,
    spaced_name,
)
from insigne.ins.remarks import EntryError, Remark
from insigne.ins.status import (
    ATTRIBUTES,
    RELIABILITY_CODES,
    TRANSITIONS,
    Attribute,
    Effect,
    Status,
    Transition,
    TransitionRefused,
    Trigger,
    allowed_attributes,
    axes_of,
    forces_provisional,
    insi_call_remark,
    status_of,
    transition,
)
from insigne.ins.traits import Sex, StrictTraits, Tolerance, departures

__all__ = [
    "ATTRIBUTES",
    "NAMESPACES",
    "OIDS",
    "RELIABILITY_CODES",
    "TRANSITIONS",
    "UNKNOWN_PLACE",
    "Attribute",
    "BirthDate",
    "Cog",
    "CogFileError",
    "Effect",
    "Entry",
    "EntryError",
    "Nature",
    "Place",
    "Plausibility",
    "Remark",
    "Sex",
    "Status",
    "StrictTraits",
    "Tolerance",
    "Transition",
    "TransitionRefused",
    "Trigger",
    "allowed_attributes",
    "axes_of",
    "bundled_cog",
    "check_matricule",
    "compatible",
    "complete",
    "departures",
    "enter_traits",
    "first_given_name_matches",
    "first_given_name_of",
    "fold_name",
    "forces_provisional",
    "insi_call_remark",
    "key_of",
    "kind_of",
    "load_insee_csv",
    "nature_of",
    "normalise_name",
    "oid_allowed",
    "spaced_name",
    "status_of",
    "transition",
]
