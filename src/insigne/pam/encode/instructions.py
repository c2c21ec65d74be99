"""What a person is told when a message may not be sent: what happened, and what to do by hand in that system.

Texts hold local identifiers, which the users of that system need, never a trait nor a matricule.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from insigne.pam.encode.outcome import Withheld
from insigne.pam.findings import Finding


class Instruction(NamedTuple):
    """Sentences in English and French; `blocking` as in `Withheld`."""

    text: str
    text_fr: str
    blocking: bool = False


#: What to do by hand, by event or by event and kind.
BY_HAND: Final[Mapping[str, Instruction]] = {
    "A28": Instruction("Create the patient {subject}.", "Créez le patient {subject}.", blocking=True),
    "A31": Instruction(
        "Update the patient {subject} from Insigne.", "Mettez à jour le patient {subject} d’après Insigne."
    ),
    "A40": Instruction(
        "Merge the patient {prior} into {subject}, which stays.",
        "Fusionnez le patient {prior} dans {subject}, qui reste.",
        blocking=True,
    ),
    "A47.identifier": Instruction(
        "The number {prior} of the patient became {subject}: change it; create no second patient.",
        "Le numéro {prior} du patient devient {subject} : changez-le, sans créer un second patient.",
        blocking=True,
    ),
    "A47.ins-replaced": Instruction(
        "The INS of the patient {subject} was replaced: delete the one held there and take the one Insigne shows.",
        "L’INS du patient {subject} est remplacée : supprimez celle qui y est et reprenez celle qu’affiche Insigne.",
        blocking=True,
    ),
    "A47.ins-deleted": Instruction(
        "The patient {subject} has no INS any more: delete it, use it nowhere.",
        "Le patient {subject} n’a plus d’INS : supprimez-la et ne l’utilisez plus.",
    ),
    "A47.downgrade": Instruction(
        "The identity of {subject} is provisional again: delete its INS and set its status to provisional.",
        "L’identité {subject} redevient provisoire : supprimez son INS et passez son statut à « provisoire ».",
    ),
    "A37.unmerge": Instruction(
        "The patients {subject} and {other} were merged by mistake: separate them, and check which stays and documents "
        "belong to which.",
        "Les patients {subject} et {other} ont été fusionnés à tort : séparez-les et vérifiez à qui appartient chaque "
        "séjour et chaque document.",
        blocking=True,
    ),
    "A24": Instruction(
        "Say that {subject} and {other} are the same person.",
        "Indiquez que {subject} et {other} sont la même personne.",
    ),
    "A37": Instruction(
        "{subject} and {other} are not the same person: undo their link.",
        "{subject} et {other} ne sont pas la même personne : défaites leur lien.",
    ),
    "A44": Instruction(
        "Give the account {account} of the patient {other} to {subject}.",
        "Rattachez le dossier {account} du patient {other} à {subject}.",
        blocking=True,
    ),
    "A49": Instruction(
        "The account {prior_account} of the patient {subject} became {account}: change its number.",
        "Le dossier {prior_account} du patient {subject} devient {account} : changez son numéro.",
        blocking=True,
    ),
}
_MOVEMENT: Final = Instruction(
    "Enter the event {event} of the stay {visit} of the patient {subject} by hand.",
    "Saisissez à la main l’événement {event} du séjour {visit} du patient {subject}.",
)

#: Why a message is held, by reason code.
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "unsupported": (
        "{system} does not take the event {event}.",
        "{system} ne reçoit pas l’événement {event}.",
    ),
    "invalid": (
        "The message {event} would not be valid in {edition}: {findings}",
        "Le message {event} ne serait pas valide en {edition} : {findings}",
    ),
    "charset": (
        "{system} is written in a character set that lacks characters of {places}: use UTF-8, or transliterate.",
        "Le jeu de caractères de {system} n’a pas les caractères de {places} : passez en UTF-8, ou translittérez.",
    ),
    "not-visible": (
        "{system} knows the patient {prior} and may see no identifier of the one that stays.",
        "{system} connaît le patient {prior} et ne peut voir aucun identifiant de celui qui reste.",
    ),
    "no-account": (
        "The stay has no account number (PID-18): {event} cannot name what is moved.",
        "Le séjour n’a pas de numéro de dossier (PID-18) : {event} ne peut pas nommer ce qui est déplacé.",
    ),
    "no-cancelling-event": (
        "No event cancels a movement made by {original}.",
        "Aucun événement n’annule un mouvement créé par {original}.",
    ),
}


def withheld(
    reason: str, event: str, kind: str, words: Mapping[str, str], findings: tuple[Finding, ...] = ()
) -> Withheld:
    """The reason, then what to do by hand for that event; `words` fill the sentences."""
    by_hand = BY_HAND.get(f"{event}.{kind}") or BY_HAND.get(event, _MOVEMENT)
    why, why_fr = REASONS[reason]
    found = dict(words)
    found_fr = dict(words)
    if findings:
        found["findings"] = "; ".join(dict.fromkeys(finding.message.rstrip(".") for finding in findings)) + "."
        found_fr["findings"] = " ; ".join(dict.fromkeys(finding.message_fr.rstrip(".") for finding in findings)) + "."
    return Withheld(
        reason_code=reason,
        text=f"{why} {by_hand.text}".format_map(found),
        text_fr=f"{why_fr} {by_hand.text_fr}".format_map(found_fr),
        findings=findings,
        blocking=by_hand.blocking,
    )
