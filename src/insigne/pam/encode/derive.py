"""From the events of a decision to what receivers are told of it."""

from collections.abc import Sequence

from insigne.pam.encode.notice import Notice
from insigne.registry.events import Recorded
from insigne.registry.ports import View
from insigne.registry.state import Identity


def notices(records: Sequence[Recorded], view: View) -> list[Notice]:
    """What receivers are told of these events, in order. `view` is the state after the last of them.

    `records` may be those of one decision or of a whole batch: those of one decision are contiguous and share their
    cause. What is internal (work items, searches, links of the INSi queue) is told to nobody.
    """
    raise NotImplementedError


def baseline(identity: Identity) -> Notice:
    """The notice that tells a new receiver of an identity as it stands (A28)."""
    raise NotImplementedError
