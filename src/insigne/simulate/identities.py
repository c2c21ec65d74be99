"""What happens to an identity, as ITI-30 messages: creation, INS obtained, replaced, deleted, merge, link.

Source of the forms: PAM-FR 2.11.2 §4.4. A strict trait changes one at a time: a receiver holds more (overlay).
"""

from datetime import date, timedelta
from typing import Final

from insigne.ins.matricule import NIA_OID
from insigne.simulate import segments
from insigne.simulate.names import STREETS
from insigne.simulate.people import misspelt
from insigne.simulate.records import PatientRecord, Proof
from insigne.simulate.script import Script
from insigne.simulate.truth import Ins, National, PastIns

_DELETE: Final = '""'
_PROOFS: Final = ("CN", "CN", "CN", "PA")


def create(script: Script, record: PatientRecord) -> None:
    """A28: the desk creates the identity, provisional unless its reliability was set before."""
    record.updated = script.stamp
    script.tell(
        "A28",
        record,
        segments.pid(record),
        "PD1||A" if script.chance(0.1) else "",
        segments.PV1_NONE,
        _zfa(script, 0.15),
        segments.zfd(record, script.desk.edition),
    )


def update(script: Script, record: PatientRecord, ins: tuple[Ins, ...] | None = None) -> None:
    """A31: the identity as it is now; `ins` replaces the INS shown."""
    record.updated = script.stamp
    script.tell(
        "A31",
        record,
        segments.pid(record, ins=ins),
        segments.PV1_NONE,
        _zfa(script, 0.1),
        segments.zfd(record, script.desk.edition),
    )


def move_house(script: Script, record: PatientRecord) -> None:
    """A31: a new street and sometimes a new phone."""
    record.street = f"{script.rng.randint(1, 99)} BIS {script.rng.choice(STREETS)}"
    if script.chance(0.4):
        record.phone = f"063998{script.rng.randrange(10_000):04d}"
    update(script, record)


def correct_name(script: Script, record: PatientRecord) -> None:
    """A31: what the desk typed wrong or did not ask at creation is put right; nothing when all was right."""
    if record.birth_name != record.citizen.birth_name or not record.full_list:
        record.birth_name = record.citizen.birth_name
        record.full_list = True
        update(script, record)


def validate(script: Script, record: PatientRecord) -> None:
    """A31: an identity document was checked, without INSi: VALI, no INS."""
    record.birth_name = record.citizen.birth_name
    record.full_list = True
    record.reliability = ("VALI", *record.reliability[1:])
    record.proof = Proof("SM", "", *_document(script, record))
    update(script, record)


def qualify(script: Script, record: PatientRecord, ins: Ins) -> None:
    """A31: INSi answered and a document was checked: VALI with the INS (qualified)."""
    record.birth_name = record.citizen.birth_name
    record.full_list = True
    record.reliability = ("VALI", *record.reliability[1:])
    record.proof = Proof("INSI", script.stamp[:8], *_document(script, record))
    _hold(record, ins)
    update(script, record)


def become_nir(script: Script, record: PatientRecord) -> None:
    """A31: the waiting identifier (NIA) became a NIR; half of the senders show both."""
    former, national = record.ins, record.national
    if former is None or national is None:
        raise ValueError("a person without NIA cannot receive the NIR that follows it")
    ins = Ins(script.desk.nir_oid, national.matricule)
    record.proof.insi_date = script.stamp[:8]
    _hold(record, ins)
    update(script, record, (former, ins) if script.chance(0.5) else None)


def replace_ins(script: Script, record: PatientRecord) -> None:
    """A47 then A31: the civil status changed the sex, so the NIR changed; the A47 does not change the traits."""
    former, national = record.ins, record.national
    if former is None or national is None:
        raise ValueError("a person without INS cannot have it replaced")
    ins = Ins(script.desk.nir_oid, national.matricule)
    record.updated = script.stamp
    record.sex = record.citizen.sex
    _hold(record, ins)
    script.tell("A47", record, segments.pid(record), segments.mrg_ins(former))
    script.wait(5, 120)
    update(script, record)


