"""Until when something holds, as commands take it with `--expires`."""

import re
from datetime import datetime, timedelta
from typing import Final

from insigne.cli.common import Exit, fail

_DAYS: Final = re.compile(r"([1-9][0-9]{0,4})d")


def parse_end(text: str, now: datetime) -> datetime:
    """The end told: days from now (`90d`), the end of a day here, or a moment with its zone.

    Anything else, or the past, ends the command (exit 2).
    """
    days = _DAYS.fullmatch(text)
    if days is not None:
        return now + timedelta(days=int(days[1]))
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        fail(Exit.USAGE, f"--expires: {text!r} is none of 90d, 2027-01-31, 2027-01-31T18:00:00+01:00")
    if len(text) == 10:
        end = (end + timedelta(days=1)).astimezone()
    if end.tzinfo is None:
        fail(Exit.USAGE, "--expires: a moment needs its zone, as in 2027-01-31T18:00:00+01:00")
    if end <= now:
        fail(Exit.USAGE, f"--expires: {text} is past")
    return end
