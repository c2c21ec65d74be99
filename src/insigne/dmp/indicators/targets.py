"""Usage targets in the form of SUN-ES: documents the DMP accepted with a qualified INS, to what could have given one.

Pure. The formulas of the programme are not public: numerator and denominator are told beside each share, and what
counts is a setting (`dmp.indicators.targets`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from insigne.dmp.indicators.figures import ALL
from insigne.dmp.settings_report import TargetSettings
from insigne.registry.state import Encounter

_CLASS_OF_DISCHARGE = "A03"


class Received(NamedTuple):
    """Documents received in the period, all versions of one counted once: how many, and how many were accepted.

    Accepted: the DMP holds it, under a qualified INS.
    """

    establishment: str
    type_code: str
    documents: int
    accepted: int


class Stay(NamedTuple):
    """A stay that ended in the period. `establishment` is that of its last place, "" when not known."""

    establishment: str
    patient_class: str


class Target(NamedTuple):
    """One target, of an establishment or of all (""). `share` is None when nothing was eligible.

    `reached` is None without a threshold, or without a share. A share over 1 says that stays gave several documents, or
    that stays are missing here.
    """

    code: str
    label: str
    establishment: str
    documents: int
    eligible: int
    share: float | None
    threshold: float | None
    reached: bool | None


def ended_stay(stay: Encounter, first: str, end: str, establishments: dict[str, str]) -> Stay | None:
    """The stay, if it ended from day `first` to day `end` (excluded; YYYYMMDD, as the hospital writes them).

    Its end is PV1-45, else the time of its last discharge. `establishments` gives the name that documents use.
    """
    if stay.status != "finished":
        return None
    discharges = [one.start for one in stay.active if one.trigger == _CLASS_OF_DISCHARGE]
    day = (stay.header.discharge_time or next(reversed(discharges), ""))[:8]
    if not first <= day < end:
        return None
    places = [one.location.facility for one in stay.active if one.location.facility]
    facility = next(reversed(places), "")
    classes = [one.patient_class for one in stay.active if one.patient_class]
    return Stay(establishments.get(facility, facility), stay.header.patient_class or next(reversed(classes), ""))


def targets(settings: Sequence[TargetSettings], received: Iterable[Received], stays: Iterable[Stay]) -> list[Target]:
    """Each target for all establishments together, then for each that sent a document or ended a stay."""
    documents, accepted, ended = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    places: set[str] = set()
    for one in received:
        for place in {ALL, one.establishment}:
            documents[place, one.type_code] += one.documents
            accepted[place, one.type_code] += one.accepted
        places.add(one.establishment)
    for stay in stays:
        for place in {ALL, stay.establishment}:
            ended[place, stay.patient_class] += 1
        places.add(stay.establishment)
    lines = []
    for place in (ALL, *sorted(places - {ALL})):
        for target in settings:
            types = dict.fromkeys(target.type_codes)
            eligible = (
                sum(ended[place, kind] for kind in dict.fromkeys(target.patient_classes))
                if target.eligible == "stays"
                else sum(documents[place, code] for code in types)
            )
            lines.append(_target(target, place, sum(accepted[place, code] for code in types), eligible))
    return lines


def _target(target: TargetSettings, place: str, accepted: int, eligible: int) -> Target:
    share = accepted / eligible if eligible else None
    reached = None if share is None or target.threshold is None else share >= target.threshold
    shown = None if share is None else round(share, 6)
    return Target(target.code, target.label or target.code, place, accepted, eligible, shown, target.threshold, reached)
