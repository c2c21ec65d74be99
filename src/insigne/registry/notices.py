"""What the registry says about a command it accepted, in English and French.

A notice names a code, what it is about, and values that are codes or counts, never traits: it may be logged, shown and
sent back to the peer as a warning.
"""

from typing import NamedTuple


class Notice(NamedTuple):
    """One remark: a `code` of `TEXTS`, its `subject` (`decision.Subject`), and the values its text names."""

    code: str
    subject: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The English sentence."""
        return TEXTS[self.code][0].format(**dict(self.values))

    @property
    def text_fr(self) -> str:
        """The French sentence."""
        return TEXTS[self.code][1].format(**dict(self.values))


#: code: (English, French). A code once released is never renamed.
TEXTS: dict[str, tuple[str, str]] = {
    "ins-not-validated": (
        "the INS was ignored: PID-32 does not say VALI",
        "l'INS a été ignorée : PID-32 ne vaut pas VALI",
    ),
    "ins-attribute": (
        "the INS was ignored: the identity is {attribute}, hence provisional",
        "l'INS a été ignorée : l'identité porte l'attribut {attribute}, elle est donc provisoire",
    ),
    "ins-environment": (
        "the INS was ignored: OID {oid} is not one of this environment ({environment})",
        "l'INS a été ignorée : l'OID {oid} n'est pas admis dans cet environnement ({environment})",
    ),
    "ins-date-corrected": (
        "the INS was ignored: the sender corrected the birth date (ZFD-4 = Y)",
        "l'INS a été ignorée : l'émetteur a corrigé la date de naissance (ZFD-4 = Y)",
    ),
    "ins-traits-missing": (
        "the INS was ignored: it came without {missing}",
        "l'INS a été ignorée : elle est arrivée sans {missing}",
    ),
    "ins-several": (
        "several INS were received: the NIR, else the first, was kept",
        "plusieurs INS reçues : le NIR, à défaut la première, a été retenue",
    ),
    "ins-untrusted": (
        "the INS was ignored: its authority is not trusted here",
        "l'INS a été ignorée : son autorité n'est pas de confiance ici",
    ),
    "ins-replaced-without-a47": (
        "another INS was received without A47: it was taken, the former one is in the history, a work item was raised",
        "une autre INS a été reçue sans A47 : elle est retenue, l'ancienne est historisée, une tâche est ouverte",
    ),
    "ins-nia-late": (
        "a NIA was received while the NIR is known: the NIR was kept, a work item was raised",
        "un NIA a été reçu alors que le NIR est connu : le NIR est conservé, une tâche est ouverte",
    ),
    "ins-contested": (
        "this INS is already held by another identity of the domain: it is contested until a person decides",
        "cette INS est déjà portée par une autre identité du domaine : elle est contestée jusqu'à décision",
    ),
    "ins-to-history": (
        "the INS held was moved to the history: the identity is no more validated by its sender",
        "l'INS détenue passe en historique : l'émetteur ne valide plus l'identité",
    ),
    "ins-sex": (
        "the INS held was moved to the history: the sex is undetermined now",
        "l'INS détenue passe en historique : le sexe est désormais indéterminé",
    ),
    "ins-key": (
        "the key of the matricule is wrong; it was stored as received",
        "la clé du matricule est fausse ; il est conservé tel que reçu",
    ),
    "attributes-refused": (
        "the attributes {attributes} cannot stand together; the strictest were kept",
        "les attributs {attributes} ne sont pas cumulables ; les plus stricts sont retenus",
    ),
    "overlay-held": (
        "several strict traits changed at once: they wait for a person, the rest was applied",
        "plusieurs traits stricts changent à la fois : ils attendent une décision, le reste est appliqué",
    ),
    "overlay-superseded": (
        "traits held before for a person are offered no more: this message says otherwise",
        "les traits retenus auparavant ne sont plus proposés : ce message dit autre chose",
    ),
    "overlay-applied": (
        "several strict traits changed at once: they were applied, a work item was raised",
        "plusieurs traits stricts changent à la fois : ils sont appliqués, une tâche est ouverte",
    ),
    "not-overwritten": (
        "traits and status were left as they are: a better qualified authority asserted them",
        "traits et statut inchangés : une autorité mieux qualifiée les a établis",
    ),
    "identifier-conflict": (
        "some identifiers of the message belong to another identity: they were not moved, a work item was raised",
        "des identifiants du message appartiennent à une autre identité : non déplacés, une tâche est ouverte",
    ),
    "traits-ignored-merged": (
        "the identifier was merged: the movement went to the surviving identity, the traits were ignored",
        "l'identifiant a été fusionné : le mouvement va à l'identité maîtresse, les traits sont ignorés",
    ),
    "prior-unknown": (
        "the prior identifier is unknown here: nothing was done",
        "l'identifiant antérieur est inconnu ici : rien n'a été fait",
    ),
    "already-merged": (
        "this merge was done before: nothing was done",
        "cette fusion est déjà faite : rien n'a été fait",
    ),
    "merge-held": (
        "this merge contradicts an earlier one: it waits for a person",
        "cette fusion contredit une fusion antérieure : elle attend une décision",
    ),
    "merge-redirected": (
        "the surviving identifier was itself merged: the merge went to its survivor",
        "l'identifiant maître a lui-même été fusionné : la fusion va à son maître",
    ),
    "merge-other-ins": (
        "the two identities held different INS: the survivor's was kept, a work item was raised",
        "les deux identités portaient des INS différentes : celle du maître est gardée, une tâche est ouverte",
    ),
    "link-unknown": (
        "one of the two identities was unknown: it was created",
        "l'une des deux identités était inconnue : elle a été créée",
    ),
    "unlink-nothing": (
        "the two identities were not linked: nothing was done",
        "les deux identités n'étaient pas liées : rien n'a été fait",
    ),
    "no-movement": (
        "no ZBE: the identity was applied, no movement",
        "pas de ZBE : l'identité est appliquée, sans mouvement",
    ),
    "no-stay-number": (
        "no visit number and no account: the identity was applied, no movement",
        "ni numéro de venue ni dossier : l'identité est appliquée, sans mouvement",
    ),
    "movement-inserted": (
        "the movement to update was unknown: it was inserted",
        "le mouvement à modifier était inconnu : il a été inséré",
    ),
    "movement-unknown": (
        "the movement to cancel is unknown: nothing was done",
        "le mouvement à annuler est inconnu : rien n'a été fait",
    ),
    "already-cancelled": (
        "the movement was cancelled before: nothing was done",
        "le mouvement était déjà annulé : rien n'a été fait",
    ),
    "stay-of-another": (
        "the stay belongs to another identity: the movement waits for a person",
        "le séjour appartient à une autre identité : le mouvement attend une décision",
    ),
    "account-unknown": (
        "the account is unknown here: nothing was moved",
        "le dossier est inconnu ici : rien n'a été déplacé",
    ),
}
