"""The figures of the feeding of the DMP, from counts: volumes by month, the INS-C against INS curve, delays.

Pure. A *document* here is one version of one document meant for the DMP. Months are those of reception, on the calendar
of the machine that asks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from math import ceil
from statistics import median
from typing import Final, NamedTuple


class Kind(StrEnum):
    """Under which identity a document is, or was, fed."""

    QUALIFIED = "qualified"
    OTHER = "other-ins"
    INS_C = "ins-c"
    NONE = "none"


KIND_LABELS_FR: Final = {
    Kind.QUALIFIED: "INS qualifié",
    Kind.OTHER: "autre INS",
    Kind.INS_C: "INS-C",
    Kind.NONE: "sans INS",
}


class Outcome(StrEnum):
    """What became of a document on the way to the DMP.

    `withdrawn` was fed, then deleted from the DMP; `cancelled` was withdrawn before it left.
    """

    FED = "fed"
    HELD = "held"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


_FED, _HELD, _REFUSED, _GONE, _UNSENT = Outcome

_OUTCOMES: Final = {
    "fed": Outcome.FED,
    "replaced": Outcome.FED,  # it was fed; a later version took its place
    "deleted": Outcome.WITHDRAWN,
    "refused": Outcome.REFUSED,
    "cancelled": Outcome.CANCELLED,
}


def outcome_of(state: str) -> Outcome:
    """What a state of `dmp.model.Sending` amounts to; whatever has not ended is held."""
    return _OUTCOMES.get(state, Outcome.HELD)


class Count(NamedTuple):
    """So many documents of one kind. `month` is YYYY-MM, `establishment` a geographic FINESS, "" when not known.

    `past`: a figure the site imported, of documents that this base never saw.
    """

    month: str
    establishment: str
    type_code: str
    identity: Kind
    outcome: Outcome
    documents: int
    past: bool = False


class Volume(NamedTuple):
    """A line of the report: what came in a month, of a type, under an identity, and what became of it."""

    month: str
    establishment: str
    type_code: str
    identity: Kind
    past: bool
    fed: int
    held: int
    refused: int
    withdrawn: int
    cancelled: int


class CurvePoint(NamedTuple):
    """Documents fed in a month, by identity. `past`: how many of them are imported figures."""

    month: str
    qualified: int
    other_ins: int
    ins_c: int
    none: int
    past: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.qualified + self.other_ins + self.ins_c + self.none


class Passage(NamedTuple):
    """A document accepted by the DMP: when it was produced and when it was accepted (RFC 3339)."""

    establishment: str
    type_code: str
    produced: str
    accepted: str


class Delay(NamedTuple):
    """Hours from production to the DMP. `p90`: nine documents in ten took that long at most (nearest rank).

    `incoherent` documents, whose production time cannot be read or is after their acceptance, are left out of both.
    """

    establishment: str
    type_code: str
    documents: int
    median_hours: float | None
    p90_hours: float | None
    incoherent: int


ALL: Final = ""
"""The establishment, or type, of a figure about all of them."""


def volumes(counts: Iterable[Count]) -> list[Volume]:
    """One line for each month, establishment, type and identity, in that order."""
    cells: defaultdict[tuple[str, str, str, Kind, bool], Counter[Outcome]] = defaultdict(Counter)
    for one in counts:
        cells[one.month, one.establishment, one.type_code, one.identity, one.past][one.outcome] += one.documents
    return [
        Volume(*key, cells[key][_FED], cells[key][_HELD], cells[key][_REFUSED], cells[key][_GONE], cells[key][_UNSENT])
        for key in sorted(cells)
    ]


def totals(counts: Iterable[Count]) -> dict[str, int]:
    """How many documents there are, by what became of them, imported figures left out."""
    found: Counter[Outcome] = Counter()
    for one in counts:
        if not one.past:
            found[one.outcome] += one.documents
    return {outcome.value: found[outcome] for outcome in Outcome}


def curve(counts: Iterable[Count]) -> list[CurvePoint]:
    """Documents fed, month by month from the first to the last, months without any among them.

    A document fed and deleted since was fed: it counts in its month. A month that is imported in part (the month of the
    change-over) has the sum: the imported documents are others.
    """
    fed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in counts:
        if one.outcome in (Outcome.FED, Outcome.WITHDRAWN):
            fed[one.month][one.identity] += one.documents
            fed[one.month]["past"] += one.documents if one.past else 0
    if not fed:
        return []
    return [
        CurvePoint(
            month,
            fed[month][Kind.QUALIFIED],
            fed[month][Kind.OTHER],
            fed[month][Kind.INS_C],
            fed[month][Kind.NONE],
            fed[month]["past"],
        )
        for month in months_between(min(fed), max(fed))
    ]


def months_between(first: str, last: str) -> Iterator[str]:
    """The months from `first` to `last`, both included (YYYY-MM)."""
    year, month = map(int, first.split("-"))
    while f"{year:04}-{month:02}" <= last:
        yield f"{year:04}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def month_starts(first: date, end: date) -> list[date]:
    """Days that cut a period into months: `first`, each first of a month after it, `end`."""
    cuts, day = [first], _next_month(first)
    while day < end:
        cuts.append(day)
        day = _next_month(day)
    return [*cuts, end]


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def delays(passages: Iterable[Passage]) -> list[Delay]:
    """Delays of all documents, of each type, and of each establishment."""
    hours: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    wrong: Counter[tuple[str, str]] = Counter()
    for one in passages:
        taken = _hours(one.produced, one.accepted)
        for key in dict.fromkeys(((ALL, ALL), (ALL, one.type_code), (one.establishment, ALL))):
            if taken is None:
                wrong[key] += 1
            else:
                hours[key].append(taken)
    return [_delay(key, sorted(hours[key]), wrong[key]) for key in sorted(hours.keys() | wrong.keys())]


def _delay(key: tuple[str, str], hours: list[float], incoherent: int) -> Delay:
    if not hours:
        return Delay(*key, 0, None, None, incoherent)
    p90 = hours[ceil(0.9 * len(hours)) - 1]
    return Delay(*key, len(hours), round(median(hours), 3), round(p90, 3), incoherent)


def _hours(produced: str, accepted: str) -> float | None:
    try:
        seconds = (datetime.fromisoformat(accepted) - datetime.fromisoformat(produced)).total_seconds()
    except (ValueError, TypeError):  # not a time, or one without a zone
        return None
    return seconds / 3600 if seconds >= 0 else None
