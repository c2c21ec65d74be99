"""Stays and their movements (ITI-31): admissions, movements, cancellations, corrections, accounts.

A movement is known by ZBE-1 inside its stay; a stay by its visit number (PV1-19), else its account (PID-18).
"""

import msgspec
from msgspec.structs import astuple, replace

from insigne.registry import events as ev
from insigne.registry.attach import find, find_patient, person_identifiers, standing
from insigne.registry.commands import MoveAccount, MoveAccounts, MovementAssertion, RecordMovement, RenumberAccount
from insigne.registry.decision import Draft, Fault, Refused, Subject
from insigne.registry.index import account_key, visit_key
from insigne.registry.record import attached
from insigne.registry.state import STATUS_AFTER, Encounter, Identity, Movement, StayHeader
from insigne.registry.values import Identifier

_UNSAID = StayHeader()
_HEADER_FIELDS = StayHeader.__struct_fields__
_UNSAID_FIELDS = astuple(_UNSAID)
_UNSAID_MOVEMENT = Movement("", "", "")
_PLACES = ("location", "prior_location", "pending_location", "medical_ward", "care_ward", "attending")
#: What a discharge says of the stay, and its cancellation takes back.
_DISCHARGE = ("discharge_time", "discharge_disposition", "discharge_mode", "destination", "transport_out")


def record_movement(draft: Draft, command: RecordMovement) -> None:
    """Any ITI-31 event: the patient first, then the stay and the movement.

    On a merged identifier the movement goes to the survivor and the traits are ignored. Raises `Refused` (204) for the
    cancellation of an unknown movement, unless the policy accepts it.
    """
    found = find_patient(draft, command.patient)
    if found.current is None and found.retired is not None:
        identity = draft.survivor(found.retired)
        draft.subject = identity.id
        draft.notice("traits-ignored-merged", Subject.PATIENT)
    else:
        identity = attached(draft, command.patient, found)
    if command.movement is None:
        draft.notice("no-movement", Subject.MOVEMENT)
        return
    if command.visit is None and command.account is None:
        draft.notice("no-stay-number", Subject.VISIT)
        return
    stay = stay_of(draft, command)
    if stay is not None and draft.survivor(draft.identity(stay.identity)).id != identity.id:
        draft.notice("stay-of-another", Subject.VISIT)
        draft.hold_too(
            "stay-of-another",
            (identity.id, stay.identity),
            msgspec.json.encode(command),
            about=f"{identity.id}|{stay.id}",
        )
        return
    if command.movement.action == "CANCEL":
        _cancel(draft, stay, command, command.movement)
    else:
        _put(draft, _opened(draft, identity, stay, command), command.movement)


def record_held(draft: Draft, identity: Identity, command: RecordMovement) -> None:
    """Apply a movement that was held because its stay is another identity's: a person gave the stay to this one.

    The cancellation of an unknown movement is only noted: it must not keep the others of the stay from being applied.
    """
    stay = stay_of(draft, command)
    identity = draft.survivor(identity)
    draft.subject = identity.id
    if stay is not None and stay.identity != identity.id:
        stay = draft.on_encounter(stay, ev.EncounterReassigned(stay.identity, identity.id))
    if command.movement is None:
        return
    if command.movement.action == "CANCEL":
        _cancel(draft, stay, command, command.movement, held=True)
    else:
        _put(draft, _opened(draft, identity, stay, command), command.movement)


def stay_of(draft: Draft, command: RecordMovement) -> Encounter | None:
    """The stay that a movement is about, by its visit number, else its account; None when it is unknown."""
    if command.visit is not None:
        keys = [visit_key(command.visit)]
    elif command.account is not None:
        keys = [account_key(command.account)]
    else:
        return None
    stays = [draft.working.encounter(stay_id) for key in keys for stay_id in draft.working.encounters(key)]
    return next((stay for stay in reversed(stays) if stay is not None), None)


def _opened(draft: Draft, identity: Identity, stay: Encounter | None, command: RecordMovement) -> Encounter:
    if stay is None:
        stay_id = draft.new_id()
        opened = ev.EncounterOpened(
            identity=identity.id, visit=command.visit, account=command.account, header=command.header
        )
        draft.emit("encounter", stay_id, opened, 1)
        return draft.working.encounter_states[stay_id]
    stay = _with_header(draft, stay, _header_after(stay.header, command))
    if command.account is not None and stay.account is None:
        stay = draft.on_encounter(stay, ev.AccountChanged(None, command.account))
    return stay


def _with_header(draft: Draft, stay: Encounter, header: StayHeader) -> Encounter:
    return draft.on_encounter(stay, ev.EncounterChanged(stay.header, header)) if header != stay.header else stay


def _header_after(before: StayHeader, command: RecordMovement) -> StayHeader:
    """What is said replaces what was known; what is not said stays."""
    after = _cleared(before, command.cleared)
    changes = {
        name: value
        for name, value, unsaid in zip(_HEADER_FIELDS, astuple(command.header), _UNSAID_FIELDS, strict=True)
        if value != unsaid and value != getattr(after, name)
    }
    return replace(after, **changes) if changes else after


