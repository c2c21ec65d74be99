"""Whose a document is, as the registry knows people now: merges followed, what a merge took apart told apart again."""

from datetime import datetime
from typing import Final

import msgspec

from insigne.dmp.model import Document
from insigne.registry.attach import joined, person_identifiers
from insigne.registry.ports import View
from insigne.registry.settings import Policy
from insigne.registry.state import Encounter, Identity
from insigne.registry.values import Identifier

_identifiers: Final = msgspec.json.Decoder(tuple[Identifier, ...])
_LONGEST_CHAIN: Final = 64


class Several:
    """The identifiers of the document name several people: it is nobody's until a person settles it."""


SEVERAL: Final = Several()


def standing(view: View, identity_id: str) -> Identity | None:
    """The identity that stands for this one, merges followed to their end."""
    identity = view.identity(identity_id)
    for _ in range(_LONGEST_CHAIN):
        if identity is None or not identity.merged_into:
            return identity
        identity = view.identity(identity.merged_into)
    return None


def whose(view: View, document: Document, policy: Policy) -> Identity | Several | None:
    """Whose the document is now.

    The identifiers received with it decide, while they name somebody they named already then: once a merge is undone,
    what was sent meanwhile for the one absorbed goes back to them, and a number given to another patient since changes
    nothing. Else it is the identity it was received for. None: nobody is known any more.
    """
    found: dict[str, Identity] = {}
    for identifier in person_identifiers(joined(patient_of(document), policy)):
        for holder in view.holders(identifier.key):
            identity = view.identity(holder)
            held = identity.holds(identifier) if identity is not None else None
            if held is None or not held.current or _is_after(held.since, document.received):
                continue
            if (one := standing(view, holder)) is not None:
                found[one.id] = one
    if len(found) > 1:
        return SEVERAL
    return next(iter(found.values()), None) or standing(view, document.identity)


def is_of_another_stay(view: View, document: Document, identity: Identity, policy: Policy) -> bool:
    """Whether the stay of a document is known, and is neither this patient's nor that of whom it was received for.

    So it is once an account that was opened for the wrong patient is moved to the right one (A44), or when the stay is
    first known after the document, as somebody else's. A stay that came
    while two identities were merged remains with the survivor when the merge is undone: that contradicts nothing.
    """
    owners = {one.id for stay in _stays(view, document, policy) if (one := standing(view, stay.identity)) is not None}
    received = standing(view, document.identity)
    return bool(owners) and identity.id not in owners and (received is None or received.id not in owners)


def _stays(view: View, document: Document, policy: Policy) -> list[Encounter]:
    """The stay of that visit number; those of that account when the visit is not known."""
    for kind, text in (("VN", document.stay.visit), ("AN", document.stay.account)):
        authority, _, value = text.partition("|")
        ids = view.encounters((kind, policy.universal.get(authority, authority), value)) if value else ()
        if found := [stay for one in ids if (stay := view.encounter(one)) is not None]:
            return found
    return []


def _is_after(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def patient_of(document: Document) -> tuple[Identifier, ...]:
    """The identifiers (PID-3) received with the document; none once a purge erased them."""
    return _identifiers.decode(document.patient) if document.patient else ()
