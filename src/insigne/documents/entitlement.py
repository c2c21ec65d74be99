"""Whether an identity may show its INS on a document, and why not."""

from typing import Final

from insigne.documents.errors import DocumentError
from insigne.ins.matricule import oid_allowed
from insigne.ins.status import Status, forces_provisional
from insigne.registry.state import Identity
from insigne.registry.values import Ins

_STATUS_FR: Final = {
    Status.PROV: "provisoire",
    Status.RECUP: "récupérée",
    Status.VALI: "validée",
    Status.QUAL: "qualifiée",
}
_MISSING: Final = {
    Status.PROV: ("retrieve its INS from INSi and check an identity document", "appeler INSi et contrôler une pièce"),
    Status.RECUP: ("check an identity document of high trust", "contrôler une pièce à haut niveau de confiance"),
    Status.VALI: ("retrieve its INS from INSi", "récupérer son INS auprès d’INSi"),
}


class NotEntitledError(DocumentError):
    """The INS of this identity may not be shown: it is not qualified (EXI SI 08, EXI ID 29)."""


def entitled_ins(identity: Identity, environment: str) -> Ins:
    """Return the INS that documents of this identity bear.

    Raises NotEntitledError, with the reason, for an identity that is merged, doubtful, fictitious, contested, not
    qualified, whose birth date was completed, or whose OID the environment ("production" or "test") does not admit.
    """
    if identity.merged_into:
        raise NotEntitledError(
            "merged",
            "this identity was merged into another: use the one that remains",
            "cette identité a été fusionnée : utilisez celle qui demeure",
        )
    if forces_provisional(identity.attributes):
        raise NotEntitledError(
            "attribute",
            "this identity is doubtful or fictitious: it has no INS until the attribute is lifted and it is qualified",
            "cette identité est douteuse ou fictive : pas d’INS avant que l’attribut soit levé et l’identité qualifiée",
        )
    if identity.ins is not None and identity.ins.contested:
        raise NotEntitledError(
            "contested",
            "its INS is contested, held by another identity of the same domain: settle the work item first",
            "son INS est contesté, porté par une autre identité du même domaine : traitez d’abord la tâche ouverte",
        )
    if identity.ins is None or not identity.qualified:
        remedy, remedy_fr = _MISSING[identity.status]
        raise NotEntitledError(
            "not-qualified",
            f"this identity is not qualified (status {identity.status.value}): {remedy}",
            f"cette identité n’est pas qualifiée (identité {_STATUS_FR[identity.status]}) : {remedy_fr}",
        )
    if identity.details.collection.birth_date_corrected == "Y":
        raise NotEntitledError(
            "birth-date-completed",
            "its birth date was completed (ZFD-4): establish the real one, no INS is shown until then",
            "sa date de naissance a été complétée (ZFD-4) : établissez la vraie, aucun INS n’est montré d’ici là",
        )
    if not oid_allowed(identity.ins.ins.oid, environment):
        raise NotEntitledError(
            "oid",
            f"the OID of its INS is not admitted in the environment {environment!r}: a test INS is never printed there",
            f"l’OID de son INS n’est pas admis dans l’environnement « {environment} »",
        )
    return identity.ins.ins
