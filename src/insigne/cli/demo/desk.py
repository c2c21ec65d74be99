"""The admission desk of the demonstration: people who come without having been announced, and the INS they end with.

Half of them come while INSi is down. Each is created at once; the queue asks INSi when it can; a person of the
identitovigilance cell accepts each answer, and checks the document of every other one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from insigne.app.base import Base
from insigne.app.clock import rfc3339_now
from insigne.cli.demo.service import Service
from insigne.cli.demo.verdict import Expectation
from insigne.insi.desk import read_held
from insigne.registry.acts import AcceptIns, CreateIdentity, PriorSearch, RecordProof
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.decision import Refused
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Proof
from insigne.registry.worklist_kinds import WorkFilter
from insigne.simulate.truth import Person

_DRAIN_SECONDS = 60.0
CELL = "cellule identitovigilance"


@dataclass(slots=True)
class Arrival:
    """One person at the desk, the identity created, and whether their document will be checked."""

    person: Person
    identity: str
    documented: bool


def play_desk(
    base: Base,
    insi: Service,
    people: Sequence[Person],
    arrived: Callable[[Arrival], None],
    progress: Callable[[int], None],
) -> tuple[list[Expectation], dict[str, int]]:
    """Create, ask, accept and check; what must hold, and the figures of INSi. `arrived` is told of each arrival."""
    half = len(people) // 2
    unhindered = Expectation("no admission waited for INSi, up or down")
    arrivals = [_admitted(base, person, index, unhindered) for index, person in enumerate(people[:half])]
    insi.down()
    arrivals += [_admitted(base, person, index, unhindered) for index, person in enumerate(people[half:], half)]
    waiting = _open_jobs(base)
    for arrival in arrivals:
        arrived(arrival)
    insi.up()
    drained = Expectation("the queue drained by itself once INSi was back")
    drained.check(_drained(base), f"{_open_jobs(base)} searches still waiting")
    outage = Expectation("searches waited during the outage, none was lost")
    outage.check(waiting >= len(people) - half, f"{waiting} waiting")
    statuses = Expectation("people at the desk end with the status and the INS of the truth")
    for arrival in arrivals:
        _settled(base, arrival)
        _compared(base, arrival, statuses)
        progress(1)
    return [unhindered, outage, drained, statuses], _figures(base, arrivals)


def _admitted(base: Base, person: Person, index: int, unhindered: Expectation) -> Arrival:
    started = time.monotonic()
    traits = person.traits
    number = Identifier("PI", Authority(sorted(base.policy.own)[0]), f"DESK{index:05d}")
    act = CreateIdentity(
        identifier=number,
        traits=TraitsAssertion(
            birth_name=traits.birth_name,
            first_given_name=traits.given_names[0],
            birth_date=traits.birth_date.replace("-", ""),
            sex=traits.sex,
            birth_place=traits.birth_place,
        ),
        details=DetailsAssertion(),
        search=PriorSearch((("birth_date", traits.birth_date),), ()),
    )
    decision = base.registrar.act(act, _source())
    unhindered.check(time.monotonic() - started < 2.0, person.person)
    return Arrival(person, decision.subject, documented=index % 2 == 0)


def _settled(base: Base, arrival: Arrival) -> None:
    """What the cell does: accept the answer that waits, check the document."""
    with base.store.read() as view:
        items = view.work_items(WorkFilter(kind="to-compare", subject=arrival.identity))
    try:
        for item in items:
            base.registrar.act(AcceptIns(arrival.identity, 0, read_held(item).answer), _source())
        if arrival.documented:
            proof = Proof(type="CN", high_trust=True, expiry="20331231")
            base.registrar.act(RecordProof(arrival.identity, 0, proof), _source())
    except Refused:
        return  # the comparison with the truth says so


def _compared(base: Base, arrival: Arrival, statuses: Expectation) -> None:
    with base.store.read() as view:
        identity = view.identity(arrival.identity)
    national = arrival.person.national
    expected = {(True, True): "QUAL", (True, False): "RECUP", (False, True): "VALI", (False, False): "PROV"}[
        national is not None, arrival.documented
    ]
    matricule = national.matricule if national is not None else None
    held = identity.ins.ins.matricule if identity is not None and identity.ins is not None else None
    status = str(identity.status) if identity is not None else ""
    where = f"{arrival.person.person}: {status} for {expected}"
    statuses.check((status, held) == (expected, matricule), where)


def _drained(base: Base) -> bool:
    deadline = time.monotonic() + _DRAIN_SECONDS
    while _open_jobs(base):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _open_jobs(base: Base) -> int:
    with base.store.read() as view:
        states = view.job_states()
    return states.get("waiting", 0) + states.get("calling", 0)


def _figures(base: Base, arrivals: Sequence[Arrival]) -> dict[str, int]:
    with base.store.read() as view:
        calls = view.calls(limit=100_000)
        ended = [view.identity(arrival.identity) for arrival in arrivals]
    codes = [call.code for call in calls]
    return {
        "desk": len(arrivals),
        "calls": len(calls),
        "found": codes.count("00"),
        "not_found": codes.count("01"),
        "several": codes.count("02"),
        "faults": len([code for code in codes if code not in {"00", "01", "02"}]),
        "retrieved": len([i for i in ended if i is not None and i.ins is not None]),
        "qualified": len([i for i in ended if i is not None and i.qualified]),
    }


def _source() -> Source:
    return Source(rfc3339_now(), CELL, "user", "demo", local=True)
