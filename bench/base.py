"""A base of a million identities: whether intake slows down, and what reading, commands, start and memory cost."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median

import msgspec

from bench import content, machine, populate, server
from bench.corpus import Sent, feed, lanes
from bench.intake import Measure, loaded
from bench.load import quantile
from bench.progress import bar
from bench.report import Cell, Report, Spread, Table, Target
from bench.rounds import spread
from insigne.fhir import patient_of
from insigne.ins.cog import bundled_cog
from insigne.store import Store, open_store

CONNECTIONS = 16
SHOWN = "identity by its number, as a FHIR Patient"
LARGE, EMPTY = "large base", "empty base"


def run(*, quick: bool) -> Report:
    """Measure on a base of a million identities (20,000 when quick)."""
    size, rounds, messages = (20_000, 2, 1500) if quick else (1_000_000, 5, 6000)
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder:
        data = {LARGE: Path(folder) / "large", EMPTY: Path(folder) / "empty"}
        file = populate.base(size, data[LARGE])
        megabytes = file.stat().st_size / 2**20
        reading = _reading(file, size, 500 if quick else 3000)
        with bar("base", 2 * rounds + 3) as step:
            starts = {name: spread([_start(data[name]) for _ in range(rounds)]) for name in data}
            step()
            fresh, again = _intake(data, size, rounds, messages, step)
            commands = _commands(data[LARGE], size, rounds)
            step(2)
    speeds = {name: spread([one.outcome.rate for one in found]) for name, found in fresh.items()}
    latencies: list[list[Cell]] = [[name, *times] for name, times in reading.items()]
    kept = speeds[LARGE].median / speeds[EMPTY].median
    memory = max(one.resident_mb for one in [*fresh[LARGE], *again[LARGE]])
    codes = {code for found in (fresh, again) for one in [*found[LARGE], *found[EMPTY]] for code in one.outcome.codes}
    return Report(
        name="base",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("uvloop"),
        tables=[
            _intake_table(f"intake, 16 connections, {size:,} identities ({megabytes:,.0f} MB)", fresh, again),
            Table("reading in process", ["what", "p50 ms", "p99 ms"], latencies),
            Table("commands", ["what", "s"], [[name, found] for name, found in commands.items()]),
            Table("start to ready", ["base", "s"], [[name, found] for name, found in starts.items()]),
        ],
        targets=[
            Target(what="speed of intake kept on the large base", measured=100 * kept, unit="%", must=80),
            _most("reading one identity in process, p99", reading[SHOWN][1], "ms", 5),
            _most("insigne --help", commands["insigne --help"].median, "s", 0.5),
            _most("insigne identity show", commands["insigne identity show"].median, "s", 1),
            _most("start to ready", starts[LARGE].median, "s", 2),
            _most("resident memory after the load", memory, "MB", 300),
        ],
        notes=[f"answers: {', '.join(sorted(codes))}; commands and servers start with their modules compiled"],
        ok=codes == {"AA"},
    )


def _intake(
    data: dict[str, Path], size: int, rounds: int, messages: int, step: Callable[[], None]
) -> tuple[dict[str, list[Measure]], dict[str, list[Measure]]]:
    """Load both bases in turn: new patients, then people the large base knows, drawn at random (the other does not)."""
    new = feed(messages * rounds)
    known = _known(size, messages * rounds // 4)
    fresh: dict[str, list[Measure]] = {name: [] for name in data}
    again: dict[str, list[Measure]] = {name: [] for name in data}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(server.running(server.insigne(path))) for name, path in data.items()}
        for turn in range(rounds):
            for name, process in processes.items():
                fresh[name].append(loaded(process, lanes(_slice(new, turn, rounds), CONNECTIONS)))
                again[name].append(loaded(process, lanes(_slice(known, turn, rounds), CONNECTIONS)))
                step()
    return fresh, again


def _slice(sent: Sequence[Sent], turn: int, rounds: int) -> Sequence[Sent]:
    part = len(sent) // rounds
    return sent[turn * part : (turn + 1) * part]


def _known(size: int, messages: int) -> list[Sent]:
    """A31 of people of the base, spread over all of it."""
    every = max(1, size // messages)
    found = []
    for rank, person in enumerate(populate.people(size)):
        if rank % every == 0:
            control_id = f"KNOWN{rank}"
            raw = populate.message_about(person, populate.number_of(rank), "A31", control_id)
            found.append(Sent(control_id, raw))
    Random(3).shuffle(found)
    return found[:messages]


def _reading(file: Path, size: int, reads: int) -> dict[str, tuple[float, float]]:
    """p50 and p99, in ms, of what the API does for one identity; the identities drawn at random."""
    rng = Random(5)
    numbers = [populate.number_of(rng.randrange(size)) for _ in range(reads)]
    dates = [row[0] for row in content.rows(file, f"SELECT birth_date FROM identity ORDER BY id LIMIT {reads // 10}")]
    store = open_store(f"sqlite:///{file}", read_only=True)
    try:
        return {
            SHOWN: _timed(lambda number: _show(store, number), numbers),
            "search by birth date and three letters": _timed(lambda date: _search(store, date), dates),
        }
    finally:
        store.close()


def _show(store: Store, number: str) -> bytes:
    with store.read() as view:
        [identity_id] = view.find_identity(populate.SITE.universal_id, number)
        identity = view.identity(identity_id)
        assert identity is not None
        return msgspec.json.encode(patient_of(view.identity, identity, bundled_cog()))


def _search(store: Store, birth_date: str) -> int:
    with store.read() as view:
        return len(list(view.search(birth_date, name="MAR")))


def _timed(work: Callable[[str], object], items: Sequence[str]) -> tuple[float, float]:
    times = []
    for item in items:
        start = time.perf_counter()
        work(item)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return quantile(times, 0.5), quantile(times, 0.99)


def _start(data: Path) -> float:
    process = server.insigne(data)
    with server.running(process):
        return process.ready_seconds


def _commands(data: Path, size: int, rounds: int) -> dict[str, Spread]:
    identifier = f"{populate.SITE.universal_id}|{populate.number_of(size // 2)}"
    commands = {
        "insigne --help": ["--help"],
        "insigne identity show": ["identity", "show", identifier, "--data", str(data), "--json"],
        "insigne identity search": ["identity", "search", "--birth-date", "1954-07-23", "--data", str(data), "--json"],
    }
    return {name: spread([_command(arguments) for _ in range(rounds + 1)][1:]) for name, arguments in commands.items()}


def _command(arguments: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "insigne", *arguments], check=True, stdout=subprocess.DEVNULL, env=machine.environment()
    )
    return time.perf_counter() - start


def _intake_table(title: str, fresh: dict[str, list[Measure]], again: dict[str, list[Measure]]) -> Table:
    rows: list[list[Cell]] = []
    for load_name, found in (("new patients, all events", fresh), ("A31 of people it knows", again)):
        for name, measures in found.items():
            other = load_name if name == LARGE or found is fresh else "the same A31, unknown here"
            rows.append(
                [
                    f"{name}: {other}",
                    spread([one.outcome.rate for one in measures]),
                    median(one.outcome.p50 for one in measures) * 1000,
                    median(one.outcome.p99 for one in measures) * 1000,
                    median(one.processor_us for one in measures),
                    max(one.resident_mb for one in measures),
                ]
            )
    return Table(title, ["load", "messages/s", "p50 ms", "p99 ms", "processor µs a message", "memory MB"], rows)


def _most(what: str, measured: float, unit: str, bound: float) -> Target:
    return Target(what=what, measured=measured, unit=unit, must=bound, at_least=False)
