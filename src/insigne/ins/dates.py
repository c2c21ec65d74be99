"""Birth dates, kept as they were written: complete, incomplete (unknown day or month) or lunar.

Sources: RNIV EXI PP 19 and guide INS EXI ID 11 (completion), EXI ID 12 (no incomplete date in the health identity, the
billing date apart), PAM-FR ZFD-1 (lunar: days up to 35, months above 12), INSi `DateNaissance` (a shape, no calendar).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Self

_HL7 = re.compile(r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:[0-9]{2}){0,3}(?:\.[0-9]{1,4})?(?:[+-][0-9]{4})?)?)?")
_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_LAST_LUNAR_DAY = 35


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birth date as written. `text` is the source's own spelling; `month` and `day` are 0 when unknown.

    Equality is that of the whole value, spelling included; `compatible` compares what two dates mean.
    """

    text: str
    year: int
    month: int = 0
    day: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read YYYY, YYYYMM, YYYYMMDD (00 for an unknown part), the same with hyphens, or an HL7 time stamp.

        Raises ValueError when the text has another shape, year 0000, or a value that is not even lunar.
        """
        found = _HL7.fullmatch(text) or _ISO.fullmatch(text)
        if not found:
            raise ValueError("birth date: expected YYYY, YYYYMM or YYYYMMDD, with 00 for an unknown month or day")
        year, month, day = (int(part or 0) for part in found.groups())
        if year == 0:
            raise ValueError("birth date: the year is unknown; give a year or a decade that fits the person's age")
        if day > _LAST_LUNAR_DAY:
            raise ValueError(f"birth date: the day is above {_LAST_LUNAR_DAY}, the last of lunar dates")
        return cls(text, year, month, day)

    @property
    def is_lunar(self) -> bool:
        """Whether a part is given that no calendar has: a month above 12, or a day that its month lacks."""
        return self.month > 12 or self.day > _last_day(self.year, self.month)

    @property
    def is_complete(self) -> bool:
        """Whether this is a day of the calendar."""
        return bool(self.month and self.day) and not self.is_lunar

    def as_date(self) -> date | None:
        """Return the day of the calendar, or None for an incomplete or lunar date."""
        return date(self.year, self.month, self.day) if self.is_complete else None

    def span(self) -> tuple[date, date]:
        """Return the first and last days of the calendar that this date may stand for."""
        if not 1 <= self.month <= 12:
            return date(self.year, 1, 1), date(self.year, 12, 31)
        last = _last_day(self.year, self.month)
        if 1 <= self.day <= last:
            return date(self.year, self.month, self.day), date(self.year, self.month, self.day)
        return date(self.year, self.month, 1), date(self.year, self.month, last)

    def hl7(self) -> str:
        """Return YYYYMMDD, YYYYMM or YYYY: the parts known, lunar ones as they are, an unknown end left out.

        An unknown month before a known day is written 00.
        """
        if self.day:
            return f"{self.year:04d}{self.month:02d}{self.day:02d}"
        return f"{self.year:04d}{self.month:02d}" if self.month else f"{self.year:04d}"

    def iso(self) -> str:
        """Return YYYY-MM-DD, YYYY-MM or YYYY, as far as the calendar goes: what FHIR and a French reader accept."""
        known_month = 1 <= self.month <= 12
        if self.is_complete:
            return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
        return f"{self.year:04d}-{self.month:02d}" if known_month else f"{self.year:04d}"


def complete(birth_date: BirthDate) -> tuple[BirthDate, bool]:
    """Return the conventional day of an incomplete or lunar date, and whether anything had to be completed.

    Unknown day: the 1st; unknown month of a known day: January; both unknown: 31 December (EXI ID 11). A lunar month or
    day counts as unknown. The flag must follow the date (ZFD-4): such an identity is neither retrieved nor qualified.
    """
    if birth_date.is_complete:
        return birth_date, False
    month = birth_date.month if birth_date.month <= 12 else 0
    day = birth_date.day if birth_date.day <= _last_day(birth_date.year, month) else 0
    if not month and not day:
        month, day = 12, 31
    month, day = month or 1, day or 1
    return BirthDate(f"{birth_date.year:04d}{month:02d}{day:02d}", birth_date.year, month, day), True


def compatible(one: str, other: str) -> bool:
    """Tell whether two dates as written can be the same birth: equal, or one the incomplete form of the other.

    A date that cannot be read is compatible only with the same text.
    """
    try:
        first, second = BirthDate.parse(one), BirthDate.parse(other)
    except ValueError:
        return one == other
    if first.year != second.year:
        return False
    if first.hl7() == second.hl7() or complete(first)[0].hl7() == complete(second)[0].hl7():
        return True
    if first.is_complete and second.is_complete:
        return False
    return _agree(first.month, second.month, 12) and _agree(first.day, second.day, _last_day(first.year, first.month))


def _agree(one: int, other: int, last: int) -> bool:
    """Tell whether two parts of a date can be equal, 0 and values above `last` (lunar) standing for unknown."""
    return one == other or not 1 <= one <= last or not 1 <= other <= last


def _last_day(year: int, month: int) -> int:
    return monthrange(year, month)[1] if 1 <= month <= 12 else 31
