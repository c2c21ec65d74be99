"""Units: one person, or the few whose stories are told together (homonyms, a mother and her children)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final

from insigne.ins.matricule import NIA_OID, NIR_OID
from insigne.simulate import identities
from insigne.simulate.identities import national_of
from insigne.simulate.journeys import Journey, any_journey, birth, childbirth, inpatient
from insigne.simulate.people import Citizen, imprecise, misspelt
from insigne.simulate.records import PatientRecord
from insigne.simulate.script import DAY, HOUR, MINUTE, Desk, Script
from insigne.simulate.truth import Ins, National

Act = Callable[[], None]

_LIVES: Final = (
    ("qualified", 60),
    ("provisional", 12),
    ("validated", 9),
    ("uninsured", 4),
    ("waiting", 2),
    ("nia-to-nir", 4),
    ("replaced", 2),
    ("deleted", 2),
    ("downgraded", 2),
    ("imprecise", 2),
    ("doubtful", 1),
    ("fictitious", 1),
)
"""Lives an identity can have, with their weights."""
_NEED_INS: Final = frozenset(
    {"qualified", "waiting", "nia-to-nir", "replaced", "deleted", "downgraded", "doubtful", "fictitious"}
)
_NEED_NIA: Final = frozenset({"waiting", "nia-to-nir"})


def units(desk: Desk, seed: str, patients: int, gap: float) -> Iterator[Script]:
    """Yield the scripts of `patients` people by start time; `gap` is the mean number of seconds between arrivals."""
    told, number, start = 0, 0, 0.0
    while told < patients:
        rng = Random(f"{seed}/{number}")  # noqa: S311  # reproducible on purpose, nothing is secret
        start += rng.expovariate(1 / gap)
        script = Script(desk, rng, int(start))
        told += _tell_unit(script, patients - told)
        yield script
        number += 1


def _tell_unit(script: Script, room: int) -> int:
    """Tell the story of a new unit of at most `room` people; return how many came."""
    draw = script.rng.random()
    if room >= 3 and draw < 0.03:
        return _family(script, children=2 if script.chance(0.15) else 1)
    if room >= 2 and draw < 0.045:
        return _homonyms(script)
    _single(script, script.desk.population.citizen(script.rng))
    return 1


def _single(script: Script, citizen: Citizen) -> None:
    life = _life(script)
    record = _newcomer(script, imprecise(script.rng, citizen) if life == "imprecise" else citizen, life)
    acts = _acts(script, record, life)
    if life not in {"fictitious", "doubtful"} and script.chance(0.06):
        acts.append(_duplicate(script, record))
    if script.chance(0.005):
        acts.append(partial(identities.renumber, script, record))
    journeys = script.rng.choices((0, 1, 2), (6, 80, 14))[0]
    for _ in range(journeys):
        _live(script, any_journey(script, record), acts)
        script.wait(DAY, 12 * DAY)
    _finish(script, acts)


def _newcomer(script: Script, citizen: Citizen, life: str) -> PatientRecord:
    """Open the record of someone who lives `life` and tell its creation."""
    record = script.open(citizen)
    record.national = _national(script, record, life)
    if script.desk.edition.ins:
        if life in {"doubtful", "fictitious"}:
            record.reliability = ("PROV", "DOUT" if life == "doubtful" else "FICT")
        if record.national and record.national.oid == script.desk.nir_oid and script.chance(0.15):
            record.billing_nir = record.national.matricule
    if life == "replaced":
        record.sex = "F" if citizen.sex == "M" else "M"
    elif life not in {"doubtful", "fictitious", "imprecise"}:
        identities.mistype(script, record)
    if life == "uninsured":
        _create_uninsured(script, record)
    else:
        identities.create(script, record)
    return record


def _create_uninsured(script: Script, record: PatientRecord) -> None:
    """A28 of someone without INS; a careless sender shows one without VALI, which the receiver ignores."""
    number = script.desk.matricules.issue(script.rng, record.citizen)
    careless = script.chance(script.desk.careless * 5)
    if careless:
        record.shown_ins = (Ins(script.desk.nir_oid, number),)
    identities.create(script, record)
    if careless:
        script.steps[-1].why = "the INS is ignored: PID-32 is not VALI"
        record.shown_ins = ()


def _life(script: Script) -> str:
    life = script.rng.choices([name for name, _ in _LIVES], [weight for _, weight in _LIVES])[0]
    if life in _NEED_INS and not script.desk.edition.ins:
        return "validated"
    if life in _NEED_NIA and script.desk.nir_oid != NIR_OID:  # there is no test authority for waiting identifiers
        return "qualified"
    return life


def _national(script: Script, record: PatientRecord, life: str) -> National | None:
    if life in {"uninsured", "deleted", "imprecise", "fictitious", "doubtful"}:
        return None
    if life == "waiting":
        nia = script.desk.matricules.issue(script.rng, record.citizen, temporary=True)
        return National(NIA_OID, nia)
    return national_of(script, record, former={"nia-to-nir": "nia", "replaced": "sex"}.get(life, ""))


def _acts(script: Script, record: PatientRecord, life: str) -> list[Act]:
    """Return what will happen to the identity, in order."""
    national = record.national
    acts: list[Act] = []
    if life in {"qualified", "waiting", "downgraded"} and national:
        acts.append(partial(identities.qualify, script, record, Ins(national.oid, national.matricule)))
    elif life in {"nia-to-nir", "replaced"} and national:
        past = national.history[0]
        acts.append(partial(identities.qualify, script, record, Ins(past.oid, past.matricule)))
        acts.append(
            partial((identities.become_nir if life == "nia-to-nir" else identities.replace_ins), script, record)
        )
    elif life == "deleted":
        wrong = Ins(script.desk.nir_oid, script.desk.matricules.issue(script.rng, record.citizen))
        acts.append(partial(identities.qualify, script, record, wrong))
    elif life == "validated" or (life == "imprecise" and record.citizen.birth_country):
        acts.append(partial(identities.validate, script, record))
    else:
        acts.append(partial(identities.correct_name, script, record))
    if life in {"deleted", "downgraded"}:
        acts.append(partial(identities.delete_ins, script, record, downgrade=life == "downgraded"))
    if script.chance(0.25):
        acts.insert(script.rng.randrange(len(acts) + 1), partial(identities.move_house, script, record))
    return acts


def _live(script: Script, journey: Journey, acts: list[Act]) -> None:
    """Play a journey, with some of what happens to the identity between its events."""
    script.wait(MINUTE, 6 * HOUR)
    for _ in journey:
        if acts and script.chance(0.45):
            script.wait(MINUTE, 3 * HOUR)
            acts.pop(0)()
        script.wait(MINUTE, 10 * MINUTE)


def _finish(script: Script, acts: list[Act]) -> None:
    for act in acts:
        script.wait(MINUTE, 2 * DAY)
        act()
    acts.clear()


def _duplicate(script: Script, record: PatientRecord) -> Act:
    """Return the act by which the desk creates the same person again; most are merged, some linked, some never seen."""
    fate = script.rng.choices(("merged", "linked", "unlinked", "unseen"), (70, 6, 4, 20))[0]

    def act() -> None:
        twin = _same_person_again(script, record)
        if script.chance(0.6):
            acts: list[Act] = []
            if fate == "merged" and script.chance(0.4):
                acts.append(partial(identities.merge, script, record, twin))
            _live(script, any_journey(script, twin), acts)
            _finish(script, acts)
        script.wait(HOUR, 5 * DAY)
        if fate == "merged" and not twin.merged_into:
            identities.merge(script, record, twin)
        elif fate in {"linked", "unlinked"}:
            identities.link(script, record, twin)
            if fate == "unlinked":
                script.wait(HOUR, DAY)
                identities.link(script, record, twin, undo=True)

    return act


def _same_person_again(script: Script, record: PatientRecord) -> PatientRecord:
    """Create the second record of a person, as a hurried desk does: a slip, a used name, a missing given name."""
    twin = script.open(record.citizen)
    twin.duplicates_of = record.person
    twin.sex = record.sex
    slip = script.rng.randrange(4)
    if slip == 0:
        twin.birth_name = misspelt(script.rng, twin.birth_name)
    elif slip == 1 and record.citizen.used_name:
        twin.birth_name = record.citizen.used_name
    elif slip == 2 and not record.citizen.imprecise:
        twin.birth -= timedelta(days=script.rng.choice((1, 10, 30)))
    else:
        twin.full_list = len(twin.given_names) == 1
    if script.chance(0.3):
        twin.phone = f"063998{script.rng.randrange(10_000):04d}"
    identities.create(script, twin)
    return twin


def _homonyms(script: Script) -> int:
    """Two people with the same name; one in three has an account opened for the other, then moved (A44)."""
    population = script.desk.population
    first = population.citizen(script.rng)
    one = _newcomer(script, first, "validated")
    script.wait(MINUTE, DAY)
    other = _newcomer(script, population.homonym(script.rng, first), "validated")
    if script.desk.edition.ins:
        other.reliability = (*other.reliability, "HOMA")
    if script.chance(0.35):
        journey = inpatient(script, one)
        stay = next(journey)
        script.wait(10 * MINUTE, HOUR)
        stay.move_account(other)
        _live(script, journey, [])
    else:
        _live(script, any_journey(script, one), [])
    acts: list[Act] = []
    for record in (one, other):
        acts.extend(_acts(script, record, "qualified" if script.desk.edition.ins else "validated"))
    _live(script, any_journey(script, other), acts)
    _finish(script, acts)
    return 2


def _family(script: Script, children: int) -> int:
    """A mother, her stay, and the birth of her child or twins, with their own stays."""
    desk, rng = script.desk, script.rng
    citizen = desk.population.mother(rng)
    life = "qualified" if desk.edition.ins else "validated"
    mother = _newcomer(script, citizen, life)
    acts = _acts(script, mother, life)
    stay = next(childbirth(script, mother))
    _finish(script, acts)
    script.wait(2 * HOUR, DAY)
    today = (desk.start + timedelta(seconds=script.now)).date()
    infants = []
    for rank in range(1, children + 1):
        child = script.open(desk.population.newborn(rng, citizen, today, rank if children > 1 else 0))
        child.mother, child.mother_account = mother, stay.stay.account
        identities.create(script, child)
        infants.append(child)
        script.wait(MINUTE, 30 * MINUTE)
    known = desk.edition.ins and script.chance(0.4)
    for child in infants:
        _live(script, birth(script, child), [])
    stay.discharge()
    for child in infants:
        if known:
            child.national = national_of(script, child)
            script.wait(8 * DAY, 12 * DAY)
            identities.qualify(script, child, Ins(child.national.oid, child.national.matricule))
    return 1 + children
