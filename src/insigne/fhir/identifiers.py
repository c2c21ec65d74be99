"""Identifiers of a Patient, and the `system` under which an authority is named."""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, unquote

from insigne.fhir import terms
from insigne.fhir.resources import Resource
from insigne.ins.matricule import NAMESPACES, NIA_OID
from insigne.registry.state import HeldIdentifier, Identity
from insigne.registry.values import Authority, Ins

_OID: Final = re.compile(r"[012](\.(0|[1-9][0-9]*))+")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def system_of(authority: Authority) -> str:
    """The identifier system of an authority: its OID or UUID as a URN, else a URN made of its FINESS or namespace."""
    key = authority.key
    if _OID.fullmatch(key):
        return terms.OID_PREFIX + key
    if _UUID.fullmatch(key.lower()):
        return terms.UUID_PREFIX + key.lower()
    return terms.AUTHORITY_PREFIX + quote(key, safe="")


def authority_of(system: str) -> str:
    """The authority a system names: OID, UUID, FINESS number or namespace. The inverse of `system_of`.

    What is none of our URNs is taken as it stands: an OID, a FINESS number or a namespace.
    """
    if system.startswith(terms.AUTHORITY_PREFIX):
        return unquote(system.removeprefix(terms.AUTHORITY_PREFIX))
    return system.removeprefix(terms.OID_PREFIX).removeprefix(terms.UUID_PREFIX)


def identifiers(identity: Identity, absorbed: Sequence[Identity]) -> list[Resource]:
    """Every identifier of a person: the INS while qualified, current identifiers, then old ones.

    `absorbed` are the identities merged into this one; what they held is old. An INS that was replaced, or held by an
    absorbed identity, is old; one that was deleted or lost is not told here, only in the history.
    """
    built = [*_ins(identity, absorbed)] if shows_ins(identity) else []
    official_taken = bool(built)
    current = [held for held in identity.identifiers if held.current]
    built += [_identifier(held, official_taken=official_taken) for held in current]
    seen = {held.identifier.key for held in current}
    for owner in (identity, *absorbed):
        for held in owner.identifiers:
            if held.identifier.key not in seen:
                seen.add(held.identifier.key)
                built.append(_identifier(held, old=True))
    return built


def shows_ins(identity: Identity) -> bool:
    """Whether the INS may be seen: the identity is qualified, and nobody completed its birth date (ZFD-4 = Y)."""
    return identity.qualified and identity.details.collection.birth_date_corrected != "Y"


def _ins(identity: Identity, absorbed: Sequence[Identity]) -> Iterator[Resource]:
    if identity.ins is None:
        return
    current = identity.ins.ins
    yield _ins_identifier(current, "temp" if current.oid == NIA_OID else "official")
    seen = {current}
    for owner in (identity, *absorbed):
        former = [past.ins for past in owner.replaced_ins]
        if owner is not identity and owner.ins is not None and shows_ins(owner):
            former.append(owner.ins.ins)
        for ins in former:
            if ins not in seen:
                seen.add(ins)
                yield _ins_identifier(ins, "old")


def _ins_identifier(ins: Ins, use: str) -> Resource:
    return {
        "use": use,
        "type": _type(terms.FR_IDENTIFIER_TYPES, terms.INS_TYPES.get(ins.oid, "INS-NIR")),
        "system": terms.OID_PREFIX + ins.oid,
        "value": ins.matricule,
        **_assigner(NAMESPACES.get(ins.oid, "")),
    }


def _identifier(held: HeldIdentifier, *, old: bool = False, official_taken: bool = False) -> Resource:
    identifier = held.identifier
    french = identifier.type in terms.FR_ONLY_TYPES
    built: Resource = {
        "use": "old" if old else _use(identifier.type, official_taken=official_taken),
        "type": _type(terms.FR_IDENTIFIER_TYPES if french else terms.HL7_IDENTIFIER_TYPES, identifier.type),
        "system": system_of(identifier.authority),
        "value": identifier.value,
        **_assigner(identifier.authority.namespace),
    }
    if not built["type"]["coding"][0]["code"]:
        del built["type"]
    if not identifier.authority.key:
        del built["system"]
    if held.until:
        built["period"] = {"end": held.until}
    return built


def _use(kind: str, *, official_taken: bool) -> str:
    """The use FR Core gives each type; the billing NIR yields to the INS, for one identifier only may be official."""
    if kind == "NH":
        return "secondary" if official_taken else "official"
    return "secondary" if kind in terms.SECONDARY_TYPES else "usual"


def _type(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _assigner(namespace: str) -> Resource:
    return {"assigner": {"display": namespace}} if namespace else {}
