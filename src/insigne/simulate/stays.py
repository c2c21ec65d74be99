"""A stay as a small state machine: each method tells one ITI-31 event and moves the stay to its next state.

Source of the rules: PAM-FR 2.11.2 (events, PV1-3 and ZBE rules); restated in the docstrings where they bite.
"""

from insigne.simulate import segments
from insigne.simulate.hospital_plan import DOCTORS, FIRST_CARE_WARD, MATERNITY, PSYCHIATRY, WARDS
from insigne.simulate.records import MovementRecord, PatientRecord, StayRecord
from insigne.simulate.script import Script


class StayScript:
    """The events of one stay. What is cancelled restores what stood before."""

    def __init__(
        self, script: Script, record: PatientRecord, patient_class: str, ward: int, *, account: str = "", kind: str = ""
    ) -> None:
        self._script = script
        self._rng = script.rng
        desk = script.desk
        self.stay = StayRecord(
            patient=record,
            visit=desk.next_visit(),
            account=account or desk.next_account(),
            patient_class=patient_class,
            ward=ward,
            doctor=self._rng.randrange(len(DOCTORS)),
            admission_type=kind,
        )
        record.stays.append(self.stay)

    # Entry

    def preadmit(self, *, pending: bool = False) -> None:
        """A05, or A14 with `pending`. The place is not given in A05 since 2.7."""
        self.stay.preadmit = self._script.desk.next_visit()
        trigger = "A14" if pending else "A05"
        if pending or self._script.desk.edition.ward_in_preadmission:
            self.stay.location = self._bed(self.stay.ward)
        self._begin(
            trigger, "HMS", planned=self._script.desk.stamp(self._script.now + self._rng.randint(1, 20) * 86_400)
        )

    def cancel_preadmission(self) -> None:
        """A38, or A27 for a pending admission: the stay is deleted for good."""
        movement = self.stay.movements[0]
        self._cancel("A27" if movement.trigger == "A14" else "A38", movement, place=self.stay.location)

    def admit(self) -> None:
        """A01: inpatient or session entry."""
        self._enter("A01")

    def register(self) -> None:
        """A04: outpatient, emergency or telemonitoring entry."""
        self._enter("A04")

    def cancel_entry(self) -> None:
        """A11: back to the pre-admission when there was one, else the stay is cancelled."""
        entry = self._standing("A01", "A04")
        self.stay.admitted = ""
        self._cancel("A11", entry, place=self.stay.location, visit_only=bool(self.stay.preadmit))

    # Within the stay

    def transfer(self) -> None:
        """A02: to another ward (three responsibilities or housing alone) or to another bed."""
        prior = self.stay.location
        nature = self._rng.choices(("HMS", "L", "H"), (7, 2, 1))[0]
        ward = self.stay.ward
        if nature != "L":
            ward = self._rng.choice([w for w in range(FIRST_CARE_WARD, len(WARDS)) if w != ward])
        self.stay.location = self._bed(ward)
        if nature == "HMS":
            self.stay.ward = ward
        self._begin("A02", nature, prior=prior)

    def cancel_transfer(self) -> None:
        """A12: PV1-3 carries the place where the patient is again."""
        self._cancel("A12", self._standing("A02"))

    def leave(self) -> None:
        """A21: leave of absence."""
        back = self._script.desk.stamp(self._script.now + 48 * 3600)
        self._begin("A21", "H", pv2="|".join(["PV2", *[""] * 46, back]))

    def cancel_leave(self) -> None:
        """A52: the patient did not leave."""
        self._cancel("A52", self._standing("A21"))

    def come_back(self) -> None:
        """A22: return from leave."""
        self._begin("A22", "H")

    def cancel_return(self) -> None:
        """A53: the patient is still on leave."""
        self._cancel("A53", self._standing("A22"))

    def change_doctor(self) -> None:
        """A54: another attending doctor."""
        self.stay.doctor = (self.stay.doctor + self._rng.randint(1, len(DOCTORS) - 1)) % len(DOCTORS)
        self._begin("A54", "D")

    def cancel_change_of_doctor(self) -> None:
        """A55: the former attending doctor again."""
        self._cancel("A55", self._standing("A54"))

    def to_inpatient(self) -> None:
        """A06: emergency or outpatient becomes inpatient, in a care ward."""
        self.stay.patient_class = "I"
        self.stay.ward = self._rng.randrange(FIRST_CARE_WARD, len(WARDS))
        self.stay.location = self._bed(self.stay.ward)
        self._begin("A06", "HMS")

    def undo_to_inpatient(self) -> None:
        """A07 that undoes an A06: CANCEL of the movement the A06 made."""
        self._cancel("A07", self._standing("A06"))

    def to_outpatient(self) -> None:
        """A07: inpatient becomes outpatient."""
        self.stay.patient_class = "O"
        self._begin("A07", "HMS")

    def undo_to_outpatient(self) -> None:
        """A06 that undoes an A07."""
        self._cancel("A06", self._standing("A07"))

    def plan_transfer(self, *, cancel: bool) -> None:
        """A15: pending transfer; then A26 with `cancel`."""
        pending = self._bed(self._rng.randrange(FIRST_CARE_WARD, len(WARDS)))
        self._begin("A15", "HMS", pending=pending, planned=self._script.desk.stamp(self._script.now + 86_400))
        if cancel:
            self._script.wait(600, 7200)
            self._cancel("A26", self._standing("A15"), pending=pending)

    def plan_discharge(self, *, cancel: bool) -> None:
        """A16: pending discharge; then A25 with `cancel`."""
        when = self._script.desk.stamp(self._script.now + 86_400)
        self._begin("A16", "HMS", planned=when, pv2=f"PV2|||||||||{when}")
        if cancel:
            self._script.wait(600, 7200)
            self._cancel("A25", self._standing("A16"))

    def correct(self) -> None:
        """Z99: the last movement is corrected (other bed), or the entry when it was in the same place (ZBE-5 = Y)."""
        last = self.stay.last
        if last is None:
            return
        first = self._entry()
        historic = first is not last and first is not None and first.location == self.stay.location
        movement = first if historic and first else last
        if not historic and movement.location:
            ward = movement.location.split(" ")[0]
            movement.location = self.stay.location = f"{ward} {self._rng.randint(1, 40)} {self._rng.choice('PF')}"
        self._tell("Z99", movement, "UPDATE", historic=historic, ward=movement.ward)

    # Exit, and what concerns the account

    def discharge(self) -> None:
        """A03."""
        self.stay.discharged = self._script.stamp
        self._begin("A03", "HMS")

    def cancel_discharge(self) -> None:
        """A13: the patient is still there."""
        self.stay.discharged = ""
        self._cancel("A13", self._standing("A03"))

    def move_account(self, target: PatientRecord) -> None:
        """A44: the account was opened for the wrong patient; it goes to `target`."""
        source = self.stay.patient
        source.stays.remove(self.stay)
        target.stays.append(self.stay)
        self.stay.patient = target
        number = self.stay.account
        self._script.tell("A44", target, segments.pid(target, number), segments.mrg(source, account_number=number))

    def renumber_account(self) -> None:
        """A49: the account gets another number (allowed, discouraged)."""
        patient, former = self.stay.patient, self.stay.account
        self.stay.account = self._script.desk.next_account()
        self._script.tell(
            "A49", patient, segments.pid(patient, self.stay.account), segments.mrg(patient, account_number=former)
        )

    # How an event is told

    def _enter(self, trigger: str) -> None:
        self.stay.admitted = self._script.stamp
        if not self.stay.location:
            self.stay.location = self._bed(self.stay.ward)
        self._begin(trigger, "HMS")

    def _begin(
        self, trigger: str, nature: str, *, planned: str = "", prior: str = "", pending: str = "", pv2: str = ""
    ) -> None:
        """Tell a movement that begins now with the present state of the stay."""
        stay, desk = self.stay, self._script.desk
        movement = MovementRecord(
            desk.next_movement(),
            trigger,
            self._script.stamp,
            nature,
            stay.location,
            stay.patient_class,
            stay.doctor,
            stay.ward,
        )
        stay.movements.append(movement)
        stay.settle()
        self._tell(trigger, movement, "INSERT", planned=planned, prior=prior, pending=pending, pv2=pv2, ward=stay.ward)

    def _cancel(
        self, event: str, movement: MovementRecord, *, place: str = "", pending: str = "", visit_only: bool = False
    ) -> None:
        """Tell that `movement` is cancelled. PV1 shows what stands again, or `place` where an entry is cancelled."""
        movement.cancelled = True
        stay = self.stay
        stay.settle()
        after, stay.location = stay.location, place or stay.location
        self._tell(event, movement, "CANCEL", pending=pending, visit_only=visit_only, ward=movement.ward)
        stay.location = after

    def _tell(
        self,
        event: str,
        movement: MovementRecord,
        action: str,
        *,
        ward: int,
        planned: str = "",
        prior: str = "",
        pending: str = "",
        pv2: str = "",
        historic: bool = False,
        visit_only: bool = False,
    ) -> None:
        script, stay, record = self._script, self.stay, self.stay.patient
        entry = event in {"A01", "A04"}
        demographic = entry or event in {"A05", "A14"}
        script.tell(
            event,
            record,
            segments.pid(record, stay.account),
            segments.family_doctor(self._rng.randrange(len(DOCTORS))) if entry and script.chance(0.3) else "",
            self._contact() if entry and script.chance(0.1) else "",
            segments.pv1(
                stay,
                prior=prior,
                pending=pending,
                visit_only=visit_only,
                closed=event == "A03",
            ),
            pv2,
            segments.zbe(movement, ward, action, historic=historic),
            segments.zfa(script.desk.edition, script.stamp, self._rng.randrange(6))
            if entry and script.chance(0.2)
            else "",
            self._pmsi(event),
            segments.zfd(record, script.desk.edition) if demographic else "",
            self._legal_care(event),
            occurred=movement.start if action == "INSERT" and not planned else "",
            planned=planned,
            movement=True,
        )

    def _contact(self) -> str:
        desk = self._script.desk
        return segments.contact(
            self.stay.patient, desk.next_other(), desk.edition, f"063998{self._rng.randrange(10_000):04d}"
        )

    def _pmsi(self, event: str) -> str:
        """Return ZFM for an inpatient's entry and exit."""
        if self.stay.patient_class != "I":
            return ""
        newborn = bool(self.stay.patient.mother) and self._script.desk.edition.ins and self.stay.ward == MATERNITY
        mode_in = "N" if newborn else "8"
        if event in {"A01", "A06"}:
            emergency = event == "A06" and self._script.desk.edition.latest
            return segments.zfm(mode_in, emergency="5" if emergency else "")
        return segments.zfm(mode_in, "8") if event == "A03" else ""

    def _legal_care(self, event: str) -> str:
        """Return ZFS for one psychiatric admission in two."""
        if event != "A01" or self.stay.ward != PSYCHIATRY or not self._script.desk.edition.psychiatry:
            return ""
        mode, code = self._rng.choice((("SPL", "1"), ("SDT", "7"), ("SDREP", "3")))
        return segments.zfs(self._script.desk.next_other(), self._script.stamp, mode, code)

    def _bed(self, ward: int) -> str:
        unit = WARDS[ward]
        return f"{unit.code} {self._rng.randint(1, unit.rooms)} {self._rng.choice('PF')}"

    def _entry(self) -> MovementRecord | None:
        return next((m for m in self.stay.movements if m.trigger in {"A01", "A04"} and not m.cancelled), None)

    def _standing(self, *triggers: str) -> MovementRecord:
        """Return the last standing movement made by one of these triggers."""
        for movement in reversed(self.stay.movements):
            if movement.trigger in triggers and not movement.cancelled:
                return movement
        raise ValueError(f"no movement made by {' or '.join(triggers)} stands in this stay")
