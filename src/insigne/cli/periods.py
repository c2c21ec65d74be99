"""Days given on the command line, as moments of the base."""

from datetime import date, datetime
from typing import Final

from insigne.cli.common import Exit, fail
from insigne.store.moments import rfc3339

_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(2199, 12, 31)
"""Far enough from where dates begin and end for what is added to, or taken from, a day that a person gives."""


def day_of(text: str, option: str, default: date) -> date:
    """The day an option gives; `default` when it is not given. A wrong one ends the command (exit 2)."""
    try:
        day = date.fromisoformat(text) if text else default
    except ValueError:
        fail(Exit.USAGE, f"{option}: {text!r} is not a date like 2026-01-31")
    if not _FIRST <= day <= _LAST:
        fail(Exit.USAGE, f"{option}: {text!r} is not between {_FIRST} and {_LAST}: check the year")
    return day


def midnight(day: date) -> str:
    """When a day begins in the zone of this machine."""
    return rfc3339(datetime(day.year, day.month, day.day).astimezone())
