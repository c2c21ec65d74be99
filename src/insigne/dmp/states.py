"""What becomes of a sending: pure rules over the document, the identity as it is now, and what came before.

The INS must be qualified now, on every channel and for every action (DMP: ANS CI-SIS, volet transmission au DMP en
HL7 v2); only a deletion that a person confirmed goes under the INS it was sent under, because the identity lost it.
"""

from typing import Final, Literal, NamedTuple

from insigne.dmp.model import Action, Document, Intent, Sending, State
from insigne.dmp.reasons import REASONS, Reason, reason_of
from insigne.dmp.settings import DmpSettings
from insigne.ins.matricule import Nature, check_matricule, nature_of, oid_allowed
from insigne.pam.encode.ins import shown_ins
from insigne.registry.state import Identity
from insigne.registry.values import Ins

__all__ = ["HELD", "REASONS", "Reason", "Verdict", "effective", "evaluate", "ins_text", "is_right", "reason_of"]

_BIRTH: Final = slice(1, 5)
"""Year and month of birth in a matricule."""
Environment = Literal["production", "test"]

HELD: Final[frozenset[State]] = frozenset({"waiting-ins", "waiting-identity", "waiting-consent", "waiting-predecessor"})
"""States in which a sending waits for something that is not its turn."""
PENDING: Final[frozenset[State]] = HELD | {"ready", "calling", "to-confirm"}
"""States that a sending leaves some day."""
ENDED: Final[frozenset[State]] = frozenset({"refused", "fed", "replaced", "deleted", "cancelled"})


class Verdict(NamedTuple):
    """The state a sending is to be in, and why (a code of `REASONS`)."""

    state: State
    reason: str


_READY: Final = Verdict("ready", "qualified")
DELETION_PENDING: Final = Verdict("waiting-predecessor", "deletion-pending")


def ins_text(ins: Ins) -> str:
    """An INS as `Sending.ins` has it: "OID|MATRICULE"."""
    return f"{ins.oid}|{ins.matricule}"


def qualified_ins(identity: Identity | None, environment: Environment) -> Ins | None:
    """The INS under which documents of this identity leave; None when none may."""
    if identity is None or identity.merged_into or not identity.qualified or identity.ins is None:
        return None
    return identity.ins.ins if oid_allowed(identity.ins.ins.oid, environment) else None


def is_right(ins: str, identity: Identity | None, environment: Environment) -> bool:
    """Whether what was sent under this INS is where it belongs, as the identity is now.

    So it is under the qualified INS held now, and under one of the same person: the NIA that a NIR took the place of,
    or one that the nation itself lists as former (INSHISTO). An INS replaced otherwise may have been somebody else's.
    """
    held = qualified_ins(identity, environment)
    if held is None or identity is None:
        return False
    return ins in _forms(identity, held) or ins in _listed_as_former(identity, held)


def _listed_as_former(identity: Identity, held: Ins) -> set[str]:
    """What the nation lists as former INS of the person; nothing when it may have said so of somebody else.

    The list says nothing of the INS it came with, and stays when another one is recorded without any: it counts as long
    as the identity never held an INS that is neither listed nor the one held now.
    """
    listed = {f"{one.oid}|{one.matricule}" for one in identity.national.history}
    known = listed | _forms(identity, held)
    return listed if all(ins_text(past.ins) in known for past in identity.ins_history) else set()


def _forms(identity: Identity, held: Ins) -> set[str]:
    """The INS held, and those before it as long as each became the next: a NIA that a NIR took the place of.

    Both say the year and the month of birth: a NIA that says others was somebody else's.
    """
    forms, current = {ins_text(held)}, held
    for past in reversed(identity.ins_history):
        became = past.replaced and (nature_of(past.ins.oid), nature_of(current.oid)) == (Nature.NIA, Nature.NIR)
        if past.ins != current and not (became and past.ins.matricule[_BIRTH] == current.matricule[_BIRTH]):
            break
        forms.add(ins_text(past.ins))
        current = past.ins
    return forms


def effective(sending: Sending, predecessor: Sending | None) -> Action:
    """What is really to be done: a replacement of what never arrived, or is gone, is an initial feeding.

    What was refused after a call of unknown outcome may be there: it is looked for, as what stands is.
    """
    if sending.action == "replace" and predecessor is not None and not _stands(predecessor):
        return "feed"
    return sending.action


def _stands(predecessor: Sending) -> bool:
    """Whether the version before is, may be, or will be where this one is going."""
    unsure = predecessor.state == "refused" and bool(predecessor.ins)
    return unsure or predecessor.state in PENDING or (predecessor.state == "fed" and predecessor.reason != "kept")


