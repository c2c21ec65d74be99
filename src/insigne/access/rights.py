"""What people may do: rights, and the roles that bundle them. What no role of a user grants is refused."""

from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """One thing a person may be allowed to do."""

    IDENTITY_READ = "identity.read"
    IDENTITY_CREATE = "identity.create"
    IDENTITY_EDIT = "identity.edit"
    IDENTITY_QUALIFY = "identity.qualify"
    IDENTITY_ATTRIBUTE = "identity.attribute"
    IDENTITY_MERGE = "identity.merge"
    DOCUMENT_READ = "document.read"
    ENROL = "enrol"
    WORKLIST = "worklist"
    INSI_CALL = "insi.call"
    INSI_TRACE = "insi.trace"
    CAMPAIGN = "campaign"
    OUTBOX = "outbox"
    DOCUMENT_SEND = "document.send"
    AUDIT = "audit"
    ADMIN = "admin"


MEANINGS: Final[dict[Right, tuple[str, str]]] = {
    Right.IDENTITY_READ: ("search and read identities", "rechercher et consulter les identités"),
    Right.IDENTITY_CREATE: ("create identities", "créer des identités"),
    Right.IDENTITY_EDIT: ("change traits", "modifier les traits"),
    Right.IDENTITY_QUALIFY: (
        "record proofs, accept and refuse an INS",
        "enregistrer les pièces d'identité, accepter ou refuser une INS",
    ),
    Right.IDENTITY_ATTRIBUTE: (
        "set the attributes homonyme, douteuse, fictive",
        "poser les attributs homonyme, douteuse, fictive",
    ),
    Right.IDENTITY_MERGE: ("merge and unmerge identities", "fusionner et défusionner des identités"),
    Right.DOCUMENT_READ: ("read the copies of identity documents", "consulter les copies des pièces d'identité"),
    Right.ENROL: ("invite a patient to enter their traits", "inviter un patient à saisir ses traits"),
    Right.WORKLIST: ("assign and close work items", "affecter et clore les éléments à traiter"),
    Right.INSI_CALL: ("call INSi for one identity", "appeler INSi pour une identité"),
    Right.INSI_TRACE: ("read the raw answers of INSi", "consulter les réponses brutes d'INSi"),
    Right.CAMPAIGN: ("run campaigns of verification", "conduire les campagnes de vérification"),
    Right.OUTBOX: ("replay and skip messages", "rejouer ou écarter des messages"),
    Right.DOCUMENT_SEND: (
        "confirm, retry and withdraw documents sent to the DMP and to MSSanté",
        "confirmer, relancer et retirer les documents transmis au DMP et par MSSanté",
    ),
    Right.AUDIT: ("read the audit trail", "consulter le journal d'audit"),
    Right.ADMIN: ("manage users, tokens and destinations", "gérer utilisateurs, jetons et destinations"),
}
"""Each right in English and in French."""


class Role(StrEnum):
    """A function in the establishment, under the name it has there."""

    ACCUEIL = "accueil"
    QUALIFIEUR = "qualifieur"
    IDENTITOVIGILANCE = "identitovigilance"
    ADMINISTRATEUR = "administrateur"


_ACCUEIL: Final = frozenset({Right.IDENTITY_READ, Right.IDENTITY_CREATE, Right.ENROL, Right.INSI_CALL})
_QUALIFIEUR: Final = _ACCUEIL | {Right.IDENTITY_EDIT, Right.IDENTITY_QUALIFY, Right.WORKLIST}
_IDENTITOVIGILANCE: Final = _QUALIFIEUR | {
    Right.IDENTITY_ATTRIBUTE,
    Right.IDENTITY_MERGE,
    Right.DOCUMENT_READ,
    Right.INSI_TRACE,
    Right.CAMPAIGN,
    Right.OUTBOX,
    Right.DOCUMENT_SEND,
    Right.AUDIT,
}

#: Who runs the machine does not act on identities, nor reads them: give that person a second role if they must.
GRANTS: Final[dict[Role, frozenset[Right]]] = {
    Role.ACCUEIL: _ACCUEIL,
    Role.QUALIFIEUR: _QUALIFIEUR,
    Role.IDENTITOVIGILANCE: _IDENTITOVIGILANCE,
    Role.ADMINISTRATEUR: frozenset({Right.ADMIN, Right.OUTBOX, Right.AUDIT}),
}
