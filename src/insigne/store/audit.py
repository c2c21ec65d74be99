"""Acts of people and of the program upon the base, sealed in the journal beside the events."""

import msgspec

#: The stream of these entries. Their version in it is their `seq`: acts upon one object are unique and in order.
STREAM = "audit"


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what to what, when: a token made, a message replayed, a purge, a restore.

    `act` is a short name ("token-created"); it is the type of the journal entry, as `object` is its stream id.
    `time` is RFC 3339 UTC. `details` are texts without a patient's traits: an audit entry is never erased.
    """

    author: str
    act: str
    object: str
    time: str
    details: dict[str, str] = {}
