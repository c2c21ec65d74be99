"""What a named person may do about a sending: confirm or abandon a deletion, try again, withdraw.

Each is one function over a transaction, which writes it; the caller records who did it (audit) and commits.
"""

from msgspec.structs import replace

from insigne.dmp.judging import deletion_of, is_prepared, same_way
from insigne.dmp.ledger import Ledger
from insigne.dmp.model import Document, Sending
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.site import Site


class ActRefused(Exception):  # noqa: N818 - a decision, not a failure
    """The act does not fit the state of the sending; nothing was changed. The texts say what does."""

    def __init__(self, text: str, text_fr: str) -> None:
        super().__init__(text)
        self.text = text
        self.text_fr = text_fr


def confirm(transaction: DocumentTransaction, site: Site, sending_id: str, author: str) -> Sending:
    """Let a prepared deletion go. Raises ActRefused."""
    ledger, document, sending = _found(transaction, site, sending_id)
    if sending.state != "to-confirm":
        raise _misplaced(sending, "confirm", "to-confirm")
    confirmed = ledger.put(
        replace(sending, state="ready", reason="confirmed", since=ledger.now, due=ledger.now, author=author)
    )
    ledger.touch(sending.identity)
    confirmed = ledger.review(document, confirmed, ledger.patient(document, confirmed))
    ledger.close()
    return confirmed


def abandon(transaction: DocumentTransaction, site: Site, sending_id: str, author: str) -> Sending:
    """Leave what was sent where it is, though the INS was lost: it is not prepared again. Raises ActRefused."""
    ledger, document, sending = _found(transaction, site, sending_id)
    if sending.state != "to-confirm" and not (is_prepared(document, sending) and sending.state == "refused"):
        raise _misplaced(sending, "abandon", "to-confirm")
    for one in same_way(transaction, document, sending):
        if one.action == "delete" or one.ins != sending.ins:
            continue
        if one.state == "fed":
            ledger.put(replace(one, reason="kept"))
        elif one.state not in {"replaced", "deleted", "cancelled", "calling"}:
            ledger.overtaken(document, ledger.put(replace(one, ins="", sent="")))
    ended = ledger.end(document, replace(sending, author=author), "cancelled", "abandoned", code=sending.reason)
    ledger.close()
    return ended


def retry(transaction: DocumentTransaction, site: Site, sending_id: str, author: str) -> Sending:
    """Try again what was refused, or now what waits for its next try. Raises ActRefused."""
    ledger, document, sending = _found(transaction, site, sending_id)
    if sending.state == "refused":
        if document.erased and sending.action != "delete":
            raise ActRefused(
                "the document was erased at the end of its retention: nothing of it is left to send",
                "le document a été effacé au terme de sa conservation : il n’en reste rien à transmettre",
            )
        again = ledger.restart(document, sending, author)
        if again is sending:
            raise ActRefused(
                "a newer version may have been sent: wait for its outcome, or withdraw it",
                "une version plus récente a peut-être été transmise : attendre son issue, ou la retirer",
            )
    elif sending.state == "ready":
        again = ledger.put(replace(sending, due=ledger.now, author=author))
    else:
        raise _misplaced(sending, "retry", "refused or ready")
    ledger.close()
    return again


def withdraw(transaction: DocumentTransaction, site: Site, sending_id: str, author: str) -> Sending:
    """Keep a sending from leaving; one that left is deleted where it is. What is to be done is returned.

    Raises ActRefused for one being called now, or over.
    """
    ledger, document, sending = _found(transaction, site, sending_id)
    if sending.action == "delete" or sending.state in {"calling", "replaced", "deleted", "cancelled"}:
        raise _misplaced(sending, "withdraw", "waiting, ready, refused or fed")
    if sending.ins:
        done = _deleted(ledger, document, sending, author)
    else:
        done = ledger.end(document, replace(sending, author=author), "cancelled", "withdrawn")
    ledger.close()
    return done


def _deleted(ledger: Ledger, document: Document, sending: Sending, author: str) -> Sending:
    """Have what left, or may have, deleted; a deletion that was prepared for it is confirmed by this."""
    if sending.state not in {"fed", "refused"}:
        raise ActRefused(
            "a call whose outcome nobody knows may have sent it: wait for its next try, or confirm its deletion",
            "un appel au résultat inconnu l’a peut-être transmis : attendre le prochain essai, ou confirmer sa "
            "suppression",
        )
    sending = ledger.put(replace(sending, reason="withdrawn", author=author))
    sending = ledger.look_again(sending)  # one whose deletion was abandoned has it prepared again
    prepared = deletion_of(ledger.transaction, document, sending)
    if prepared is not None and prepared.state == "to-confirm":
        ledger.touch(prepared.identity)
        return ledger.put(
            replace(prepared, state="ready", reason="confirmed", since=ledger.now, due=ledger.now, author=author)
        )
    deletion = Sending(
        id=ledger.site.new_id(),
        document=document.id,
        channel=sending.channel,
        action="delete",
        identity=sending.identity,
        state="waiting-ins",
        reason="ins-missing",
        since=ledger.now,
        due="",
        entry=sending.entry,
        recipient=sending.recipient,
        author=author,
    )
    return ledger.look_again(ledger.put(deletion))


def _found(transaction: DocumentTransaction, site: Site, sending_id: str) -> tuple[Ledger, Document, Sending]:
    sending = transaction.sending(sending_id)
    document = transaction.document(sending.document) if sending is not None else None
    if sending is None or document is None:
        raise ActRefused(f"there is no sending {sending_id}", f"il n’y a pas d’envoi {sending_id}")
    return Ledger(transaction, site), document, sending


def _misplaced(sending: Sending, act: str, wanted: str) -> ActRefused:
    return ActRefused(
        f"{act}: the sending is {sending.state}, it must be {wanted}",
        f"{act} : l’envoi est dans l’état {sending.state}, il devrait être {wanted}",
    )
