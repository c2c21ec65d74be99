"""What an application is told by webhook: the item of the feed of changes, instead of a message."""

from collections.abc import Callable
from typing import Final, cast

import msgspec
from msgspec.structs import replace

from insigne.exchange.delivery.model import Bytes, Outgoing
from insigne.exchange.delivery.scribe import Kept
from insigne.exchange.delivery.states import Moment
from insigne.exchange.errors import StoreError
from insigne.fhir.changes import ChangeReader, change_at, change_item
from insigne.ins.cog import Cog
from insigne.pam.encode import Notice
from insigne.pam.encode.settings import SubscriptionSettings

#: What changes identities; an application is not told of stays.
EVENTS: Final = ("A24", "A28", "A31", "A37", "A40", "A47")
_notice: Final = msgspec.json.Decoder(Notice)


class ChangeScribe:
    """Writes for one application; see `exchange.delivery.scribe.Writer`.

    `now` gives RFC 3339 with zone, `new_id` ids that are unique.
    """

    def __init__(self, cog: Cog | None, *, now: Callable[[], str], new_id: Callable[[], str]) -> None:
        self._cog = cog
        self._now = now
        self._new_id = new_id

    def write(self, row: Outgoing, moment: Moment) -> Bytes | Kept:
        """The item of a row. Raises StoreError when the base cannot be read now."""
        if not row.notice:
            return Kept("its content was erased by a purge", held=True)
        ref = _notice.decode(row.notice).refs[0]
        # The view of the outbox is that of the base, whose feed the interface reads.
        reader = cast("ChangeReader", moment.view)
        try:
            change = change_at(reader, ref.id, ref.version)
            if change is None:
                return Kept("nothing that applications are told of")
            item = change_item(reader, change, self._cog)
        except StoreError as error:
            if error.retry:
                raise
            return Kept(str(error), held=True)
        return Bytes(self._new_id(), f"change^{change.event}", self._now(), msgspec.json.encode(item))

    def outdated(self, row: Outgoing, written: Bytes, moment: Moment) -> bool:
        """Whether the person changed since: an item tells of them as they are. Raises StoreError."""
        now = self.write(row, moment)
        return isinstance(now, Kept) or now.raw != written.raw


def subscription_of_changes(settings: SubscriptionSettings) -> SubscriptionSettings:
    """The subscription of an application: events about identities, those chosen or all."""
    return replace(settings, events=settings.events or EVENTS)
