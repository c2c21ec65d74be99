"""Who is to be qualified first: those whose documents wait, then those who are here or expected. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from insigne.ins.status import Status
from insigne.registry.state import Encounter, Identity

OPEN: Final = frozenset({"planned", "in-progress", "onleave"})
"""Statuses of a stay whose documents are still to come."""


class ToQualify(NamedTuple):
    """A patient to qualify: documents that wait, since when (RFC 3339, "" for none), stays open or to come."""

    identity: str
    documents: int
    since: str
    stays: int


def ordered(patients: Iterable[ToQualify]) -> list[ToQualify]:
    """Most documents first, then most stays, then the longest wait."""
    return sorted(patients, key=lambda one: (-one.documents, -one.stays, one.since or "~", one.identity))


def open_stays(stays: Iterable[Encounter]) -> int:
    """How many stays are under way or to come."""
    return sum(stay.status in OPEN for stay in stays)


def next_act(identity: Identity) -> tuple[str, str]:
    """What qualifies an identity, in English and in French."""
    if "FICT" in identity.attributes:
        return _FICTITIOUS
    if "DOUT" in identity.attributes:
        return _DOUBTFUL
    if identity.ins is not None and identity.ins.contested:
        return _CONTESTED
    return _ACTS[identity.status]


_FICTITIOUS: Final = (
    "fictitious: record the real identity, or withdraw the documents",
    "identité fictive : enregistrer la vraie identité ou retirer les documents",
)
_DOUBTFUL: Final = "lift the doubt (DOUT)", "lever le doute sur l’identité (DOUT)"
_CONTESTED: Final = (
    "settle the contested INS (work item same-ins)",
    "traiter l’INS contesté (tâche same-ins)",
)
_ACTS: Final = {
    Status.PROV: (
        "retrieve the INS, check an identity document",
        "récupérer l’INS (INSi) et contrôler une pièce d’identité",
    ),
    Status.RECUP: ("check an identity document", "contrôler une pièce d’identité à haut niveau de confiance"),
    Status.VALI: ("retrieve the INS", "récupérer l’INS (INSi)"),
    Status.QUAL: ("qualified: see why the documents wait", "qualifiée : voir pourquoi les documents attendent"),
}
