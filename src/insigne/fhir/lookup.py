"""Finding the identity an identifier names, and the Patient to show for it.

One rule for the CLI and the HTTP interface: an INS is looked up as an INS, never as the billing NIR of the same OID;
any other pair names a person identifier; a merged identity answers by its survivor.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, Protocol

from insigne.fhir.identifiers import authority_of
from insigne.fhir.patient import patient
from insigne.fhir.resources import Resource
from insigne.ins.cog import Cog
from insigne.ins.matricule import NAMESPACES, compact, nature_of
from insigne.registry.index import ins_key, replaced_ins_key
from insigne.registry.ports import Key
from insigne.registry.state import PERSON_TYPES, Identity
from insigne.registry.values import Ins

_INS_OIDS: Final = {namespace: oid for oid, namespace in NAMESPACES.items()}

Read = Callable[[str], Identity | None]
"""Gives the state of an identity by its id, now or at some time."""


class Reader(Protocol):
    """What is needed of the store."""

    def identity(self, identity_id: str) -> Identity | None:
        """The identity of that id, merged ones included."""
        ...

    def holders(self, key: Key) -> Iterable[str]:
        """The ids of the identities that hold or held an identifier, oldest first."""
        ...

    def find_identity(self, authority: str, value: str, types: Collection[str]) -> Iterable[str]:
        """The ids of the identities that hold or held `value` under an authority (OID, FINESS or namespace).

        Those that hold it now come first.
        """
        ...


def split_token(token: str) -> tuple[str, str] | None:
    """(authority, value) of `AUTHORITY|VALUE` or `SYSTEM|VALUE`; None when the text is not such a pair."""
    system, bar, value = token.rpartition("|")
    authority, value = authority_of(system.strip()), value.strip()
    return (authority, value) if bar and authority and value else None


def resolve(reader: Reader, authority: str, value: str, read: Read | None = None) -> list[Identity]:
    """The identities that an identifier names, survivors in place of merged ones.

    Those that hold it come before those that held it; of the holders of one INS, the qualified come first. An INS that
    another one replaced still names its identity; one that was deleted or lost does not. `read` gives states at another
    time than now.
    """
    states = read or reader.identity
    authority = _INS_OIDS.get(authority, authority)
    if nature_of(authority) is not None:
        return _by_ins(reader, states, Ins(compact(value), authority))
    found: dict[str, Identity] = {}
    for identity_id in reader.find_identity(authority, value, PERSON_TYPES):
        held = states(identity_id)
        if held is None or not any(own.identifier.value == value for own in held.identifiers):
            continue  # at the time asked for, it had not been given yet
        standing = survivor(states, held)
        found.setdefault(standing.id, standing)
    return list(found.values())


def named(reader: Reader, text: str, universal: Mapping[str, str], read: Read | None = None) -> list[Identity]:
    """The standing identities that a text names: an id of the base, or `AUTHORITY|VALUE`.

    `universal` joins namespaces to the OID or FINESS number of their authority (`registry.settings.Policy`).
    """
    pair = split_token(text)
    states = read or reader.identity
    if pair is None:
        held = states(text)
        return [] if held is None else [survivor(states, held)]
    authority, value = pair
    joined = universal.get(authority, authority)
    return resolve(reader, joined, value, read) or resolve(reader, authority, value, read)


def merged_named(reader: Reader, text: str, universal: Mapping[str, str]) -> list[Identity]:
    """The merged identities that a text names, themselves and not their survivors; the text is as `named` takes it."""
    pair = split_token(text)
    if pair is None:
        held = [reader.identity(text)]
    else:
        authority, value = pair
        joined = universal.get(authority, authority)
        held = [reader.identity(i) for i in _holding(reader, joined, value) or _holding(reader, authority, value)]
    return [one for one in held if one is not None and one.merged_into]


def _holding(reader: Reader, authority: str, value: str) -> list[str]:
    """The ids of the identities that hold or held an identifier or an INS, merged ones included."""
    authority = _INS_OIDS.get(authority, authority)
    if nature_of(authority) is None:
        return list(reader.find_identity(authority, value, PERSON_TYPES))
    matricule = compact(value)
    return list(dict.fromkeys((*reader.holders(ins_key(matricule)), *reader.holders(replaced_ins_key(matricule)))))


def _by_ins(reader: Reader, states: Read, ins: Ins) -> list[Identity]:
    ids = [*reader.holders(ins_key(ins.matricule)), *reader.holders(replaced_ins_key(ins.matricule))]
    holders: dict[str, Identity] = {}
    former: dict[str, Identity] = {}
    for held in map(states, dict.fromkeys(ids)):
        if held is None:
            continue
        standing = survivor(states, held)
        if held.ins is not None and held.ins.ins == ins:
            holders.setdefault(standing.id, standing)
        elif any(past.ins == ins for past in held.replaced_ins):
            former.setdefault(standing.id, standing)
    found = sorted(holders.values(), key=lambda identity: not identity.qualified)
    return [*found, *(identity for identity in former.values() if identity.id not in holders)]


def survivor(read: Read, identity: Identity) -> Identity:
    """The identity that stands for this one once merges are followed. Raises LookupError when the chain is broken."""
    seen = {identity.id}
    while identity.merged_into:
        following = read(identity.merged_into)
        if following is None or following.id in seen:
            raise LookupError(f"identity {identity.id} is merged into {identity.merged_into}, which does not stand")
        seen.add(following.id)
        identity = following
    return identity


def family(read: Read, identity: Identity) -> list[Identity]:
    """Every identity merged into this one, directly or through another, in the order they were absorbed."""
    found: dict[str, Identity] = {}
    waiting = list(identity.absorbed)
    while waiting:
        other = read(waiting.pop(0))
        if other is not None and other.id not in found and other.id != identity.id:
            found[other.id] = other
            waiting += other.absorbed
    return list(found.values())


def patient_of(read: Read, identity: Identity, cog: Cog | None = None) -> Resource:
    """The Patient to show for an identity: that of its survivor, with all it absorbed."""
    standing = survivor(read, identity)
    return patient(standing, family(read, standing), cog=cog)
