"""Which identity a message is about: by its person identifiers, type and authority included, never by traits."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from insigne.registry.commands import Patient
from insigne.registry.decision import Draft
from insigne.registry.index import ins_key
from insigne.registry.ports import View
from insigne.registry.settings import Policy
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.registry.values import Identifier


class Found(NamedTuple):
    """What the identifiers of a message name.

    `current` is the identity meant. `retired` is one that the identifier named once: merged since, or renumbered;
    `via` is that identifier. `conflicts` are identifiers that currently name other identities than `current`.
    """

    current: Identity | None
    retired: Identity | None
    via: Identifier | None
    conflicts: tuple[tuple[Identifier, Identity], ...]


def joined(identifiers: tuple[Identifier, ...], policy: Policy) -> tuple[Identifier, ...]:
    """The identifiers with bare namespaces joined to the universal id the configuration gives them (design:

    settled 7).
    """
    universal = policy.universal
    if not universal:
        return identifiers
    return tuple(
        replace(i, authority=replace(i.authority, universal_id=universal[i.authority.namespace]))
        if not i.authority.universal_id and i.authority.namespace in universal
        else i
        for i in identifiers
    )


def names_person(identifier: Identifier) -> bool:
    """Whether an identifier names a person by itself; a number without authority does not: others have it too."""
    return identifier.type in PERSON_TYPES and bool(identifier.authority.key)


def person_identifiers(identifiers: tuple[Identifier, ...]) -> list[Identifier]:
    """Those that name a person inside an authority, local ones (PI) first."""
    persons = [i for i in identifiers if i.type in PERSON_TYPES and i.authority.key]
    if len(persons) > 1:
        persons.sort(key=lambda i: i.type != "PI")
    return persons


def domain_of(identifiers: tuple[Identifier, ...]) -> str:
    """The key of the authority that speaks: the one of the first person identifier, "" without any."""
    persons = person_identifiers(identifiers)
    return persons[0].authority.key if persons else ""


def find(draft: Draft, identifiers: list[Identifier]) -> Found:
    """The identity that the identifiers name, current ones before retired ones, in their order.

    A first identifier that is unknown is that of somebody new when the others lead to who is known to its authority
    under another one: two numbers of one authority are two people until it says that they are one.
    """
    current: Identity | None = None
    retired: Identity | None = None
    via: Identifier | None = None
    conflicts: list[tuple[Identifier, Identity]] = []
    for identifier in identifiers:
        for holder in draft.working.holders(identifier.key):
            identity = draft.identity(holder)
            held = identity.holds(identifier)
            if identity.merged_into or held is None or not held.current:
                if retired is None:
                    retired, via = identity, identifier
            elif current is None:
                current = identity
            elif current.id != identity.id:
                conflicts.append((identifier, identity))
    if current is not None and is_another(draft.working, current, identifiers):
        conflicts = [(one, current) for one in identifiers if current.holds(one) is not None] + conflicts
        current = None
    return Found(current, retired, via, tuple(conflicts))


def is_another(view: View, identity: Identity, identifiers: Sequence[Identifier]) -> bool:
    """Whether the first identifier, known to nobody, is of an authority that names this identity by one not listed."""
    first = identifiers[0]
    if len(identifiers) == 1 or identity.holds(first) is not None or view.holders(first.key):
        return False
    listed = {identifier.key for identifier in identifiers}
    return any(
        held.current
        and held.identifier.type == first.type
        and held.identifier.authority.key == first.authority.key
        and held.identifier.key not in listed
        for held in identity.identifiers
    )


def find_patient(draft: Draft, patient: Patient) -> Found:
    """The identity a patient assertion is about; without person identifier, the only one that holds its INS.

    An INS that is not validated names nobody: it is to be dropped (pam-fr §5.4).
    """
    persons = person_identifiers(patient.identifiers)
    if persons:
        return find(draft, persons)
    for ins in patient.ins if "VALI" in patient.reliability else ():
        holders = living_holders(draft, ins.matricule)
        if len(holders) == 1:
            return Found(holders[0], None, None, ())
    return Found(None, None, None, ())


def living_holders(draft: Draft, matricule: str) -> list[Identity]:
    """The identities, merged ones excepted, that hold this matricule now."""
    identities = (draft.identity(holder) for holder in draft.working.holders(ins_key(matricule)))
    return [i for i in identities if not i.merged_into and i.ins is not None and i.ins.ins.matricule == matricule]


def standing(draft: Draft, found: Found) -> Identity | None:
    """The identity found, merges followed: what a message that changes no trait is about."""
    if found.current is None and found.retired is not None:
        return draft.survivor(found.retired)
    return found.current


def named_survivor(draft: Draft, patient: Patient, found: Found) -> str:
    """The value of the survivor's identifier of the same type and authority as the retired one, "" if it has none.

    Only this may be told to the peer, when it speaks for that authority (design: message on a merged identifier).
    """
    if found.retired is None or found.via is None or found.via.authority.key != domain_of(patient.identifiers):
        return ""
    for held in draft.survivor(found.retired).identifiers:
        same = held.identifier.type == found.via.type and held.identifier.authority.key == found.via.authority.key
        if same and held.current and held.identifier.value != found.via.value:
            return held.identifier.value
    return ""
