"""Words of acknowledgements and of what operators note, in small letters without accents: they name nobody."""

from typing import Final

_ENGLISH: Final = """
a accepted account acknowledgement admission already an and application are assigning at authority bad be been birth
by cancel cancelled cannot character charset closed code component condition conflict connection control data database
date deleted different discharge does duplicate each edited empty encoding encounter error event exist exists expected
facility fault field for format found from gender given handle has have header id identifier identity ignored illegal
in incomplete internal invalid is it key known last length limit locked long merge merged message mismatch missing more
movement must name no none not null number of on one only or order out parse patient pending please processed
processing queue read received receiver record refused rejected repetition required retry same segment sending sent
server service set sex short size skipped status stay stopped string structure subject system table temporarily than
that the then there this time timeout to too trigger twice type unavailable unexpected unique unknown unsupported
update valid value version visit was while with without wrong year
"""
_FRENCH: Final = """
absent acquittement ainsi annulation aucun aucune autorite autre avec base caractere champ code composant connexion
dans date de deja demande depasse des destinataire differente different dossier doublon du egal en encodage erreur est
et etablissement evenement existe existant fusion identifiant identite impossible inattendu inconnu inconnue incorrect
interne introuvable invalide jeu la le les longueur manquant manquante message mouvement naissance ne nom non nul numero
obligatoire ou par pas pour prenom qui recu refuse rejete requis segment sejour serveur service sexe statut structure
sur table taille temps traitement trop type un une valeur verrouille version vide
"""
_HL7: Final = """
aa ae ar ca ce cr ack adt qbp rsp msh msa err evn pid pv1 pv2 mrg zbe zfa zfd zfm zfp zfs zfv nk1 rol in1 obx hl7 pam
ihe ins ipp pi mllp tls utf iso ascii latin xml sql gmt ok ko
"""
WORDS: Final[frozenset[str]] = frozenset((_ENGLISH + _FRENCH + _HL7).split())
