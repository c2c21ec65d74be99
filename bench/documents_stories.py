"""What a GAM and a DPI send of many patients, each with a story, and the truth about each of their documents."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from bench.documents_site import Patient, Step, letter
from insigne.simulate.letters import Letter

LANES = 4


class Told(NamedTuple):
    """The truth of a document: the INS it goes under, where it ends, and the SHA-1 of a CDA sent as it is ("").

    `after`: the step without which it may not be fed.
    """

    ins: str
    end: str
    sha1: str
    after: str


class Merge(NamedTuple):
    """Two people found to be one once these documents are fed; the step is of this lane."""

    documents: tuple[str, ...]
    step: Step
    lane: int


@dataclass
class Plan:
    """What is to be sent, lane by lane, and the truth of it."""

    lanes: list[list[Step]]
    truth: dict[str, Told] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def tell(self, turn: int, patients: Iterator[Patient]) -> None:
        """Add a story to a lane, of six kinds in turn."""
        lane, one = self.lanes[turn % LANES], next(patients)
        match (turn + turn // LANES) % 6:
            case 0:
                self._sent(lane, one, ["fed", "fed"])
            case 1:
                self._sent(lane, one, ["replaced", "corrects"])
            case 2:
                self._posted(lane, one, ["fed"], qualified=True)
            case 3:
                self._posted(lane, one, ["replaced", "corrects"], qualified=True)
            case 4:
                self._posted(lane, one, ["held"], qualified=False)
            case _:
                other = next(patients)
                names = self._sent(lane, one, ["fed"]) + self._sent(lane, other, ["deleted"])
                self.merges.append(Merge(names, one.absorbs(other), turn % LANES))

    def _sent(self, lane: list[Step], patient: Patient, ends: Sequence[str]) -> tuple[str, ...]:
        """Someone qualified, then their documents by MLLP; the ids of these."""
        known = patient.known(qualified=True)
        lane.append(known)
        letters = list(self._letters(ends))
        for end, one in zip(ends, letters, strict=True):
            lane.append(patient.sent(one))
            sha1 = hashlib.sha1(patient.cda(one), usedforsecurity=False).hexdigest()
            self.truth[one.unique_id] = Told(patient.ins, end, sha1, known.control_id)
        return tuple(one.unique_id for one in letters)

    def _posted(self, lane: list[Step], patient: Patient, ends: Sequence[str], *, qualified: bool) -> None:
        """Someone who is not qualified, their documents by HTTP, then their qualification, if it comes."""
        lane.append(patient.known(qualified=False))
        qualifies = patient.known("A31", qualified=True)
        for end, one in zip(ends, self._letters(ends), strict=True):
            lane.append(patient.posted(one))
            self.truth[one.unique_id] = Told(patient.ins, end, "", qualifies.control_id)
        if qualified:
            lane.append(qualifies)

    def _letters(self, ends: Sequence[str]) -> Iterator[Letter]:
        """A document for each end; one that corrects replaces the one before."""
        before = 0
        for end in ends:
            number = next(self.numbers)
            yield letter(number, replaces=before if end == "corrects" else 0)
            before = number