def delete_ins(script: Script, record: PatientRecord, *, downgrade: bool) -> None:
    """A47: every INS of the patient is deleted; with `downgrade`, qualified → retrieved at the sender (PID-32 PROV)."""
    former = record.ins
    if former is None:
        raise ValueError("a person without INS cannot have it deleted")
    record.updated = script.stamp
    record.proof = Proof() if downgrade else Proof("SM", "", record.proof.document, record.proof.document_end)
    if downgrade:
        record.reliability = ("PROV", *record.reliability[1:])
    record.ins, record.shown_ins = None, ()
    script.tell("A47", record, segments.pid(record, ins=(Ins(former.oid, _DELETE),)), segments.mrg_ins(former))


def renumber(script: Script, record: PatientRecord) -> None:
    """A47: the local identifier itself changes (allowed, discouraged)."""
    prior = segments.mrg(record)
    record.ipp = script.desk.next_ipp()
    record.updated = script.stamp
    script.tell("A47", record, segments.pid(record), prior)


def merge(script: Script, record: PatientRecord, duplicate: PatientRecord) -> None:
    """A40: the duplicate is merged into the record, its stays follow."""
    record.updated = script.stamp
    prior = segments.mrg(duplicate)
    duplicate.merged_into = record.person
    for stay in duplicate.stays:
        stay.patient = record
    record.stays.extend(duplicate.stays)
    duplicate.stays = []
    script.tell("A40", record, segments.pid(record), prior)


def link(script: Script, record: PatientRecord, other: PatientRecord, *, undo: bool = False) -> None:
    """A24: two records are linked, both kept; A37 with `undo`."""
    script.tell("A37" if undo else "A24", record, segments.pid(record), segments.pid(other))
    for one, two in ((record, other), (other, record)):
        if undo:
            one.links.remove(two.person)
        else:
            one.links.append(two.person)


def mistype(script: Script, record: PatientRecord) -> None:
    """Make the desk type the birth name wrong, or only the first given name."""
    if script.chance(0.5):
        record.full_list = len(record.given_names) == 1
    elif len(record.birth_name) > 3:
        record.birth_name = misspelt(script.rng, record.birth_name)


def national_of(script: Script, record: PatientRecord, *, former: str = "") -> National:
    """Give the person a NIR. `former` is the kind of number before it: "nia", "sex" (a NIR of the other sex) or ""."""
    desk, citizen = script.desk, record.citizen
    nir = desk.matricules.issue(script.rng, citizen)
    if not former:
        return National(desk.nir_oid, nir)
    if former == "nia":
        past = Ins(NIA_OID, desk.matricules.issue(script.rng, citizen, temporary=True))
    else:
        past = Ins(desk.nir_oid, desk.matricules.issue(script.rng, citizen, sex="F" if citizen.sex == "M" else "M"))
    begun = max(citizen.birth, date(2006, 1, 1)) + timedelta(days=30)
    changed = (desk.start + timedelta(seconds=script.now)).date()
    history = (PastIns(past.oid, past.matricule, begun.isoformat(), changed.isoformat()),)
    return National(desk.nir_oid, nir, history)


def _hold(record: PatientRecord, ins: Ins) -> None:
    record.ins, record.shown_ins = ins, (ins,)


def _document(script: Script, record: PatientRecord) -> tuple[str, str]:
    """Return the code and the end of validity of the document checked."""
    if record.mother:
        return "AN", ""
    code = script.rng.choice(("PA", "CS")) if record.citizen.birth_country != "FRA" else script.rng.choice(_PROOFS)
    return code, f"{script.rng.randint(2027, 2036)}{script.rng.randint(1, 12):02d}15"


def _zfa(script: Script, share: float) -> str:
    if not script.desk.edition.latest or not script.chance(share):
        return ""
    return segments.zfa(script.desk.edition, script.stamp, script.rng.randrange(6))
