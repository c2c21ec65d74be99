"""A work item as it is shown to people, whatever the interface."""

from datetime import datetime
from typing import Any

from insigne.registry.state import WorkItem
from insigne.registry.worklist_kinds import actions_of, kind_of


def told(item: WorkItem, now: datetime) -> dict[str, Any]:
    """What is said of an item: its kind, age in whole days, cause, who treats it, and what may be done next.

    `messages` counts those that it held back, to be given as `seen` to apply what it holds (1 for other items).
    `superseded`: it held something, and holds nothing since its sender said otherwise.
    `next` holds the actions of its kind, none once it is closed; nothing of what was held back is in it.
    """
    kind = kind_of(item.kind)
    return {
        "id": item.id,
        "kind": item.kind,
        "label": kind.label,
        "label_fr": kind.label_fr,
        "age_days": max(0, (now - datetime.fromisoformat(item.opened)).days),
        "opened": item.opened,
        "assignee": item.assignee,
        "subjects": item.subjects,
        "cause": item.cause,
        "messages": item.messages,
        "superseded": item.superseded,
        "next": actions_of(item),
        "closed": item.closed or None,
        "outcome": item.outcome,
    }