def _cleared(header: StayHeader, names: tuple[str, ...]) -> StayHeader:
    return replace(header, **{name: getattr(_UNSAID, name) for name in names}) if names else header


def _put(draft: Draft, stay: Encounter, said: MovementAssertion) -> None:
    movement = _movement(draft, said)
    before = stay.movement(movement.id)
    if before is None:
        if said.action == "UPDATE":
            draft.notice("movement-inserted", Subject.MOVEMENT)
        draft.on_encounter(stay, ev.MovementRecorded(movement))
    elif said.action == "UPDATE":
        after = replace(_completed(movement, before), trigger=before.trigger, cancelled=before.cancelled)
        if after != before:
            draft.on_encounter(stay, ev.MovementCorrected(before, after))
    else:
        after = _completed(movement, before)
        if after != before:
            draft.on_encounter(stay, ev.MovementRecorded(after, before))


def _completed(said: Movement, before: Movement) -> Movement:
    """A movement told again (corrected, or one of several messages sharing ZBE-1): what is not said stays.

    The trigger stays too when the new one changes nothing of the stay's course, such as A54. What was told again
    without any change is the movement as it was, time of record included.
    """
    kept: dict[str, object] = {
        name: getattr(before, name)
        for name in ("start", "nature", "patient_class", *_PLACES)
        if getattr(said, name) == getattr(_UNSAID_MOVEMENT, name)
    }
    if said.trigger not in STATUS_AFTER:
        kept["trigger"] = before.trigger
    after = replace(said, **kept)
    return before if replace(after, recorded=before.recorded) == before else after


def _cancel(
    draft: Draft, stay: Encounter | None, command: RecordMovement, said: MovementAssertion, *, held: bool = False
) -> None:
    movement = next((m for i in said.ids if (m := stay.movement(i)) is not None), None) if stay else None
    if stay is None or movement is None:
        if held or draft.policy.registry.unknown_cancellation == "accept":
            draft.notice("movement-unknown", Subject.MOVEMENT)
            return
        raise Refused(Fault.UNKNOWN_KEY, Subject.MOVEMENT, "the movement to cancel is unknown in this stay")
    if movement.cancelled:
        draft.notice("already-cancelled", Subject.MOVEMENT)
        return
    stay = draft.on_encounter(stay, ev.MovementCancelled(movement))
    header = _header_after(stay.header, command)
    _with_header(draft, stay, _cleared(header, _DISCHARGE) if movement.trigger == "A03" else header)


def _movement(draft: Draft, said: MovementAssertion) -> Movement:
    # A correction is about the movement that ZBE-6 names, not about the event Z99 that carries it.
    trigger = said.original_trigger if said.action == "UPDATE" and said.original_trigger else said.trigger
    return Movement(
        id=said.ids[0],
        trigger=trigger,
        start=said.start,
        nature=said.nature,
        historic=said.historic,
        patient_class=said.patient_class,
        location=said.location,
        prior_location=said.prior_location,
        pending_location=said.pending_location,
        medical_ward=said.medical_ward,
        care_ward=said.care_ward,
        attending=said.attending,
        recorded=draft.source.time,
    )


def move_accounts(draft: Draft, command: MoveAccounts) -> None:
    """A44: each account, with its stays, goes to the patient of its group."""
    for move in command.moves:
        _move_account(draft, move)


def _move_account(draft: Draft, move: MoveAccount) -> None:
    if move.account is None:
        raise Refused(Fault.REQUIRED, Subject.ACCOUNT, "no account number to move")
    found = find_patient(draft, move.patient)
    source = standing(draft, find(draft, person_identifiers(move.prior)))
    stays = _stays_of_account(draft, move.account, source)
    if source is None or not stays:
        draft.notice("prior-unknown" if source is None else "account-unknown", Subject.PRIOR)
        return
    target = standing(draft, found) or attached(draft, move.patient, found)
    draft.subject = target.id
    for stay in stays:
        if stay.identity != target.id:
            draft.on_encounter(stay, ev.EncounterReassigned(stay.identity, target.id))


def _stays_of_account(draft: Draft, account: Identifier, owner: Identity | None) -> list[Encounter]:
    if owner is None:
        return []
    stays = [draft.working.encounter(i) for i in draft.working.encounters(account_key(account))]
    return [s for s in stays if s is not None and draft.survivor(draft.identity(s.identity)).id == owner.id]


def renumber_account(draft: Draft, command: RenumberAccount) -> None:
    """A49: the stays of the prior account are under the new number from now on."""
    owner = standing(draft, find_patient(draft, command.patient))
    stays = _stays_of_account(draft, command.prior_account, owner)
    if not stays or owner is None:
        draft.notice("account-unknown", Subject.ACCOUNT)
        return
    draft.subject = owner.id
    for stay in stays:
        draft.on_encounter(stay, ev.AccountChanged(stay.account, command.account))
