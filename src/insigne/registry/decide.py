"""The door of the registry: one command in, its events in the working set, or a refusal that leaves nothing behind."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from insigne.registry import acts, casework, enrolment, qualification
from insigne.registry import commands as cmd
from insigne.registry.attach import joined
from insigne.registry.decision import Draft
from insigne.registry.merge import link_patients, merge_patients, replace_identifiers
from insigne.registry.notices import Notice
from insigne.registry.record import record_patient
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.stays import move_accounts, record_movement, renumber_account
from insigne.registry.values import Identifier
from insigne.registry.workingset import WorkingSet

_WithPrior = TypeVar("_WithPrior", cmd.MergePatients, cmd.ReplaceIdentifiers, cmd.MoveAccount)


class Decision(NamedTuple):
    """What was decided: the identity concerned ("" when none), and what there is to say about it."""

    subject: str
    notices: tuple[Notice, ...]


def decide(
    command: cmd.Command, working: WorkingSet, source: Source, policy: Policy, new_id: Callable[[], str]
) -> Decision:
    """Apply a command to the working set.

    Raises `Refused`; the caller then drops the working set, which may hold part of the command. `new_id` gives ids
    that are unique and ordered in time.
    """
    draft = Draft(working, source, policy, new_id)
    match command:
        case cmd.RecordPatient():
            record_patient(draft, _patient(command.patient, policy))
        case cmd.RecordMovement():
            record_movement(draft, _movement(command, policy))
        case cmd.MergePatients():
            merge_patients(draft, _with_prior(command, policy))
        case cmd.ReplaceIdentifiers():
            replace_identifiers(draft, _with_prior(command, policy))
        case cmd.LinkPatients():
            first, second = _patient(command.first, policy), _patient(command.second, policy)
            link_patients(draft, replace(command, first=first, second=second))
        case cmd.MoveAccounts():
            moves = tuple(
                replace(_with_prior(move, policy), account=_one(move.account, policy)) for move in command.moves
            )
            move_accounts(draft, cmd.MoveAccounts(moves))
        case cmd.RenumberAccount():
            account, prior = joined((command.account, command.prior_account), policy)
            patient = _patient(command.patient, policy)
            renumber_account(draft, cmd.RenumberAccount(patient, account, prior))
    return Decision(draft.subject, tuple(draft.notices))


def _patient(patient: cmd.Patient, policy: Policy) -> cmd.Patient:
    identifiers = joined(patient.identifiers, policy)
    return patient if identifiers is patient.identifiers else replace(patient, identifiers=identifiers)


def _one(identifier: Identifier | None, policy: Policy) -> Identifier | None:
    return None if identifier is None else joined((identifier,), policy)[0]


def _movement(command: cmd.RecordMovement, policy: Policy) -> cmd.RecordMovement:
    if not policy.universal:
        return command
    return replace(
        command,
        patient=_patient(command.patient, policy),
        visit=_one(command.visit, policy),
        account=_one(command.account, policy),
    )


def _with_prior(command: _WithPrior, policy: Policy) -> _WithPrior:
    return replace(command, patient=_patient(command.patient, policy), prior=joined(command.prior, policy))


def decide_act(
    act: acts.Act, working: WorkingSet, source: Source, policy: Policy, new_id: Callable[[], str]
) -> Decision:
    """Apply an act of a person to the working set. Raises `Refused`, as `decide` does."""
    draft = Draft(working, source, policy, new_id)
    _RULES[type(act)](draft, act)
    return Decision(draft.subject, tuple(draft.notices))


# Any: each rule takes the act it stands beside.
_RULES: dict[type[acts.Act], Callable[[Draft, Any], None]] = {
    acts.CreateIdentity: qualification.create_identity,
    acts.RaiseEnrolment: enrolment.raise_enrolment,
    acts.EditTraits: qualification.edit_traits,
    acts.EditDetails: qualification.edit_details,
    acts.AcceptIns: qualification.accept_ins,
    acts.RefuseIns: qualification.refuse_ins,
    acts.RecordProof: qualification.record_proof,
    acts.NoteInsiOutcome: qualification.note_insi_outcome,
    acts.SetAttributes: qualification.set_attributes,
    acts.RecordVerification: qualification.record_verification,
    acts.QualifyByCard: qualification.qualify_by_card,
    acts.ReadDataMatrix: qualification.read_data_matrix,
    acts.MergeIdentities: casework.merge_identities,
    acts.UnmergeIdentities: casework.unmerge_identities,
    acts.AssignWorkItem: casework.assign_work_item,
    acts.CloseWorkItem: casework.close_work_item,
}
