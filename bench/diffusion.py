"""Telling receivers: how soon, how many a second, after how long a backlog, beside an initial load; against a peer."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import diffusion_engine, diffusion_init, machine, mf_peer, server
from bench.diffusion_backlog import LANES, Drain, drained
from bench.diffusion_engine import WARM, Change, Passage, changes, measured
from bench.diffusion_init import Initialised, initialised
from bench.diffusion_load import FLAT_OUT
from bench.diffusion_receiver import Receivers
from bench.load import quantile
from bench.progress import bar
from bench.report import Cell, Report, Table, Target
from bench.rounds import spread

PACE = 300.0
"""Changes a second whose way to two receivers is timed."""
PEER_PACE = 15.0
"""Changes a second that the peer bears too."""
FAN_OUT = 2
MANY = 5


@dataclass(frozen=True)
class Subject:
    """An engine and what is put through it: so many changes to so many receivers, `pace` a second or flat out."""

    receivers: int
    pace: float = FLAT_OUT
    changes: int = 0
    lanes: int = 1
    varied: bool = False
    peer: bool = False


PACED = f"insigne, {PACE:g} changes/s, 2 receivers"
FIFO, WIDE = "insigne, 5 receivers, first in first out", f"insigne, 5 receivers, {LANES} lanes each"
VARIED = "insigne, 5 receivers of five dialects, first in first out"
FLAT, PEER_FLAT = "insigne, 2 receivers, flat out", f"{mf_peer.NAME}, 2 receivers, flat out"
SLOW = f"insigne, {PEER_PACE:g} changes/s, 2 receivers"
PEER_SLOW = f"{mf_peer.NAME}, {PEER_PACE:g} changes/s, 2 receivers"


class Sizes(NamedTuple):
    """How much is measured."""

    rounds: int
    paced_seconds: float
    flat: int
    peer_flat: int
    rows: int
    identities: int
    drain_seconds: float
    base: int
    init_seconds: float


QUICK = Sizes(1, 5.0, 500, 150, 20_000, 5_000, 8.0, 2_000, 5.0)
WHOLE = Sizes(3, 20.0, 3_000, 600, 1_000_000, 20_000, 30.0, 100_000, 60.0)


def run(*, quick: bool) -> Report:
    """Measure everything; the peer when it can be installed."""
    sizes = QUICK if quick else WHOLE
    program, why = mf_peer.installed()
    subjects = _subjects(sizes, with_peer=program is not None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insigne-bench-")))
        receivers = stack.enter_context(server.running(Receivers(folder / "receivers", MANY)))
        step = stack.enter_context(bar("diffusion", sizes.rounds * len(subjects) + 2))
        passages = _passages(subjects, sizes.rounds, receivers, program, step)
        drain = drained(folder / "backlog", receivers, sizes.rows, sizes.identities, sizes.drain_seconds)
        step()
        initial = initialised(folder / "initial", receivers, sizes.base, sizes.init_seconds)
        step()
    wrong = [f"{name}: {text}" for name, found in passages.items() for one in found for text in one.wrong]
    wrong += [f"initial load: {text}" for one in (initial.before, initial.during) for text in one.wrong]
    if initial.told != initial.size:
        wrong.append(f"initial load: {initial.size - initial.told} identities of {initial.size} not told")
    return Report(
        name="diffusion",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("uvloop"),
        tables=[_table(passages), _drain_table(drain), _initial_table(initial)],
        targets=_targets(passages, drain, initial),
        notes=[*wrong, *_notes(program is not None, why)],
        ok=not wrong,
    )


def _subjects(sizes: Sizes, *, with_peer: bool) -> dict[str, Subject]:
    slow = int(PEER_PACE * sizes.paced_seconds)
    subjects = {
        PACED: Subject(FAN_OUT, PACE, int(PACE * sizes.paced_seconds)),
        FIFO: Subject(MANY, changes=sizes.flat),
        WIDE: Subject(MANY, changes=sizes.flat, lanes=LANES),
        VARIED: Subject(MANY, changes=sizes.flat, varied=True),
        FLAT: Subject(FAN_OUT, changes=sizes.peer_flat),
        PEER_FLAT: Subject(FAN_OUT, changes=sizes.peer_flat, peer=True),
        SLOW: Subject(FAN_OUT, PEER_PACE, slow),
        PEER_SLOW: Subject(FAN_OUT, PEER_PACE, slow, peer=True),
    }
    return {name: subject for name, subject in subjects.items() if with_peer or not subject.peer}


def _passages(
    subjects: dict[str, Subject], rounds: int, receivers: Receivers, program: Path | None, step: Callable[[], None]
) -> dict[str, list[Passage]]:
    """Every subject in turn, so many rounds."""
    given = changes(WARM + max(subject.changes for subject in subjects.values()))
    found: dict[str, list[Passage]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            found[name].append(_measure(subject, given[: WARM + subject.changes], receivers, program))
            step()
    return found


def _measure(subject: Subject, given: Sequence[Change], receivers: Receivers, program: Path | None) -> Passage:
    """One passage through an engine on an empty base."""
    receivers.collect()
    ports = receivers.ports[: subject.receivers]
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder:
        if subject.peer and program is not None:
            engine = mf_peer.engine(Path(folder), program, ports)
        else:
            engine = diffusion_engine.ours(Path(folder), ports, lanes=subject.lanes, varied=subject.varied)
        return measured(engine, receivers, subject.receivers, given, subject.pace)


def _table(passages: dict[str, list[Passage]]) -> Table:
    columns = ["engine", "delivered/s", "told p50 ms", "told p99 ms", "whole p99 ms", "processor µs a change", "MB"]
    rows: list[list[Cell]] = []
    for name, found in passages.items():
        rows.append(
            [
                name,
                spread([one.rate for one in found]),
                spread([one.milliseconds(0.5) for one in found]),
                spread([one.milliseconds(0.99) for one in found]),
                median(quantile(one.whole, 0.99) * 1000 for one in found),
                median(one.processor_us for one in found),
                max(one.resident_mb for one in found),
            ]
        )
    return Table("changes to every receiver", columns, rows)


def _drain_table(drain: Drain) -> Table:
    rows: list[list[Cell]] = [
        ["start to ready, s", drain.ready],
        ["start to the first acknowledgement, s", drain.first],
        ["delivered/s while it drains", drain.rate],
        ["resident memory early, MB", drain.early],
        ["resident memory at its most, MB", drain.most],
        ["resident memory in the end, MB", drain.late],
    ]
    title = f"a backlog of {drain.rows:,} messages to 2 receivers, {LANES} lanes each ({drain.megabytes:,.0f} MB)"
    return Table(title, ["what", "found"], rows)


def _initial_table(initial: Initialised) -> Table:
    rows: list[list[Cell]] = [
        [name, one.milliseconds(0.5), one.milliseconds(0.99), quantile(one.whole, 0.99) * 1000]
        for name, one in (("without", initial.before), ("with the initial load", initial.during))
    ]
    pace = initial.told / initial.seconds if initial.seconds else 0.0
    title = (
        f"live changes ({diffusion_init.RATE:g}/s, 2 receivers) while one of them is told a base of {initial.size:,}"
        f" ({pace:,.0f} identities/s, {diffusion_init.PACE:g} asked for; {initial.early:,} during the measure)"
    )
    columns = ["live changes", "told p50 ms", "told p99 ms", "whole p99 ms"]
    return Table(title, columns, rows)


def _targets(passages: dict[str, list[Passage]], drain: Drain, initial: Initialised) -> list[Target]:
    def rate(name: str) -> float:
        return median(one.rate for one in passages[name])

    def p99(name: str) -> float:
        return median(one.milliseconds(0.99) for one in passages[name])

    targets = [
        _most(f"{PACE:g} changes/s to 2 receivers: told, p99", p99(PACED), "ms", 100),
        Target(what="5 receivers, first in first out", measured=rate(FIFO), unit="delivered/s", must=1000),
        Target(what=f"5 receivers, {LANES} lanes each", measured=rate(WIDE), unit="delivered/s", must=1000),
        _most(f"a backlog of {drain.rows:,}: first delivery after the start", drain.first, "s", 3),
        _most("memory gained while the backlog drains", drain.growth, "MB", 20),
        _most("live changes beside an initial load: p99 against without", initial.slower, "×", 1.5),
    ]
    if PEER_FLAT in passages:
        gained, sooner = rate(FLAT) / rate(PEER_FLAT), p99(SLOW) / p99(PEER_SLOW)
        targets += [
            Target(what=f"2 receivers, flat out: times {mf_peer.NAME}", measured=gained, unit="×", must=5, stretch=10),
            _most(f"{PEER_PACE:g} changes/s to 2 receivers: p99 against {mf_peer.NAME}", sooner, "×", 1),
        ]
    return targets


def _most(what: str, measured: float, unit: str, bound: float) -> Target:
    return Target(what=what, measured=measured, unit=unit, must=bound, at_least=False)


def _notes(with_peer: bool, why: str) -> list[str]:
    notes = [
        "a change is an A28 about a new patient; each must come once to each receiver; the load waits for nobody",
        "told: from the acknowledgement to the sender to that of the last receiver; whole: from the moment it was due",
        f"the first {WARM} changes of each engine do not count; load and receivers share the cores with the engine",
        "durable: SQLite WAL synchronous=FULL, ours and the peer's; the peer answers its sender before it routes",
    ]
    if with_peer:
        notes.append(f"{mf_peer.NAME}: its own listener, router, handler and senders, messages handed on unchanged")
    else:
        notes.append(f"{mf_peer.NAME} not measured, it could not be installed: {why}")
    return notes
