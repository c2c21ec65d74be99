"""What a command names, known before any state is read: its identifiers joined, the keys it is looked up by."""

from typing import TypeVar

from msgspec.structs import replace

from insigne.registry import commands as cmd
from insigne.registry.attach import joined, person_identifiers
from insigne.registry.index import account_key, ins_key, visit_key
from insigne.registry.ports import Key
from insigne.registry.settings import Policy
from insigne.registry.values import Identifier

_WithPrior = TypeVar("_WithPrior", cmd.MergePatients, cmd.ReplaceIdentifiers, cmd.MoveAccount)


def joined_command(command: cmd.Command, policy: Policy) -> cmd.Command:
    """The command with bare namespaces joined to the universal ids of the configuration; joined again, the same."""
    if not policy.universal:
        return command
    match command:
        case cmd.RecordPatient():
            return replace(command, patient=_patient(command.patient, policy))
        case cmd.RecordMovement():
            return replace(
                command,
                patient=_patient(command.patient, policy),
                visit=_one(command.visit, policy),
                account=_one(command.account, policy),
            )
        case cmd.MergePatients():
            return _with_prior(command, policy)
        case cmd.ReplaceIdentifiers():
            return _with_prior(command, policy)
        case cmd.LinkPatients():
            return replace(command, first=_patient(command.first, policy), second=_patient(command.second, policy))
        case cmd.MoveAccounts():
            moves = [replace(_with_prior(m, policy), account=_one(m.account, policy)) for m in command.moves]
            return cmd.MoveAccounts(tuple(moves))
        case cmd.RenumberAccount():
            account, prior = joined((command.account, command.prior_account), policy)
            return cmd.RenumberAccount(_patient(command.patient, policy), account, prior)


def lookups(command: cmd.Command) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """The keys of identities and of stays that the usual commands look up first; reading them early is all they serve.

    Expects a joined command.
    """
    match command:
        case cmd.RecordPatient():
            return _of_patient(command.patient), ()
        case cmd.RecordMovement():
            stay: tuple[Key, ...] = ()
            if command.visit is not None:
                stay = (visit_key(command.visit),)
            elif command.account is not None:
                stay = (account_key(command.account),)
            return _of_patient(command.patient), stay
        case cmd.MergePatients() | cmd.ReplaceIdentifiers():
            prior = person_identifiers(command.prior)
            return (*_of_patient(command.patient), *[identifier.key for identifier in prior]), ()
        case _:
            return (), ()


def _of_patient(patient: cmd.Patient) -> tuple[Key, ...]:
    keys = [identifier.key for identifier in person_identifiers(patient.identifiers)]
    keys += [ins_key(ins.matricule) for ins in patient.ins]
    return tuple(keys)


def _patient(patient: cmd.Patient, policy: Policy) -> cmd.Patient:
    identifiers = joined(patient.identifiers, policy)
    return patient if identifiers is patient.identifiers else replace(patient, identifiers=identifiers)


def _one(identifier: Identifier | None, policy: Policy) -> Identifier | None:
    return None if identifier is None else joined((identifier,), policy)[0]


def _with_prior(command: _WithPrior, policy: Policy) -> _WithPrior:
    return replace(command, patient=_patient(command.patient, policy), prior=joined(command.prior, policy))
