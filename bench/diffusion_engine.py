"""An engine between one who sends and receivers that answer at once: how long a change takes, how many go through.

The same for ours and for a peer: the messages, the connections, the receivers. Each message is about a patient of its
own, so that it is found again at each receiver by the patient's number, whatever the engine made of its header.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bench import diffusion_load, machine, populate, server
from bench.corpus import Sent
from bench.diffusion_receiver import Receipt, Receivers
from bench.load import quantile
from insigne.simulate.hospital import HospitalSettings, truth

PATIENCE = 30.0
WARM = 40
"""Changes sent before those that count: the first ones make an engine load what it needs."""
_LOOK_SECONDS = 0.1
_NUMBERS_FROM = 5_000_000
_SEED = 91
DIALECTS = (
    "",
    'subscription = { edition = "2.10" }',
    'subscription = { edition = "PAM-2.5", charset = "iso8859-1", unencodable = "transliterate" }',
    'subscription = { edition = "2.9" }',
    'subscription = { edition = "2.11", given_names = "further", ins = false }',
)
"""What five receivers may want; the first is what is said when nothing is."""


class Change(NamedTuple):
    """A message about a new patient, and the number it is found by."""

    patient: str
    sent: Sent


@dataclass(frozen=True)
class Passage:
    """A load that went through.

    Times in seconds, sorted: `told` from the acknowledgement of the change to that of the last receiver, `whole` from
    the moment it was to be sent. `wrong` is what was not as it must be; `others` what came about other patients.
    """

    delivered: int
    seconds: float
    told: list[float]
    whole: list[float]
    wrong: list[str]
    others: list[Receipt]
    processor_us: float
    resident_mb: float

    @property
    def rate(self) -> float:
        """Messages delivered a second."""
        return self.delivered / self.seconds

    def milliseconds(self, share: float) -> float:
        """The time from acknowledged here to acknowledged everywhere that `share` of the changes do not exceed."""
        return quantile(self.told, share) * 1000


def changes(count: int, first: int = 0) -> list[Change]:
    """New patients, always the same ones; nobody of `populate`."""
    people = islice(truth(HospitalSettings(patients=0, people=first + count, seed=_SEED)), first, None)
    found = []
    for rank, person in enumerate(people, first):
        number = str(_NUMBERS_FROM + rank)
        control_id = f"DIFF{rank}"
        found.append(Change(number, Sent(control_id, populate.message_about(person, number, "A28", control_id))))
    return found


def destinations(ports: Sequence[int], *, lanes: int = 1, varied: bool = False) -> str:
    """The setting that names receivers at these ports."""
    tables = []
    for rank, port in enumerate(ports):
        parts = [
            f'name = "R{rank}"',
            f'mllp = {{ host = "127.0.0.1", port = {port} }}',
            f"delivery = {{ lanes = {lanes}, first_retry_seconds = 0.05 }}",
            DIALECTS[rank % len(DIALECTS)] if varied else "",
        ]
        tables.append(f"{{ {', '.join(filter(None, parts))} }}")
    return f"destinations=[{', '.join(tables)}]"


def passed(engine: server.Server, receivers: Receivers, count: int, given: Sequence[Change], rate: float) -> Passage:
    """Put changes through an engine that runs and has `count` receivers, at a pace, or flat out."""
    used = engine.processor_seconds()
    load = diffusion_load.start(engine.host, engine.port, [change.sent for change in given], rate)
    receipts, others = awaited(receivers, {change.patient for change in given}, count * len(given))
    told = load.told()
    delivered = Counter((receipt.receiver, receipt.patient) for receipt in receipts)
    wrong = [f"answers other than AA: {Counter(told.wrong)}"] if told.wrong else []
    missing = count * len(given) - len(delivered)
    if missing or delivered.total() != len(delivered):
        wrong.append(f"{missing} messages not delivered, {delivered.total() - len(delivered)} delivered again")
    last: dict[str, float] = {}
    for receipt in receipts:
        last[receipt.patient] = max(last.get(receipt.patient, 0.0), receipt.moment)
    known = [(last[change.patient], rank) for rank, change in enumerate(given) if change.patient in last]
    return Passage(
        delivered=delivered.total(),
        seconds=max(last.values()) - min(told.due),
        told=sorted(moment - told.acknowledged[rank] for moment, rank in known),
        whole=sorted(moment - told.due[rank] for moment, rank in known),
        wrong=wrong,
        others=others,
        processor_us=(engine.processor_seconds() - used) / len(given) * 1e6,
        resident_mb=sum(map(machine.resident_kb, machine.family(engine.pid))) / 1024,
    )


def measured(engine: server.Server, receivers: Receivers, count: int, given: Sequence[Change], rate: float) -> Passage:
    """The same after some changes that do not count; the engine is stopped at the end."""
    with server.running(engine):
        passed(engine, receivers, count, given[:WARM], diffusion_load.FLAT_OUT)
        return passed(engine, receivers, count, given[WARM:], rate)


def awaited(receivers: Receivers, patients: set[str], wanted: int) -> tuple[list[Receipt], list[Receipt]]:
    """Receipts about these patients, until there are as many as wanted, and about others meanwhile.

    Raises RuntimeError when no more come.
    """
    found: list[Receipt] = []
    others: list[Receipt] = []
    limit = time.monotonic() + PATIENCE
    while len(found) < wanted:
        come = receivers.collect()
        mine = [receipt for receipt in come if receipt.patient in patients]
        if mine:
            found += mine
            limit = time.monotonic() + PATIENCE
        if len(mine) < len(come):
            others += (receipt for receipt in come if receipt.patient not in patients)
        if time.monotonic() > limit:
            raise RuntimeError(f"of {wanted} messages to deliver only {len(found)} came")
        time.sleep(_LOOK_SECONDS)
    return found, others


def ours(folder: Path, ports: Sequence[int], *, lanes: int = 1, varied: bool = False) -> server.Server:
    """`insigne serve` on an empty base, with these receivers."""
    return server.insigne(folder, destinations(ports, lanes=lanes, varied=varied))
