"""Many documents held: patients become qualified while messages come in; how many are looked at again a second.

Half of the people who are not qualified have the documents, the other half none. The same load, whose share of messages
qualifies somebody, is about the second half first, then about the first: what differs is the documents.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from bench import content, populate, server
from bench.corpus import Sent
from bench.diffusion_load import Told, start
from bench.load import quantile
from bench.progress import bar
from insigne.ins.matricule import NIR_OID
from insigne.registry.values import Identifier
from insigne.simulate.truth import Person
from insigne.store.dmp_statements import INSERT_DOCUMENT, PUT_PART, PUT_SENDING

PACE = 300.0
"""Messages a second all the while."""
SHARE = 20
"""One message in so many qualifies a patient."""
CONTENTS = 1000
"""Documents share so many contents."""
WARM_SECONDS = 3
_LOOK_SECONDS = 0.25
_STILL_SECONDS = 20.0
_SINCE = "2025-06-01T08:00:00.000Z"
_BATCH = 20_000
_READY = "SELECT count(*) FROM document_sending WHERE state = 'ready'"
_TOO_EARLY = (
    "SELECT count(*) FROM document_sending AS one JOIN identity ON identity.id = one.identity"
    " WHERE one.state = 'ready' AND identity.status <> 'QUAL'"
)
_NUMBERS = "SELECT value, identity FROM identifier WHERE type = 'PI'"


class Round(NamedTuple):
    """The same load without and with documents of the patients qualified: p99 of an acknowledgement in milliseconds,
    documents queued by it, and the seconds that took.
    """

    before: float
    during: float
    released: int
    seconds: float


class Released(NamedTuple):
    """What was measured: documents held at first, patients qualified a round, the rounds.

    `wrong`: answers other than AA, documents missing, documents queued for who is not qualified.
    """

    held: int
    qualified: int
    rounds: list[Round]
    wrong: int

    @property
    def rate(self) -> float:
        """Documents looked at again and queued a second."""
        return sum(one.released for one in self.rounds) / sum(one.seconds for one in self.rounds)

    @property
    def slower(self) -> float:
        """The p99 of messages while documents are looked at again, against without: medians of the rounds."""
        return median(one.during for one in self.rounds) / median(one.before for one in self.rounds)


class _Known(NamedTuple):
    """Someone of the base."""

    person: Person
    number: str
    identity: str


def released(folder: Path, people: int, documents: int, rounds: int, seconds: float) -> Released:
    """Hold so many documents; then, each round, load for so long without them, and for so long with them."""
    data = populate.base(people, folder / "data").parent
    database = data / populate.DATABASE
    qualified, others = _people(database, people)
    half, count = len(others) // 2, int(PACE * seconds)
    with_documents, without = others[:half], [one for one in others[half:] if _has_nir(one.person)]
    each = _hold(database, with_documents, documents)
    asked = [one for one in with_documents if _has_nir(one.person)]
    warm = list(islice(_messages(qualified, "W"), int(PACE * WARM_SECONDS)))
    steady, changing = _messages(qualified, "S", without), _messages(qualified, "C", asked)
    settings = ('roles=["ri","consumer","pfi"]', "environment=production", "dmp.without_consent=feed")
    found, wrong, measured = 0, 0, []
    with server.running(server.insigne(data, *settings)) as engine:
        start(engine.host, engine.port, warm, PACE).told()
        for turn in range(1, rounds + 1):
            before = start(engine.host, engine.port, list(islice(steady, count)), PACE).told()
            given, began = list(islice(changing, count)), time.monotonic()
            during = start(engine.host, engine.port, given, PACE).told()
            now, ended = _released(database, turn * each * (count // SHARE))
            measured.append(Round(_p99(before), _p99(during), now - found, ended - began))
            found, wrong = now, wrong + len(before.wrong) + len(during.wrong)
        wrong += int(content.rows(database, _TOO_EARLY)[0][0])
    wrong += abs(rounds * each * (count // SHARE) - found)
    return Released(each * len(with_documents), count // SHARE, measured, wrong)


def _p99(told: Told) -> float:
    return quantile(sorted(end - due for due, end in zip(told.due, told.acknowledged, strict=True)), 0.99) * 1000


def _people(database: Path, people: int) -> tuple[list[_Known], list[_Known]]:
    """Those of the base who are qualified, and those who are not."""
    ids = dict(content.rows(database, _NUMBERS))
    status = dict(content.rows(database, "SELECT id, status FROM identity"))
    numbers = map(populate.number_of, range(people))
    known = [_Known(one, number, ids[number]) for number, one in zip(numbers, populate.people(people), strict=False)]
    qualified = [one for one in known if status[one.identity] == "QUAL"]
    return qualified, [one for one in known if status[one.identity] == "PROV"]


def _has_nir(person: Person) -> bool:
    return person.national is not None and person.national.oid == NIR_OID


def _messages(people: Sequence[_Known], prefix: str, waiting: Sequence[_Known] = ()) -> Iterator[Sent]:
    """Updates that change nothing; with people who wait, one in `SHARE` brings the INS of one of them."""
    to_qualify = iter(waiting)
    for turn, one in enumerate(cycle(people)):
        control_id = f"{prefix}{turn:07d}"
        qualifies = bool(waiting) and turn % SHARE == SHARE - 1
        known = next(to_qualify) if qualifies else one
        raw = populate.message_about(known.person, known.number, "A31", control_id, qualified=True)
        yield Sent(control_id, raw)


def _hold(database: Path, people: Sequence[_Known], documents: int) -> int:
    """Write documents that wait for an INS, and what waits to be sent of them; how many for each of these people."""
    each = documents // len(people)
    contents = [f"%PDF-1.4 {number}".encode() * 1000 for number in range(CONTENTS)]
    digests = [hashlib.sha256(one).hexdigest() for one in contents]
    with closing(sqlite3.connect(database)) as base, bar(f"holding {documents:,} documents", documents) as step:
        with base:
            base.executemany(PUT_PART, [(digest, 0, one) for digest, one in zip(digests, contents, strict=True)])
        for first in range(0, each * len(people), _BATCH):
            ranks = range(first, min(first + _BATCH, each * len(people)))
            with base:
                made = [_document(rank, people[rank % len(people)], digests, contents) for rank in ranks]
                base.executemany(INSERT_DOCUMENT, made)
                base.executemany(PUT_SENDING, [_sending(rank, people[rank % len(people)]) for rank in ranks])
            step(len(ranks))
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return each


def _document(rank: int, patient: _Known, digests: Sequence[str], contents: Sequence[bytes]) -> tuple[object, ...]:
    """A row of `dmp_statements.INSERT_DOCUMENT`."""
    name, which = f"1.2.250.1.999.1.77.{rank}", rank % CONTENTS
    ids = msgspec.json.encode([Identifier("PI", populate.SITE, patient.number)])
    return (
        f"D{rank:025d}", _SINCE, "mllp:DPI", "", f"D{rank}", "DPI|CH-VALBRUME", "initial", name, name, 1, "", "11490-0",
        "N", _SINCE, patient.identity, digests[which], len(contents[which]), "application/pdf", "990000019",
        msgspec.json.encode({"title": "Lettre de liaison", "patient": ids}),
    )  # fmt: skip


def _sending(rank: int, patient: _Known) -> tuple[object, ...]:
    """A row of `dmp_statements.PUT_SENDING`."""
    held = ("dmp", "feed", patient.identity, "waiting-ins", "ins-missing", _SINCE, "", 0)
    return (f"S{rank:025d}", f"D{rank:025d}", *held, *[""] * 9)


def _released(database: Path, expected: int) -> tuple[int, float]:
    """Wait until so many documents are queued, or no more come; how many, and when the last ones were seen."""
    found, moment = int(content.rows(database, _READY)[0][0]), time.monotonic()
    while found < expected and time.monotonic() < moment + _STILL_SECONDS:
        time.sleep(_LOOK_SECONDS)
        now = int(content.rows(database, _READY)[0][0])
        if now > found:
            found, moment = now, time.monotonic()
    return found, moment
