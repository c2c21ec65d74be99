"""The documents of the demonstration: a DPI sends letters, prescriptions and results; each has an end told in advance.

Qualified patients are fed at once, or when the DMP comes back; people of the desk wait until they are qualified, or for
good; two patients are merged by mistake once both were fed, and a person confirms what must be deleted. The end
is looked for twice: in our base, and in the DMP itself.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from insigne.app.base import Base
from insigne.cli.demo.desk import CELL, Arrival
from insigne.cli.demo.dpi import Dpi
from insigne.cli.demo.service import Service
from insigne.cli.demo.verdict import Expectation
from insigne.dmp.acts import confirm
from insigne.registry.state import Identity
from insigne.simulate.hospital_plan import PATIENT_OID
from insigne.simulate.letters import Kind, Letter
from insigne.simulate.truth import Person
from insigne.store.dmp import SendingFilter
from insigne.store.queries import ReadView

_DRAIN_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.05
_PATIENTS: Final = 24
"""Qualified patients of the hospital who get documents."""
_KINDS: Final[tuple[Kind, ...]] = ("letter", "prescription", "results")
_UNDER_WAY: Final = ("ready", "calling", "waiting-predecessor")
_OURS: Final = {"waiting-ins": "held", "waiting-identity": "held", "waiting-consent": "held"}
_THEIRS: Final = {"approved": "fed", "deprecated": "replaced", "deleted": "deleted"}
_MERGED: Final = ("DEMOA", "DEMOB")


class Told(msgspec.Struct, frozen=True):
    """A line of the truth about documents: its id, whose it is (13 first characters of the matricule), where it ends.

    `end` is fed, replaced, deleted, held or refused; `person` is "" for someone without a matricule.
    """

    document: str
    person: str
    end: str


@dataclass
class Documents:
    """What the DPI sent so far, and the truth about it."""

    base: Base
    dpi: Dpi
    dmp: Service
    truth: list[Told] = field(default_factory=list)
    waiting: int = 0
    """Documents sent about people who were not qualified yet."""

    def about_arrival(self, arrival: Arrival) -> None:
        """Results of someone at the desk, who is not qualified yet: the server makes the CDA once they are."""
        letter = self._letter("results")
        self.dpi.post(letter, self._identity(arrival.identity))
        self.waiting += 1
        qualified = arrival.documented and arrival.person.national is not None
        self._expect(letter, arrival.person, "fed" if qualified else "held")

    def about_patients(self, people: Sequence[Person], progress: Callable[[int], None]) -> None:
        """Letters and more about qualified patients of the hospital; the DMP is down for the second half of them."""
        chosen = [person for person in people if person.status == "QUAL" and person.merged_into is None][:_PATIENTS]
        for rank, person in enumerate(chosen):
            if rank == len(chosen) // 2:
                self.dmp.down()
            self._about(person, rank)
            progress(1)
        self.dmp.up()

    def merged_by_mistake(self, pair: Sequence[Person]) -> Expectation:
        """Two people become known and are fed a letter each; then a message of the GAM says that they are one.

        What was fed under the INS that went is deleted, once a person says so.
        """
        asked = Expectation("a merge after feeding prepares deletions, which a person confirms")
        for number, person in zip(_MERGED, pair, strict=True):
            self.dpi.admit(number, person)
        for number, person, end in zip(_MERGED, pair, ("fed", "deleted"), strict=True):
            letter = self._letter("letter")
            self.dpi.send(letter, self._known(number))
            self._expect(letter, person, end)
        asked.check(self.settled(), "the letters were not fed")
        self.dpi.merge(_MERGED[0], pair[0], absorbed=_MERGED[1])
        wanted = SendingFilter(state="to-confirm")
        asked.check(self._until(lambda view: bool(view.sendings(wanted))), "no deletion was prepared")
        with self.base.store.read() as view:
            prepared = view.sendings(wanted)
        pfi = self.base.documents
        if pfi is None:
            raise LookupError("the demonstration is a PFI")
        with self.base.store.begin(10.0) as transaction:
            for sending in prepared:
                confirm(transaction, pfi.site, sending.id, f"user:{CELL}")
            transaction.commit()
        return asked

    def settled(self) -> bool:
        """Wait until nothing is under way; whether that came."""
        return self._until(_is_still)

    def compared(self) -> tuple[list[Expectation], dict[str, int]]:
        """What must hold, and the figures of the summary."""
        ends, there = self._ends(), self._in_dmp()
        ours = Expectation("every document ends where its truth says")
        theirs = Expectation("the DMP holds what it was to be fed, each under its patient, and nothing else")
        for told in self.truth:
            found = ends.get(told.document, "missing")
            ours.check(found == told.end, f"{told.document}: {found}, not {told.end}")
        fed = {one.document: (one.person, one.end) for one in self.truth if one.end not in {"held", "refused"}}
        for document in sorted(fed.keys() | there.keys()):
            theirs.check(fed.get(document) == there.get(document), f"{document}: {there.get(document)}")
        counts = list(ends.values())
        figures = {name: counts.count(name) for name in ("held", "fed", "replaced", "deleted", "refused")}
        return [self.dpi.answered, ours, theirs], {
            "stamped": self.dpi.stamped,
            **figures,
            "released": self.waiting - counts.count("held"),
        }

    def _about(self, person: Person, rank: int) -> None:
        """One to three documents; the letter of one in four is corrected."""
        identity = self._known(person.identifiers[0].value)
        opposed = identity.details.dmp.feeding == "IO"
        letters = [self._letter(kind) for kind in _KINDS[: 1 + rank % 3]]
        corrected = self._letter("letter", letters[0]) if rank % 4 == 0 and not opposed else None
        for letter in letters:
            self.dpi.send(letter, identity)
            left = "replaced" if corrected is not None and letter is letters[0] else "fed"
            self._expect(letter, person, "refused" if opposed else left)
        if corrected is not None:
            self.dpi.send(corrected, identity)
            self._expect(corrected, person, "fed")

    def _letter(self, kind: Kind, before: Letter | None = None) -> Letter:
        self._last += 1
        moment = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        first, replaces = (before.first, before.number) if before is not None else (self._last, 0)
        return Letter(self._last, kind, moment, first, replaces)

    _last: int = 0

    def _expect(self, letter: Letter, person: Person, end: str) -> None:
        national = person.national
        self.truth.append(Told(letter.unique_id, national.matricule[:13] if national else "", end))

    def _identity(self, identity_id: str) -> Identity:
        with self.base.store.read() as view:
            identity = view.identity(identity_id)
        if identity is None:
            raise LookupError("an identity of the demonstration is not in the base")
        return identity

    def _known(self, number: str) -> Identity:
        """The identity of that number at the hospital."""
        with self.base.store.read() as view:
            found = view.find_identity(PATIENT_OID, number, ("PI",))
        return self._identity(found[0] if found else "")

    def _until(self, holds: Callable[[ReadView], bool]) -> bool:
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < deadline:
            with self.base.store.read() as view:
                if holds(view):
                    return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _ends(self) -> dict[str, str]:
        """Where each document is, by its id; one that was deleted stays so, though feeding it again is refused."""
        found: dict[str, str] = {}
        with self.base.store.read() as view:
            for sending in reversed(view.sendings(limit=100_000)):
                document = view.document(sending.document)
                if document is None or (sending.state == "refused" and found.get(document.unique_id) == "deleted"):
                    continue
                if sending.action != "delete" or sending.state == "deleted":
                    found[document.unique_id] = _OURS.get(sending.state, sending.state)
        return found

    def _in_dmp(self) -> dict[str, tuple[str, str]]:
        """What the DMP has: by document, whose it is and its status."""
        found = {}
        for patient in self.dpi.listed(self.dmp, "")["patients"]:
            ins = patient["ins"]
            for one in self.dpi.listed(self.dmp, ins)["documents"]:
                found[one["unique_id"]] = (ins.rpartition("|")[2][:13], _THEIRS[one["status"]])
        return found


def _is_still(view: ReadView) -> bool:
    under_way = any(view.sendings(SendingFilter(state=state), limit=1) for state in _UNDER_WAY)
    return not under_way and not view.reviews_waiting()[0]
