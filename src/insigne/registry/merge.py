"""Merging, linking and renumbering identities (A40, A24, A37, A47).

A merge retires one identity in favour of another and moves nothing: the retired one keeps its own state and a
snapshot of it, so that the merge can be undone; what is asked of it afterwards goes to its survivor.
"""

import msgspec

from insigne.registry import events as ev
from insigne.registry.attach import (
    Found,
    domain_of,
    find,
    find_patient,
    named_survivor,
    names_person,
    person_identifiers,
    standing,
)
from insigne.registry.commands import LinkPatients, MergePatients, Patient, ReplaceIdentifiers
from insigne.registry.contests import merged_contest
from insigne.registry.decision import Draft, Fault, Refused, Subject
from insigne.registry.record import attached, supersede
from insigne.registry.reliability import apply_claim, chosen, read_claim, record_ins
from insigne.registry.state import Identity
from insigne.registry.values import Identifier


def merge_patients(draft: Draft, command: MergePatients) -> None:
    """A40.

    Unknown prior: nothing. Repeated: nothing. Contradicting an earlier merge: held. On itself: refused (205).
    """
    prior = person_identifiers(command.prior)
    target = person_identifiers(command.patient.identifiers)
    if not prior or not target:
        subject = Subject.PATIENT if prior else Subject.PRIOR
        raise Refused(Fault.REQUIRED, subject, "a merge needs an identifier of a person (PI, PN…) on both sides")
    if {i.key for i in prior} & {i.key for i in target}:
        raise Refused(Fault.DUPLICATE_KEY, Subject.PRIOR, "a patient cannot be merged with itself")
    absorbed, survivor = find(draft, prior), find(draft, target)
    _report_conflicts(draft, absorbed, survivor)
    if absorbed.current is not None:
        _merge_current(draft, command, absorbed.current, survivor, prior)
    elif absorbed.retired is not None:
        _merge_again(draft, command, draft.survivor(absorbed.retired), survivor)
    else:
        draft.notice("prior-unknown", Subject.PRIOR)


def _report_conflicts(draft: Draft, absorbed: Found, survivor: Found) -> None:
    """Identifiers of a third identity among those of the merge: only the first one named on each side is merged."""
    meant = {found.current.id for found in (absorbed, survivor) if found.current is not None}
    others = {identity.id for found in (absorbed, survivor) for _, identity in found.conflicts} - meant
    if others:
        draft.notice("identifier-conflict", Subject.PATIENT)
        draft.raise_item("identifier-conflict", (*sorted(meant), *sorted(others)))


def _merge_current(
    draft: Draft, command: MergePatients, absorbed: Identity, survivor: Found, prior: list[Identifier]
) -> None:
    if survivor.current is not None and survivor.current.id == absorbed.id:
        _retire(draft, absorbed, prior, "merged with another identifier of the same identity")
    elif survivor.current is not None:
        _merge(draft, command, absorbed, survivor.current)
    elif survivor.retired is not None:
        master = draft.survivor(survivor.retired)
        if master.id == absorbed.id:
            _hold(draft, command, absorbed, survivor.retired)
        else:
            draft.notice("merge-redirected", Subject.PATIENT)
            _merge(draft, command, absorbed, master)
    else:
        # An unknown survivor makes the merge a change of identifier (ITI-30: no error).
        _renumber(draft, absorbed, command.patient, prior)


def _merge_again(draft: Draft, command: MergePatients, master: Identity, survivor: Found) -> None:
    """The prior identity was retired before: the same merge again does nothing, another one is held."""
    asked = standing(draft, survivor)
    draft.subject = master.id
    if asked is not None and asked.id == master.id:
        draft.notice("already-merged", Subject.PRIOR)
    elif asked is not None:
        _hold(draft, command, master, asked)
    else:
        draft.notice("merge-held", Subject.PATIENT)
        draft.hold("merge-held", (master.id,), msgspec.json.encode(command))


def _merge(draft: Draft, command: MergePatients, absorbed: Identity, survivor: Identity) -> None:
    trusted = draft.policy.trusts(domain_of(command.prior))
    if not trusted and (absorbed.trusted or survivor.trusted):
        _hold(draft, command, absorbed, survivor)
    else:
        join(draft, absorbed, survivor)


#: Why an absorbed identity loses its INS: what `casework` gives back when the merge is undone.
OTHER_INS = "merged into an identity with another INS"


def join(draft: Draft, absorbed: Identity, survivor: Identity, reason: str = "") -> None:
    """Retire `absorbed` in favour of `survivor`; a shared INS is contested no more, another goes to the history."""
    merged = ev.IdentityMerged(survivor.id, absorbed, reason, merged_contest(draft, absorbed))
    other = absorbed.ins.ins if absorbed.ins is not None else None
    if survivor.ins is not None and other is not None and survivor.ins.ins.matricule != other.matricule:
        absorbed = draft.withdraw_ins(absorbed, OTHER_INS)
        draft.notice("merge-other-ins", Subject.INS)
        draft.raise_item("merge-other-ins", (absorbed.id, survivor.id))
    draft.on_identity(absorbed, merged)
    draft.on_identity(survivor, ev.IdentityAbsorbed(absorbed.id))
    draft.subject = survivor.id
    draft.close_item("same-ins", (absorbed.id, survivor.id), "merged")


def _hold(draft: Draft, command: MergePatients, first: Identity, second: Identity) -> None:
    draft.notice("merge-held", Subject.PRIOR)
    draft.hold("merge-held", (first.id, second.id), msgspec.json.encode(command))
    draft.subject = first.id


