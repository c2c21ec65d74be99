"""What may be sent at the same time without anybody seeing a patient's messages out of order. Pure.

Every item takes the lane of each patient it is about; a merge, a split or a change of identifier takes several. An item
may start once every earlier item that shares a lane with it is done: all that concerns a patient is so in one total
order, that in which it was queued. A strict destination has one lane more, taken by every live item: first in, first
out, but for what waits for a person.

An item is done only when its end is durable: were the program killed before, the item would be sent again, and nothing
about the same patients must have been sent in between.

Background items (an initial load) start when nothing live may; as soon as something live waits behind one of them, that
one becomes live too, so that it delays it by one message and no more.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Final

#: The lane every live item of a strict destination takes, until it is answered.
_WHOLE: Final = "*"


class _Item:
    """One item that is not done.

    `lanes`: those it still stands in. `behind`: in how many of them it is not the first. `closed`: it will not be sent
    any more. `held`: it waits for a person.
    """

    __slots__ = ("background", "behind", "closed", "held", "id", "lanes", "started", "waiting")

    def __init__(self, item: int, lanes: list[str], *, background: bool) -> None:
        self.id = item
        self.lanes = lanes
        self.behind = 0
        self.background = background
        self.started = False
        self.waiting = False
        self.closed = False
        self.held = False

    @property
    def may_start(self) -> bool:
        return not (self.behind or self.started or self.waiting or self.closed)


class Lanes:
    """The items of one destination. `width`: how many may be under way at once; `strict`: one after the other."""

    def __init__(self, width: int = 1, *, strict: bool = True) -> None:
        if width < 1 or (strict and width > 1):
            raise ValueError("a destination has one lane or more, and one only when it is strict")
        self._width = width
        self._strict = strict
        self._items: dict[int, _Item] = {}
        self._queues: dict[str, deque[_Item]] = {}
        self._live: list[int] = []
        self._background: list[int] = []
        self._under_way = 0
        self._waiting = 0
        self._last = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def under_way(self) -> int:
        """How many items are being sent."""
        return self._under_way

    @property
    def put_back_count(self) -> int:
        """How many items wait for `retry`."""
        return self._waiting

    def add(self, item: int, lanes: Sequence[str], *, background: bool = False) -> None:
        """Queue an item behind all those added before; ids grow. `lanes`: each patient it is about."""
        if item <= self._last:
            raise ValueError("items are added in the order of their ids")
        self._last = item
        one = _Item(item, list(dict.fromkeys(lanes)), background=background)
        self._items[item] = one
        if not background:
            self._hasten(one.lanes)
            if self._strict:
                one.lanes.append(_WHOLE)
        for lane in one.lanes:
            self._join(one, lane)
        self._offer(one)
        self._clear_whole()

    def take(self) -> int | None:
        """The next item to send, which is then under way; None when none may start now."""
        if self._under_way >= self._width:
            return None
        one = self._pop(self._live)
        if one is None and _WHOLE not in self._queues:
            one = self._pop(self._background)
        if one is None:
            return None
        one.started = True
        self._under_way += 1
        return one.id

    def put_back(self, item: int) -> None:
        """The receiver did not take the item: it keeps its place and waits for `retry`."""
        one = self._items[item]
        self._stop(one)
        one.waiting = True
        self._waiting += 1

    def retry(self, item: int) -> None:
        """An item put back may start again."""
        one = self._items.get(item)
        if one is not None and one.waiting:
            one.waiting = False
            self._waiting -= 1
            self._offer(one)

    def answered(self, item: int) -> None:
        """Nothing more is wanted of the receiver; the patients of the item wait until that is durable (`done`)."""
        one = self._items[item]
        self._stop(one)
        one.closed = True
        self._leave(one, _WHOLE)
        self._clear_whole()

    def hold(self, item: int) -> None:
        """The item waits for a person, and its patients with it; the others go on."""
        one = self._items[item]
        self._stop(one)
        one.closed = one.held = True
        self._leave(one, _WHOLE)
        self._clear_whole()

    def done(self, item: int) -> None:
        """The item is over, durably: what waited behind it may go."""
        one = self._items.pop(item)
        self._stop(one)
        one.closed = True
        for lane in list(one.lanes):
            self._leave(one, lane)
        self._clear_whole()

    # --- inside

    def _join(self, one: _Item, lane: str) -> None:
        queue = self._queues.setdefault(lane, deque())
        queue.append(one)
        if len(queue) > 1:
            one.behind += 1

    def _leave(self, one: _Item, lane: str) -> None:
        if lane not in one.lanes:
            return
        one.lanes.remove(lane)
        queue = self._queues[lane]
        first = queue[0] is one
        queue.remove(one)
        if not first:
            one.behind -= 1
        elif not queue:
            del self._queues[lane]
        else:
            queue[0].behind -= 1
            self._offer(queue[0])

    def _offer(self, one: _Item) -> None:
        if one.may_start:
            heappush(self._background if one.background else self._live, one.id)

    def _clear_whole(self) -> None:
        """In a strict destination, let whoever stands behind what waits for a person out of the way of the others."""
        while (queue := self._queues.get(_WHOLE)) and queue[0].behind and self._waits_for_person(queue[0]):
            self._leave(queue[0], _WHOLE)

    def _waits_for_person(self, one: _Item) -> bool:
        """Whether it stands, at whatever distance, behind an item that is held."""
        seen = {one.id}
        to_look_at = [one]
        while to_look_at:
            one = to_look_at.pop()
            for other in (other for lane in one.lanes if lane != _WHOLE for other in self._ahead(one, lane)):
                if other.held:
                    return True
                if other.id not in seen:
                    seen.add(other.id)
                    to_look_at.append(other)
        return False

    def _ahead(self, one: _Item, lane: str) -> Iterable[_Item]:
        for other in self._queues[lane]:
            if other is one:
                return
            yield other

    def _hasten(self, lanes: Iterable[str]) -> None:
        """Make live the background items that stand in these lanes, and those they stand behind."""
        found: dict[int, _Item] = {}
        to_look_at = [one for lane in lanes for one in self._queues.get(lane, ())]
        while to_look_at:
            one = to_look_at.pop()
            if one.background and one.id not in found:
                found[one.id] = one
                to_look_at += (other for lane in one.lanes for other in self._ahead(one, lane))
        for _, one in sorted(found.items()):
            one.background = False
            if self._strict and not one.closed:
                one.lanes.append(_WHOLE)
                self._join(one, _WHOLE)
            self._offer(one)

    def _stop(self, one: _Item) -> None:
        if one.started:
            one.started = False
            self._under_way -= 1
        if one.waiting:
            one.waiting = False
            self._waiting -= 1

    def _pop(self, heap: list[int]) -> _Item | None:
        while heap:
            one = self._items.get(heappop(heap))
            if one is not None and one.may_start:
                return one
        return None
