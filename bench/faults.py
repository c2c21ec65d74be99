"""kill -9 under load, at random moments, again and again on one base: nothing acknowledged is lost, nothing is twice.

What was not acknowledged is sent again after the restart, with the same control id, as a sender does. In the end the
base must hold what an undisturbed one holds. A killed process loses what it had not handed to the system; what the
disk does when power fails is the business of fsync, which this does not try.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from bench import content, insi_faults, load, machine, server
from bench.agreement import agreed
from bench.corpus import Sent, feed, lanes
from bench.populate import DATABASE
from bench.progress import bar
from bench.report import Cell, Report, Table
from bench.rounds import spread
from insigne.app.base import open_base, rfc3339_now
from insigne.config import load as load_config
from insigne.config import store_url
from insigne.exchange.model import Peer, Received
from insigne.store import upgrade

LANES = 8
MOST_A_ROUND = 400
"""A server is killed after a random number of acknowledgements, up to this one, and a random moment more."""
NEVER = 0


@dataclass
class Campaign:
    """What happened so far."""

    shared: list[list[Sent]]
    positions: list[int] = field(default_factory=lambda: [0] * LANES)
    acknowledged: Counter[str] = field(default_factory=Counter)
    surprises: int = 0
    """Messages found in the base although the kill came before their acknowledgement: sent again, never doubled."""
    restarts: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def answered(self) -> list[Sent]:
        return [sent for lane, position in zip(self.shared, self.positions, strict=True) for sent in lane[:position]]

    def in_flight(self) -> list[Sent]:
        """The next message of each lane: sent when the server was killed, not acknowledged."""
        return [
            lane[position]
            for lane, position in zip(self.shared, self.positions, strict=True)
            if 0 < position < len(lane)
        ]


def run(*, quick: bool) -> Report:
    """Kill under load of messages (50 times; 10 when quick), then at work on the queue of INSi (20; 5)."""
    load_report = messages(10 if quick else 50, quick=quick)
    queue = insi_faults.run(5 if quick else 20)
    load_report.tables.append(queue.table)
    load_report.notes += queue.problems
    load_report.ok = load_report.ok and queue.ok
    return load_report


def messages(rounds: int, seed: int = 1, *, quick: bool = True) -> Report:
    """Kill and restart so many times under load of messages, then verify everything."""
    rng = Random(seed)
    campaign = Campaign(lanes(feed(rounds * MOST_A_ROUND + MOST_A_ROUND), LANES))
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
        ["messages acknowledged", campaign.acknowledged.total()],
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
        _check_log(campaign, data / DATABASE)
        enough, moment = rng.randint(1, MOST_A_ROUND), rng.uniform(0, 0.02)
        asyncio.run(_load(campaign, process, enough, moment))
    finally:
        process.kill()


def _last_round(campaign: Campaign, data: Path) -> None:
    """Send again what the last kill left without acknowledgement, and stop properly."""
    process = server.insigne(data)
    with server.running(process):
        _check_log(campaign, data / DATABASE)
        campaign.shared = [
            lane[: position + 1] for lane, position in zip(campaign.shared, campaign.positions, strict=True)
        ]
        asyncio.run(_load(campaign, process, NEVER, 0.0))
    _check_log(campaign, data / DATABASE)


async def _load(campaign: Campaign, process: server.Server, enough: int, moment: float) -> None:
    """Every lane goes on where it was; `moment` seconds after `enough` acknowledgements the server is killed."""
    connections = [await load.connect(process.host, process.port) for _ in campaign.shared]
    rest = [lane[position:] for lane, position in zip(campaign.shared, campaign.positions, strict=True)]
    loop, countdown = asyncio.get_running_loop(), count(enough - 1, -1)

    def answered() -> None:
        if next(countdown) == 0:
            loop.call_later(moment, process.kill)

    for lane in connections:
        lane.on_answer = answered
    pairs = zip(connections, rest, strict=True)
    await asyncio.gather(*(lane.send(messages) for lane, messages in pairs), return_exceptions=True)
    for rank, (lane, messages) in enumerate(zip(connections, rest, strict=True)):
        campaign.positions[rank] += lane.answered
        campaign.acknowledged.update(sent.control_id for sent in messages[: lane.answered])
        if set(lane.codes) - {"AA"}:
            campaign.problems.append(f"answers other than AA: {dict(lane.codes)}")
        lane.close()


def _check_log(campaign: Campaign, base: Path) -> None:
    """Every message acknowledged is accepted once, with its bytes; of the others, at most once."""
    if not base.exists():
        return
    accepted: dict[str, list[bytes]] = {}
    for control_id, disposition, raw in content.log(base):
        if disposition == "accepted":
            accepted.setdefault(control_id, []).append(raw)
    lost = [sent for sent in campaign.answered() if accepted.get(sent.control_id) != [sent.payload]]
    twice = [control_id for control_id, found in accepted.items() if len(found) > 1]
    if lost:
        campaign.problems.append(f"{len(lost)} acknowledged messages are not in the base once, with their bytes")
    if twice:
        campaign.problems.append(f"{len(twice)} messages were accepted twice")
    campaign.surprises += sum(sent.control_id in accepted for sent in campaign.in_flight())


def _undisturbed(campaign: Campaign, data: Path, folder: Path) -> bool:
    """Whether the base means what one means that took the same messages in peace."""
    folder.mkdir()
    loaded = load_config(None, [], {}, folder)
    upgrade(store_url(loaded))
    base = open_base(loaded)
    for lane in campaign.shared:
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
