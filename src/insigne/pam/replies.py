"""What the registry decided, as the errors and warnings of an acknowledgement (ERR; HL7 tables 0357 and 0516)."""

from insigne.hl7 import AckError, Location
from insigne.registry.decision import Fault, Refused, Subject
from insigne.registry.notices import Notice

#: Where each subject of the registry stands in a message.
PLACES: dict[str, Location] = {
    Subject.PATIENT: Location("PID", field=3),
    Subject.PRIOR: Location("MRG", field=1),
    Subject.INS: Location("PID", field=3),
    Subject.RELIABILITY: Location("PID", field=32),
    Subject.NAME: Location("PID", field=5),
    Subject.TRAITS: Location("PID", field=5),
    Subject.MOVEMENT: Location("ZBE", field=1),
    Subject.VISIT: Location("PV1", field=19),
    Subject.ACCOUNT: Location("PID", field=18),
}

CONDITIONS: dict[Fault, str] = {
    Fault.REQUIRED: "101",
    Fault.UNKNOWN_KEY: "204",
    Fault.DUPLICATE_KEY: "205",
    Fault.CONFLICT: "206",
    Fault.FORBIDDEN: "207",
}


def refusal_error(refused: Refused) -> AckError:
    """The ERR of a refused command; the surviving identifier is named when the registry allows it."""
    text = refused.text
    if refused.survivor:
        text = f"{text}; it is now {refused.survivor}"
    return AckError(CONDITIONS[refused.fault], "E", PLACES[refused.subject], text)


def notice_warning(notice: Notice) -> AckError:
    """The ERR of severity W that says a notice."""
    return AckError("0", "W", PLACES[Subject(notice.subject)], notice.text, notice.code)
