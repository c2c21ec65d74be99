"""Working days in France, and periods that leave no day out. Pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import Final, NamedTuple

_FIXED: Final = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER: Final = (1, 39, 50)
"""Easter Monday, Ascension, Whit Monday: days after Easter."""
_DAY: Final = timedelta(days=1)
_TUESDAY: Final = 1


@cache
def holidays(year: int) -> frozenset[date]:
    """The public holidays of metropolitan France (code du travail, L3133-1)."""
    easter = _easter(year)
    moving = (easter + days * _DAY for days in _AFTER_EASTER)
    return frozenset({*(date(year, month, day) for month, day in _FIXED), *moving})


def working(day: date) -> bool:
    """Whether people work that day: Monday to Friday, no public holiday."""
    return day.weekday() < 5 and day not in holidays(day.year)


def first_working(day: date) -> date:
    """That day, or the first working day after it."""
    while not working(day):
        day += _DAY
    return day


def last_of(start: date, days: int) -> date:
    """The last of so many working days, the first of which is `start`."""
    day = first_working(start)
    for _ in range(days - 1):
        day = first_working(day + _DAY)
    return day


def first_tuesday(day: date) -> date:
    """That day or the next working Tuesday: the week is before whoever changes something, not the week-end."""
    while day.weekday() != _TUESDAY or not working(day):
        day += _DAY
    return day


class Span(NamedTuple):
    """Days from `start` to `end`, both included; an `end` of None is open."""

    start: date
    end: date | None


def uncovered(spans: Iterable[Span], start: date, end: date) -> list[Span]:
    """The days from `start` to `end` (both included) that no span holds."""
    gaps: list[Span] = []
    day = start
    for span in sorted(spans, key=lambda one: one.start):
        if span.start > end:
            break
        if span.start > day:
            gaps.append(Span(day, span.start - _DAY))
        if span.end is None:
            return gaps
        day = max(day, span.end + _DAY)
    return [*gaps, Span(day, end)] if day <= end else gaps


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    h = (19 * a + b - d - (b - f + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    w = (32 + 2 * e + 2 * i - h - k) % 7
    month, day = divmod(h + w - 7 * ((a + 11 * h + 22 * w) // 451) + 114, 31)
    return date(year, month, day + 1)
