"""A long backlog: what it costs to start with it, and what it weighs while it drains.

The rows are about the identities of a base, each told many times over, and come through the store as any other.
"""

import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench import machine, populate, server
from bench.diffusion_engine import destinations
from bench.diffusion_receiver import Receipt, Receivers
from bench.progress import bar
from insigne.app.clock import rfc3339_now
from insigne.exchange.delivery.model import Draft
from insigne.pam.encode import baseline
from insigne.registry.state import Identity
from insigne.store import open_store

LANES = 4
RECEIVERS = 2
_BATCH = 5000
_FIRST_LOOK = 2.0
"""Seconds of draining after which memory is looked at first."""
_LOOK_SECONDS = 0.5
_PATIENCE = 60.0


class Drain(NamedTuple):
    """Seconds from the start of the program to its ready file and to the first acknowledgement; messages delivered a
    second; resident memory in MB, early, at its most and in the end."""

    rows: int
    megabytes: float
    ready: float
    first: float
    rate: float
    early: float
    most: float
    late: float

    @property
    def growth(self) -> float:
        """What memory grew by while it drained."""
        return self.late - self.early


def drained(folder: Path, receivers: Receivers, rows: int, identities: int, seconds: float) -> Drain:
    """Queue so many rows, start, and let it drain for a while."""
    file = populate.base(identities, folder / "data")
    ports = receivers.ports[:RECEIVERS]
    _queue(file, rows)
    receivers.collect()
    began = time.monotonic()
    engine = server.insigne(folder / "data", destinations(ports, lanes=LANES))
    try:
        moments = [receipt.moment for receipt in _come(receivers)]
        memory = []
        end = time.monotonic() + seconds
        time.sleep(_FIRST_LOOK)
        while time.monotonic() < end:
            memory.append(machine.resident_kb(engine.pid) / 1024)
            moments += [receipt.moment for receipt in receivers.collect()]
            time.sleep(_LOOK_SECONDS)
    finally:
        engine.kill()
    rate = (len(moments) - 1) / (moments[-1] - moments[0])
    megabytes = file.stat().st_size / 2**20
    return Drain(rows, megabytes, engine.ready_seconds, moments[0] - began, rate, memory[0], max(memory), memory[-1])


def _come(receivers: Receivers) -> Sequence[Receipt]:
    limit = time.monotonic() + _PATIENCE
    while not (found := receivers.collect()):
        if time.monotonic() > limit:
            raise RuntimeError("nothing of the backlog was delivered")
        time.sleep(_LOOK_SECONDS)
    return found


def _queue(file: Path, rows: int) -> None:
    """Queue rows about every identity in turn, for each receiver."""
    store, now = open_store(f"sqlite:///{file}"), rfc3339_now()
    try:
        with store.read() as view:
            told = [_drafts(identity, now) for identity in view.identities()]
        whole = islice((draft for drafts in cycle(told) for draft in drafts), rows)
        with bar(f"queueing {rows:,} messages", rows) as step:
            while batch := list(islice(whole, _BATCH)):
                with store.begin() as transaction:
                    transaction.queue(batch)
                    transaction.commit()
                step(len(batch))
    finally:
        store.close()


def _drafts(identity: Identity, created: str) -> list[Draft]:
    notice = baseline(identity)
    contents = msgspec.json.encode(notice)
    return [
        Draft(
            destination=f"R{receiver}",
            kind="live",
            event=notice.trigger,
            subject=notice.subject,
            keys=" ".join(notice.touched),
            cause="",
            notice=contents,
            created=created,
        )
        for receiver in range(RECEIVERS)
    ]
