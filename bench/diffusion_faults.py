"""kill -9 of the sender, of receivers or of both, under load: everything told, in order, twice only after a crash.

Two receivers keep registries of their own, one served strictly first in first out, one by lanes. In the end each must
hold what ours holds, field by field. The order and the repeats are read in the logs of the receivers themselves, and
the queue of the sender is only asked which message was about whom.
"""

import asyncio
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench import content, server
from bench.agreement import agreed
from bench.corpus import feed, lanes
from bench.going_on import Feed
from bench.populate import DATABASE
from bench.progress import bar
from bench.report import Cell, Table
from bench.rounds import spread
from insigne.simulate.receivers.compare import differences
from insigne.store import open_store

CONNECTIONS = 8
A_LANE = 12
"""Messages of each connection a round, at most."""
LANES = {"strict": 1, "lanes": 4}
"""The receivers, and how many messages each may be sent at once."""
SENDER = "sender"
VICTIMS = ((SENDER,), ("strict",), ("lanes",), (SENDER, "strict", "lanes"), ("strict", "lanes"))
LATE_SECONDS = 0.3
"""The kill comes up to so long after an acknowledgement drawn at random: delivery lags behind intake."""
PATIENCE = 120.0
_LOOK_SECONDS = 0.02
_OUTBOX = "SELECT id, control_id, keys FROM outbox WHERE destination = '{}' AND state = 'delivered' ORDER BY id"
_WRITTEN = "SELECT control_id FROM outbox_bytes"
_WAITING = "SELECT count(*) FROM outbox WHERE ended IS NULL"
_SET_ASIDE = "SELECT destination, state, reason, count(*) FROM outbox WHERE state IN ('held', 'dead') GROUP BY 1, 2, 3"
_RECEIVED = "SELECT control_id, disposition, time FROM message ORDER BY id"


@dataclass
class Outcome:
    """What the kills came to."""

    table: Table
    problems: list[str]
    ok: bool


class Row(NamedTuple):
    """A message delivered, as the sender has it: its place in the queue and the patients it is about."""

    place: int
    patients: frozenset[str]


class Receipt(NamedTuple):
    """A message as a receiver logged it; time in RFC 3339 UTC, to the millisecond."""

    control_id: str
    disposition: str
    time: str


@dataclass
class Crash:
    """When a program was killed, and when it was back: until then what was on its way may still arrive."""

    killed: str
    back: str = "9999"

    def between(self, before: str, after: str) -> bool:
        """Whether it may be why what came before comes again."""
        return before <= self.back and self.killed <= after


@dataclass
class _Site:
    """The programs, by name, and what happened so far."""

    folder: Path
    feed: Feed
    running: dict[str, server.Server] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    kills: dict[str, list[Crash]] = field(default_factory=lambda: {name: [] for name in (SENDER, *LANES)})
    restarts: list[float] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    """Messages waiting to be delivered after each kill."""

    @property
    def problems(self) -> list[str]:
        return self.feed.problems

    @property
    def base(self) -> Path:
        return self.folder / SENDER / DATABASE

    def start(self) -> None:
        """Start what does not run: receivers at the port they had."""
        for name in LANES:
            if name not in self.running:
                self.running[name] = server.receiver(self.folder / name, self.ports.get(name, 0))
                self.ports[name] = self.running[name].port
                self._back(name)
        if SENDER not in self.running:
            self.running[SENDER] = server.insigne(self.folder / SENDER, _destinations(self.ports))
            self.restarts.append(self.running[SENDER].ready_seconds)
            self._back(SENDER)

    def _back(self, name: str) -> None:
        for crash in self.kills[name][-1:]:
            crash.back = _now()

    def kill(self, victims: Sequence[str]) -> None:
        """kill -9, the moment noted."""
        for name in victims:
            process = self.running.pop(name, None)
            if process is not None:
                self.kills[name].append(Crash(_now()))
                process.kill()

    def check(self, held: bool, problem: str) -> bool:
        if not held:
            self.problems.append(problem)
        return held


