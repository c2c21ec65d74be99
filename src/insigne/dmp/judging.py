"""What a sending is to become, of what the base and the registry hold now: its patient, what it replaces or deletes."""

from typing import NamedTuple

from insigne.dmp.model import Document, Intent, Sending
from insigne.dmp.ports import DocumentView
from insigne.dmp.site import Site
from insigne.dmp.states import DELETION_PENDING, PENDING, Verdict, evaluate
from insigne.dmp.whose import Several, is_of_another_stay, standing, whose
from insigne.registry.ports import View
from insigne.registry.state import Identity


def is_prepared(document: Document, sending: Sending) -> bool:
    """Whether it is a deletion prepared because an INS was lost, as against one that was asked for."""
    return sending.action == "delete" and document.intent is not Intent.DELETE and bool(sending.ins)


def target_of(view: DocumentView, document: Document, sending: Sending) -> tuple[Document, Sending] | None:
    """What a sending replaces or deletes; None when it does neither, or when this base never had it."""
    if sending.action == "feed" or (sending.action == "replace" and sending.channel != "dmp"):
        return None
    if document.intent is Intent.DELETE or sending.action == "replace":
        versions = [one for one in view.documents_named(document.parent) if one.intent is not Intent.DELETE]
    else:
        versions = [document]
    for version in reversed(versions):
        sent = [one for one in same_way(view, version, sending) if one.action != "delete"]
        if sent:
            return version, sent[-1]
    return None


def same_way(view: DocumentView, document: Document, sending: Sending) -> list[Sending]:
    """The sendings of a document on the channel, and to the recipient, of another one, oldest first."""
    return [one for one in view.sendings_of(document.id) if way(one) == way(sending)]


def way(sending: Sending) -> tuple[str, str]:
    """The channel and the recipient of a sending: what tells apart those of one document."""
    return sending.channel, sending.recipient


def deletion_of(view: DocumentView, document: Document, sending: Sending) -> Sending | None:
    """The deletion prepared for a sending, that is not over; one refused waits for a person."""
    return next(
        (
            one
            for one in same_way(view, document, sending)
            if is_prepared(document, one) and one.ins == sending.ins and one.state in PENDING | {"refused"}
        ),
        None,
    )


class Patient(NamedTuple):
    """The person a document is of, as of now; why it is nobody (a code of `REASONS`) when it is.

    `kept_with` is the identity whose events may change that: the same one, when it is somebody.
    """

    identity: Identity | None
    nobody: str
    kept_with: Identity | None


def patient_of(view: View, site: Site, document: Document, sending: Sending) -> Patient:
    """Whose the document of a sending is now. A deletion that was asked for goes where the document went."""
    found = whose(view, document, site.policy)
    if isinstance(found, Several):
        return Patient(None, "identifiers-of-several", standing(view, sending.identity))
    asked = sending.action == "delete" and not is_prepared(document, sending)
    looked_at = site.settings.stay_of_another == "hold" and not asked
    if looked_at and found is not None and is_of_another_stay(view, document, found, site.policy):
        return Patient(None, "stay-of-another", found)
    return Patient(found, "identity-unknown", found)


def judged(
    view: DocumentView, site: Site, document: Document, sending: Sending, patient: Patient, people: View | None = None
) -> tuple[Verdict, tuple[Document, Sending] | None]:
    """What the sending is to become as everything is now, and what it replaces or deletes; `people` as in `Ledger`."""
    target = target_of(view, document, sending)
    before = target[1] if target is not None else None
    verdict = evaluate(document, sending, patient.identity, before, site.settings, site.environment)
    if verdict.reason == "identity-unknown":
        verdict = Verdict(verdict.state, patient.nobody)
    if verdict.state == "ready" and sending.ins and sending.action != "delete":
        deletion = deletion_of(view, document, sending)
        if deletion is not None and deletion.sent:  # it is under way: what it deletes is not sent beside it
            verdict = DELETION_PENDING
    of_target = verdict.state in {"ready", "waiting-predecessor"} or verdict.reason == "ins-of-another"
    if target is not None and of_target and patient.identity is not None:
        owner = patient.identity if target[0].id == document.id else whose(people or view, target[0], site.policy)
        if isinstance(owner, Identity) and owner.id != patient.identity.id:
            verdict = Verdict("refused", "other-patient")
    return verdict, target
