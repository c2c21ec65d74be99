"""Where the processor time of intake goes: the same messages, in process, under cProfile, summed by room.

cProfile makes small functions look dearer than they are: shares are an order of magnitude, not a measure.
"""

import cProfile
import logging
import pstats
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from bench.corpus import Sent
from bench.report import Table
from insigne import exchange
from insigne.app.base import open_base
from insigne.config import load, store_url
from insigne.exchange.model import Peer, Received
from insigne.store import upgrade

BATCH = 16
_SOURCE = Path(exchange.__file__).parents[1]
_COMMIT = "SQLite: commit"
_STATEMENTS = "SQLite: statements"


def profiled(sent: Sequence[Sent], folder: Path) -> Table:
    """Take the messages in by batches of 16, the first quarter unobserved; the share of each room."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    loaded = load(None, [], {}, folder)
    upgrade(store_url(loaded))
    base = open_base(loaded)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    received = [Received(message.payload, Peer("bench", "mllp"), now) for message in sent]
    batches = [received[start : start + BATCH] for start in range(0, len(received), BATCH)]
    warm = len(batches) // 4
    for batch in batches[:warm]:
        base.intake.process(batch)
    profile = cProfile.Profile()
    profile.enable()
    for batch in batches[warm:]:
        base.intake.process(batch)
    profile.disable()
    base.close()
    shares = by_room(pstats.Stats(profile))
    total = sum(shares.values())
    rows: list[list[Any]] = [[room, 100 * seconds / total] for room, seconds in shares.most_common()]
    return Table("processor time of intake by room, batches of 16 (cProfile)", ["room", "%"], rows)


def by_room(stats: pstats.Stats) -> Counter[str]:
    """Seconds in each room's own code; what a built-in takes counts for the room that calls it, SQLite apart."""
    shares: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in stats.stats.items():  # type: ignore[attr-defined]  # undeclared
        if file != "~":
            shares[_room(file)] += own
            continue
        for (caller_file, _, caller), (_, _, part, _) in callers.items():
            if "sqlite3" in name:
                shares[_COMMIT if caller == "commit" else _STATEMENTS] += part
            else:
                shares[_room(caller_file)] += part
    return shares


def _room(file: str) -> str:
    path = Path(file)
    return path.relative_to(_SOURCE).parts[0] if path.is_relative_to(_SOURCE) else "libraries"
