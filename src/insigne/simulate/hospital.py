"""Hospital-in-a-box: the timeline of all scripts, messages in order with the answers expected, and the truth.

Deterministic: the same settings give the same bytes. Nothing reads a clock; memory grows with the people present at one
moment, not with the length of the feed.
"""

import heapq
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Final

from insigne.ins.matricule import NIR_OID, NIR_TEST_OID
from insigne.simulate import segments
from insigne.simulate.editions import CHARSETS, CODECS, EDITIONS
from insigne.simulate.faults import Draft, Fault, wrong_message
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.people import Citizen
from insigne.simulate.records import truth_of
from insigne.simulate.script import DAY, Desk, Script, Step, hl7_time
from insigne.simulate.truth import National, Person, Traits
from insigne.simulate.units import units

DEFAULT_WRONG: Final = 0.01
DEFAULT_START: Final = datetime(2026, 1, 5, 7, 0)  # hospital time, written without zone as desks do
_LONGEST: Final = 240 * DAY
_USUAL_GAP: Final = 600.0
_LOOKALIKES: Final = 500


@dataclass(frozen=True, slots=True)
class HospitalSettings:
    """What to simulate.

    `patients` come to the hospital, out of `people` known to the nation (`None`: no others). `charset` is a key of
    `editions.CHARSETS`, None for the edition's default. `wrong` is the share of messages followed by one that is
    wrong on purpose. `test_oid` puts every NIR under the test authority. Raises ValueError for values out of range.
    """

    patients: int
    seed: int = 1
    people: int | None = None
    edition: str = "2.11"
    charset: str | None = None
    wrong: float = DEFAULT_WRONG
    test_oid: bool = False
    start: datetime = DEFAULT_START

    def __post_init__(self) -> None:
        if self.patients < 0:
            raise ValueError(f"patients: {self.patients} is negative; give how many people come to the hospital")
        if self.people is not None and self.people < self.patients:
            raise ValueError(f"people: {self.people} is less than the {self.patients} patients, who are among them")
        if self.edition not in EDITIONS:
            raise ValueError(f"edition: {self.edition!r} is not one of {', '.join(EDITIONS)}")
        if self.charset is not None and self.charset not in CHARSETS:
            raise ValueError(f"charset: {self.charset!r} is not one of {', '.join(CHARSETS)}")
        if not 0 <= self.wrong <= 1:
            raise ValueError(f"wrong: {self.wrong} is not a share between 0 and 1")


@dataclass(frozen=True, slots=True)
class GeneratedMessage:
    """One message, unframed, with the acknowledgement (MSA-1) to expect and why. `event` is like `ADT^A28`."""

    control_id: str
    event: str
    payload: bytes
    expected_code: str
    why: str


def generate(settings: HospitalSettings) -> Iterator[GeneratedMessage]:
    """Yield the messages in the order they are sent."""
    press = _Press(settings)
    for step in _in_order(_scripts(settings)):
        yield from press.messages(step)


def truth(settings: HospitalSettings) -> Iterator[Person]:
    """Yield the lines of the truth file: everyone the hospital saw, then the people known to the nation alone."""
    desk = _desk(settings)
    patients: deque[Citizen] = deque(maxlen=_LOOKALIKES)
    for script in _scripts(settings, desk):
        patients.append(script.records[0].citizen)
        for record in script.records:
            yield truth_of(record, PATIENT_OID)
    yield from _others(settings, desk, patients)


def _desk(settings: HospitalSettings) -> Desk:
    oid = NIR_TEST_OID if settings.test_oid else NIR_OID
    return Desk(EDITIONS[settings.edition], settings.start, oid, settings.wrong)


def _scripts(settings: HospitalSettings, desk: Desk | None = None) -> Iterator[Script]:
    gap = min(_USUAL_GAP, _LONGEST / max(1, settings.patients))
    return units(desk or _desk(settings), str(settings.seed), settings.patients, gap)


def _in_order(scripts: Iterator[Script]) -> Iterator[Step]:
    """Merge the steps of scripts, themselves in order of their start, into one timeline."""
    waiting: list[tuple[int, int, Step]] = []
    order = count()
    for script in scripts:
        start = script.steps[0].time
        while waiting and waiting[0][0] < start:
            yield heapq.heappop(waiting)[2]
        for step in script.steps:
            heapq.heappush(waiting, (step.time, next(order), step))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _others(settings: HospitalSettings, desk: Desk, patients: Sequence[Citizen]) -> Iterator[Person]:
    """Yield people the hospital never saw; one in fifty is told from a patient by few traits (INSi answers 02)."""
    for number in range((settings.people or settings.patients) - settings.patients):
        rng = Random(f"{settings.seed}/other/{number}")  # noqa: S311  # reproducible on purpose, nothing is secret
        if patients and rng.random() < 0.02:
            citizen = desk.population.homonym(rng, rng.choice(patients))
        else:
            citizen = desk.population.citizen(rng)
        national = National(desk.nir_oid, desk.matricules.issue(rng, citizen))
        yield Person(
            person=desk.next_person(),
            identifiers=(),
            traits=Traits(
                citizen.birth_name, citizen.given_names, citizen.sex, citizen.birth.isoformat(), citizen.birth_place
            ),
            ins=None,
            national=national,
            status=None,
            merged_into=None,
            stays=(),
            duplicates_of=None,
        )


class _Press:
    """Turns steps into bytes: MSH, EVN, control ids, character set; and slips wrong messages in."""

    def __init__(self, settings: HospitalSettings) -> None:
        self._edition = EDITIONS[settings.edition]
        charset = settings.charset or self._edition.default_charset
        self._charset, self._codec = CHARSETS[charset], CODECS[charset]
        self._wrong = settings.wrong
        self._start = settings.start
        self._rng = Random(f"{settings.seed}/wrong")  # noqa: S311  # reproducible on purpose, nothing is secret
        self._prefix = f"{zlib.crc32(str(settings.seed).encode()):08X}"
        self._numbers = count(1)
        self._other = ""

    def messages(self, step: Step) -> Iterator[GeneratedMessage]:
        """Yield the message of a step and, now and then, a wrong one after it."""
        draft = self._draft(step)
        payload = self._encode(f"{draft.msh}\r{draft.rest}")
        yield GeneratedMessage(draft.control_id, f"ADT^{draft.event}", payload, step.code, step.why)
        if self._other and step.event in {"A40", "A47"} and f"\rMRG|{self._other}" in step.body:
            self._other = ""
        if self._wrong and self._rng.random() < self._wrong:
            fault = self._fault(step, payload)
            yield GeneratedMessage(fault.control_id, f"ADT^{fault.event}", fault.payload, fault.code, fault.why)
        if step.event == "A28":
            self._other = step.body[len("PID|1||") :].split("|", 1)[0].split("~", 1)[0]

    def _fault(self, step: Step, payload: bytes) -> Fault:
        return wrong_message(self._rng, step, payload, self._draft(step), self._encode, self._other)

    def _draft(self, step: Step) -> Draft:
        control_id = f"{self._prefix}{next(self._numbers):010d}"
        now = hl7_time(self._start, step.time)
        msh = segments.msh(self._edition, self._charset, step.event, control_id, now)
        return Draft(step.event, control_id, msh, f"{segments.evn(now, step.planned, step.occurred)}\r{step.body}")

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode(self._codec)
        except UnicodeEncodeError:
            return text.replace("Œ", "OE").replace("œ", "oe").encode(self._codec)
