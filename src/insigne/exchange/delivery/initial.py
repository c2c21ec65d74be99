"""Telling a new receiver the whole base, at a pace, without delaying what is live.

A few rows at a time are queued ahead of their sending, as of that moment; they go when nothing live may (`lanes`). How
far the load is, is written with them: it goes on after a stop where it was.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from insigne.exchange.delivery.channel import Channel
from insigne.exchange.delivery.follower import Subscriber
from insigne.exchange.delivery.model import Draft
from insigne.exchange.delivery.ports import OutboxTransaction
from insigne.pam.encode import Notice, baseline
from insigne.pam.encode.derive import baseline_stay
from insigne.registry.state import Identity

#: Identities queued at once, by lane: what is live waits at most for these to be written.
_STEP: Final = 24
_encode: Final = msgspec.json.Encoder().encode


class InitialLoad:
    """The initial load of one destination: called from time to time by the dispatcher."""

    def __init__(self, channel: Channel, subscriber: Subscriber, *, now: Callable[[], str]) -> None:
        self._channel = channel
        self._subscriber = subscriber
        self._now = now
        self._allowance = 0.0
        self._last = 0.0
        self._queueing = False

    def step(self, clock: float) -> None:
        """Queue the next identities if there is room for them and the pace allows; `clock` in seconds."""
        destination, window = self._channel.destination, self._channel.window
        if destination.init_state != "running" or not self._channel.running or self._queueing:
            return
        most = _STEP * len(self._channel.senders)
        elapsed, self._last = clock - self._last, clock
        self._allowance = min(float(most), self._allowance + elapsed * destination.init_rate)
        if window.background > most // 2 or self._allowance < 1:
            return
        count = int(self._allowance)
        self._allowance -= count
        self._queueing = True
        window.record(lambda transaction: self._queue(transaction, count), self._queued)

    def _queued(self) -> None:
        self._queueing = False
        self._channel.window.news()
        self._channel.wake()

    def _queue(self, transaction: OutboxTransaction, count: int) -> None:
        known = transaction.destination(self._subscriber.name)
        if known.init_state != "running":
            return
        found = transaction.identities_after(known.init_cursor, known.init_until, count)
        transaction.queue([draft for identity in found for draft in self._drafts(transaction, identity)])
        cursor = found[-1].id if found else known.init_cursor
        state = "running" if len(found) == count else "done"
        done = known.init_done + len(found)
        transaction.put_destination(replace(known, init_state=state, init_cursor=cursor, init_done=done))

    def _drafts(self, transaction: OutboxTransaction, identity: Identity) -> list[Draft]:
        notices = [baseline(identity)]
        for stay in transaction.open_stays(identity.id):
            notices += baseline_stay(stay, identity)
        return [self._draft(notice) for notice in notices if self._subscriber.wants(notice)]

    def _draft(self, notice: Notice) -> Draft:
        return Draft(
            destination=self._subscriber.name,
            kind="init",
            event=notice.trigger,
            subject=notice.subject,
            keys=" ".join(notice.touched),
            cause="",
            notice=_encode(notice),
            created=self._now(),
            background=True,
        )
