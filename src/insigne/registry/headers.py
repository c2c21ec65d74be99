"""Events without their content: what tells that something changed, and in what order."""

import msgspec


class EventHeader(msgspec.Struct, frozen=True):
    """The header of one event about an identity: its number in the journal, and what `events.Recorded` says of it."""

    seq: int
    identity: str
    type: str
    time: str
    cause_kind: str
    cause_id: str
