"""Why an act of a person is refused, in English and French: what is wrong, and what to do about it.

The values a text names are codes or names of fields, never traits: a refusal may be logged, shown and sent to a peer.
"""

from typing import Final, NamedTuple

from insigne.registry.decision import Fault, Refused, Subject


class Texts(NamedTuple):
    """What is wrong, and what to do ("" when nothing can be), in each language."""

    text: str
    text_fr: str
    remedy: str = ""
    remedy_fr: str = ""


def refused(code: str, fault: Fault, subject: Subject, **values: str) -> Refused:
    """The refusal of that code of `TEXTS`, to be raised."""
    texts = [text.format(**values) for text in TEXTS[code]]
    return worded(code, fault, subject, Texts(*texts))


def worded(code: str, fault: Fault, subject: Subject, texts: Texts) -> Refused:
    """A refusal whose texts come from elsewhere."""
    text = f"{texts.text}: {texts.remedy}" if texts.remedy else texts.text
    text_fr = f"{texts.text_fr} : {texts.remedy_fr}" if texts.remedy_fr else texts.text_fr
    said = Refused(fault, subject, text)
    said.code, said.text_fr, said.remedy, said.remedy_fr = code, text_fr, texts.remedy, texts.remedy_fr
    return said


#: A code once released is never renamed.
TEXTS: Final[dict[str, Texts]] = {
    "unknown-identity": Texts(
        "no such identity, or it was merged",
        "cette identité n’existe pas, ou elle a été fusionnée",
        "search for it again",
        "recherchez-la de nouveau",
    ),
    "merged": Texts(
        "the identity named was merged into another one",
        "l’identité désignée a été fusionnée dans une autre",
        "look at the one that stands, and name that one by its id",
        "consultez celle qui demeure, et désignez-la par son id",
    ),
    "other-repository": Texts(
        "this identity belongs to another repository",
        "cette identité est gérée par un autre référentiel",
        "have it changed there",
        "faites-la modifier là-bas",
    ),
    "version": Texts(
        "the identity changed since it was shown",
        "l’identité a changé depuis qu’elle a été affichée",
        "look at it again",
        "consultez-la de nouveau",
    ),
    "not-searched": Texts(
        "an identity is not created before it was searched for",
        "une identité ne se crée pas sans avoir été recherchée",
        "search by birth date and first letters (RNIV)",
        "recherchez par date de naissance et premières lettres (RNIV)",
    ),
    "identifier-taken": Texts("this identifier is already given", "cet identifiant est déjà attribué"),
    "authority-not-ours": Texts(
        "this authority is not ours",
        "cette autorité n’est pas la nôtre",
        "see ri.authorities",
        "voir le réglage ri.authorities",
    ),
    "matricule-shape": Texts(
        "a matricule INS has 13 characters and a key of two digits",
        "un matricule INS a 13 caractères et une clé de deux chiffres",
        "read the card again",
        "relisez la carte",
    ),
    "no-ins": Texts(
        "no INS to verify",
        "aucune INS à vérifier",
        "retrieve it first",
        "récupérez-la d’abord",
    ),
    "ins-environment": Texts(
        "OID {oid} is not one of this environment",
        "l’OID {oid} n’est pas admis dans cet environnement",
        "see the setting environment",
        "voir le réglage environment",
    ),
    "birth-date-completed": Texts(
        "the birth date was completed here (ZFD-4 = Y), such an identity takes no INS",
        "la date de naissance a été complétée ici (ZFD-4 = Y), une telle identité ne prend pas d’INS",
        "enter the real date once it is known",
        "saisissez la date réelle une fois connue",
    ),
    "traits-differ": Texts(
        "the traits differ beyond what is tolerated ({fields})",
        "les traits diffèrent au-delà du tolérable ({fields})",
        "refuse the answer, or correct the identity by its document",
        "refusez la réponse, ou corrigez l’identité d’après sa pièce",
    ),
    "answer-incomplete": Texts(
        "the birth date INSi gives is incomplete",
        "la date de naissance donnée par INSi est incomplète",
        "see registry.incomplete_answer",
        "voir le réglage registry.incomplete_answer",
    ),
    "traits-missing": Texts(
        "an identity does not stand without {fields}",
        "une identité ne tient pas sans {fields}",
        "give the five strict traits",
        "donnez les cinq traits stricts",
    ),
    "attributes": Texts(
        "{shown}: these attributes do not stand together (EXI ID 24)",
        "{shown} : ces attributs ne vont pas ensemble (EXI ID 24)",
        "only HOMA, DOUT, FICT or DOUT with HOMA may be set",
        "seuls HOMA, DOUT, FICT, ou DOUT avec HOMA, peuvent être posés",
    ),
    "first-given-name": Texts(
        "the first given name is not the beginning of the list (EXI ID 10)",
        "le premier prénom n’est pas le début de la liste des prénoms (EXI ID 10)",
        "choose it among the beginnings of the list",
        "choisissez-le parmi les débuts de la liste",
    ),
    "overlay-merged": Texts(
        "the identity was merged since these traits were held",
        "l’identité a été fusionnée depuis que ces traits sont retenus",
        "discard them, or undo the merge first",
        "écartez-les, ou défaites d’abord la fusion",
    ),
    "held-untrusted": Texts(
        "an authority that is not trusted said these traits, and a trusted one has spoken of this identity since",
        "ces traits viennent d’une autorité non approuvée, et une autorité approuvée s’est prononcée depuis",
        "discard them, or see the setting authorities",
        "écartez-les, ou voyez le réglage authorities",
    ),
    "merge-itself": Texts(
        "an identity cannot be merged with itself",
        "une identité ne se fusionne pas avec elle-même",
        "name two identities",
        "désignez deux identités",
    ),
    "merge-domains": Texts(
        "identities of two domains are linked, not merged",
        "les identités de deux domaines se rapprochent, elles ne se fusionnent pas",
    ),
    "merge-ins": Texts(
        "they hold different INS, one of them is wrong",
        "elles portent des INS différentes, l’une d’elles est fausse",
        "settle that first",
        "réglez d’abord cela",
    ),
    "merge-attribute": Texts(
        "one of them is DOUT or FICT",
        "l’une d’elles est douteuse ou fictive",
        "lift the attribute first",
        "retirez d’abord l’attribut",
    ),
    "not-merged": Texts(
        "this identity is not merged",
        "cette identité n’est pas fusionnée",
    ),
    "answer-waits": Texts(
        "an answer of INSi waits in this item",
        "une réponse d’INSi attend dans cette tâche",
        "accept it or refuse it (identity accept, identity refuse), or ask INSi again (identity retrieve-ins)",
        "acceptez-la ou refusez-la (identity accept, identity refuse), ou interrogez INSi de nouveau "
        "(identity retrieve-ins)",
    ),
    "ins-unconfirmed": Texts(
        "the INS of this identity was held by another one too, and waits to be confirmed",
        "l’INS de cette identité était aussi portée par une autre, elle attend d’être confirmée",
        "confirm it (worklist close --apply), have INSi asked again (identity retrieve-ins), or correct the identity",
        "confirmez-la (worklist close --apply), interrogez INSi de nouveau (identity retrieve-ins), ou corrigez "
        "l’identité",
    ),
    "ins-contested": Texts(
        "another identity holds this INS",
        "une autre identité porte cette INS",
        "merge them, or settle whose it is",
        "fusionnez-les, ou établissez à qui elle est",
    ),
    "same-ins-held": Texts(
        "these identities still hold the same INS, of which one identity at most is the holder",
        "ces identités portent toujours la même INS, qui ne peut être que celle d’une seule",
        "merge them if they are one person, else take the INS from the wrong one (identity edit, identity "
        "set-attribute), or have it corrected by its repository; the item then closes by itself",
        "fusionnez-les s’il s’agit d’une même personne, sinon retirez l’INS à celle qui la porte à tort (identity "
        "edit, identity set-attribute), ou faites-la corriger par son référentiel ; la tâche se ferme alors seule",
    ),
    "nothing-held": Texts(
        "nothing was held back by this item of kind {kind}",
        "rien n’est retenu par cette tâche de nature {kind}",
        "close it without applying anything",
        "fermez-la sans rien appliquer",
    ),
    "held-since": Texts(
        "later messages changed what this item holds",
        "des messages ultérieurs ont changé ce que retient cette tâche",
        "look at it again, and say how many messages it had then (messages, given to worklist close as --seen)",
        "consultez-la de nouveau, et dites combien de messages elle comptait alors (messages, à donner à worklist "
        "close par --seen)",
    ),
    "superseded": Texts(
        "the sender of what this item held said otherwise since, it holds nothing any more",
        "l’émetteur de ce que retenait cette tâche dit autre chose depuis, elle ne retient plus rien",
        "look at it again, then close it without applying anything",
        "consultez-la de nouveau, puis fermez-la sans rien appliquer",
    ),
    "not-applied": Texts(
        "an item of kind {kind} is not applied, but settled",
        "une tâche de nature {kind} ne s’applique pas, elle se règle",
        "close it without applying anything",
        "fermez-la sans rien appliquer",
    ),
    "merge-unknown": Texts(
        "the merge held names an identity that is unknown here",
        "la fusion retenue nomme une identité inconnue ici",
    ),
    "merge-moved": Texts(
        "the identifiers of this merge name an identity that it did not name when it was held",
        "les identifiants de cette fusion désignent une identité qu’ils ne désignaient pas quand elle a été retenue",
        "close the item without applying anything, then merge by hand (identity merge) or have the merge sent again",
        "fermez la tâche sans rien appliquer, puis fusionnez à la main (identity merge) ou faites renvoyer la fusion",
    ),
    "stay-moved": Texts(
        "the stay has gone to a third identity since these movements were held",
        "le séjour est passé à une troisième identité depuis que ces mouvements sont retenus",
        "close the item without applying anything, and have the movements sent again for the right patient",
        "fermez la tâche sans rien appliquer, et faites renvoyer les mouvements pour le bon patient",
    ),
    "unknown-item": Texts(
        "no such work item, or it is closed",
        "cette tâche n’existe pas, ou elle est fermée",
        "list the work again",
        "affichez de nouveau les tâches",
    ),
}
