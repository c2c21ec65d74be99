"""kill -9 of the PFI, of the DMP or of both while documents come: each ends where its truth says, and nowhere else.

A GAM and a DPI send by MLLP and by HTTP, and send again what was not acknowledged. Patients are qualified after their
documents came, documents are corrected, two people are merged once both were fed and a person confirms what is to be
deleted. In the end our base and what the simulated DMP keeps are read, each by SQL, and compared with the truth.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

from bench import content, documents_site, load, server
from bench.agreement import agreed
from bench.corpus import Sent
from bench.documents_site import Patient
from bench.documents_stories import LANES, Plan
from bench.populate import DATABASE
from bench.progress import bar
from bench.report import Cell, Table
from bench.rounds import spread
from insigne.app.base import open_base
from insigne.config import load as load_config
from insigne.dmp.acts import confirm
from insigne.store.dmp import SendingFilter

STORIES = 12
"""Stories of patients a round: what they send is shared by the lanes."""
A_LANE = 8
"""Steps of each lane a round, at most."""
PFI, DMP = "pfi", "dmp"
VICTIMS = ((PFI,), (DMP,), (PFI, DMP))
LATE_SECONDS = 1.5
"""The kill comes up to so long after an answer drawn at random: feeding lags behind reception."""
LEASE_SECONDS = 3
PATIENCE = 180.0
_LOOK_SECONDS = 0.05
_UNDER_WAY = (
    "SELECT (SELECT count(*) FROM document_sending WHERE state IN ('ready', 'calling', 'waiting-predecessor'))"
    " + (SELECT count(*) FROM document_review)"
)
_HELD = "SELECT count(*) FROM document_sending WHERE state = '{}'"
_FED = "SELECT unique_id FROM document_sending AS one JOIN document ON document.id = document WHERE state = 'fed'"
_OURS = (
    "SELECT unique_id, action, state, ins FROM document_sending AS one JOIN document ON document.id = document"
    " ORDER BY one.id"
)
_ITEMS = "SELECT kind, open, count(*) FROM work_item WHERE kind LIKE 'document-%' GROUP BY kind, open"
_AGAIN = "SELECT count(*) FROM document_sending WHERE text = 'it was there already'"
_STATUS = {"approved": "fed", "deprecated": "replaced", "deleted": "deleted"}
#: What our base must say of a document, by where it is to end: its sendings, each an action and a state.
_SENDINGS = {
    "fed": [("feed", "fed")],
    "corrects": [("replace", "fed")],
    "replaced": [("feed", "replaced")],
    "held": [("feed", "waiting-ins")],
    # What was deleted because of the merge is to go to the survivor, whose INS that CDA does not bear: refused.
    "deleted": [("delete", "deleted"), ("feed", "deleted"), ("feed", "refused")],
}


@dataclass
class Outcome:
    """What the kills came to."""

    table: Table
    problems: list[str]
    ok: bool


@dataclass
class _Site:
    """The two programs, and what happened so far."""

    folder: Path
    plan: Plan
    people: Sequence[Patient]
    settings: list[str] = field(default_factory=list)
    token: str = ""
    running: dict[str, server.Server] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    positions: list[int] = field(default_factory=lambda: [0] * LANES)
    sent: dict[str, str] = field(default_factory=dict)
    """When each step was sent first."""
    kills: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    calling: list[int] = field(default_factory=list)
    """Documents being called about at each kill of ours."""
    ready: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / PFI

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in content.rows(self.data / DATABASE, sql)]

    def count(self, sql: str) -> int:
        return int(str(self.rows(sql)[0][0]))

    def check(self, held: bool, problem: str) -> bool:
        if not held:
            self.problems.append(problem)
        return held

    def start(self) -> None:
        """Start what does not run, where it was."""
        if DMP not in self.running:
            known = [one.person for one in self.people]
            self.running[DMP] = documents_site.dmp(self.folder / DMP, known, self.ports.get(DMP, 0))
            self.ports[DMP] = self.running[DMP].port
        if not self.token:
            lease = {"queue.lease_seconds": LEASE_SECONDS, "service.total_seconds": LEASE_SECONDS - 1}
            self.settings = documents_site.settings(self.running[DMP].told, **lease)
            self.token = documents_site.with_token(self.data, self.settings)
        if PFI not in self.running:
            ports = [f"{name}.port={port}" for name, port in self.ports.items() if name != DMP]
            process = self.running[PFI] = server.insigne(self.data, *self.settings, *ports)
            self.restarts.append(process.ready_seconds)
            self.ports |= {name: int(process.told[name].rpartition(":")[2]) for name in ("mllp", "http")}

    def kill(self, victims: Sequence[str]) -> None:
        """kill -9."""
        for name in victims:
            process = self.running.pop(name, None)
            if process is not None:
                process.kill()
                self.kills[name] += 1


def run(rounds: int, seed: int = 1) -> Outcome:
    """Kill and restart so many times, let everything end, then verify everything."""
    rng = Random(seed)
    stories = rounds * STORIES
    known = documents_site.people(2 * stories)
    patients = [Patient(person, str(2_000_000 + rank)) for rank, person in enumerate(known)]
    plan, queue = Plan([[] for _ in range(LANES)]), iter(patients)
    for turn in range(stories):
        plan.tell(turn, queue)
    turns = [victims for _ in range(0, rounds, len(VICTIMS)) for victims in rng.sample(VICTIMS, len(VICTIMS))]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="insigne-bench-")))
        step = stack.enter_context(bar("faults of documents", rounds + 2))
        site = _Site(folder, plan, patients)
        stack.callback(lambda: site.kill((PFI, DMP)))
        for victims in turns[:rounds]:
            _round(site, victims, rng)
            step()
        kills = site.kills.copy()
        _last_round(site)
        step()
        outcome = _verified(site, kills, seed)
        step()
    return outcome


def _round(site: _Site, victims: Sequence[str], rng: Random) -> None:
    """Start what was killed, confirm and merge what may be, load, kill."""
    site.start()
    _confirm(site)
    _merge(site)
    rest = [len(lane[position:][:A_LANE]) for lane, position in zip(site.plan.lanes, site.positions, strict=True)]
    enough, moment = rng.randint(0, sum(rest) * 3 // 4), rng.uniform(0, LATE_SECONDS)
    asyncio.run(_loaded(site, A_LANE, enough, moment, victims))
    if PFI in victims:
        site.calling.append(site.count(_HELD.format("calling")))
    site.ready.append(site.count(_HELD.format("ready")))


def _last_round(site: _Site) -> None:
    """Send what is left, merge and confirm what is to be, let everything end, and stop properly."""
    site.start()
    for prepare in (lambda _: None, _merge, _confirm):
        prepare(site)
        asyncio.run(_loaded(site, None))
        _settle(site)
    site.check(not site.plan.merges, f"{len(site.plan.merges)} pairs were never both fed")
    for name in (PFI, DMP):
        site.running.pop(name).stop()


def _settle(site: _Site) -> None:
    limit = time.monotonic() + PATIENCE
    while left := site.count(_UNDER_WAY):
        if time.monotonic() > limit:
            site.problems.append(f"{left} documents are still under way {PATIENCE:g} s later")
            return
        time.sleep(_LOOK_SECONDS)


def _merge(site: _Site) -> None:
    """Send next that two people are one, of the pairs that are fed both."""
    fed = {str(one) for (one,) in site.rows(_FED)}
    for merge in [one for one in site.plan.merges if fed.issuperset(one.documents)]:
        site.plan.merges.remove(merge)
        site.plan.lanes[merge.lane].insert(site.positions[merge.lane], merge.step)


def _confirm(site: _Site) -> None:
    """Let the deletions that were prepared go, as a person does."""
    base = open_base(load_config(None, site.settings, {}, site.data), wait=10.0)
    try:
        if base.documents is None:
            raise LookupError("the base is that of a PFI")
        with base.store.read() as view:
            prepared = view.sendings(SendingFilter(state="to-confirm"), limit=1000)
        with base.store.begin(10.0) as transaction:
            for sending in prepared:
                confirm(transaction, base.documents.site, sending.id, "user:bench")
            transaction.commit()
    finally:
        base.close()


# --- the load


async def _loaded(
    site: _Site, most: int | None, enough: int = 0, moment: float = 0.0, victims: Sequence[str] = ()
) -> None:
    """Send on, at most `most` steps a lane; `moment` seconds after `enough` answers, kill. What lives is loaded on."""
    process, loop, killed = site.running[PFI], asyncio.get_running_loop(), asyncio.Event()
    countdown = count(enough - 1, -1)

    def kill() -> None:
        site.kill(victims)
        killed.set()

    def answered() -> None:
        if next(countdown) == 0:
            loop.call_later(moment, kill)

    connections = [await load.connect(process.host, process.port) for _ in site.plan.lanes]
    if victims and not enough:
        loop.call_later(moment, kill)
    plays = (_played(site, process, rank, most, lane, answered) for rank, lane in enumerate(connections))
    ends = await asyncio.gather(*plays, return_exceptions=True)
    if victims:
        await asyncio.wait_for(killed.wait(), PATIENCE)
    for end, lane in zip(ends, connections, strict=True):
        site.check(end is None or PFI in victims, f"a lane ended with {end!r}")
        site.check(not set(lane.codes) - {"AA"}, f"answers other than AA: {dict(lane.codes)}")
        lane.close()


async def _played(
    site: _Site, process: server.Server, rank: int, most: int | None, lane: load.Lane, answered: Callable[[], None]
) -> None:
    """Send the steps of a lane, each once the one before is answered."""
    for step in site.plan.lanes[rank][site.positions[rank] :][:most]:
        site.sent.setdefault(step.control_id, _now())
        if step.metadata:
            status = await asyncio.to_thread(documents_site.post, process.told["http"], site.token, step)
            site.check(status < 300, f"a document posted was answered {status}")
        else:
            await lane.send((Sent(step.control_id, step.payload),))
        site.positions[rank] += 1
        answered()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- the end


def _verified(site: _Site, kills: Counter[str], seed: int) -> Outcome:
    truth = site.plan.truth
    there = _in_dmp(site.folder / DMP)
    checks = {
        "our base: each document once, where its truth says": _ours(site),
        "the DMP: each document under its INS, with its status, no other": _theirs(site, there),
        "none fed before its patient was qualified": _in_time(site, there),
        "a work item for each deletion to confirm and refusal": _work_items(site),
    }
    checks |= agreed(site.data, site.problems)
    rows: list[list[Cell]] = [
        ["kill -9 of ours", kills[PFI]],
        ["kill -9 of the DMP", kills[DMP]],
        ["messages and documents acknowledged", sum(site.positions)],
        ["documents", len(truth)],
        ["being called about when ours was killed", spread(site.calling)],
        ["waiting for their turn after a kill", spread(site.ready)],
        ["sent again and found there already", site.count(_AGAIN)],
        ["restart to ready, s", spread(site.restarts)],
    ]
    rows[4:4] = [[f"… {end}", ends] for end, ends in Counter(told.end for told in truth.values()).items()]
    rows += [[what, "yes" if held else "NO"] for what, held in checks.items()]
    title = f"documents: {kills.total()} kill -9, {LANES} lanes by MLLP and HTTP, seed {seed}"
    return Outcome(Table(title, ["what", "found"], rows), site.problems, not site.problems and all(checks.values()))


def _ours(site: _Site) -> bool:
    """Every document is there once, with the sendings due, the fed ones under the INS of their patient."""
    found: dict[str, list[tuple[str, str]]] = {}
    under: dict[str, set[str]] = {}
    for unique_id, action, state, ins in site.rows(_OURS):
        found.setdefault(str(unique_id), []).append((str(action), str(state)))
        if state in {"fed", "replaced", "deleted"}:
            under.setdefault(str(unique_id), set()).add(str(ins))
    names = Counter(str(name) for (name,) in site.rows("SELECT unique_id FROM document"))
    truth, wrong = site.plan.truth, [name for name, times in names.items() if times > 1]
    checks = [
        site.check(not wrong, f"in our base twice: {wrong}"),
        site.check(names.keys() == truth.keys(), f"in one and not the other: {sorted(names.keys() ^ truth.keys())}"),
    ]
    for unique_id, told in truth.items():
        states = sorted(found.get(unique_id, []))
        checks.append(site.check(states == sorted(_SENDINGS[told.end]), f"{unique_id} ({told.end}): {states}"))
        wanted = set() if told.end == "held" else {told.ins}
        checks.append(site.check(under.get(unique_id, set()) == wanted, f"{unique_id}: fed under another INS"))
    return all(checks)


def _in_dmp(folder: Path) -> dict[str, tuple[str, str, str, str]]:
    """What the DMP keeps: by unique id, OID|MATRICULE, status, SHA-1 and when it came."""
    file = folder / documents_site.DMP_BASE
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as base:
        rows = base.execute("SELECT unique_id, patient, status, hash, received FROM document")
        return {
            unique_id: (patient, _STATUS[status], sha1, received) for unique_id, patient, status, sha1, received in rows
        }


def _theirs(site: _Site, there: dict[str, tuple[str, str, str, str]]) -> bool:
    due = {
        unique_id: (told.ins, "fed" if told.end == "corrects" else told.end)
        for unique_id, told in site.plan.truth.items()
        if told.end != "held"
    }
    checks = [
        site.check(not due.keys() - there.keys(), f"missing in the DMP: {sorted(due.keys() - there.keys())}"),
        site.check(not there.keys() - due.keys(), f"should not be in the DMP: {sorted(there.keys() - due.keys())}"),
    ]
    for unique_id in due.keys() & there.keys():
        ins, status, sha1, _ = there[unique_id]
        checks.append(site.check((ins, status) == due[unique_id], f"{unique_id} is {status}, or under another INS"))
        as_sent = site.plan.truth[unique_id].sha1
        checks.append(site.check(not as_sent or sha1.lower() == as_sent, f"{unique_id} is not as it was sent"))
    return all(checks)


def _in_time(site: _Site, there: dict[str, tuple[str, str, str, str]]) -> bool:
    """The message that qualifies a patient was sent before the DMP got a document of theirs."""
    early = [one for one, found in there.items() if found[3] < site.sent[site.plan.truth[one].after]]
    return site.check(not early, f"fed before their patient was qualified: {early}")


def _work_items(site: _Site) -> bool:
    """One for each merge, closed by the deletion; one for each document refused afterwards; nothing else."""
    merges = sum(told.end == "deleted" for told in site.plan.truth.values())
    wanted = {("document-to-withdraw", 0): merges, ("document-refused", 1): merges}
    found = {(str(kind), int(str(opened))): int(str(times)) for kind, opened, times in site.rows(_ITEMS)}
    return site.check(found == {key: value for key, value in wanted.items() if value}, f"work items: {found}")