def run(rounds: int, seed: int = 1) -> Outcome:
    """Kill and restart so many times, let everything be delivered, then verify everything."""
    rng = Random(seed)
    turns: list[Sequence[str]] = []
    while len(turns) < rounds:
        turns += rng.sample(VICTIMS, len(VICTIMS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insigne-bench-")))
        step = stack.enter_context(bar("faults of diffusion", rounds + 2))
        shared = lanes(feed(CONNECTIONS * A_LANE * (rounds + 1)), CONNECTIONS)
        site = _Site(folder, Feed(shared))
        stack.callback(lambda: site.kill((SENDER, *LANES)))
        for victims in turns[:rounds]:
            _round(site, victims, rng)
            step()
        _last_round(site)
        step()
        outcome = _verified(site, rounds, seed)
        step()
    return outcome


def _destinations(ports: dict[str, int]) -> str:
    retries = "first_retry_seconds = 0.05, longest_retry_seconds = 0.3"
    tables = (
        f'{{ name = "{name}", mllp = {{ host = "127.0.0.1", port = {ports[name]}, answer_seconds = 20 }},'
        f" delivery = {{ lanes = {width}, {retries} }} }}"
        for name, width in LANES.items()
    )
    return f"destinations=[{', '.join(tables)}]"


def _round(site: _Site, victims: Sequence[str], rng: Random) -> None:
    """Start what was killed, load, kill; what is not a victim runs on, and the load with it to the end of its share."""
    site.start()
    enough, moment = rng.randint(1, CONNECTIONS * A_LANE * 3 // 4), rng.uniform(0, LATE_SECONDS)
    asyncio.run(
        site.feed.go_on(site.running[SENDER], enough, moment, lambda: site.kill(victims), most=A_LANE),
    )
    site.kill(victims)  # the load may end before the moment
    site.pending.append(_waiting(site))


def _last_round(site: _Site) -> None:
    """Send what the last kill left without acknowledgement, let everything be delivered, and stop properly."""
    site.start()
    site.feed.cut()
    asyncio.run(site.feed.go_on(site.running[SENDER]))
    limit = time.monotonic() + PATIENCE
    while left := _waiting(site):
        if time.monotonic() > limit:
            site.problems.append(f"{left} messages are not delivered {PATIENCE:g} s after the last kill")
            break
        time.sleep(_LOOK_SECONDS)
    for name in (SENDER, *LANES):
        site.running.pop(name).stop()


def _waiting(site: _Site) -> int:
    return int(content.rows(site.base, _WAITING)[0][0])


def _verified(site: _Site, rounds: int, seed: int) -> Outcome:
    """Everything that must hold, each with its answer."""
    site.feed.check_log(site.base)
    aside = content.rows(site.base, _SET_ASIDE)
    checks = {"nothing held, nothing given up": site.check(not aside, f"set aside: {aside}")}
    rows: list[list[Cell]] = [
        ["kill -9 of the sender", len(site.kills[SENDER])],
        ["kill -9 of a receiver", sum(len(site.kills[name]) for name in LANES)],
        ["messages acknowledged to their senders", site.feed.acknowledged.total()],
        ["waiting to be delivered after a kill", spread(site.pending)],
        ["restart to ready, s", spread(site.restarts)],
    ]
    for name in LANES:
        sent, received = _sent(site.base, name), _received(site.folder / name)
        repeats = sum(receipt.disposition == "duplicate" for receipt in received)
        rows += [[f"{name}: delivered", len(sent)], [f"{name}: received twice", repeats]]
        checks |= {f"{name}: {what}": held for what, held in _checked(site, name, sent, received).items()}
    checks |= agreed(site.folder / SENDER, site.problems)
    rows += [[what, "yes" if held else "NO"] for what, held in checks.items()]
    title = f"diffusion: {rounds} moments of kill -9, {len(LANES)} receivers, {CONNECTIONS} connections, seed {seed}"
    return Outcome(Table(title, ["what", "found"], rows), site.problems, not site.problems and all(checks.values()))


def _checked(site: _Site, name: str, sent: dict[str, Row], received: Sequence[Receipt]) -> dict[str, bool]:
    """What must hold of one receiver."""
    crashes = site.kills[SENDER] + site.kills[name]
    check, first = site.check, list(dict.fromkeys(receipt.control_id for receipt in received))
    missing = sent.keys() - {receipt.control_id for receipt in received if receipt.disposition == "accepted"}
    # What a kill left unknown whether it was sent is written anew, under another MSH-10, if its INS may leave no more.
    written = {control_id for (control_id,) in content.rows(site.base, _WRITTEN)}
    anew = [control_id for control_id in first if control_id in written - sent.keys()]
    site.check(not anew or bool(crashes), f"{name}: {len(anew)} messages written anew without a crash")
    foreign = [control_id for control_id in first if control_id not in sent and control_id not in written]
    known = [receipt for receipt in received if receipt.control_id in sent]
    turned = inversions([sent[receipt.control_id] for receipt in known])
    found = {
        "every message delivered was taken": check(not missing, f"{name}: {len(missing)} messages missing"),
        "nothing else was received": check(not foreign, f"{name}: {len(foreign)} messages the sender does not know"),
        "no inversion within a patient": check(not turned, f"{name}: {turned} inversions within a patient"),
        "repeats only across a crash": check(
            not (without := repeated_without_crash(received, crashes)), f"{name}: {without} repeats without a crash"
        ),
        "its registry equals ours": _equal(site, name),
    }
    if LANES[name] == 1:
        places = [sent[control_id].place for control_id in first if control_id in sent]
        strays = len(places) - longest_rise(places)
        found["first in, first out"] = check(strays <= len(anew), f"{name}: {strays} not first in, first out")
    return found


def inversions(rows: Sequence[Row]) -> int:
    """How often something came after what was queued later about the same patient, repeats included."""
    last: dict[str, int] = {}
    turned = 0
    for row in rows:
        turned += any(last.get(patient, 0) > row.place for patient in row.patients)
        last.update(dict.fromkeys(row.patients, row.place))
    return turned


def repeated_without_crash(received: Sequence[Receipt], crashes: Sequence[Crash]) -> int:
    """How many messages came again although no crash was between."""
    times: dict[str, list[str]] = {}
    for receipt in received:
        times.setdefault(receipt.control_id, []).append(receipt.time)
    return sum(
        not any(crash.between(before, after) for crash in crashes)
        for came in times.values()
        for before, after in pairwise(came)
    )


def longest_rise(places: Sequence[int]) -> int:
    """How many of these, at most, come in growing order."""
    ends: list[int] = []
    for place in places:
        index = bisect_left(ends, place)
        ends[index : index + 1] = [place]
    return len(ends)


def _sent(base: Path, destination: str) -> dict[str, Row]:
    """What was delivered to a destination, by MSH-10."""
    found = content.rows(base, _OUTBOX.format(destination))
    return {control_id: Row(place, frozenset(keys.split())) for place, control_id, keys in found}


def _received(folder: Path) -> list[Receipt]:
    """What a receiver logged, in its order; with what it decided, in one commit."""
    return [Receipt(*row) for row in content.rows(_registry(folder), _RECEIVED)]


def _registry(folder: Path) -> Path:
    return folder / "receiver" / "receiver.db"


def _equal(site: _Site, name: str) -> bool:
    ours = open_store(f"sqlite:///{site.base}", read_only=True)
    theirs = open_store(f"sqlite:///{_registry(site.folder / name)}", read_only=True)
    try:
        with ours.read() as mine, theirs.read() as other:
            found = differences(mine, other)
    finally:
        theirs.close()
        ours.close()
    told = ", ".join(f"{one.key}: {one.field}" for one in found[:5])
    return site.check(not found, f"{name}: {len(found)} differences: {told}")


def _now() -> str:
    """The present as receptions are recorded."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
