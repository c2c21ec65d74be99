"""kill -9 while the queue of INSi works, again and again: no question lost, no answer applied twice.

Each round some searches are queued and a campaign of verifications queues its share; the server is killed at a random
moment of its first batch or of the one after, and its successor goes on. The simulator runs apart all the while: it
tells which calls it received, to be compared with those recorded.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec

from bench import content, insi_site, server
from bench.agreement import agreed
from bench.populate import DATABASE
from bench.progress import bar
from bench.report import Cell, Table
from bench.rounds import spread
from insigne.app.base import Base, open_base
from insigne.app.clock import rfc3339_now
from insigne.config import load
from insigne.insi.jobs import Campaign
from insigne.simulate.calls import criteria_hash
from insigne.simulate.truth import Person

SHARE = 50
"""Searches queued each round, and verifications."""
EVERY_KO = 4
"""The nation knows one in so many of those to verify otherwise than we do."""
RATE = 100
"""Calls a second: slow enough for a batch to be killed in its middle."""
BATCH_SECONDS = 0.6
LATER_MINUTES = 11
"""What a successor's clock is put forward by, so that the questions its predecessor held are its own."""
PATIENCE = 900.0  # longer than a lease (10 minutes) and than the longest delay before a call is made again
_CAMPAIGN = "campaign-1"
_LOOK_SECONDS = 0.005
_CRITERIA = ("birth_name", "given_name", "sex", "birth_date", "birth_place")


@dataclass
class Outcome:
    """What the kills came to."""

    table: Table
    problems: list[str]
    ok: bool


@dataclass
class _Site:
    """The base, who is in it, and what happened so far. `expected`: the verdict due to each identity to verify."""

    data: Path
    settings: list[str]
    searched: list[str]
    expected: dict[str, str]
    restarts: list[float] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    """Questions in the hands of the server when it was killed."""
    problems: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.data / DATABASE

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return content.rows(self.file, sql)

    def count(self, sql: str) -> int:
        return int(str(self.rows(sql)[0][0]))

    def check(self, held: bool, problem: str) -> bool:
        if not held:
            self.problems.append(problem)
        return held


def run(rounds: int, seed: int = 1) -> Outcome:
    """Kill and restart so many times, let the queue end, then verify everything."""
    rng = Random(seed)
    known = insi_site.people(2 * rounds * SHARE)
    searched, verified = known[: rounds * SHARE], known[rounds * SHARE :]
    nation = [*searched, *(_moved(one) if rank % EVERY_KO == 0 else one for rank, one in enumerate(verified))]
    with tempfile.TemporaryDirectory(prefix="insigne-bench-") as folder, bar("faults of INSi", rounds + 2) as step:
        with server.running(insi_site.nation(Path(folder) / "nation", nation)) as service:
            site = _prepared(Path(folder) / "data", service, searched, verified)
            for turn in range(rounds):
                _round(site, turn, rng)
                step()
            _last_round(site, rounds)
            step()
            received = insi_site.received(service.told)
        checks = {
            "every question ended, with the answer due": _answers(site),
            "every verdict applied once": _verdicts(site),
            "one answer to compare for each search": _work_items(site),
            "every call recorded once, none that was not made": _calls(site, received),
        }
        checks |= agreed(site.data, site.problems)
        table = _table(site, rounds, seed, received, checks)
        step()
    return Outcome(table, site.problems, not site.problems and all(checks.values()))


def _moved(person: Person) -> Person:
    """The same person, born elsewhere: what the nation says now, which our base does not."""
    place = "63113" if person.traits.birth_place != "63113" else "72191"
    return msgspec.structs.replace(person, traits=msgspec.structs.replace(person.traits, birth_place=place))


def _prepared(data: Path, service: server.Server, searched: Sequence[Person], verified: Sequence[Person]) -> _Site:
    """A base with people to search, people to verify, and a running campaign that queues `SHARE` of them at a time."""
    # A call that met a fault (a time-out of a loaded machine) is made again within the patience of this campaign.
    others = {"rate": RATE, "burst": 1, "retry.first_seconds": 0.2, "retry.limit_seconds": 2}
    settings = insi_site.settings(service.told, **others)
    _, base = insi_site.new_base(data, service.told, **others)
    to_search = insi_site.created(base, searched)
    to_verify = insi_site.created(base, verified, with_ins=True)
    now = rfc3339_now()
    # The pump feeds a quarter of a minute's share when it starts, then every 15 seconds.
    campaign = Campaign(_CAMPAIGN, "", insi_site.AUTHOR, now, "9999", 4 * SHARE, 0, 0, total=len(to_verify))
    with base.store.begin() as transaction:
        transaction.put_campaign(campaign)
        transaction.commit()
    base.close()
    verdicts = {one: "KO" if rank % EVERY_KO == 0 else "OK" for rank, one in enumerate(to_verify)}
    return _Site(data, settings, to_search, verdicts)


def _round(site: _Site, turn: int, rng: Random) -> None:
    """Queue some searches, start, wait for the first batch to be recorded or not, and a moment more, kill."""
    _queue(site, turn)
    enough = site.count("SELECT count(*) FROM insi_call") + rng.choice((0, 1))
    process = server.insigne_later(site.data, turn * LATER_MINUTES, site.settings)
    try:
        site.restarts.append(process.ready_seconds)
        _wait(site, f"SELECT count(*) >= {enough} FROM insi_call", process)
        time.sleep(rng.uniform(0, BATCH_SECONDS))
    finally:
        process.kill()
    site.held.append(site.count("SELECT count(*) FROM insi_job WHERE state = 'calling'"))


_WORK = "SELECT count(*) FROM insi_job WHERE state IN ('waiting', 'calling')"


