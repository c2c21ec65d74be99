"""What is to be done about each finding, and the last step of every plan. Data: durations are in working days."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import Struct

_DSI: Final = "Direction des systèmes d’information"
_IDENTITY: Final = "Responsable de l’identitovigilance"
_DIM: Final = "Département d’information médicale"
_PROJECT: Final = "Chef de projet DMP"


class Risk(Struct, frozen=True):
    """What may go wrong, and what is done against it; in French."""

    text_fr: str
    answer_fr: str


class Task(NamedTuple):
    """A task; `{subject}` in its titles is the component. `owner` when the inventory names nobody.

    It waits for what is planned about the findings of `waits`. `told`: whether it is done is told by a person, not by
    what is found.
    """

    step: int
    title: str
    title_fr: str
    owner: str
    days: int
    risk: Risk | None = None
    waits: tuple[str, ...] = ()
    told: bool = False


_LATE_VENDOR: Final = Risk(
    "L’éditeur livre en retard.",
    "L’ancienne route continue d’alimenter ; la bascule attend, sans jour perdu.",
)
_BROKEN_UPDATE: Final = Risk(
    "La mise à jour perturbe l’alimentation actuelle.",
    "Recette avant production, retour arrière prêt, mise en production hors vendredi.",
)
_UPDATES: Final = (
    Task(1, "order the version of {subject} that takes the qualified INS",
         "Commander la version de {subject} compatible avec l’INS qualifié et fixer sa date", _DSI, 10, _LATE_VENDOR,
         told=True),
    Task(1, "install {subject}: acceptance tests, then production",
         "Installer {subject} : recette, puis production", _DSI, 20, _BROKEN_UPDATE),
)  # fmt: skip
_QUESTIONS: Final = (
    Task(1, "ask the vendor of {subject} for the version that takes the qualified INS",
         "Demander à l’éditeur quelle version de {subject} est compatible avec l’INS qualifié", _DSI, 10, _LATE_VENDOR,
         told=True),
    Task(1, "install that version of {subject}, if the one in place is not it",
         "Installer cette version de {subject}, si celle en place ne l’est pas", _DSI, 20, _BROKEN_UPDATE),
)  # fmt: skip
_COMPLETE: Final = (
    Task(
        1, "complete the inventory: who holds which role", "Compléter l’inventaire : qui tient quel rôle", _PROJECT, 3
    ),
)

TASKS: Final[Mapping[str, tuple[Task, ...]]] = {
    "role-ri": _COMPLETE,
    "role-dpi": _COMPLETE,
    "role-pfi": _COMPLETE,
    "sharing": _COMPLETE,
    "version": _UPDATES,
    "pfi-version": _UPDATES,
    "ri-qualifies": (
        Task(1, "put qualification into service: access to INSi, rights, training",
             "Mettre en service la qualification : accès à INSi, habilitations, formation", _IDENTITY, 15),
    ),
    "organisation": (
        Task(1, "organise qualification: identity unit, procedures, admission desks, follow-up by `report quality`",
             "Organiser la qualification : cellule d’identitovigilance, procédures, bureaux des entrées, suivi par "
             "« insigne report quality »", _IDENTITY, 20,
             Risk("Trop peu de patients qualifiés à la bascule : leurs documents attendent.",
                  "La file « insigne migrate queue » est traitée chaque jour ouvré ; aucun document n’est perdu.")),
    ),
    "pfi-api": (
        Task(2, "establish by which API the DMP is fed, and until when it is open",
             "Faire confirmer par quelle API le DMP est alimenté et jusqu’à quand elle reste ouverte", _PROJECT, 5,
             Risk("L’ancienne API ferme avant la bascule (date non publique).",
                  "Demander la date au GIE SESAM-Vitale et à l’éditeur dès le premier jour ; avancer la bascule."),
             told=True),
    ),
    "receive-ins": (
        Task(2, "have the INS accepted: interface, display, storage (PAM-FR)",
             "Faire accepter l’INS par le DPI et la PFI : interface PAM-FR, stockage, affichage", _DSI, 10,
             waits=("version", "pfi-version")),
    ),
    "templates": (
        Task(3, "put the banner and the Data Matrix on the models; until then `insigne document stamp` adds them",
             "Mettre bandeau et Datamatrix dans les modèles ; d’ici là, « insigne document stamp »", _DIM, 15,
             Risk("Un modèle oublié produit des documents sans Datamatrix.",
                  "La mesure des derniers documents reçus nomme l’émetteur et le type de document."),
             waits=("version",)),
    ),
    "transmits-ins": (
        Task(4, "open the flow of the INS to DPI and PFI, then an initial load",
             "Ouvrir le flux de l’INS vers le DPI et la PFI, puis l’initialisation", _DSI, 10,
             Risk("Un INS faux ou périmé reste chez un récepteur.",
                  "Retrait diffusé dès la perte de qualification ; contrôle par « insigne destination »."),
             waits=("ri-qualifies", "receive-ins")),
    ),
    "certificates": (
        Task(5, "order the organisation certificates ORG_AUTH_CLI and ORG_SIGN",
             "Commander les certificats d’organisation ORG_AUTH_CLI et ORG_SIGN", _DSI, 15,
             Risk("Les certificats arrivent tard.", "Commande dès le premier jour du plan.")),
    ),
    "blocked": (
        Task(5, "settle documents held or refused", "Traiter les documents en attente ou refusés", _PROJECT, 10),
    ),
}  # fmt: skip
"""Code of a finding → what is to be done about it, one after the other."""
ASKED: Final[Mapping[str, tuple[Task, ...]]] = {"version": _QUESTIONS, "pfi-version": _QUESTIONS}
"""The same, when only an answer is missing."""

ORGANISATION: Final = Task(
    1,
    "qualify the patients of the queue (`insigne migrate queue`), each working day until the switch",
    "Qualifier les patients de la file (« insigne migrate queue »), chaque jour ouvré jusqu’à la bascule",
    _IDENTITY,
    1,
)
PROJECT: Final[Mapping[str, Task]] = {
    "connect": Task(
        5, "connect the PFI to API V2 beside the former route, in a test environment",
        "Raccorder la PFI à l’API V2 à côté de l’ancienne route, en environnement d’essai", _PROJECT, 10,
        Risk("Le DMP d’essai refuse les documents.",
             "Essais répétés contre le simulateur (« insigne dmp simulator »), puis contre l’environnement officiel."),
    ),
    "pilot": Task(
        5, "pilot: one unit feeds by API V2; the others by the former route",
        "Pilote : une unité alimente par l’API V2 ; les autres par l’ancienne route", _PROJECT, 10,
        Risk("Un document part par les deux routes.",
             "Une unité n’a qu’une route à la fois, choisie par la date de production du document."),
    ),
    "switch": Task(
        5, "switch: type by type, documents produced from that day on leave by API V2",
        "Bascule : type par type, les documents produits à partir de ce jour partent par l’API V2", _PROJECT, 10,
        Risk("Les documents de patients non qualifiés ne partent plus.",
             "Ils sont retenus puis libérés d’eux-mêmes à la qualification ; la file les classe par patient."),
    ),
    "drain": Task(
        5, "let the former route send what was produced before the switch",
        "Laisser l’ancienne route écouler ce qui a été produit avant la bascule", _PROJECT, 10),
    "close": Task(
        5, "close the former route, once it has nothing left and the new one feeds",
        "Fermer l’ancienne route, une fois vide et la nouvelle alimentant", _PROJECT, 1,
        Risk("Il reste des documents sur l’ancienne route.",
             "La fermeture attend que sa file soit vide ; les restes repartent par l’API V2."),
    ),
    "follow": Task(
        5, "follow the figures each month (`insigne report dmp`)",
        "Suivre les chiffres chaque mois (« insigne report dmp »)", _PROJECT, 20),
}  # fmt: skip
"""The last step, the same for all."""
