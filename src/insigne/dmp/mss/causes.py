"""Why a mail received is where it is, and what to do of it: words for people, in English and in French."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from insigne.dmp.mss.mails import Mail
from insigne.dmp.reasons import Reason

_NOTHING: Final = ("nothing to do", "rien à faire")
_CLOSE: Final = "then close its work item (document-mail)", "puis clore sa tâche (document-mail)"
_IN_THE_BOX: Final = (
    f"read it in the box, where it is flagged, {_CLOSE[0]}",
    f"le lire dans la boîte, où il est signalé, {_CLOSE[1]}",
)
_TOLD: Final = "its sender was told", "son expéditeur a été informé"
_NOT_TOLD: Final = "its sender could not be told: do so", "son expéditeur n’a pas pu être informé : le prévenir"
_BY_STATE: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "sent-on": Reason(
            "its documents are on their way to the DPI", "ses documents sont en route vers le DPI",
            "nothing to do: `insigne outbox list` shows them", "rien à faire : `insigne outbox list` les montre",
        ),
        "to-answer": Reason(
            "its sender is to be told what became of it", "son expéditeur doit être informé de la suite",
            "nothing to do: the answer is tried until it leaves, for five days",
            "rien à faire : la réponse est tentée jusqu’à son départ, pendant cinq jours",
        ),
    }
)  # fmt: skip
_DONE: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "report": Reason(
            "a report about mails of ours, taken", "compte rendu sur nos courriels, pris en compte", *_NOTHING
        ),
        "documents": Reason("the DPI took its documents", "le DPI a intégré ses documents", *_NOTHING),
        "other": Reason("an automatic mail", "courriel automatique", *_NOTHING),
    }
)
_FOR_PEOPLE: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "other": Reason("a letter, without documents", "courriel sans document à transmettre", *_IN_THE_BOX),
        "documents": Reason(
            "documents for which the box has no destination", "documents reçus, sans destination pour cette boîte",
            f"set dmp.mss.mailboxes.destination; give these documents by hand, {_CLOSE[0]}",
            f"régler dmp.mss.mailboxes.destination ; transmettre ces documents à la main, {_CLOSE[1]}",
        ),
        "mail-size": Reason(
            "too large to be read", "trop volumineux pour être lu",
            f"read it in the box, or raise max_bytes of the box for the next ones, {_CLOSE[0]}",
            f"le lire dans la boîte, ou augmenter max_bytes de la boîte pour les suivants, {_CLOSE[1]}",
        ),
        "mail-recipient": Reason(
            "a report of the delivery to a box that the mail was not sent to",
            "compte rendu de remise à une boîte à laquelle le courriel n’était pas adressé",
            f"read it in the box, where it is flagged: the mail may have been redirected, {_CLOSE[0]}",
            f"le lire dans la boîte, où il est signalé : le courriel a pu être redirigé, {_CLOSE[1]}",
        ),
        "mail-unreadable": Reason("it cannot be read", "il ne peut pas être lu", *_IN_THE_BOX),
    }
)  # fmt: skip


def reason_of(mail: Mail, *, waiting: bool) -> Reason:
    """The words of a mail. `waiting`: its work item is open."""
    if mail.state in _BY_STATE:
        return _BY_STATE[mail.state]
    if mail.state == "done" and not mail.code:
        return _DONE.get(mail.kind, _DONE["other"])
    known = _FOR_PEOPLE.get(mail.code) or (None if mail.code else _FOR_PEOPLE.get(mail.kind))
    if known is not None:
        return known if waiting else known._replace(remedy=_NOTHING[0], remedy_fr=_NOTHING[1])
    told = ("", "")
    if mail.way:  # else nobody was to be told
        told = _TOLD if mail.state == "done" else _NOT_TOLD
    left = _IN_THE_BOX if waiting else _NOTHING
    return Reason(_joined("its documents were not taken", told[0]), _joined("documents non intégrés", told[1]), *left)


def _joined(text: str, more: str) -> str:
    return f"{text}; {more}" if more else text
