"""One ADT message as one command."""

from collections.abc import Callable

from insigne.hl7 import Hl7Error, Location, Message, Segment
from insigne.pam.decode import stay
from insigne.pam.decode.patient import identifier_list, patient
from insigne.pam.decode.triggers import Kind, kind_of
from insigne.registry import commands as cmd


def decode(message: Message) -> cmd.Command:
    """The command an ADT message asks for.

    Raises `Hl7Error`: AR 201 for a trigger event that is not of PAM, AE 100 when a segment the event lives by is
    missing, AE 101 when the account an account event is about is.
    """
    kind = kind_of(message.trigger)
    if kind is None:
        text = "trigger event not supported"
        raise Hl7Error("AR", "201", text, location=Location("MSH", field=9, component=2))
    return _DECODERS[kind](message)


def _needed(message: Message, name: str) -> Segment:
    segment = message.segment(name)
    if segment is None:
        text = f"segment {name} is required by event {message.trigger} and missing"
        raise Hl7Error("AE", "100", text, location=Location(name))
    return segment


def _patient(message: Message) -> cmd.Patient:
    return patient(message, _needed(message, "PID"), message.segment("PD1"))


def _record(message: Message) -> cmd.Command:
    return cmd.RecordPatient(_patient(message))


def _merge(message: Message) -> cmd.Command:
    prior, _, _ = identifier_list(_needed(message, "MRG"), 1)
    return cmd.MergePatients(_patient(message), prior)


def _replace(message: Message) -> cmd.Command:
    prior, prior_ins, _ = identifier_list(_needed(message, "MRG"), 1)
    return cmd.ReplaceIdentifiers(_patient(message), prior, prior_ins)


def _link(message: Message) -> cmd.Command:
    pids = message.segments("PID")
    if len(pids) < 2:
        text = f"event {message.trigger} needs two PID segments"
        raise Hl7Error("AE", "100", text, location=Location("PID", occurrence=2))
    first, second = (patient(message, pid, None) for pid in pids[:2])
    return cmd.LinkPatients(first, second, unlink=message.trigger == "A37")


def _movement(message: Message) -> cmd.Command:
    pid = _needed(message, "PID")
    pv1 = message.segment("PV1")
    header, cleared = stay.header(message, pv1)
    return cmd.RecordMovement(
        patient=_patient(message),
        header=header,
        cleared=cleared,
        visit=stay.number(pv1, 19, "VN"),
        account=stay.number(pid, 18, "AN"),
        movement=stay.movement(message, pv1),
    )


def _move_accounts(message: Message) -> cmd.Command:
    """A44: PATIENT groups (PID PD1? MRG)+; the account is the one MRG-3 names, else PID-18."""
    moves = []
    pid: Segment | None = None
    for segment in message.segments():
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            prior, _, _ = identifier_list(segment, 1)
            account = stay.number(segment, 3, "AN") or stay.number(pid, 18, "AN")
            moves.append(cmd.MoveAccount(patient(message, pid, None), prior, account))
            pid = None
    if not moves:
        raise Hl7Error("AE", "100", "event A44 needs a PID and an MRG", location=Location("MRG"))
    return cmd.MoveAccounts(tuple(moves))


def _renumber_account(message: Message) -> cmd.Command:
    account = stay.number(_needed(message, "PID"), 18, "AN")
    prior = stay.number(_needed(message, "MRG"), 3, "AN")
    if account is None or prior is None:
        place = Location("PID", field=18) if account is None else Location("MRG", field=3)
        raise Hl7Error("AE", "101", "event A49 needs the new and the prior account number", location=place)
    return cmd.RenumberAccount(_patient(message), account, prior)


_DECODERS: dict[Kind, Callable[[Message], cmd.Command]] = {
    Kind.PATIENT: _record,
    Kind.MERGE: _merge,
    Kind.REPLACE: _replace,
    Kind.LINK: _link,
    Kind.UNLINK: _link,
    Kind.MOVEMENT: _movement,
    Kind.MOVE_ACCOUNT: _move_accounts,
    Kind.RENUMBER_ACCOUNT: _renumber_account,
}
