"""The door of the registry: one command in, its events in the working set, or a refusal that leaves nothing behind."""

from collections.abc import Callable
from typing import Any, NamedTuple

from insigne.registry import acts, casework, documents, enrolment, qualification, undelivered
from insigne.registry import commands as cmd
from insigne.registry.contests import end_contests
from insigne.registry.decision import Draft
from insigne.registry.lookups import joined_command
from insigne.registry.merge import link_patients, merge_patients, replace_identifiers
from insigne.registry.notices import Notice
from insigne.registry.record import record_patient
from insigne.registry.settings import Policy
from insigne.registry.source import Source
from insigne.registry.stays import move_accounts, record_movement, renumber_account
from insigne.registry.workingset import WorkingSet


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
    first = len(working.records)
    command = joined_command(command, policy)
    match command:
        case cmd.RecordPatient():
            record_patient(draft, command.patient)
        case cmd.RecordMovement():
            record_movement(draft, command)
        case cmd.MergePatients():
            merge_patients(draft, command)
        case cmd.ReplaceIdentifiers():
            replace_identifiers(draft, command)
        case cmd.LinkPatients():
            link_patients(draft, command)
        case cmd.MoveAccounts():
            move_accounts(draft, command)
        case cmd.RenumberAccount():
            renumber_account(draft, command)
    end_contests(draft, first, act=False)
    return Decision(draft.subject, tuple(draft.notices))


def decide_act(
    act: acts.Act, working: WorkingSet, source: Source, policy: Policy, new_id: Callable[[], str]
) -> Decision:
    """Apply an act of a person to the working set. Raises `Refused`, as `decide` does."""
    draft = Draft(working, source, policy, new_id)
    first = len(working.records)
    _RULES[type(act)](draft, act)
    end_contests(draft, first, act=True)
    return Decision(draft.subject, tuple(draft.notices))


# Any: each rule takes the act it stands beside.
_RULES: dict[type[acts.Act], Callable[[Draft, Any], None]] = {
    acts.CreateIdentity: qualification.create_identity,
    acts.RaiseEnrolment: enrolment.raise_enrolment,
    acts.RaiseUndelivered: undelivered.raise_undelivered,
    acts.RaiseDocument: documents.raise_document,
    acts.SettleDocument: documents.settle_document,
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
