"""What the answer of the other end changes: written in one transaction, whatever happened since the call was made."""

from msgspec.structs import replace

from insigne.dmp.judging import is_prepared, same_way, target_of
from insigne.dmp.ledger import Ledger
from insigne.dmp.model import Action, Document, Intent, Sending
from insigne.dmp.ports import Arrived, Declined, Failed, Outcome
from insigne.registry import acts, documents

_OVER = frozenset({"refused", "cancelled", "deleted"})


def record(
    ledger: Ledger, document: Document, claimed: Sending, action: Action, outcome: Outcome, *, unsure: bool, due: str
) -> None:
    """Write what came of a call.

    `claimed` is the sending as it was called, `action` what was asked of the other end. `unsure`: an earlier call whose
    answer never came may have gone through. `due`: when to try again after a fault.
    """
    match outcome:
        case Arrived() if claimed.action == "delete":
            _deleted(ledger, document, claimed, outcome)
        case Arrived():
            _fed(ledger, document, claimed, action, outcome)
        case Declined():
            sending = _forgotten(claimed, unsure=unsure or not outcome.certain)
            sending = ledger.end(document, sending, "refused", outcome.reason, outcome.code, outcome.text)
            ledger.look_again(sending)
        case Failed():
            _failed(ledger, document, claimed, outcome, unsure=unsure, due=due)


def put_off(ledger: Ledger, claimed: Sending, *, unsure: bool) -> None:
    """Give a sending back: no call was made. What it is to become is judged anew."""
    sending = _forgotten(claimed, unsure=unsure)
    attempts = max(0, sending.attempts - 1)
    ready = replace(sending, state="ready", lease="", attempts=attempts, due=ledger.now, since=ledger.now)
    _wait_again(ledger, ledger.put(ready))


def _wait_again(ledger: Ledger, sending: Sending) -> None:
    """What certainly is not there, and was deleted by its sender during the call, does not leave any more."""
    document = ledger.document(sending.document)
    if document is not None and not sending.ins and _is_deleted(ledger, document) and sending.action != "delete":
        ledger.end(document, sending, "cancelled", "withdrawn-by-sender")
    else:
        ledger.look_again(sending)


def _is_deleted(ledger: Ledger, document: Document) -> bool:
    return any(one.intent is Intent.DELETE for one in ledger.transaction.documents_after(document.unique_id))


def _forgotten(claimed: Sending, *, unsure: bool) -> Sending:
    """The sending without the mark of a call that certainly did nothing."""
    if unsure:
        return claimed
    if claimed.action == "delete":
        return replace(claimed, sent="")
    return replace(claimed, sent="", ins="")


def _fed(ledger: Ledger, document: Document, claimed: Sending, action: Action, outcome: Arrived) -> None:
    target = target_of(ledger.transaction, document, claimed) if action == "replace" else None
    sending = replace(claimed, entry=outcome.entry or claimed.entry)
    sending = ledger.end(document, sending, "fed", "fed", outcome.code, outcome.text)
    if target is not None and target[1].state == "refused":  # it may have arrived before it was
        ledger.end(*target, "replaced", "replaced")
    elif target is not None and target[1].state == "fed":
        version, before = target
        ledger.put(replace(before, state="replaced", reason="replaced", since=ledger.now))
        for one in same_way(ledger.transaction, version, before):
            if is_prepared(version, one) and one.state == "to-confirm":
                ledger.look_again(one)
    ledger.look_again(sending)  # the identity may have changed during the call


def _deleted(ledger: Ledger, document: Document, claimed: Sending, outcome: Arrived) -> None:
    target = target_of(ledger.transaction, document, claimed)
    reason = "nothing-there" if outcome.nothing_there else "deleted"
    prepared = is_prepared(document, claimed)
    if target is not None:
        version, before = target
        if before.state == "fed":
            gone = replace(before, state="deleted", reason=reason, since=ledger.now)
            ledger.put(gone)
            if prepared and before.reason != "withdrawn":
                _feed_again(ledger, version, before)
        elif before.state == "refused" if not prepared else before.ins == claimed.ins and before.state != "calling":
            _settled(ledger, version, before)
        for one in same_way(ledger.transaction, version, before):
            if one.id != claimed.id and is_prepared(version, one) and one.state == "to-confirm":
                ledger.look_again(one)
    ledger.end(document, claimed, "deleted", reason, outcome.code, outcome.text)


def _settled(ledger: Ledger, document: Document, before: Sending) -> None:
    """What may have been sent certainly is not there any more: it waits like any other, or stays refused."""
    sending = ledger.put(replace(before, ins="", sent=""))
    if sending.state == "refused":
        if sending.reason == "withdrawn":
            ledger.end(document, sending, "cancelled", "withdrawn")
        return
    if _is_unwanted(ledger, document):
        ledger.end(document, sending, "cancelled", "withdrawn-by-sender")
    else:
        ledger.look_again(sending)


def _feed_again(ledger: Ledger, document: Document, before: Sending) -> None:
    """What was deleted because it was in the wrong place goes to the right one, once there is one: nothing is lost."""
    if _is_unwanted(ledger, document):
        return
    again = Sending(
        id=ledger.site.new_id(),
        document=document.id,
        channel=before.channel,
        action="feed",
        identity=before.identity,
        state="waiting-ins",
        reason="ins-missing",
        since=ledger.now,
        due="",
        recipient=before.recipient,
    )
    ledger.look_again(ledger.put(again))


def _is_unwanted(ledger: Ledger, document: Document) -> bool:
    """Whether its sender deleted it, or sent a newer version that is not refused."""
    for later in ledger.transaction.documents_after(document.unique_id):
        if later.intent is Intent.DELETE:
            return True
        states = {one.state for one in ledger.transaction.sendings_of(later.id)}
        if states - _OVER:
            return True
    return False


def _failed(ledger: Ledger, document: Document, claimed: Sending, outcome: Failed, *, unsure: bool, due: str) -> None:
    sending = _forgotten(claimed, unsure=unsure or outcome.sent)
    reason = "outage" if outcome.evidence == "down" else "fault"
    sending = replace(
        sending, state="ready", reason=reason, since=ledger.now, due=due, lease="", code=outcome.code, text=outcome.text
    )
    ledger.put(sending)
    if sending.attempts == ledger.site.settings.queue.retry.attempts:
        ledger.tell(acts.RaiseDocument(sending.identity, documents.LATE, sending.id, outcome.code))
    _wait_again(ledger, sending)
