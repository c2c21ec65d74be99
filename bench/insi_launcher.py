"""`insigne` whose queue of INSi lives later: `python -m bench.insi_launcher MINUTES serve …`.

A killed process holds its questions until their lease runs out, minutes later: its successor lives those minutes on.
"""

import sys
from datetime import datetime, timedelta

from insigne.app import insi
from insigne.app.clock import utc_now
from insigne.cli import main


def live_later(by: timedelta) -> None:
    """Put the clock of the queue forward."""

    def later() -> datetime:
        return utc_now() + by

    insi.utc_now = later  # type: ignore[attr-defined]  # the point of this launcher


if __name__ == "__main__":
    live_later(timedelta(minutes=float(sys.argv[1])))
    main(sys.argv[2:])
