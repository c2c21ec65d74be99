"""The kinds of work items: what each is called, and what may legitimately be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from insigne.registry.state import WorkItem
from insigne.registry.values import Value


class WorkFilter(Value, frozen=True):
    """Which work items to list: "" means any. `subject` is an identity concerned; `state` is open or closed."""

    kind: str = ""
    assignee: str = ""
    subject: str = ""
    state: Literal["open", "closed", ""] = "open"


Action = str
"""What a person may do next: the act of `insigne identity …`, or `close` and `apply` of `insigne worklist close`."""


@dataclass(frozen=True, slots=True)
class WorkKind:
    """A kind of work item. `actions` in the order they are usually tried."""

    kind: str
    label: str
    label_fr: str
    actions: tuple[Action, ...]


_COMPARE: Final = ("accept", "refuse", "edit")
_SEARCH_AGAIN: Final = ("edit", "retrieve-ins", "close")
_HELD: Final = ("apply", "close")
_DUPLICATES: Final = ("merge", "set-attribute", "edit")

KINDS: Final[Mapping[str, WorkKind]] = MappingProxyType(
    {
        one.kind: one
        for one in (
            WorkKind("to-compare", "INSi found one identity: to compare", "Réponse INSi à comparer", _COMPARE),
            WorkKind("insi-01", "INSi found nobody", "Aucune identité trouvée par INSi (01)", _SEARCH_AGAIN),
            WorkKind("insi-02", "INSi found several", "Plusieurs identités trouvées par INSi (02)", _SEARCH_AGAIN),
            WorkKind(
                "insi-waiting", "INSi does not answer", "En attente du téléservice INSi", ("retrieve-ins", "close")
            ),
            WorkKind(
                "divergence", "INSi and the person disagree", "Divergence entre INSi et la personne",
                ("edit", "retrieve-ins", "set-attribute", "close"),
            ),
            WorkKind(
                "verification-ko", "the INS was not confirmed", "INS non confirmée à la vérification (KO)",
                ("retrieve-ins", "edit", "close"),
            ),
            WorkKind(
                "no-document", "recovered without document", "Identité récupérée sans pièce contrôlée",
                ("record-proof", "close"),
            ),
            WorkKind(
                "expired-document", "the document presented is expired", "Pièce d’identité périmée",
                ("record-proof", "close"),
            ),
            WorkKind("same-ins", "the same INS on two identities", "Même INS portée par deux identités", _DUPLICATES),
            WorkKind(
                "ins-to-confirm", "the other holder lost the INS: to confirm",
                "INS à confirmer : l’autre identité ne la porte plus",
                ("apply", "retrieve-ins", "edit", "set-attribute"),
            ),
            WorkKind("ins-changed", "another INS was received", "INS remplacée par le flux", ("retrieve-ins", "close")),
            WorkKind("overlay", "several traits changed at once", "Écrasement possible d’identité", _HELD),
            WorkKind("merge-held", "a merge contradicts another", "Fusion en attente de décision", _HELD),
            WorkKind(
                "merge-other-ins", "merged with another INS", "Fusion d’identités d’INS différentes",
                ("unmerge", "retrieve-ins", "close"),
            ),
            WorkKind("stay-of-another", "the stay is another's", "Séjour rattaché à une autre identité", _HELD),
            WorkKind(
                "identifier-conflict", "identifiers of another identity", "Identifiants d’une autre identité",
                ("merge", "close"),
            ),
            WorkKind("unmerged", "unmerged: to be sorted", "Défusion : éléments à répartir", ("edit", "close")),
            WorkKind(
                "doubtful-to-lift", "doubtful identity", "Identité douteuse à lever",
                ("set-attribute", "merge", "close"),
            ),
            WorkKind(
                "newborn-to-complete", "newborn to complete", "Nouveau-né à compléter",
                ("edit", "retrieve-ins", "close"),
            ),
            WorkKind(
                "enrolment-to-verify", "traits the person entered", "Inscription en ligne à vérifier",
                ("record-proof", "edit", "merge", "close"),
            ),
            WorkKind(
                "message-held", "a message could not be sent", "Message non envoyé : à faire chez le destinataire",
                ("outbox", "close"),
            ),
            WorkKind(
                "message-refused", "a receiver refuses messages", "Message refusé par le destinataire",
                ("outbox", "close"),
            ),
            WorkKind(
                "document-to-withdraw", "documents sent under an INS that was lost",
                "Documents transmis sous une INS perdue : à supprimer", ("document", "close"),
            ),
            WorkKind(
                "document-refused", "a document was refused", "Document refusé par le DMP ou la messagerie",
                ("document", "close"),
            ),
            WorkKind(
                "document-held", "documents held: the key of the INS is wrong", "Documents retenus : clé d’INS fausse",
                ("retrieve-ins", "document", "close"),
            ),
            WorkKind(
                "document-mail", "a mail of MSSanté to look at", "Courriel MSSanté à traiter dans la boîte", ("close",)
            ),
            WorkKind(
                "document-late", "a document cannot be sent", "Document non transmis malgré plusieurs essais",
                ("document", "close"),
            ),
        )
    }
)  # fmt: skip
"""Every kind the rules raise, in the order they are listed."""


def actions_of(item: WorkItem) -> tuple[Action, ...]:
    """What may be done about an item: nothing once it is closed, nothing to apply when it holds nothing back."""
    if item.closed:
        return ()
    actions = kind_of(item.kind).actions
    return ("close",) if actions == _HELD and bytes(item.held) == b"null" else actions


def kind_of(kind: str) -> WorkKind:
    """The kind of that code; one of a later release is only closed."""
    return KINDS.get(kind) or WorkKind(kind, kind, kind, ("close",))
