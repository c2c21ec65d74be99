"""`insigne` with slower commits: `python -m bench.launcher MILLISECONDS serve …` stands for a slower disk."""

import sys
import time

from insigne.cli import main
from insigne.store.sqlite import SqliteSession


def slow_down(seconds: float) -> None:
    """Make every commit of a write transaction take that much longer."""
    commit = SqliteSession.commit

    def slow_commit(session: SqliteSession) -> None:
        time.sleep(seconds)
        commit(session)

    SqliteSession.commit = slow_commit  # type: ignore[assignment,method-assign]  # the point of this launcher


if __name__ == "__main__":
    slow_down(float(sys.argv[1]) / 1000)
    main(sys.argv[2:])
