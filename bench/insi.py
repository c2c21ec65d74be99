"""Searches of INSi: how many a second through the queue, what a call costs beside zeep's, what a long queue weighs."""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench import content, insi_calls, insi_memory, insi_site, machine, populate, server
from bench.progress import bar
from bench.report import Report, Table, Target
from bench.rounds import interleaved, per_item, spread
from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.app.insi import insi_service
from insigne.insi.client import Caller, InsiClient
from insigne.insi.service import InsiService
from insigne.insi.wire.model import SearchTraits
from insigne.simulate.truth import Person

THREADS = 4
WARM = 100
QUEUE, CALLS = "through the queue: answered, traced, job ended, work item raised", "the calls alone, nothing kept"


@dataclass
class Speed:
    """Searches a second, and milliseconds of processor a search of ours and of the simulator; one of each a round."""

    rates: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)


def run(*, quick: bool) -> Report:
    """Measure searches through the queue, single calls, and a queue of 100,000 questions (20,000 when quick)."""
    rounds, searches, calls = (2, 400, 150) if quick else (5, 2000, 600)
    jobs, worked = (20_000, 1500) if quick else (100_000, 6000)
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder, bar("insi", 5 * rounds + 1) as step:
        speeds, wrong = _speeds(Path(folder) / "speed", rounds, searches, step)
        costs = _costs(Path(folder) / "calls", rounds, calls, step)
        growth = insi_memory.grown(Path(folder) / "memory", jobs, worked)
        step()
    ratio = spread([a / b for a, b in zip(costs[insi_calls.OURS], costs[insi_calls.ZEEP], strict=True)])
    rate = spread(speeds[QUEUE].rates)
    weight = f"memory of a process that works on a queue of {jobs:,}"
    return Report(
        name="insi",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("zeep", "requests", "lxml"),
        tables=[_speed_table(speeds, searches), _cost_table(costs, calls), _memory_table(growth)],
        targets=[
            Target(what="searches answered and traced", measured=rate.median, unit="searches/s", must=500),
            Target(what="a call, against zeep", measured=ratio.median, unit="×", must=0.6, stretch=0.4, at_least=False),
            Target(what=weight, measured=growth.megabytes, unit="MB", must=200, at_least=False),
        ],
        notes=wrong,
        ok=not wrong,
    )


def _speeds(folder: Path, rounds: int, searches: int, step: Callable[[], None]) -> tuple[dict[str, Speed], list[str]]:
    """Through the queue and without it, in turn; each round is about people nobody asked about before."""
    known = insi_site.people(WARM + rounds * searches)
    shares = [known[start : start + searches] for start in range(WARM, len(known), searches)]
    speeds = {QUEUE: Speed(), CALLS: Speed()}
    with server.running(insi_site.nation(folder / "nation", known)) as nation:
        _, base = insi_site.new_base(folder / "data", nation.told)
        with closing(base), closing(insi_service(base, automatic=True)) as service:
            _queued(base, service, known[:WARM])()
            for share in shares:
                _timed(speeds[QUEUE], nation, _queued(base, service, share), len(share))
                step()
                _timed(speeds[CALLS], nation, _alone(base, share), len(share))
                step()
    return speeds, _wrong(folder / "data" / populate.DATABASE, len(known))


def _queued(base: Base, service: InsiService, share: Sequence[Person]) -> Callable[[], None]:
    """Identities of ours with a question each in the queue; the work is to empty it."""
    insi_site.queue(base, insi_site.created(base, share))

    def work() -> None:
        while service.work():
            pass

    return work


def _alone(base: Base, share: Sequence[Person]) -> Callable[[], None]:
    """The same first calls, by as many threads."""
    client = InsiClient(base.config.insi, instance=str(uuid4()), clock=utc_now)
    caller = Caller("bench", "bench")
    wanted = [
        SearchTraits(one.traits.birth_name, one.traits.given_names[0], one.traits.sex, one.traits.birth_date)
        for one in share
    ]

    def work() -> None:
        with closing(client), ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda traits: client.search(traits, caller), wanted):
                pass

    return work


def _timed(speed: Speed, nation: server.Server, work: Callable[[], None], searches: int) -> None:
    theirs, ours, start = nation.processor_seconds(), time.process_time(), time.perf_counter()
    work()
    speed.rates.append(searches / (time.perf_counter() - start))
    speed.ours.append((time.process_time() - ours) / searches * 1000)
    speed.theirs.append((nation.processor_seconds() - theirs) / searches * 1000)


def _wrong(file: Path, identities: int) -> list[str]:
    """What the base lacks of a job done, a call traced and, for who was found, a work item, for each identity."""
    found = {
        "jobs done": "SELECT count(DISTINCT identity) FROM insi_job WHERE state = 'done'",
        "identities with a call traced": "SELECT count(DISTINCT identity) FROM insi_call WHERE raw IS NOT NULL",
        "work items": "SELECT count(*) FROM work_item WHERE open AND kind IN ('to-compare', 'insi-01', 'insi-02')",
    }
    counts = {what: content.rows(file, sql)[0][0] for what, sql in found.items()}
    return [f"{what}: {count} instead of {identities}" for what, count in counts.items() if count != identities]


def _costs(folder: Path, rounds: int, calls: int, step: Callable[[], None]) -> dict[str, list[float]]:
    """Microseconds of processor a call, of each client, in turn. Raises RuntimeError when one reads something else."""
    with server.running(server.canned_insi(folder)) as nation, insi_calls.subjects(nation.told) as clients:
        for name, call in clients.items():
            if call(0) != insi_calls.expected():
                raise RuntimeError(f"{name} read another identity than the one answered")
        subjects = {name: lambda call=call: per_item(call, range(calls)) for name, call in clients.items()}
        return interleaved(subjects, rounds, step)


def _speed_table(speeds: dict[str, Speed], searches: int) -> Table:
    return Table(
        f"searches on {THREADS} connections of mutual TLS, {searches:,} a round, the simulator on the same machine",
        ["what", "searches/s", "ms of processor a search", "ms of the simulator's"],
        [[name, spread(one.rates), spread(one.ours), spread(one.theirs)] for name, one in speeds.items()],
    )


def _cost_table(costs: dict[str, list[float]], calls: int) -> Table:
    zeep = spread(costs[insi_calls.ZEEP]).median
    return Table(
        f"a call of a responder that always gives one answer, one connection kept alive, {calls} a round",
        ["client", "µs of processor", "x zeep"],
        [[name, spread(values), spread(values).median / zeep] for name, values in costs.items()],
    )


def _memory_table(growth: insi_memory.Growth) -> Table:
    return Table(
        f"resident memory of a process that worked on {growth.worked:,} questions, {growth.waiting:,} waiting after it",
        ["when", "MB"],
        [
            ["before the base is opened", growth.before],
            ["after a first batch", growth.first],
            ["at the end", growth.after],
        ],
    )
