"""What changes in the base when a document comes, when its patient changes, when an answer or a person ends it.

A `Ledger` works inside one transaction; `close` it before the commit. Nothing here calls anybody.

- A sending that left, or may have left, keeps the INS it left under in `Sending.ins`. As soon as the patient does not
  hold that INS as qualified any more, a deletion under it is prepared, which a person confirms.
- Each change of a sending looks again at those that wait for it: the version that replaces it, its deletion.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from insigne.dmp.answers import RECEIVED_BY_DMP, answer
from insigne.dmp.judging import Patient, deletion_of, is_prepared, judged, patient_of, same_way, target_of, way
from insigne.dmp.model import Document, Intent, Sending, State
from insigne.dmp.ports import DocumentTransaction
from insigne.dmp.site import Site
from insigne.dmp.states import ENDED, HELD, Verdict, is_right
from insigne.registry import acts, documents
from insigne.registry.ports import View
from insigne.registry.source import Source

AUTHOR = "pfi"
_WAITS: Final = HELD | {"ready"}
_LEFT: Final = frozenset({"fed", "replaced", "deleted"})


def _may_go_on(sending: Sending) -> bool:
    """Whether a sending was refused for want of the version that it replaces or deletes."""
    return sending.state == "refused" and sending.reason == "predecessor-unknown"


class Ledger:
    """The changes of one transaction."""

    def __init__(self, transaction: DocumentTransaction, site: Site, people: View | None = None) -> None:
        """`people`: patients as they are once what is being decided is written; by default as the base has them."""
        self.transaction = transaction
        self.people: View = people if people is not None else transaction
        self.site = site
        self.now = site.now()
        self._acts: list[acts.Act] = []
        self._touched: dict[str, None] = {}
        self._documents: dict[str, Document] = {}
        self._written: dict[str, Sending] = {}
        self._followed: deque[tuple[Document, Sending | None]] = deque()
        self._following = False

    def foresee(self, sendings: Sequence[Sending]) -> None:
        """Read the documents of sendings at once; it changes nothing but the cost."""
        self._documents.update(self.transaction.documents_of({one.document for one in sendings}))

    def document(self, document_id: str) -> Document | None:
        """A document, which never changes."""
        return self._documents.get(document_id) or self.transaction.document(document_id)

    def latest(self, sending: Sending) -> Sending:
        """A sending read in this transaction, as it is after what was written since."""
        return self._written.get(sending.id, sending)

    def patient(self, document: Document, sending: Sending) -> Patient:
        """Whose the document is now."""
        return patient_of(self.people, self.site, document, sending)

    def put(self, sending: Sending) -> Sending:
        """Write a sending."""
        self.transaction.put_sending(sending)
        self._written[sending.id] = sending
        return sending

    def tell(self, act: acts.Act) -> None:
        """Have the registry told at the close."""
        self._acts.append(act)

    def touch(self, identity: str) -> None:
        """Look at the close whether deletions of this identity wait for a person."""
        self._touched[identity] = None

    def close(self) -> None:
        """Raise and settle work items: what a person must see goes with what made it so."""
        for identity in self._touched:
            if cause := self.transaction.to_confirm(identity):
                self._acts.append(acts.RaiseDocument(identity, documents.TO_WITHDRAW, identity, cause))
            else:
                self._acts.append(acts.SettleDocument(documents.TO_WITHDRAW, identity, "nothing to confirm"))
        if self._acts:
            source = Source(self.now, AUTHOR, "dmp", "", local=True)
            self.site.registrar.act_within(self.transaction, [(act, source) for act in self._acts])
        self._acts, self._touched = [], {}

    # --- looking again

    def look_again(self, sending: Sending) -> Sending:
        """Bring a sending to what everything is now; what it becomes. One being called waits for its answer."""
        document = self.document(sending.document)
        if document is None or sending.state == "calling":
            return sending
        return self.review(document, sending, self.patient(document, sending))

    def review(self, document: Document, sending: Sending, patient: Patient) -> Sending:
        """The same, once the document and its patient are known."""
        sending = self._follow(sending, patient)
        if is_prepared(document, sending):
            return self._review_deletion(document, sending, patient)
        if sending.state in _WAITS:
            verdict, _ = judged(self.transaction, self.site, document, sending, patient, self.people)
            sending = self.move(document, sending, verdict, patient)
        elif _may_go_on(sending) and target_of(self.transaction, document, sending) is not None:
            return self.restart(document, sending)  # it came after what replaces or deletes it
        if sending.action != "delete" and sending.ins and sending.state in _WAITS | {"fed", "refused"}:
            sending = self._check_place(document, sending, patient)
        return sending

    def _follow(self, sending: Sending, patient: Patient) -> Sending:
        """Keep a sending with the identity that stands for its patient."""
        identity = patient.kept_with
        if identity is None or identity.id == sending.identity:
            return sending
        if sending.state == "to-confirm":
            self.touch(sending.identity)
            self.touch(identity.id)
        return self.put(replace(sending, identity=identity.id))

    def _review_deletion(self, document: Document, sending: Sending, patient: Patient) -> Sending:
        """A prepared deletion, one that was refused among them, goes as soon as there is no reason for it."""
        verdict, _ = judged(self.transaction, self.site, document, sending, patient, self.people)
        if verdict.state == "cancelled":
            return self.end(document, sending, "cancelled", verdict.reason)
        return sending

    def move(self, document: Document, sending: Sending, verdict: Verdict, patient: Patient) -> Sending:
        """Put a waiting sending in the state that was judged."""
        state, reason = verdict
        if state in ENDED:
            return self.end(document, sending, state, reason)
        if state == sending.state and (reason == sending.reason or state == "ready"):
            return sending
        if reason == "ins-key" and patient.identity is not None:
            identity = patient.identity.id
            self.tell(acts.RaiseDocument(identity, documents.HELD, identity, reason))
        elif sending.reason == "ins-key":
            self.tell(acts.SettleDocument(documents.HELD, sending.identity, state))
        due = self.now if state == "ready" else ""
        return self.put(replace(sending, state=state, reason=reason, since=self.now, due=due))

    def restart(self, document: Document, sending: Sending, author: str = "") -> Sending:
        """Put a sending that was refused back in the queue, to be judged as everything is now.

        One that its sender deleted, or whose newer version left, is over instead: it would stand beside that one. While
        a newer version may have left, and nobody knows, it stays as it is.
        """
        sent_again = replace(sending, author=author)
        if (over := self.overtaken(document, sent_again)) is not None:
            return over
        if sending.action != "delete" and any(
            one.ins or one.state == "calling" for one in self._newer(document, sending)
        ):
            return sending
        waiting = replace(sent_again, state="waiting-ins", reason="ins-missing", since=self.now, ended="", attempts=0)
        if sending.action == "delete" and sending.ins:  # a prepared deletion, confirmed before it was refused
            waiting = replace(waiting, state="ready", reason="confirmed", due=self.now)
        return self.look_again(self.put(waiting))

    def overtaken(self, document: Document, sending: Sending) -> Sending | None:
        """End what its sender deleted, or what a newer version of left; None for what may go on."""
        if sending.action == "delete":
            return None
        if any(one.intent is Intent.DELETE for one in self.transaction.documents_after(document.unique_id)):
            return self.end(document, sending, "cancelled", "withdrawn-by-sender")
        if any(one.state in _LEFT for one in self._newer(document, sending)):
            return self.end(document, sending, "replaced", "replaced")
        return None

    def _newer(self, document: Document, sending: Sending) -> list[Sending]:
        """The newer versions that go the same way."""
        after = self.transaction.documents_after(document.unique_id)
        return [one for later in after for one in same_way(self.transaction, later, sending) if one.action != "delete"]

    # --- what left under an INS

    def _check_place(self, document: Document, sending: Sending, patient: Patient) -> Sending:
        """Prepare the deletion of what is, or may be, under an INS that its patient lost."""
        deletion = deletion_of(self.transaction, document, sending)
        if is_right(sending.ins, patient.identity, self.site.environment):
            marked = sending.state == "fed" and sending.reason in {"to-withdraw", "kept"}
            if not marked or (deletion is not None and deletion.sent):
                return sending
            sending = self.put(replace(sending, reason="fed"))
            self.look_at_successors(document, sending)
            return sending
        # Of another's stay, it may be all the same under the INS of whom it is kept with.
        lost = not is_right(sending.ins, patient.kept_with, self.site.environment)
        if deletion is not None:
            return sending
        if sending.reason == "kept" and not (lost and self._kept_for_its_stay(document, sending)):
            return sending
        prepared = Sending(
            id=self.site.new_id(),
            document=document.id,
            channel=sending.channel,
            action="delete",
            identity=sending.identity,
            state="to-confirm",
            reason="stay-moved" if patient.nobody == "stay-of-another" and not lost else "ins-lost",
            since=self.now,
            due="",
            ins=sending.ins,
            entry=sending.entry,
            recipient=sending.recipient,
        )
        self.put(prepared)
        self.touch(sending.identity)
        return self.put(replace(sending, reason="to-withdraw")) if sending.reason in {"fed", "kept"} else sending

    def _kept_for_its_stay(self, document: Document, sending: Sending) -> bool:
        """Whether a person left it where it is whatever its stay, and nobody was asked about the INS it is under."""
        left = [
            one
            for one in same_way(self.transaction, document, sending)
            if one.reason == "abandoned" and one.ins == sending.ins
        ]
        return bool(left) and all(one.code == "stay-moved" for one in left)

    # --- ending

    def end(
        self, document: Document, sending: Sending, state: State, reason: str, code: str = "", text: str = ""
    ) -> Sending:
        """End a sending: tell its sender, those that wait for it, and a person when it was refused."""
        before = sending.state
        sending = self.put(
            replace(
                sending,
                state=state,
                reason=reason,
                since=self.now,
                due="",
                lease="",
                code=code or sending.code if state == "refused" else code,
                text=text or sending.text if state == "refused" else text,
                ended=self.now,
            )
        )
        if before == "to-confirm" or is_prepared(document, sending):
            self.touch(sending.identity)
        self._tell_people(sending)
        if before != "refused":  # they know
            self._tell_sender(document, sending)
        self.look_at_successors(document, sending)
        if is_prepared(document, sending) and state == "cancelled":
            for one in same_way(self.transaction, document, sending):
                if one.action != "delete" and one.state in _WAITS | {"fed"}:
                    self.look_again(one)
        return sending

    def _tell_people(self, sending: Sending) -> None:
        for kind in (documents.REFUSED, documents.LATE):
            self.tell(acts.SettleDocument(kind, sending.id, sending.state))
        if sending.state == "refused" and sending.reason != "opposition":
            cause = sending.code or sending.reason
            self.tell(acts.RaiseDocument(sending.identity, documents.REFUSED, sending.id, cause))

    def _tell_sender(self, document: Document, sending: Sending) -> None:
        """ZAM Z01 about the DMP; those of MSSanté come with the answers of mailboxes, but for what never left."""
        asked = sending.action != "delete" or document.intent is Intent.DELETE
        if not asked or sending.reason in {"withdrawn-by-sender", "replaced"} or is_prepared(document, sending):
            return
        accepted = sending.state in {"fed", "deleted"}
        if sending.channel == "dmp":
            kind = RECEIVED_BY_DMP
        elif not accepted:
            kind = "Z02"
        else:
            return
        code = "" if accepted else sending.code or sending.reason
        answer(
            self.transaction,
            self.site,
            document,
            kind,
            accepted=accepted,
            code=code,
            text=sending.text,
            recipient=sending.recipient,
        )

    def look_at_successors(self, document: Document, sending: Sending | None = None) -> None:
        """Look again at what waits for a sending, or for any of a document; a chain of versions one after the other."""
        self._followed.append((document, sending))
        if self._following:
            return
        self._following = True
        try:
            while self._followed:
                for one in list(self._successors(*self._followed.popleft())):
                    current = self.transaction.sending(one.id)
                    if current is not None and current.state in _WAITS | {"refused"}:
                        self.look_again(current)
        finally:
            self._following = False

    def _successors(self, document: Document, sending: Sending | None) -> Iterator[Sending]:
        for later in self.transaction.documents_after(document.unique_id):
            for one in self.transaction.sendings_of(later.id):
                if sending is None or way(one) == way(sending):
                    yield one
        if sending is not None:
            for one in same_way(self.transaction, document, sending):
                if one.id != sending.id and one.action == "delete" and not is_prepared(document, one):
                    yield one
