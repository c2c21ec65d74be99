"""The one door of documents, whatever they come by: the document, its content and its sendings, in one transaction."""

import hashlib
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from insigne.dmp.addresses import is_patient_address
from insigne.dmp.ledger import Ledger
from insigne.dmp.model import Action, Channel, Document, Intent, Sending
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.site import Site
from insigne.dmp.whose import Several, whose
from insigne.registry.ports import View
from insigne.registry.state import Identity


class ReceptionRefused(Exception):  # noqa: N818 - a decision, not a failure
    """The document is not taken; nothing of it was written.

    `code` is one of 900 to 906 (ERR-5 of the volet). The text may be sent to the sender: it holds nothing personal.
    """

    def __init__(self, code: str, text: str, text_fr: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.text_fr = text_fr


def receive(
    transaction: DocumentTransaction,
    document: Document,
    content: Iterable[bytes] | None,
    identity: Identity,
    site: Site,
    people: View | None = None,
) -> list[Sending]:
    """Take a document in; its sendings, each in the state it begins with. The caller commits.

    `content` is given in parts of `ports.PART_BYTES`, the last one shorter; None when the document has none. `identity`
    is the patient as the registry knows them now, merges followed; `people` the registry, when what was decided of it
    is not written yet. A document received before, the same for the same patient, changes nothing but that what was
    refused is tried again; so does one that a purge erased since. Raises ReceptionRefused (900: another content under
    its unique id, or a version that is not the last one; 904: a document of another patient; 906: one that was refused,
    and erased since).
    """
    ledger = Ledger(transaction, site, people)
    known = _known(ledger, document)
    if known is not None:
        _check_same(ledger, document, known, identity)
        sendings = [_tried_again(ledger, known, one) for one in transaction.sendings_of(known.id)]
        ledger.close()
        return sendings
    parent = _parent(ledger, document, identity)
    if document.content is not None:
        transaction.put_content(document.content.digest, _checked(content or (), document.content.digest))
    transaction.put_document(replace(document, identity=identity.id))
    deletes = document.intent is Intent.DELETE
    ways = _deletions(ledger, document, parent) if deletes else _feedings(ledger, document)
    made = [ledger.put(_sending(ledger, document, identity, *way)) for way in ways]
    if deletes and parent is not None:
        _withdraw(ledger, parent)
    ids = [(ledger.overtaken(document, one) or ledger.look_again(one)).id for one in made]
    if not deletes:
        ledger.look_at_successors(document)
    ledger.close()
    return [one for one in map(transaction.sending, ids) if one is not None]


def verify(
    transaction: DocumentTransaction, document: Document, identity: Identity, site: Site, people: View | None = None
) -> None:
    """Raise the ReceptionRefused that `receive` would, writing nothing: of several documents, all are taken or none."""
    ledger = Ledger(transaction, site, people)
    known = _known(ledger, document)
    if known is not None:
        _check_same(ledger, document, known, identity)
    else:
        _parent(ledger, document, identity)


def _known(ledger: Ledger, document: Document) -> Document | None:
    """The same document received before: the version of that id, or the deletion of that parent."""
    if document.intent is Intent.DELETE:
        before = ledger.transaction.documents_after(document.parent)
        return next((one for one in before if one.intent is Intent.DELETE), None)
    before = ledger.transaction.documents_named(document.unique_id)
    return next((one for one in before if one.intent is not Intent.DELETE), None)


def _check_same(ledger: Ledger, document: Document, known: Document, identity: Identity) -> None:
    if document.intent is not Intent.DELETE:
        if not _is_same(document, known):
            raise ReceptionRefused(
                "900",
                "a document of this unique id was received with another content or description: give each version an id"
                " of its own",
                "un document de cet identifiant unique a été reçu avec un autre contenu ou une autre description : un"
                " identifiant par version",
            )
        if any(one.intent is Intent.DELETE for one in ledger.transaction.documents_after(known.unique_id)):
            raise ReceptionRefused(
                "900",
                "the document of this unique id was deleted: give the new one another id",
                "le document de cet identifiant unique a été supprimé : donner un autre identifiant au nouveau",
            )
    _check_patient(ledger, known, identity)
    sendings = ledger.transaction.sendings_of(known.id) if known.erased else ()
    if any(one.state == "refused" and one.action != "delete" for one in sendings):
        raise ReceptionRefused(
            "906",
            "this document was received, refused and since erased, at the end of its retention: to have it sent, give"
            " it another unique id",
            "ce document a été reçu, refusé, puis effacé au terme de sa conservation : pour qu’il soit transmis, lui"
            " donner un autre identifiant unique",
        )


def _is_same(document: Document, known: Document) -> bool:
    """Whether a document is the one that is known. Of one erased, the digest and the codes are left to tell it by."""
    if (document.intent, document.parent, document.content) != (known.intent, known.parent, known.content):
        return False
    if not known.erased:
        return document.description == known.description
    return not document.description or _coded(document) == _coded(known)


def _coded(document: Document) -> tuple[str, int, str, str, str]:
    """What a purge leaves of a description."""
    return document.set_id, document.version, document.type_code, document.confidentiality, document.created


def _check_patient(ledger: Ledger, known: Document, identity: Identity) -> None:
    owner = whose(ledger.people, known, ledger.site.policy)
    if owner is not None and (isinstance(owner, Several) or owner.id != identity.id):
        raise ReceptionRefused(
            "904",
            "the document of this unique id is of another patient",
            "le document de cet identifiant unique est celui d’un autre patient",
        )


def _parent(ledger: Ledger, document: Document, identity: Identity) -> Document | None:
    """The version replaced or deleted; None when this base never had it (the DMP may). Raises ReceptionRefused."""
    if document.intent is Intent.INITIAL:
        return None
    versions = [one for one in ledger.transaction.documents_named(document.parent) if one.intent is not Intent.DELETE]
    if not versions:
        return None
    parent = versions[-1]
    _check_patient(ledger, parent, identity)
    for later in ledger.transaction.documents_after(parent.unique_id):
        states = {one.state for one in ledger.transaction.sendings_of(later.id)}
        if later.intent is Intent.DELETE or states - {"refused", "cancelled"}:
            raise ReceptionRefused(
                "900",
                "the document to replace or delete is not the last version any more",
                "le document à remplacer ou supprimer n’est plus la dernière version",
            )
    return parent


def _checked(parts: Iterable[bytes], digest: str) -> Iterator[bytes]:
    """The parts, once their digest is found to be the one announced: what is kept is what was received."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
        yield part
    if found.hexdigest() != digest:
        raise ValueError("content: its bytes are not those of the digest announced")


def _feedings(ledger: Ledger, document: Document) -> list[tuple[Channel, Action, str]]:
    """Where the document goes: (channel, action, recipient)."""
    action: Action = "replace" if document.intent is Intent.REPLACE else "feed"
    flags = document.flags
    ways: list[tuple[Channel, Action, str]] = [("dmp", action, "")] if flags.to_dmp else []
    if flags.to_professionals:
        domain = ledger.site.settings.mss.patient_domain
        others = (one for one in dict.fromkeys(document.recipients) if not is_patient_address(one, domain))
        ways += [("mss-ps", action, recipient) for recipient in others]
    if flags.to_patient:
        ways.append(("mss-patient", action, ""))
    return ways


def _deletions(ledger: Ledger, document: Document, parent: Document | None) -> list[tuple[Channel, Action, str]]:
    """Where the document is to be deleted: wherever it was to go; by its flags when that is not known here."""
    if parent is None:
        return [(channel, "delete", recipient) for channel, _, recipient in _feedings(ledger, document)]
    sendings = ledger.transaction.sendings_of(parent.id)
    ways = dict.fromkeys((one.channel, one.recipient) for one in sendings)
    return [(channel, "delete", recipient) for channel, recipient in ways]


def _withdraw(ledger: Ledger, parent: Document) -> None:
    """What did not leave does not leave any more; what may have is deleted."""
    for one in ledger.transaction.sendings_of(parent.id):
        waits = one.state.startswith("waiting-") or one.state == "ready"
        if one.action != "delete" and waits and not one.ins:
            ledger.end(parent, one, "cancelled", "withdrawn-by-sender")


def _sending(
    ledger: Ledger, document: Document, identity: Identity, channel: Channel, action: Action, recipient: str
) -> Sending:
    """A sending before anything was looked at."""
    return Sending(
        id=ledger.site.new_id(),
        document=document.id,
        channel=channel,
        action=action,
        identity=identity.id,
        state="waiting-ins",
        reason="ins-missing",
        since=ledger.now,
        due="",
        recipient=recipient,
    )


def _tried_again(ledger: Ledger, document: Document, sending: Sending) -> Sending:
    """One that was refused begins again: its sender sent it again."""
    return ledger.restart(document, sending) if sending.state == "refused" else sending
