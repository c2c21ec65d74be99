"""Journeys through the hospital: which events a stay goes through.

Each yields after every event, so that the identity can change, be merged or lose its account in the middle of a stay,
as it does in life.
"""

from collections.abc import Callable, Iterator
from typing import Final

from insigne.simulate.hospital_plan import (
    CONSULTATIONS,
    EMERGENCY,
    FIRST_CARE_WARD,
    MATERNITY,
    PSYCHIATRY,
    SESSIONS,
    WARDS,
)
from insigne.simulate.records import PatientRecord
from insigne.simulate.script import DAY, HOUR, MINUTE, Script
from insigne.simulate.stays import StayScript

Journey = Iterator[StayScript]


def inpatient(script: Script, record: PatientRecord) -> Journey:
    """Full hospitalisation: pre-admission or not, admission, life in the wards, discharge, and their cancellations."""
    rng = script.rng
    ward = PSYCHIATRY if script.chance(0.06) else rng.randrange(FIRST_CARE_WARD, len(WARDS))
    stay = StayScript(script, record, "I", ward, kind="R")
    if script.chance(0.5):
        stay.preadmit(pending=script.chance(0.08))
        yield stay
        script.wait(4 * HOUR, 6 * DAY)
        if script.chance(0.07):
            stay.cancel_preadmission()
            yield stay
            return
    stay.admit()
    yield stay
    if script.chance(0.04):
        script.wait(5 * MINUTE, 3 * HOUR)
        stay.cancel_entry()
        yield stay
        return
    yield from _in_ward(script, stay)


def emergency(script: Script, record: PatientRecord) -> Journey:
    """Emergency passage, which ends in a discharge or in a hospitalisation (A06)."""
    stay = StayScript(script, record, "E", EMERGENCY, kind="U")
    stay.register()
    yield stay
    script.wait(20 * MINUTE, 8 * HOUR)
    if script.chance(0.35):
        stay.to_inpatient()
        yield stay
        if script.chance(0.15):
            script.wait(5 * MINUTE, HOUR)
            stay.undo_to_inpatient()
            yield stay
        else:
            yield from _in_ward(script, stay)
            return
    yield from _leave_hospital(script, stay)


def outpatient(script: Script, record: PatientRecord) -> Journey:
    """Consultation; a few become inpatients and outpatients again."""
    stay = StayScript(script, record, "O", CONSULTATIONS)
    stay.register()
    yield stay
    script.wait(10 * MINUTE, 3 * HOUR)
    if script.chance(0.03):
        stay.cancel_entry()
        yield stay
        return
    if script.chance(0.05):
        stay.to_inpatient()
        yield stay
        script.wait(2 * HOUR, 20 * HOUR)
        stay.to_outpatient()
        yield stay
        if script.chance(0.3):
            script.wait(10 * MINUTE, HOUR)
            stay.undo_to_outpatient()
            yield stay
    if script.chance(0.6):
        yield from _leave_hospital(script, stay)


def sessions(script: Script, record: PatientRecord) -> Journey:
    """Sessions of one treatment: one account, one visit number a session."""
    account = ""
    for _ in range(script.rng.randint(3, 7)):
        stay = StayScript(script, record, "R", SESSIONS, account=account)
        account = stay.stay.account
        stay.admit()
        yield stay
        script.wait(3 * HOUR, 5 * HOUR)
        stay.discharge()
        yield stay
        script.wait(2 * DAY, 3 * DAY)
        record = stay.stay.patient


def telemonitoring(script: Script, record: PatientRecord) -> Journey:
    """Remote monitoring, class V, still going on at the end of the feed."""
    stay = StayScript(script, record, "V", CONSULTATIONS)
    stay.register()
    yield stay


def childbirth(script: Script, record: PatientRecord) -> Journey:
    """The mother's stay in the maternity, left open: the caller tells the births, then the discharge."""
    stay = StayScript(script, record, "I", MATERNITY, kind="R")
    stay.admit()
    yield stay


def birth(script: Script, record: PatientRecord) -> Journey:
    """The newborn's own stay."""
    stay = StayScript(script, record, "I", MATERNITY, kind="N")
    stay.admit()
    yield stay
    script.wait(2 * DAY, 4 * DAY)
    stay.discharge()
    yield stay


_COMMON: Final[tuple[tuple[Callable[[Script, PatientRecord], Journey], int], ...]] = (
    (inpatient, 38),
    (emergency, 28),
    (outpatient, 27),
    (sessions, 5),
)


def any_journey(script: Script, record: PatientRecord) -> Journey:
    """Return a journey of a common kind; telemonitoring where the edition knows class V."""
    if script.desk.edition.latest and script.chance(0.02):
        return telemonitoring(script, record)
    kind = script.rng.choices([journey for journey, _ in _COMMON], [weight for _, weight in _COMMON])[0]
    return kind(script, record)


def _in_ward(script: Script, stay: StayScript) -> Journey:
    for _ in range(script.rng.choices((0, 1, 2, 3, 6), (30, 35, 20, 12, 3))[0]):
        script.wait(6 * HOUR, 2 * DAY)
        yield from _episode(script, stay)
    script.wait(6 * HOUR, 2 * DAY)
    if script.chance(0.05):
        stay.plan_discharge(cancel=script.chance(0.4))
        yield stay
        script.wait(3 * HOUR, DAY)
    if script.chance(0.92):
        yield from _leave_hospital(script, stay)


def _episode(script: Script, stay: StayScript) -> Journey:
    """One thing that happens to an inpatient, undone now and then."""
    draw = script.rng.random()
    if draw < 0.62:
        if script.chance(0.06):
            stay.plan_transfer(cancel=script.chance(0.5))
            yield stay
            script.wait(HOUR, 5 * HOUR)
        yield from _maybe_undone(script, stay, stay.transfer, stay.cancel_transfer, 0.1)
    elif draw < 0.78:
        yield from _on_leave(script, stay)
    elif draw < 0.9:
        yield from _maybe_undone(script, stay, stay.change_doctor, stay.cancel_change_of_doctor, 0.15)
    else:
        stay.correct()
        yield stay
    if script.chance(0.01):
        script.wait(MINUTE, HOUR)
        stay.renumber_account()
        yield stay


def _on_leave(script: Script, stay: StayScript) -> Journey:
    stay.leave()
    yield stay
    script.wait(2 * HOUR, DAY)
    if script.chance(0.2):
        stay.cancel_leave()
        yield stay
        return
    stay.come_back()
    yield stay
    if script.chance(0.15):
        script.wait(MINUTE, HOUR)
        stay.cancel_return()
        yield stay
        script.wait(2 * HOUR, DAY)
        stay.come_back()
        yield stay


def _leave_hospital(script: Script, stay: StayScript) -> Journey:
    yield from _maybe_undone(script, stay, stay.discharge, stay.cancel_discharge, 0.04)
    last = stay.stay.last
    if last is not None and last.trigger != "A03":
        script.wait(2 * HOUR, DAY)
        stay.discharge()
        yield stay


def _maybe_undone(
    script: Script, stay: StayScript, act: Callable[[], None], undo: Callable[[], None], share: float
) -> Journey:
    act()
    yield stay
    if script.chance(share):
        script.wait(5 * MINUTE, 2 * HOUR)
        undo()
        yield stay
