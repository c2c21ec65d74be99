"""Documents that need a person: those sent under an INS that was lost, those refused, those held by a wrong key."""

from insigne.registry import acts
from insigne.registry import events as ev
from insigne.registry.decision import Draft

TO_WITHDRAW, REFUSED, HELD, LATE = (
    "document-to-withdraw",
    "document-refused",
    "document-held",
    "document-late",
)


def raise_document(draft: Draft, act: acts.RaiseDocument) -> None:
    """Raise the work item, unless the same one is open."""
    draft.raise_item(act.kind, (act.identity,) if act.identity else (), cause=act.cause, about=act.about)
    draft.subject = act.identity


def settle_document(draft: Draft, act: acts.SettleDocument) -> None:
    """Close the work item, if it is open."""
    item_id = draft.working.open_work_item(f"{act.kind}|{act.about}")
    item = draft.working.work_item(item_id) if item_id else None
    if item is not None:
        draft.emit("work-item", item.id, ev.WorkItemClosed(act.outcome), item.version + 1)
