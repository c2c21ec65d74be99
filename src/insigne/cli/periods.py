"""Days given on the command line, as moments of the base."""

from datetime import date, datetime

from insigne.cli.common import Exit, fail
from insigne.store.moments import rfc3339


def day_of(text: str, option: str, default: date) -> date:
    """The day an option gives; `default` when it is not given. A wrong one ends the command (exit 2)."""
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        fail(Exit.USAGE, f"{option}: {text!r} is not a date like 2026-01-31")


def midnight(day: date) -> str:
    """When a day begins in the zone of this machine."""
    return rfc3339(datetime(day.year, day.month, day.day).astimezone())