def _renumber(draft: Draft, identity: Identity, patient: Patient, prior: list[Identifier]) -> None:
    for identifier in patient.identifiers:
        taken = names_person(identifier) and draft.working.holders(identifier.key)
        if not taken and identity.holds(identifier) is None:
            identity = draft.on_identity(identity, ev.IdentifierAdded(identifier))
    _retire(draft, identity, prior, "replaced")


def _retire(draft: Draft, identity: Identity, identifiers: list[Identifier], reason: str) -> Identity:
    for identifier in identifiers:
        held = identity.holds(identifier)
        if held is not None and held.current:
            identity = draft.on_identity(identity, ev.IdentifierRetired(identifier, reason))
    draft.subject = identity.id
    return identity


def replace_identifiers(draft: Draft, command: ReplaceIdentifiers) -> None:
    """A47:

    each prior identifier gives way to the one of same type and authority; an INS may also be deleted (pam-fr §5.5).

    An unknown prior one: nothing is done. A new identifier that is another patient's: refused (205).
    """
    if not command.prior and not command.prior_ins:
        raise Refused(Fault.REQUIRED, Subject.PRIOR, "no prior identifier")
    kept = {identifier.key for identifier in command.patient.identifiers}
    changing = [prior for prior in command.prior if prior.key not in kept]
    if not changing and not command.prior_ins:
        raise Refused(Fault.DUPLICATE_KEY, Subject.PRIOR, "an identifier cannot be replaced by itself")
    for prior in changing:
        _replace_one(draft, command.patient, prior)
    if command.prior_ins:
        _replace_ins(draft, command)


def _replace_one(draft: Draft, patient: Patient, prior: Identifier) -> None:
    successors = [i for i in patient.identifiers if i.type == prior.type and i.authority.key == prior.authority.key]
    owner = find(draft, [prior]).current if names_person(prior) else _holder(draft, patient, prior)
    if owner is None:
        draft.notice("prior-unknown", Subject.PRIOR)
        return
    if not successors:
        raise Refused(
            Fault.REQUIRED, Subject.PATIENT, "no identifier of the same type and authority replaces the prior one"
        )
    new = successors[0]
    taken = [holder for holder in draft.working.holders(new.key) if holder != owner.id]
    if names_person(new) and taken:
        raise Refused(Fault.DUPLICATE_KEY, Subject.PATIENT, "the new identifier is another patient's")
    owner = _retire(draft, owner, [prior], "replaced")
    held = owner.holds(new)
    if held is None or not held.current:
        draft.on_identity(owner, ev.IdentifierAdded(new))


def _holder(draft: Draft, patient: Patient, identifier: Identifier) -> Identity | None:
    """The identity of the message, if it currently holds an identifier that names no person by itself (NH, NDP…)."""
    owner = find_patient(draft, patient).current
    held = owner.holds(identifier) if owner is not None else None
    return owner if held is not None and held.current else None


def _replace_ins(draft: Draft, command: ReplaceIdentifiers) -> None:
    patient = command.patient
    found = find_patient(draft, patient)
    if found.current is None and found.retired is not None:
        survivor = named_survivor(draft, patient, found)
        raise Refused(
            Fault.UNKNOWN_KEY, Subject.PATIENT, "the patient identifier was merged or replaced", survivor=survivor
        )
    identity = found.current
    if identity is not None:
        supersede(draft, identity, patient)
    if identity is None or identity.ins is None or identity.ins.ins not in command.prior_ins:
        draft.notice("prior-unknown", Subject.PRIOR)
        return
    draft.subject = identity.id
    if not draft.policy.trusts(domain_of(patient.identifiers)):
        draft.notice("not-overwritten", Subject.INS)
        return
    claim = read_claim(draft, patient.reliability)
    held = identity.ins.ins
    if patient.ins_deleted:
        identity = draft.withdraw_ins(identity, "deleted by A47")
    else:
        new = chosen(draft, patient.ins)
        if new is None:
            raise Refused(Fault.REQUIRED, Subject.PATIENT, "neither a new INS nor its deletion")
        if claim.codes and claim.status != "VALI":
            draft.notice("ins-not-validated", Subject.INS)
            identity = draft.withdraw_ins(identity, "replaced by A47, not validated")
        elif new != held:
            identity = record_ins(draft, identity, new, "replaced by A47")
    apply_claim(draft, identity, claim)


def link_patients(draft: Draft, command: LinkPatients) -> None:
    """A24 links two identities, creating an unknown one (ITI-30: link anyway); A37 undoes it. Both stay."""
    sides = []
    for patient in (command.first, command.second):
        found = find_patient(draft, patient)
        side = standing(draft, found)
        if side is None and not command.unlink:
            draft.notice("link-unknown", Subject.PATIENT)
            side = attached(draft, patient, found)
        if side is not None:
            sides.append(side)
    if len(sides) < 2 or (command.unlink and sides[1].id not in sides[0].links):
        draft.notice("unlink-nothing", Subject.PATIENT)
        return
    first, second = sides
    if first.id == second.id:
        raise Refused(Fault.DUPLICATE_KEY, Subject.PATIENT, "a patient cannot be linked with itself")
    draft.subject = first.id
    for identity, other in ((first, second), (second, first)):
        if command.unlink:
            draft.on_identity(identity, ev.IdentityUnlinked(other.id))
        elif other.id not in identity.links:
            draft.on_identity(identity, ev.IdentityLinked(other.id))