def _queue(site: _Site, turn: int) -> None:
    base: Base = open_base(load(None, site.settings, {}, site.data), wait=5.0)
    insi_site.queue(base, site.searched[turn * SHARE : (turn + 1) * SHARE])
    base.close()


def _last_round(site: _Site, turn: int) -> None:
    """Let everything end, and stop properly."""
    with server.running(server.insigne_later(site.data, turn * LATER_MINUTES, site.settings)) as process:
        _wait(site, f"SELECT NOT ({_WORK}) AND state = 'done' FROM insi_campaign", process)


def _wait(site: _Site, sql: str, process: server.Server) -> None:
    """Until a reading says so. Raises RuntimeError when it does not, or when the server ends."""
    limit = time.monotonic() + PATIENCE
    while not site.count(sql):
        if time.monotonic() > limit or process.process.poll() is not None:
            raise RuntimeError(f"the queue stands still:\n{process.log_end()}")
        time.sleep(_LOOK_SECONDS)


def _answers(site: _Site) -> bool:
    """One job for each identity, done; verifications with the verdict due."""
    done = {
        (kind, identity): outcome
        for kind, identity, outcome in site.rows("SELECT kind, identity, outcome FROM insi_job WHERE state = 'done'")
    }
    jobs = site.count("SELECT count(*) FROM insi_job")
    wanted = {("retrieve", one) for one in site.searched} | {("verify", one) for one in site.expected}
    lost = [one for one in wanted if one not in done]
    wrong = [one for one, verdict in site.expected.items() if done.get(("verify", one)) != verdict]
    return all(
        [
            site.check(not lost, f"{len(lost)} questions were not answered"),
            site.check(jobs == len(wanted), f"{jobs} jobs for {len(wanted)} questions"),
            site.check(not wrong, f"{len(wrong)} identities have not the verdict due"),
        ]
    )


def _verdicts(site: _Site) -> bool:
    """The journal says once of each identity that it was verified, and of each KO once that its INS was withdrawn."""
    found = Counter(
        (str(identity), str(kind))
        for identity, kind in site.rows(
            "SELECT stream_id, type FROM journal WHERE type IN ('ins-verified', 'ins-withdrawn')"
        )
    )
    wanted = Counter((identity, "ins-verified") for identity in site.expected)
    wanted.update((identity, "ins-withdrawn") for identity, verdict in site.expected.items() if verdict == "KO")
    return site.check(
        found == wanted, f"{(found - wanted).total()} verdicts too many, {(wanted - found).total()} missing"
    )


def _work_items(site: _Site) -> bool:
    """Of each search one work item was ever raised, and is open; of each KO too."""
    raised = Counter(
        (str(kind), str(identity), int(str(opened)))
        for kind, identity, opened in site.rows(
            "SELECT kind, identity, open FROM work_item JOIN work_item_subject ON item = work_item.id"
            " WHERE kind IN ('to-compare', 'insi-01', 'insi-02', 'insi-waiting', 'verification-ko')"
        )
    )
    kinds = {"00": "to-compare", "01": "insi-01", "02": "insi-02"}
    wanted = Counter(
        (kinds[str(outcome)], str(identity), 1)
        for identity, outcome in site.rows("SELECT identity, outcome FROM insi_job WHERE kind = 'retrieve'")
    )
    wanted.update(("verification-ko", identity, 1) for identity, verdict in site.expected.items() if verdict == "KO")
    return site.check(
        raised == wanted, f"{(raised - wanted).total()} work items too many, {(wanted - raised).total()} missing"
    )


# The deposit and the collection of a batch may be made again: what counts is what they brought.
_CALLS = "SELECT job, operation, criteria FROM insi_call WHERE operation IN ('search', 'verify')"


def _calls(site: _Site, received: Counter[str]) -> bool:
    """Searches recorded were received; those received are recorded, once for each job; a verification has one trace."""
    recorded: Counter[str] = Counter()
    by_job: Counter[tuple[str, str]] = Counter()
    verifications: Counter[str] = Counter()
    for job, operation, criteria in site.rows(_CALLS):
        if operation == "verify":
            verifications[str(job)] += 1
            continue
        asked = _hash(criteria)
        recorded[asked] += 1
        by_job[str(job), asked] += 1
    twice = [one for one, times in [*by_job.items(), *verifications.items()] if times > 1]
    return all(
        [
            site.check(not recorded - received, "searches are recorded that the service did not receive"),
            site.check(set(received) == set(recorded), "searches that the service received are not recorded"),
            site.check(not twice, f"{len(twice)} calls are recorded twice"),
            site.check(len(verifications) == len(site.expected), "verifications have no trace"),
        ]
    )


def _hash(criteria: object) -> str:
    asked = json.loads(criteria if isinstance(criteria, bytes) else str(criteria))
    return criteria_hash(*(asked[name] for name in _CRITERIA))


def _table(site: _Site, rounds: int, seed: int, received: Counter[str], checks: dict[str, bool]) -> Table:
    recorded = site.count("SELECT count(*) FROM insi_call WHERE operation = 'search'")
    again = site.count("SELECT sum(attempts) - count(*) FROM insi_job")
    rows: list[list[Cell]] = [
        ["kill -9 at work on the queue", rounds],
        ["questions in hand when killed", spread(site.held)],
        ["questions taken up again", again],
        ["searches recorded", recorded],
        ["searches received by the service", received.total()],
        ["verifications recorded", site.count("SELECT count(*) FROM insi_call WHERE operation = 'verify'")],
        ["restart to ready, s", spread(site.restarts)],
    ]
    rows += [[name, "yes" if held else "NO"] for name, held in checks.items()]
    return Table(
        f"queue of INSi: {rounds} kills, {SHARE} searches and {SHARE} verifications each, seed {seed}",
        ["what", "found"],
        rows,
    )
