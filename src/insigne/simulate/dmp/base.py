"""Who the DMP knows: the national base, the test patient of the ANS, the patients whose DMP is not as usual."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from insigne.ins.matricule import NIR_DEMO_OID, NIR_TEST_OID
from insigne.insi.wire import InsNumber
from insigne.simulate.dmp.existence import Dossier
from insigne.simulate.dmp.script import Patients
from insigne.simulate.dmp.vihf import Patient
from insigne.simulate.insi.national import Mode, NationalBase, Registered
from insigne.simulate.insi.people import national_base

_TEST_OIDS: Final = frozenset({NIR_TEST_OID, NIR_DEMO_OID})
_NUMBER: Final = 13
_ANS_PATIENT: Final = Registered(
    "PAT-TROIS",
    ("DOMINIQUE", "MARIE-LOUISE"),
    "F",
    "1979-03-28",
    "51215",
    InsNumber("2790351215189", "89", NIR_TEST_OID),
    known_in=frozenset({"vendor"}),
)
"""The patient of the ANS's published examples, under the OID of test numbers."""


def dmp_base(truth_file: Path | None = None) -> NationalBase:
    """Make the base: that of the INSi simulator, and the patient of the ANS. Raises PeopleError, OSError."""
    base = national_base(truth_file)
    base.add(_ANS_PATIENT)
    return base


@dataclass(slots=True)
class People:
    """Patients by their INS. In vendor mode numbers may stand under the OIDs of test and demonstration too."""

    base: NationalBase
    mode: Mode = "production"
    patients: Patients = field(default_factory=Patients)

    def person(self, patient: Patient) -> Registered | None:
        """Return whose current INS this is: number, key and OID."""
        person = self.base.by_matricule(patient.matricule)
        if person is None or self.mode not in person.known_in or person.ins.matricule != patient.matricule:
            return None
        return person if patient.oid == person.ins.oid or self._test(patient.oid) else None

    def past(self, patient: Patient) -> Registered | None:
        """Return whose INS this was, or is: what was fed under it stays with the patient."""
        return self.person(patient) or self.base.by_past_matricule(patient.matricule[:_NUMBER])

    def dossier(self, person: Registered) -> Dossier | None:
        """Return the state of a patient's DMP, None when there is none."""
        number, patients = person.ins.number, self.patients
        if patients.has(patients.none, number):
            return None
        return Dossier(
            person,
            closed=patients.has(patients.closed, number),
            authorisation="INTERDITE" if patients.has(patients.blocked, number) else "VALIDE",
            linked=not patients.has(patients.unlinked, number),
        )

    def _test(self, oid: str) -> bool:
        return self.mode == "vendor" and oid in _TEST_OIDS
