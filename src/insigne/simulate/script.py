"""The pen of the desk: numbers handed out once, and the dated steps that a script of events is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from insigne.simulate.editions import Edition
from insigne.simulate.people import Citizen, Matricules, Population
from insigne.simulate.records import PatientRecord

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400


@dataclass(slots=True)
class Step:
    """One message to send: its moment (seconds since the start), event, and segments after EVN, each ended by CR.

    `patient` is the record concerned and `movement` whether it carries ZBE; `code` is the expected acknowledgement.
    """

    time: int
    event: str
    body: str
    patient: PatientRecord
    movement: bool
    occurred: str = ""
    planned: str = ""
    code: str = "AA"
    why: str = "valid"


class Desk:
    """What all scripts share. `nir_oid` is the authority of definitive matricules, `careless` the share of mistakes."""

    def __init__(self, edition: Edition, start: datetime, nir_oid: str, careless: float) -> None:
        self.edition = edition
        self.start = start
        self.nir_oid = nir_oid
        self.careless = careless
        self.population = Population(start.date())
        self.matricules = Matricules()
        self._persons = count(1)
        self._patients = count(8_000_001)
        self._accounts = count(260_000_001)
        self._visits = count(460_000_001)
        self._movements = count(1)
        self._others = count(1)

    def stamp(self, time: int) -> str:
        """Return the moment `time` seconds after the start, as HL7 writes it, hospital time without zone."""
        return hl7_time(self.start, time)

    def next_person(self) -> str:
        """Return a new key of a line of the truth file."""
        return f"P{next(self._persons):07d}"

    def next_ipp(self) -> str:
        """Return a new local patient identifier."""
        return str(next(self._patients))

    def next_account(self) -> str:
        """Return a new account number."""
        return str(next(self._accounts))

    def next_visit(self) -> str:
        """Return a new visit number."""
        return str(next(self._visits))

    def next_movement(self) -> str:
        """Return a new movement number."""
        return f"M{next(self._movements):09d}"

    def next_other(self) -> str:
        """Return a new number for a contact or a legal care mode."""
        return f"X{next(self._others):08d}"

    def open_record(self, citizen: Citizen) -> PatientRecord:
        """Return a new record of a citizen, not yet told to anyone."""
        return PatientRecord(
            person=self.next_person(),
            ipp=self.next_ipp(),
            citizen=citizen,
            birth_name=citizen.birth_name,
            given_names=citizen.given_names if self.edition.ins else _within(citizen.given_names, 30),
            sex=citizen.sex,
            birth=citizen.birth,
            street=citizen.street,
            phone=citizen.phone,
        )


def hl7_time(start: datetime, seconds: int) -> str:
    """Return the moment `seconds` after `start`, as HL7 writes it: hospital time without zone."""
    return (start + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S")


def _within(names: tuple[str, ...], length: int) -> tuple[str, ...]:
    """Return the first names of the list, as many as fit in `length` characters."""
    while len(" ".join(names)) > length:
        names = names[:-1]
    return names


class Script:
    """The events of one unit of people, in the order of a clock that the script moves forward."""

    def __init__(self, desk: Desk, rng: Random, start: int) -> None:
        self.desk = desk
        self.rng = rng
        self.now = start
        self.steps: list[Step] = []
        self.records: list[PatientRecord] = []

    @property
    def stamp(self) -> str:
        """The present moment in HL7 form."""
        return self.desk.stamp(self.now)

    def chance(self, share: float) -> bool:
        """Return True for this share of calls."""
        return self.rng.random() < share

    def wait(self, least: int, most: int) -> None:
        """Let between `least` and `most` seconds pass."""
        self.now += self.rng.randint(least, most)

    def open(self, citizen: Citizen) -> PatientRecord:
        """Open a record of a citizen, kept for the truth."""
        record = self.desk.open_record(citizen)
        self.records.append(record)
        return record

    def tell(
        self,
        event: str,
        record: PatientRecord,
        *segments: str,
        occurred: str = "",
        planned: str = "",
        movement: bool = False,
    ) -> Step:
        """Add a message about `record` now; empty segments are left out."""
        body = "\r".join(segment for segment in segments if segment) + "\r"
        step = Step(self.now, event, body, record, movement, occurred, planned)
        self.steps.append(step)
        return step
