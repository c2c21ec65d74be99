"""kill -9 under load, at random moments, again and again on one base: nothing acknowledged is lost, nothing is twice.

What was not acknowledged is sent again after the restart, with the same control id, as a sender does. In the end the
base must hold what an undisturbed one holds. A killed process loses what it had not handed to the system; what the
disk does when power fails is the business of fsync, which this does not try.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench import content, diffusion_faults, documents_faults, insi_faults, machine, server
from bench.agreement import agreed
from bench.corpus import Sent, feed, lanes
from bench.going_on import Feed
from bench.populate import DATABASE
from bench.progress import bar
from bench.report import Cell, Report, Table
from bench.rounds import spread
from insigne.app.base import open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load as load_config
from insigne.config import store_url
from insigne.exchange.model import Peer, Received
from insigne.store import upgrade

LANES = 8
MOST_A_ROUND = 400
"""A server is killed after a random number of acknowledgements, up to this one, and a random moment more."""


@dataclass
class Campaign:
    """What happened so far."""

    feed: Feed
    surprises: int = 0
    """Messages found in the base although the kill came before their acknowledgement: sent again, never doubled."""
    restarts: list[float] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        return self.feed.problems


def run(*, quick: bool) -> Report:
    """Kill under load of messages (50 times; 10 when quick), at work on the queue of INSi (20; 5), telling (100; 5),
    feeding the DMP (20; 3).
    """
    report = messages(10 if quick else 50, quick=quick)
    for outcome in (
        insi_faults.run(5 if quick else 20),
        diffusion_faults.run(5 if quick else 100),
        documents_faults.run(3 if quick else 20),
    ):
        report.tables.append(outcome.table)
        report.notes += outcome.problems
        report.ok = report.ok and outcome.ok
    return report


def messages(rounds: int, seed: int = 1, *, quick: bool = True) -> Report:
    """Kill and restart so many times under load of messages, then verify everything."""
    rng = Random(seed)
    campaign = Campaign(Feed(lanes(feed(rounds * MOST_A_ROUND + MOST_A_ROUND), LANES)))
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder, bar("faults", rounds + 2) as step:
        data = Path(folder) / "data"
        for _ in range(rounds):
            _round(campaign, data, rng)
            step()
        _last_round(campaign, data)
        step()
        checks = agreed(data, campaign.problems)
        checks["as an undisturbed base"] = _undisturbed(campaign, data, Path(folder) / "undisturbed")
        step()
    rows: list[list[Cell]] = [
        ["kill -9 under load", rounds],
        ["messages acknowledged", campaign.feed.acknowledged.total()],
        ["in the base before their acknowledgement could leave", campaign.surprises],
        ["restart to ready, s", spread(campaign.restarts)],
    ]
    rows += [[name, "yes" if held else "NO"] for name, held in checks.items()]
    return Report(
        name="faults",
        quick=quick,
        date=machine.today(),
        machine=machine.facts(),
        tables=[Table(f"{rounds} kills, {LANES} connections, seed {seed}", ["what", "found"], rows)],
        targets=[],
        notes=campaign.problems,
        ok=not campaign.problems and all(checks.values()),
    )


def _round(campaign: Campaign, data: Path, rng: Random) -> None:
    """Start, check what was acknowledged before, load, kill."""
    process = server.insigne(data)
    try:
        campaign.restarts.append(process.ready_seconds)
        campaign.surprises += campaign.feed.check_log(data / DATABASE)
        enough, moment = rng.randint(1, MOST_A_ROUND), rng.uniform(0, 0.02)
        asyncio.run(campaign.feed.go_on(process, enough, moment))
    finally:
        process.kill()


def _last_round(campaign: Campaign, data: Path) -> None:
    """Send again what the last kill left without acknowledgement, and stop properly."""
    process = server.insigne(data)
    with server.running(process):
        campaign.surprises += campaign.feed.check_log(data / DATABASE)
        campaign.feed.cut()
        asyncio.run(campaign.feed.go_on(process))
    campaign.surprises += campaign.feed.check_log(data / DATABASE)


def _undisturbed(campaign: Campaign, data: Path, folder: Path) -> bool:
    """Whether the base means what one means that took the same messages in peace."""
    folder.mkdir()
    loaded = load_config(None, [], {}, folder)
    upgrade(store_url(loaded))
    base = open_base(loaded)
    for lane in campaign.feed.lanes:
        _take(base.intake.process, lane)
    base.close()
    ours, theirs = content.meaning(data / DATABASE), content.meaning(folder / DATABASE)
    if ours != theirs:
        campaign.problems.append(
            f"{(ours - theirs).total()} objects that an undisturbed base has not, {(theirs - ours).total()} missing"
        )
    return ours == theirs


def _take(process: Callable[[Sequence[Received]], object], lane: Sequence[Sent], batch: int = 64) -> None:
    received = [Received(sent.payload, Peer("bench", "mllp"), rfc3339_now()) for sent in lane]
    for start in range(0, len(received), batch):
        process(received[start : start + batch])
