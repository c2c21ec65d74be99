"""Whether what a document says of a patient is what the registry knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from insigne.ins.datamatrix import FIELDS, InsPayload
from insigne.ins.dates import BirthDate
from insigne.ins.matricule import compact
from insigne.ins.names import NameKind, normalise_name
from insigne.ins.remarks import EntryError
from insigne.registry.state import Identity

STATUS: Final = "status"
_QUALIFIED: Final = "QUAL"
_NAMES: Final[dict[str, NameKind]] = {"S3": "given", "S4": "family"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the Data Matrix (S1…S7, or "status") that the registry has otherwise. Both values are personal."""

    field: str
    name: str
    document: str
    registry: str


def differences(payload: InsPayload, identity: Identity) -> tuple[Difference, ...]:
    """Compare a Data Matrix with an identity, trait by trait, as INSi spells them.

    A birthplace absent from the symbol is not compared. "status": a symbol says that the identity is qualified.
    """
    known = _known(identity)
    found = [
        Difference(id_, FIELDS[id_].name, payload.fields[id_], known[id_])
        for id_ in FIELDS
        if id_ in payload.fields and _spelled(id_, payload.fields[id_]) != _spelled(id_, known[id_])
    ]
    if not identity.qualified:
        found.append(Difference(STATUS, "identity status", _QUALIFIED, identity.status.value))
    return tuple(found)


def closest(payload: InsPayload, identities: Iterable[Identity]) -> tuple[Identity, tuple[Difference, ...]] | None:
    """Of the identities that hold the INS, the one that differs least, with how it differs; None when none holds it."""
    compared = [(identity, differences(payload, identity)) for identity in identities]
    return min(compared, key=lambda pair: len(pair[1]), default=None)


def _known(identity: Identity) -> dict[str, str]:
    traits = identity.traits
    ins = identity.ins.ins if identity.ins else None
    return {
        "S1": ins.matricule if ins else "",
        "S2": ins.oid if ins else "",
        "S3": traits.given_names or traits.first_given_name,
        "S4": traits.birth_name,
        "S5": traits.sex,
        "S6": _written_date(traits.birth_date),
        "S7": traits.birth_place,
    }


def _written_date(text: str) -> str:
    """A date of birth as the symbol has it, as far as it is known."""
    try:
        date = BirthDate.parse(text)
    except ValueError:
        return text
    return f"{date.day:02d}-{date.month:02d}-{date.year:04d}"


def _spelled(id_: str, value: str) -> str:
    """A value as it is compared: names and matricules in their one spelling."""
    if id_ == "S1":
        return compact(value)
    if id_ not in _NAMES or not value:
        return value
    try:
        return normalise_name(value, _NAMES[id_])
    except EntryError:
        return value
