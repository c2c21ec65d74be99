"""A new receiver is told a whole base while the others, and itself, are told what happens: does what is live wait?"""

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench import machine, populate, server
from bench.diffusion_engine import WARM, Passage, changes, destinations, passed
from bench.diffusion_load import FLAT_OUT
from bench.diffusion_receiver import Receipt, Receivers

RATE = 50.0
"""Changes a second all the while."""
PACE = 400.0
"""Identities a second the new receiver is to be told, at most."""
RECEIVERS = 2
NEW = 1
_PATIENCE = 60.0
_LOOK_SECONDS = 0.5
_PERSON = "bench"


class Initialised(NamedTuple):
    """The same load before and while the new receiver, one of the two, is told the base.

    `seconds` from the command to the last identity, `told` how many came, of `size`; `early` of them while the load
    went on.
    """

    size: int
    before: Passage
    during: Passage
    early: int
    told: int
    seconds: float

    @property
    def slower(self) -> float:
        """The p99 of live changes beside the initial load, against without."""
        return self.during.milliseconds(0.99) / self.before.milliseconds(0.99)


def initialised(folder: Path, receivers: Receivers, size: int, seconds: float) -> Initialised:
    """Load for so long without, then as long with the initial load under way; then let that one end."""
    data = populate.base(size, folder / "data").parent
    setting = destinations(receivers.ports[:RECEIVERS])
    count = int(RATE * seconds)
    given = changes(WARM + 2 * count)
    receivers.collect()
    with server.running(server.insigne(data, setting)) as engine:
        passed(engine, receivers, RECEIVERS, given[:WARM], FLAT_OUT)
        before = passed(engine, receivers, RECEIVERS, given[WARM : WARM + count], RATE)
        began = time.monotonic()
        _command(data, setting)
        during = passed(engine, receivers, RECEIVERS, given[WARM + count :], RATE)
        numbers = {populate.number_of(rank) for rank in range(size)}
        early, last = _base(during.others, numbers), began
        known = set(early)
        limit = time.monotonic() + _PATIENCE
        while len(known) < size and time.monotonic() < limit:
            if come := _base(receivers.collect(), numbers):
                known |= come.keys()
                last = max(come.values())
                limit = time.monotonic() + _PATIENCE
            time.sleep(_LOOK_SECONDS)
    return Initialised(size, before, during, len(early), len(known), max([last, *early.values()]) - began)


def _base(receipts: list[Receipt], numbers: set[str]) -> dict[str, float]:
    """When the new receiver was told of whom of the base."""
    return {one.patient: one.moment for one in receipts if one.receiver == NEW and one.patient in numbers}


def _command(data: Path, setting: str) -> None:
    """`insigne destination init`, as a person gives it; they are made a user if need be."""
    command = [sys.executable, "-m", "insigne", "--data", str(data), "--set", setting]
    secret = machine.environment() | {"INSIGNE_SECRET": "only for this bench"}
    add = [*command, "user", "add", _PERSON, "--role", "administrateur"]
    subprocess.run(add, check=False, capture_output=True, env=secret)  # there already when the base was kept
    init = [*command, "destination", "init", f"R{NEW}", "--rate", str(PACE), "--as", _PERSON]
    subprocess.run(init, check=True, capture_output=True, env=secret)
