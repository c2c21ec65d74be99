"""Why a sending is in its state, and what to do about it, in English and French."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Reason(NamedTuple):
    """What a person reads beside a state: why, then what to do; each in English and in French."""

    text: str
    text_fr: str
    remedy: str
    remedy_fr: str


_NOTHING: Final = ("nothing to do", "rien à faire")
_ALONE: Final = ("nothing to do: it goes on by itself", "rien à faire : la suite est automatique")
_QUALIFY: Final = (
    "qualify the identity: INS from INSi and an identity document; the document then leaves by itself",
    "qualifier l’identité : INS par INSi et pièce d’identité ; le document part ensuite de lui-même",
)

REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        # --- held
        "ins-missing": Reason("the patient has no INS", "le patient n’a pas d’INS", *_QUALIFY),
        "ins-not-qualified": Reason(
            "the patient's INS is not qualified", "l’INS du patient n’est pas qualifiée",
            "check an identity document of high trust; the document then leaves by itself",
            "contrôler une pièce d’identité à haut niveau de confiance ; le document part ensuite de lui-même",
        ),
        "ins-environment": Reason(
            "the OID of the patient's INS is of another environment",
            "l’OID de l’INS du patient est celui d’un autre environnement",
            "retrieve the INS of this environment, or correct the setting environment",
            "récupérer l’INS de cet environnement, ou corriger le réglage environment",
        ),
        "ins-key": Reason(
            "the key of the patient's INS is wrong", "la clé de l’INS du patient est fausse",
            "have the INS verified or retrieved again; dmp.wrong_matricule says what to do of such documents",
            "faire vérifier ou récupérer à nouveau l’INS ; dmp.wrong_matricule dit que faire de ces documents",
        ),
        "ins-of-another": Reason(
            "the document to delete was sent under an INS the patient does not hold",
            "le document à supprimer a été transmis sous une INS que le patient ne porte pas",
            "confirm the deletion that was prepared for it", "confirmer la suppression préparée pour lui",
        ),
        "identity-unknown": Reason(
            "the patient is not known any more", "le patient n’est plus connu",
            "find the identity, or withdraw the document", "retrouver l’identité, ou retirer le document",
        ),
        "identifiers-of-several": Reason(
            "the identifiers of the document name several patients",
            "les identifiants du document désignent plusieurs patients",
            "settle which identity holds each identifier, or withdraw the document",
            "établir à quelle identité appartient chaque identifiant, ou retirer le document",
        ),
        "stay-of-another": Reason(
            "the stay of the document is another patient's: it was opened for them, or moved to them",
            "le séjour du document est celui d’un autre patient : ouvert pour lui, ou rattaché à lui",
            "withdraw it and have it produced again for its patient, or move the stay back",
            "le retirer et le faire produire à nouveau pour son patient, ou rattacher le séjour en sens inverse",
        ),
        "doubtful": Reason(
            "the patient's identity is doubtful", "l’identité du patient est douteuse",
            "lift the doubt, then qualify the identity", "lever le doute, puis qualifier l’identité",
        ),
        "fictitious": Reason(
            "the patient's identity is fictitious", "l’identité du patient est fictive",
            "withdraw the document, or give the stay its real identity",
            "retirer le document, ou rendre au séjour sa vraie identité",
        ),
        "traits-incomplete": Reason(
            "a strict trait of the patient is missing, or the birth date was completed",
            "un trait strict du patient manque, ou sa date de naissance a été complétée",
            "complete the traits, or establish the real birth date; no INS leaves until then",
            "compléter les traits, ou établir la vraie date de naissance ; aucune INS ne part d’ici là",
        ),
        "contested": Reason(
            "another identity holds the same INS", "une autre identité porte la même INS",
            "settle the work item of both identities", "traiter la tâche ouverte sur les deux identités",
        ),
        "consent-unknown": Reason(
            "nobody said whether the patient's DMP may be fed",
            "personne n’a dit si le DMP du patient peut être alimenté",
            "record what the patient said (ZFA-9), or set dmp.without_consent",
            "enregistrer ce que le patient a dit (ZFA-9), ou régler dmp.without_consent",
        ),
        "predecessor": Reason(
            "the version before has not arrived yet", "la version précédente n’est pas encore arrivée", *_ALONE
        ),
        "deletion-pending": Reason(
            "what was sent under another INS is to be deleted first",
            "ce qui a été transmis sous une autre INS doit d’abord être supprimé",
            "confirm the deletion that was prepared, or abandon it",
            "confirmer la suppression préparée, ou l’abandonner",
        ),
        # --- on its way
        "qualified": Reason("the INS is qualified: it leaves", "l’INS est qualifiée : départ", *_ALONE),
        "confirmed": Reason(
            "a person confirmed the deletion", "une personne a confirmé la suppression", *_ALONE
        ),
        "fault": Reason(
            "the last try met a technical fault", "le dernier essai a rencontré une erreur technique",
            "nothing to do: it is tried again; look at the code if it lasts",
            "rien à faire : nouvel essai automatique ; voir le code si cela dure",
        ),
        "outage": Reason("the other end is down", "le service est indisponible", *_ALONE),
        # --- for a person
        "ins-lost": Reason(
            "it was sent under an INS that the patient does not hold, or not qualified, any more",
            "il a été transmis sous une INS que le patient ne porte plus, ou plus qualifiée",
            "look at the identity; confirm the deletion (document confirm) or abandon it (--abandon)",
            "examiner l’identité ; confirmer la suppression (document confirm) ou l’abandonner (--abandon)",
        ),
        "stay-moved": Reason(
            "it was sent for a stay that is another patient's since: opened for them, or moved to them",
            "il a été transmis pour un séjour qui est depuis celui d’un autre patient : ouvert pour lui, ou rattaché",
            "look whose it is; confirm the deletion (document confirm) or abandon it (--abandon)",
            "voir à qui il est ; confirmer la suppression (document confirm) ou l’abandonner (--abandon)",
        ),
        "refused": Reason(
            "the other end refused it", "le destinataire l’a refusé",
            "read its code, correct, then document retry, or withdraw it",
            "lire le code, corriger, puis document retry, ou le retirer",
        ),
        "opposition": Reason(
            "the patient refused that the DMP be fed", "le patient s’oppose à l’alimentation du DMP",
            "nothing; if the patient changes their mind, record it (ZFA-9) and document retry",
            "rien ; si le patient change d’avis, l’enregistrer (ZFA-9) puis document retry",
        ),
        "content": Reason(
            "the document cannot be sent as it is", "le document ne peut pas être transmis en l’état",
            "read the code (903 to 905: INS and traits of the document), have it produced again",
            "lire le code (903 à 905 : INS et traits du document), le faire produire à nouveau",
        ),
        "predecessor-replaced": Reason(
            "the version to replace or delete was replaced by another one",
            "la version à remplacer ou supprimer a déjà été remplacée",
            "send a replacement of the last version", "envoyer un remplacement de la dernière version",
        ),
        "other-patient": Reason(
            "the version to replace or delete is of another patient, since a merge was undone",
            "la version à remplacer ou supprimer est celle d’un autre patient, depuis qu’une fusion a été défaite",
            "find out whose each document is; withdraw this one, or have it sent as a first version",
            "établir à qui est chaque document ; retirer celui-ci, ou le faire transmettre en première version",
        ),
        "deletion-abandoned": Reason(
            "the document to delete is under an INS that was lost, and a person abandoned its deletion",
            "le document à supprimer est sous une INS perdue, et une personne a abandonné sa suppression",
            "withdraw that document (document withdraw): its deletion is then prepared again and confirmed",
            "retirer ce document (document withdraw) : sa suppression est alors préparée à nouveau et confirmée",
        ),
        "predecessor-unknown": Reason(
            "neither this base nor the DMP knows the document to replace or delete",
            "ni cette base ni le DMP ne connaissent le document à remplacer ou supprimer",
            "check the identifier of the document meant; if it comes later, this one goes on by itself",
            "vérifier l’identifiant du document visé ; s’il arrive plus tard, celui-ci reprend de lui-même",
        ),
        "predecessor-gone": Reason(
            "the DMP does not know the document to replace or delete, which was sent to it",
            "le DMP ne connaît pas le document à remplacer ou supprimer, qui lui a été transmis",
            "find out why (removed by another way, other INS); document retry, or withdraw it",
            "rechercher pourquoi (supprimé autrement, autre INS) ; document retry, ou le retirer",
        ),
        "no-dmp": Reason(
            "the patient has no DMP, or it is closed", "le patient n’a pas de DMP, ou il est fermé",
            "document retry once there is one (document list --reason no-dmp), or withdraw it",
            "document retry une fois le DMP ouvert (document list --reason no-dmp), ou le retirer",
        ),
        # --- ended
        "fed": Reason("it arrived", "il est arrivé", *_NOTHING),
        "to-withdraw": Reason(
            "it arrived; a deletion is prepared", "il est arrivé ; une suppression est préparée",
            "confirm the deletion, or abandon it", "confirmer la suppression, ou l’abandonner",
        ),
        "kept": Reason(
            "it arrived; a person abandoned its deletion",
            "il est arrivé ; une personne a abandonné sa suppression", *_NOTHING,
        ),
        "replaced": Reason("a newer version took its place", "une version plus récente l’a remplacé", *_NOTHING),
        "deleted": Reason("it was deleted", "il a été supprimé", *_NOTHING),
        "nothing-there": Reason("there was nothing to delete", "il n’y avait rien à supprimer", *_NOTHING),
        "withdrawn-by-sender": Reason(
            "its sender deleted it before it left", "son émetteur l’a supprimé avant son départ", *_NOTHING
        ),
        "withdrawn": Reason("a person withdrew it", "une personne l’a retiré", *_NOTHING),
        "right-again": Reason(
            "the INS is right again: the deletion was cancelled",
            "l’INS est de nouveau juste : suppression annulée", *_NOTHING,
        ),
        "abandoned": Reason("a person abandoned it", "une personne l’a abandonné", *_NOTHING),
        "superseded": Reason(
            "another deletion took its place", "une autre suppression l’a remplacé", *_NOTHING
        ),
    }
)  # fmt: skip
"""By code of `Sending.reason`."""


def reason_of(code: str) -> Reason:
    """The words of a code; one of a later release stands for itself."""
    return REASONS.get(code) or Reason(code, code, "", "")
