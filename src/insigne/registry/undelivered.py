"""Messages that did not reach a receiver: told to a person, who acts there by hand or has them sent again."""

import msgspec

from insigne.registry import acts
from insigne.registry.decision import Draft

HELD, REFUSED = "message-held", "message-refused"


def raise_undelivered(draft: Draft, act: acts.RaiseUndelivered) -> None:
    """Raise the work item; an identity that a purge or a restore made unknown has none."""
    if draft.working.identity(act.identity) is None:
        return
    held = msgspec.json.encode({"instruction": act.instruction}) if act.instruction else b"null"
    kind = REFUSED if act.refused else HELD
    draft.raise_item(kind, (act.identity,), cause=act.cause, held=held, about=act.about)
    draft.subject = act.identity
