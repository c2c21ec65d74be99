"""Messages that are wrong on purpose: each made from a right one, none with an effect on what must be held."""

import re
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from insigne.simulate.script import Step
from insigne.simulate.segments import PV1_NONE, ipp


class Draft(NamedTuple):
    """A message before it is encoded: event, MSH, segments after MSH; `control_id` is that of MSH."""

    event: str
    control_id: str
    msh: str
    rest: str


class Fault(NamedTuple):
    """A wrong message: its bytes, the acknowledgement expected, and why."""

    event: str
    control_id: str
    payload: bytes
    code: str
    why: str


Encode = Callable[[str], bytes]
_PID: Final = re.compile(r"(?<=\r)(PID\|1\|\|)([^|]*)(\|[^\r]*\r)")
_ZBE: Final = re.compile(r"(?<=\r)ZBE\|[^\r]*\r")


def wrong_message(rng: Random, step: Step, sent: bytes, draft: Draft, encode: Encode, other: str) -> Fault:
    """Return a wrong message about the patient of `step`, which was sent as `sent`.

    `draft` is the same message under a new control id; `other` is the local identifier of another patient, "" when
    none is known.
    """
    kinds = [*(_AFTER_MERGE if step.event == "A40" else _ALWAYS)]
    if "\rMRG|" not in draft.rest:  # else the message still names a patient
        kinds.append(_no_identifier)
    if step.movement:
        kinds.append(_unknown_movement)
    if other and other not in draft.rest:
        kinds.append(_identifier_of_another)
    make: Callable[[Context], Fault] = rng.choice(kinds)
    return make(Context(step, sent, draft, encode, other))


class Context(NamedTuple):
    """What a fault is made from."""

    step: Step
    sent: bytes
    draft: Draft
    encode: Encode
    other: str


def _retype(draft: Draft, event: str, structure: str) -> str:
    return draft.msh.replace(f"||ADT^{draft.event}^", f"||ADT^{event}^", 1).replace(
        f"^{_structure(draft)}|{draft.control_id}|", f"^{structure}|{draft.control_id}|", 1
    )


def _structure(draft: Draft) -> str:
    return draft.msh.split("|")[8].split("^")[2]


def _make(context: Context, event: str, text: str, code: str, why: str) -> Fault:
    return Fault(event, context.draft.control_id, context.encode(text), code, why)


def _head(draft: Draft) -> str:
    """Return EVN and PID of the draft."""
    evn, pid, _ = draft.rest.split("\r", 2)
    return f"{evn}\r{pid}\r"


def _unknown_event(context: Context) -> Fault:
    msh = _retype(context.draft, "A99", "ADT_A99")
    return _make(context, "A99", msh + "\r" + context.draft.rest, "AR", "A99 is not an event (201)")


def _a08(context: Context) -> Fault:
    msh = _retype(context.draft, "A08", "ADT_A01")
    text = f"{msh}\r{_head(context.draft)}{PV1_NONE}\r"
    return _make(context, "A08", text, "AR", "A08 is excluded in France (201)")


def _unknown_version(context: Context) -> Fault:
    msh = context.draft.msh.replace("|P|2.5^FRA^", "|P|9.9^FRA^", 1)
    return _make(
        context, context.draft.event, msh + "\r" + context.draft.rest, "AR", "HL7 version 9.9 is unknown (203)"
    )


def _unknown_charset(context: Context) -> Fault:
    fields = context.draft.msh.split("|")
    fields[17] = "8859/99"
    return _make(
        context,
        context.draft.event,
        "|".join(fields) + "\r" + context.draft.rest,
        "AE",
        "MSH-18 is not supported (103)",
    )


def _undecodable(context: Context) -> Fault:
    fields = context.draft.msh.split("|")
    fields[17] = "UNICODE UTF-8"
    text = "|".join(fields) + "\r" + context.draft.rest
    payload = text.encode("ascii", "replace").replace(b"^BDL^^", b"\xe9\xe8^BDL^^", 1)
    why = "bytes that are not the UTF-8 declared in MSH-18 (102)"
    return Fault(context.draft.event, context.draft.control_id, payload, "AE", why)


