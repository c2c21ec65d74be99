"""Where a command comes from: who says it, when, and how far they are trusted."""

from insigne.registry.values import Value


class Source(Value, frozen=True):
    """The author of a command and the moment it was received.

    `time` is RFC 3339 UTC. `cause_kind`/`cause_id` name the message, user or job. `local` marks an act done here by a
    person on an identity that is ours, as against a feed we only consume.
    """

    time: str
    author: str
    cause_kind: str
    cause_id: str
    local: bool = False
