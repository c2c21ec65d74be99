"""HL7 v2 times (`YYYY[MM[DD[HHMM[SS]]]][+/-ZZZZ]`) as FHIR dates and times."""

import re
from datetime import date, time
from typing import Final

_TIME: Final = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?(?:\.[0-9]{1,4})?)?)?)?"
    r"(?:([+-])([0-9]{2})([0-9]{2}))?"
)


def fhir_date(text: str) -> str:
    """The FHIR `date` (YYYY, YYYY-MM or YYYY-MM-DD) of an HL7 time; "" when it is not a date of the calendar.

    Unknown parts written 00 end the date there.
    """
    found = _TIME.fullmatch(text)
    if found is None or found[1] == "0000":
        return ""
    year, month, day = found[1], found[2] or "00", found[3] or "00"
    if month == "00":
        return year if day == "00" else ""
    try:
        date(int(year), int(month), 1 if day == "00" else int(day))
    except ValueError:
        return ""
    return f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"


def fhir_datetime(text: str) -> str:
    """The FHIR `dateTime` of an HL7 time; without a zone, which FHIR requires after an hour, the date alone."""
    day = fhir_date(text)
    found = _TIME.fullmatch(text)
    if found is None or len(day) < 10 or not found[4] or not found[7]:
        return day
    try:
        moment = time(int(found[4]), int(found[5]), int(found[6] or 0))
    except ValueError:
        return day
    return f"{day}T{moment.isoformat()}{found[7]}{found[8]}:{found[9]}"


def fhir_day(text: str) -> str:
    """The whole day (YYYY-MM-DD) of an HL7 time, "" when the day is not known."""
    day = fhir_date(text)
    return day if len(day) == 10 else ""
