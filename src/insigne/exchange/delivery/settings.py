"""Settings of delivery: how a destination is served, whatever carries the bytes."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from insigne.net.backoff import Backoff
from insigne.net.settings import Seconds

Count = Annotated[int, Meta(ge=1)]
CountOrNone = Annotated[int, Meta(ge=0)]


class DeliverySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """In what order a destination is served, what is done when it refuses or does not answer, and when we are told."""

    lanes: Annotated[int, Meta(ge=1, le=64)] = 1
    """1: one message after the other, first in first out. More: as many at once, never two about the same patient."""
    on_refusal: Literal["dead", "stop"] = "dead"
    """What to do with a message answered AE, or tried as often as it may be: set it aside and go on, or stop the
    destination until a person decides."""
    error_attempts: Count = 1
    """How often a message answered AE is sent before `on_refusal`."""
    reject_attempts: CountOrNone = 0
    """How often a message answered AR is sent before `on_refusal`; 0: for ever. AR for a fault in MSH (conditions 200
    to 203) sets the message aside at once."""
    unanswered_attempts: CountOrNone = 0
    """How often a message that gets no acknowledgement of its own is sent before `on_refusal`; 0: for ever. A receiver
    that cannot be reached counts for nothing: what was not sent waits."""
    first_retry_seconds: Seconds = 1
    longest_retry_seconds: Seconds = 60
    """Delays between two attempts: from the first they double up to the longest, less a quarter at most, by chance."""
    outage_after: Count = 3
    """Attempts in a row without an answer after which the destination is said to be down, and tried by one message."""
    file_ack_seconds: Seconds = 3600
    """How long the acknowledgement of a file is waited for."""
    queue_alarm: Count = 10_000
    """Messages waiting from which we are told; nothing is ever dropped."""
    late_alarm_seconds: Seconds = 900
    """Age of the oldest message waiting from which we are told."""
    refusal_alarm: Count = 5
    """Messages refused in a row from which we are told."""

    def backoff(self) -> Backoff:
        """The delays between two attempts."""
        return Backoff(self.first_retry_seconds, self.longest_retry_seconds)
