"""PID-32 and the INS a message asserts: what of them the identity takes.

Rules: pam-fr §5.3, §5.4; RNIV 1 §3.2 (statuses, attributes); the cases settled by the design.
"""

from typing import NamedTuple

from insigne.ins.matricule import Nature, check_matricule, nature_of, oid_allowed
from insigne.ins.status import allowed_attributes, forces_provisional
from insigne.registry import events as ev
from insigne.registry.commands import Patient
from insigne.registry.contests import is_to_confirm, rivals
from insigne.registry.decision import Draft, Subject
from insigne.registry.state import Identity
from insigne.registry.values import Ins

ATTRIBUTES = ("FICT", "DOUT", "HOMA")


class Claim(NamedTuple):
    """What PID-32 says: `status` is VALI, PROV or "" (neither said); `attributes` an allowed set; `codes` verbatim."""

    status: str
    attributes: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def barring(self) -> str:
        """The attribute that bars the INS: FICT or DOUT, "" without."""
        return next((a for a in self.attributes if a != "HOMA"), "")


def read_claim(draft: Draft, codes: tuple[str, ...]) -> Claim:
    """PID-32 as a claim. FICT stands alone and bars the rest (allowed sets: none, HOMA, DOUT, FICT, DOUT+HOMA)."""
    attributes = tuple([a for a in ATTRIBUTES if a in codes]) if codes else ()
    if len(attributes) > 1 and not allowed_attributes(attributes):
        draft.notice("attributes-refused", Subject.RELIABILITY, attributes="+".join(attributes))
        attributes = ("FICT",)
    if "FICT" in attributes or "DOUT" in attributes or "PROV" in codes:
        status = "PROV"
    else:
        status = "VALI" if "VALI" in codes else ""
    return Claim(status, attributes, codes)


def apply_claim(draft: Draft, identity: Identity, claim: Claim) -> Identity:
    """Move the document axis, the attributes and the verbatim codes; PROV sends the INS held to the history."""
    if not claim.codes:
        return identity
    if claim.status == "PROV" and identity.ins is not None:
        reason = f"attribute {claim.barring}" if claim.barring else "PID-32 PROV"
        identity = draft.withdraw_ins(identity, reason)
        draft.notice("ins-to-history", Subject.RELIABILITY)
    identity = drop_candidate(draft, identity, claim.attributes)
    checked = identity.checked if not claim.status else claim.status == "VALI"
    before = (identity.checked, identity.attributes, identity.reliability)
    after = (checked, claim.attributes, claim.codes)
    return draft.on_identity(identity, ev.StatusChanged(before, after)) if before != after else identity


def drop_candidate(draft: Draft, identity: Identity, attributes: tuple[str, ...]) -> Identity:
    """Forget the INS read on a Data Matrix before DOUT or FICT was set; `attributes` are those of from now on.

    These attributes invalidate matricule and OID, and lifting them restarts the cycle (EXI SI 09, EXI ID 26): what was
    read from who was not trusted to be this person would else be taken by a verification, which nobody compares.
    """
    read = identity.national.candidate
    if read is None or not (forces_provisional(attributes) or forces_provisional(identity.attributes)):
        return identity
    reason = f"attribute {'+'.join(attributes)}" if forces_provisional(attributes) else "attribute lifted"
    return draft.on_identity(identity, ev.CandidateDropped(read, reason))


def apply_ins(draft: Draft, identity: Identity, patient: Patient, claim: Claim) -> Identity:
    """Take the INS of the message if it may be, say why if it may not (pam-fr §5.4)."""
    if not patient.ins:
        return identity
    ins = chosen(draft, patient.ins)
    if ins is None or not _admitted(draft, patient, claim):
        return identity
    held = identity.ins
    if held is not None and held.ins == ins:
        return identity
    if held is None:
        return record_ins(draft, identity, ins, "")
    natures = (nature_of(held.ins.oid), nature_of(ins.oid))
    if natures == (Nature.NIR, Nature.NIA):
        draft.notice("ins-nia-late", Subject.INS)
        draft.raise_item("ins-changed", (identity.id,))
        return identity
    if natures == (Nature.NIA, Nature.NIR):
        return record_ins(draft, identity, ins, "NIA became NIR")
    draft.notice("ins-replaced-without-a47", Subject.INS)
    draft.raise_item("ins-changed", (identity.id,))
    return record_ins(draft, identity, ins, "another INS received")


def chosen(draft: Draft, several: tuple[Ins, ...]) -> Ins | None:
    """The one INS to keep: of this environment, the NIR before the NIA. Two of one nature is said."""
    admitted = []
    for ins in several:
        if oid_allowed(ins.oid, draft.policy.environment):
            admitted.append(ins)
        else:
            draft.notice("ins-environment", Subject.INS, oid=ins.oid, environment=draft.policy.environment)
    permanent = [ins for ins in admitted if nature_of(ins.oid) is not Nature.NIA]
    kept = permanent or admitted
    if len(kept) > 1:
        draft.notice("ins-several", Subject.INS)
    return kept[0] if kept else None


def record_ins(draft: Draft, identity: Identity, ins: Ins, reason: str, *, contested: bool = False) -> Identity:
    """Give the identity this INS; contested when another identity of the domain holds it (never a silent merge).

    `contested` when it was before. One to confirm stays so when it changes of authority only: a NIA that becomes a NIR
    may keep its number.
    """
    if any(remark.code == "matricule-key" for remark in check_matricule(ins.matricule)):
        draft.notice("ins-key", Subject.INS)
    others = rivals(draft, identity, ins.matricule)
    held = identity.ins
    before, before_contested = (held.ins, held.contested) if held is not None else (None, False)
    if before_contested and before is not None and before.matricule == ins.matricule:
        contested = contested or is_to_confirm(draft, identity)
    recorded = ev.InsRecorded(ins, contested or bool(others), before, reason, before_contested)
    identity = draft.on_identity(identity, recorded)
    for other in others:
        draft.notice("ins-contested", Subject.INS)
        draft.raise_item("same-ins", (identity.id, other.id))
    return identity


def _admitted(draft: Draft, patient: Patient, claim: Claim) -> bool:
    if claim.barring:
        draft.notice("ins-attribute", Subject.INS, attribute=claim.barring)
        return False
    if claim.status != "VALI":
        draft.notice("ins-not-validated", Subject.INS)
        return False
    if patient.details.birth_date_corrected == "Y":
        draft.notice("ins-date-corrected", Subject.INS)
        return False
    missing = missing_traits(patient)
    if missing:
        draft.notice("ins-traits-missing", Subject.INS, missing=", ".join(missing))
        return False
    return True


def missing_traits(patient: Patient) -> list[str]:
    """The traits that must come with an INS and do not (pam-fr §5.4 rule 2), by their place in the message."""
    traits = patient.traits
    needed = {
        "PID-5.1 (L)": traits.birth_name,
        "PID-5.2 (L)": traits.first_given_name,
        "PID-5.3 (L)": traits.given_names,
        "PID-7": traits.birth_date,
        "PID-8 M/F": traits.sex if traits.sex in {"M", "F"} else "",
        "PID-11.9 (BDL)": traits.birth_place,
    }
    return [place for place, value in needed.items() if not value]
