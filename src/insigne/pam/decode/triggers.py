"""The ADT trigger events and what each asks of the registry (pam-fr §2.3; ITI TF-2 ITI-30, ITI-31)."""

from enum import StrEnum


class Kind(StrEnum):
    """The families of events, by the command they become."""

    PATIENT = "patient"
    MERGE = "merge"
    REPLACE = "replace"
    LINK = "link"
    UNLINK = "unlink"
    MOVEMENT = "movement"
    MOVE_ACCOUNT = "move-account"
    RENUMBER_ACCOUNT = "renumber-account"


#: Events that cancel a movement, each with the trigger of the movement it cancels (ZBE-6).
CANCELLED_BY: dict[str, str] = {
    "A11": "A01",
    "A12": "A02",
    "A13": "A03",
    "A25": "A16",
    "A26": "A15",
    "A27": "A14",
    "A32": "A10",
    "A33": "A09",
    "A38": "A05",
    "A52": "A21",
    "A53": "A22",
    "A55": "A54",
}

#: Events that undo each other: ZBE-4 tells whether they create a movement or cancel the opposite one.
REVERSIBLE = frozenset({"A06", "A07"})

#: The event that corrects a movement.
CORRECTION = "Z99"

#: A08 is not French: it updates demographics in international PAM and in plain HL7 feeds only.
UPDATE_EVENT = "A08"

KINDS: dict[str, Kind] = {
    "A28": Kind.PATIENT,
    "A31": Kind.PATIENT,
    UPDATE_EVENT: Kind.PATIENT,
    "A40": Kind.MERGE,
    "A47": Kind.REPLACE,
    "A24": Kind.LINK,
    "A37": Kind.UNLINK,
    "A44": Kind.MOVE_ACCOUNT,
    "A49": Kind.RENUMBER_ACCOUNT,
    CORRECTION: Kind.MOVEMENT,
    **dict.fromkeys(
        (
            *("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A09", "A10", "A11", "A12", "A13", "A14", "A15", "A16"),
            *("A21", "A22", "A25", "A26", "A27", "A32", "A33", "A38", "A52", "A53", "A54", "A55"),
        ),
        Kind.MOVEMENT,
    ),
}


def kind_of(trigger: str) -> Kind | None:
    """What the trigger asks for, or None when it is not one of PAM."""
    return KINDS.get(trigger)