def evaluate(
    document: Document,
    sending: Sending,
    identity: Identity | None,
    predecessor: Sending | None,
    settings: DmpSettings,
    environment: Environment,
) -> Verdict:
    """What a sending that has not ended is to become. Pure.

    `identity` is the one that stands for the patient now (merges followed), None when nobody does. `predecessor` is the
    sending replaced or deleted: of the version before or, for a deletion without a document of its own, that sending;
    None when this base never had it. A deletion that has an INS was prepared because that INS was lost; one without was
    asked for, by the sender or by a person.
    """
    if sending.action == "delete" and document.intent is not Intent.DELETE and sending.ins:
        return _prepared(sending, identity, predecessor, environment)
    if sending.ins and not is_right(sending.ins, identity, environment):
        # A call may have gone out under an INS that is lost: nothing else leaves before that is settled.
        return _held_by_identity(identity, settings, environment) or DELETION_PENDING
    barred = _held_by_identity(identity, settings, environment)
    if barred is not None:
        return barred
    if sending.action == "delete":
        return _asked_deletion(sending, identity, predecessor, environment)
    if sending.channel == "dmp" and identity is not None:
        barred = _consent(identity, settings)
        if barred is not None:
            return barred
    if sending.action == "replace" and sending.channel == "dmp" and predecessor is not None:
        return _replacement(identity, predecessor, environment)
    return _READY


def _held_by_identity(identity: Identity | None, settings: DmpSettings, environment: Environment) -> Verdict | None:
    """Why this identity lets nothing leave now; None when it does."""
    if identity is None or identity.merged_into:
        return Verdict("waiting-identity", "identity-unknown")
    if "FICT" in identity.attributes:
        return Verdict("waiting-identity", "fictitious")
    if "DOUT" in identity.attributes:
        return Verdict("waiting-identity", "doubtful")
    if identity.ins is None:
        return Verdict("waiting-ins", "ins-missing")
    if identity.ins.contested:
        return Verdict("waiting-identity", "contested")
    if not identity.qualified:
        return Verdict("waiting-ins", "ins-not-qualified")
    ins = identity.ins.ins
    if not oid_allowed(ins.oid, environment):
        return Verdict("waiting-ins", "ins-environment")
    if shown_ins(identity) is None:  # as for receivers: five strict traits, a birth date that nobody completed
        return Verdict("waiting-identity", "traits-incomplete")
    if settings.wrong_matricule == "hold" and any(
        one.code == "matricule-key" for one in check_matricule(ins.matricule)
    ):
        return Verdict("waiting-ins", "ins-key")
    return None


def _consent(identity: Identity, settings: DmpSettings) -> Verdict | None:
    """ZFA-9: INO (informed, no opposition) feeds, IO (informed, opposed) does not, the rest is a setting."""
    match identity.details.dmp.feeding:
        case "INO":
            return None
        case "IO":
            return Verdict("refused", "opposition")
        case _:
            return None if settings.without_consent == "feed" else Verdict("waiting-consent", "consent-unknown")


def _replacement(identity: Identity | None, predecessor: Sending, environment: Environment) -> Verdict:
    """A replacement goes after what it replaces, which must be in the same patient's DMP."""
    match predecessor.state:
        case "fed" if predecessor.reason == "kept":
            return _READY
        case "fed" if predecessor.reason == "to-withdraw":
            return DELETION_PENDING
        case "fed":
            return _READY if is_right(predecessor.ins, identity, environment) else DELETION_PENDING
        case "replaced":
            return Verdict("refused", "predecessor-replaced")
        case "refused" if predecessor.ins:  # a call may have reached the DMP before it was refused
            return _READY if is_right(predecessor.ins, identity, environment) else DELETION_PENDING
        case "refused" | "deleted" | "cancelled":
            return _READY
        case _:
            return Verdict("waiting-predecessor", "predecessor")


def _asked_deletion(
    sending: Sending, identity: Identity | None, predecessor: Sending | None, environment: Environment
) -> Verdict:
    """A deletion its sender asked for."""
    if predecessor is None:
        return _READY
    match predecessor.state:
        case "fed" if predecessor.reason == "kept" and not is_right(predecessor.ins, identity, environment):
            return Verdict("refused", "deletion-abandoned")  # nothing is prepared any more that it could wait for
        case "fed":
            right = is_right(predecessor.ins, identity, environment)
            return _READY if right else Verdict("waiting-ins", "ins-of-another")
        case "replaced":
            return Verdict("refused", "predecessor-replaced")
        case "refused" if predecessor.ins:  # a call may have reached the other end before it was refused
            right = is_right(predecessor.ins, identity, environment)
            return _READY if right else Verdict("waiting-ins", "ins-of-another")
        case "refused" | "deleted" | "cancelled" if not sending.sent:
            return Verdict("deleted", "nothing-there")
        case "refused" | "deleted" | "cancelled":
            return _READY  # a call was made whose outcome nobody knows: it is asked again
        case _:
            return Verdict("waiting-predecessor", "predecessor")


def _prepared(
    sending: Sending, identity: Identity | None, predecessor: Sending | None, environment: Environment
) -> Verdict:
    """A deletion prepared because the INS was lost: cancelled as soon as it is right again, unless it is under way."""
    if sending.sent:
        return Verdict("ready", "confirmed")
    if predecessor is None or predecessor.state in {"deleted", "replaced"}:
        return Verdict("cancelled", "superseded")
    if is_right(sending.ins, identity, environment):
        return Verdict("cancelled", "right-again")
    if sending.state == "to-confirm":
        return Verdict("to-confirm", "ins-lost")
    return Verdict("ready", "confirmed")