def _no_identifier(context: Context) -> Fault:
    text = _PID.sub(r"\1\3", f"{context.draft.msh}\r{context.draft.rest}")
    return _make(context, context.draft.event, text, "AE", "PID-3 is empty: no patient (101)")


def _about(patient: str, head: str) -> str:
    """Return EVN and PID with `patient` as the only identifier of PID-3."""
    return _PID.sub(lambda found: f"{found[1]}{patient}{found[3]}", head)


def _local(context: Context) -> str:
    """Return the local identifier of the patient as the message carries it."""
    return context.draft.rest.split("\rPID|1||", 1)[1].split("|", 1)[0].split("~", 1)[0]


def _prior(context: Context) -> str:
    """Return the local identifier that the A40 retired."""
    return context.draft.rest.split("\rMRG|", 1)[1].split("\r", 1)[0]


def _merge(context: Context, prior: str, code: str, why: str) -> Fault:
    msh = _retype(context.draft, "A40", "ADT_A39")
    head = _about(_local(context), _head(context.draft))
    return _make(context, "A40", f"{msh}\r{head}MRG|{prior}\r", code, why)


def _merged_with_itself(context: Context) -> Fault:
    return _merge(context, _local(context), "AE", "a patient cannot be merged with itself (205)")


def _merge_of_unknown(context: Context) -> Fault:
    return _merge(context, ipp("9999999"), "AA", "the prior patient of the merge is unknown: nothing to do")


def _merged_again(context: Context) -> Fault:
    return _merge(context, _prior(context), "AA", "already merged: nothing to do")


def _update_of_merged(context: Context) -> Fault:
    msh = _retype(context.draft, "A31", "ADT_A05")
    text = f"{msh}\r{_about(_prior(context), _head(context.draft))}{PV1_NONE}\r"
    return _make(context, "A31", text, "AE", "the identifier was merged into another (204)")


def _identifier_of_another(context: Context) -> Fault:
    msh = _retype(context.draft, "A47", "ADT_A30")
    text = f"{msh}\r{_about(context.other, _head(context.draft))}MRG|{_local(context)}\r"
    return _make(context, "A47", text, "AE", "the new identifier belongs to another patient (205)")


def _repeated(context: Context) -> Fault:
    control_id = context.sent.split(b"|", 10)[9].decode()
    return Fault(context.step.event, control_id, context.sent, "AA", "the same message again: the stored answer")


def _control_id_reused(context: Context) -> Fault:
    control_id = context.sent.split(b"|", 10)[9].decode()
    msh = context.draft.msh.replace(f"|{context.draft.control_id}|", f"|{control_id}|", 1)
    payload = context.encode(f"{msh}\r{context.draft.rest}NTE|1||AUTRE CONTENU\r")
    return Fault(context.draft.event, control_id, payload, "AE", "other content under a control id already used")


def _unknown_movement(context: Context) -> Fault:
    msh = _retype(context.draft, "A12", "ADT_A12")
    zbe = _ZBE.search("\r" + context.draft.rest)
    fields = zbe[0].split("|") if zbe else []
    fields[1] = f"X{context.draft.control_id[-9:]}^" + fields[1].split("^", 1)[1]
    fields[4], fields[6] = "CANCEL", "A02"
    text = msh + "\r" + _ZBE.sub(lambda _: "|".join(fields), context.draft.rest)
    return _make(context, "A12", text, "AE", "the movement to cancel is unknown (204)")


_ALWAYS: Final = (
    _unknown_event,
    _a08,
    _unknown_version,
    _unknown_charset,
    _undecodable,
    _merged_with_itself,
    _merge_of_unknown,
    _repeated,
    _control_id_reused,
)
_AFTER_MERGE: Final = (_merged_again, _update_of_merged)
