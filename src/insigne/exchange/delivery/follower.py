"""What is told because of events, queued in the transaction that makes them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, cast

import msgspec

from insigne.exchange.delivery.model import Draft
from insigne.exchange.delivery.ports import OutboxTransaction
from insigne.exchange.delivery.states import RecentStates, named_states
from insigne.exchange.ports import Transaction
from insigne.pam.encode import Dialect, Notice, notices
from insigne.registry.workingset import WorkingSet

_encode: Final = msgspec.json.Encoder().encode


class Subscriber:
    """A destination that is told of events; its dialect is made when it is first needed."""

    def __init__(self, name: str, dialect: Callable[[], Dialect]) -> None:
        self.name = name
        self._make = dialect
        self._wanted: dict[tuple[str, str], bool] = {}

    @cached_property
    def dialect(self) -> Dialect:
        """How it is written to. Raises ValueError when its subscription cannot be used."""
        return self._make()

    def wants(self, notice: Notice) -> bool:
        """Whether anything may come of telling it: else not even a row is written."""
        if self.dialect.said(notice.author):
            return False
        key = (notice.trigger, notice.kind)
        wanted = self._wanted.get(key)
        if wanted is None:
            dialect, vital = self.dialect, notice.kind == "unmerge"
            wanted = dialect.takes(notice.trigger) or dialect.instead(notice.trigger, vital=vital) != "drop"
            self._wanted[key] = wanted
        return wanted


class Bell:
    """Rung after each commit that queued something, in the thread that committed; nobody listens at first."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = _nobody


def _nobody() -> None:
    """No dispatcher runs in this process: the one that does looks by itself."""


class OutboxFollower:
    """Queues each notice for each destination, with its event: either both are kept or neither is."""

    def __init__(
        self, subscribers: Sequence[Subscriber], *, now: Callable[[], str], recent: RecentStates, bell: Bell
    ) -> None:
        self._subscribers = tuple(subscribers)
        self._now = now
        self._recent = recent
        self._bell = bell

    def follow(self, changes: WorkingSet, transaction: Transaction) -> None:
        """See `exchange.ports.Follower.follow`."""
        if not self._subscribers or not changes.records:
            return
        told = notices(changes.records, changes)
        now = self._now()
        drafts = [draft_of(notice, one.name, now) for notice in told for one in self._subscribers if one.wants(notice)]
        if not drafts:
            return
        base = cast("OutboxTransaction", transaction)
        base.queue(drafts)
        states = named_states(told, changes)

        def committed() -> None:
            self._recent.update(states)
            self._bell.ring()

        base.after_commit(committed)


def draft_of(notice: Notice, destination: str, now: str) -> Draft:
    """The row that tells a destination of a notice."""
    return Draft(
        destination=destination,
        kind="live",
        event=notice.trigger,
        subject=notice.subject,
        keys=" ".join(notice.touched),
        cause=notice.cause_id,
        notice=_encode(notice),
        created=now,
    )
