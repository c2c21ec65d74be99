"""Who may replace or delete a document, and with which version; what else there is to check is `reception`'s."""

from typing import Final, Literal

from insigne.dmp.intake.codes import Code, refused
from insigne.dmp.model import Document, Intent, Sender
from insigne.dmp.ports import DocumentView
from insigne.hl7 import Location

_VERSION: Final = Location("TXA", field=12)
_AUTHOR: Final = Location("PRT", field=8)


def check_version(view: DocumentView, new: Document, others: Literal["refuse", "accept"]) -> None:
    """Check a document against the version it replaces or deletes, where this base has it.

    One that it never had was sent by somebody before us: the DMP knows it, and will say. Raises IntakeRefused: 900 for
    a version that does not grow, 901 for another structure than the one that sent the version before.
    """
    if new.intent is Intent.INITIAL:
        return
    before = [one for one in view.documents_named(new.parent) if one.intent is not Intent.DELETE]
    if not before:
        return
    known = before[-1]
    if new.intent is Intent.REPLACE and new.version <= known.version:
        text = f"the version is {new.version}: it grows with each replacement, and {known.version} is known"
        text_fr = f"la version est {new.version} : elle croît à chaque remplacement, et la {known.version} est connue"
        raise refused(Code.WRONG_VERSION, text, text_fr, _VERSION, "version")
    if others == "refuse" and _other(known.sender, new.sender):
        text = "the document was sent by another structure, which alone may replace or delete it"
        text_fr = "le document a été transmis par une autre structure, seule à pouvoir le remplacer ou le supprimer"
        raise refused(Code.WRONG_AUTHOR, text, text_fr, _AUTHOR, "author")


def _other(before: Sender, now: Sender) -> bool:
    """Whether two senders are of two structures, as far as both say."""
    return bool(before.structure_id and now.structure_id) and before.structure_id != now.structure_id
