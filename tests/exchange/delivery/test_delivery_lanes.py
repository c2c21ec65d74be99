"""The order of messages, against a model that knows only the list of what was queued."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from insigne.exchange.delivery.lanes import Lanes

PATIENTS = "ABCDE"


class Order(RuleBasedStateMachine):
    """Queues, sends, fails, holds and ends items at random, and checks each start against what was queued before."""

    @initialize(strict=st.booleans(), width=st.integers(1, 4))
    def open(self, strict, width):
        self.strict = strict
        self.width = 1 if strict else width
        self.lanes = Lanes(self.width, strict=strict)
        self.ids = 0
        self.queued = {}  # id → patients, of what is not done, in order
        self.background = set()
        self.started, self.answered, self.held, self.waiting = set(), set(), set(), set()
        self.line = []  # what is live, in the order it became so
        self.excused = set()  # what stood behind something that waits for a person

    @rule(patients=st.sets(st.sampled_from(PATIENTS), min_size=1, max_size=3), background=st.booleans())
    def queue(self, patients, background):
        """One patient: an update. Several: a merge, a split, an identifier that changes hands."""
        self.ids += 1
        self.lanes.add(self.ids, sorted(patients), background=background)
        self.queued[self.ids] = patients
        if background:
            self.background.add(self.ids)
        else:
            hastened = [item for item in self.background if self.stands_before(item, self.ids)]
            self.background -= set(hastened)
            self.line += [*sorted(hastened), self.ids]

    @rule()
    def take(self):
        item = self.lanes.take()
        if item is None:
            assert len(self.started) >= self.width or not self.must_go()
            return
        assert len(self.started) < self.width
        self.check_start(item)
        self.started.add(item)

    def check_start(self, item):
        assert item not in self.started | self.answered | self.held | self.waiting
        assert not self.earlier(item), "something about the same patients is not over"
        if item in self.background:
            assert not [i for i in self.must_go() if i not in self.background], "what is live goes first"
            assert not self.strict or set(self.unanswered_line()) <= self.excused
        elif self.strict and item not in self.excused:
            before = self.line[: self.line.index(item)]
            assert set(before) & set(self.unanswered_line()) <= self.excused, "first in, first out"

    @precondition(lambda self: self.started)
    @rule(data=st.data(), how=st.sampled_from(["answered", "put back", "hold", "done"]))
    def end_sending(self, data, how):
        item = data.draw(st.sampled_from(sorted(self.started)))
        self.started.remove(item)
        match how:
            case "answered":
                self.lanes.answered(item)
                self.answered.add(item)
            case "put back":
                self.lanes.put_back(item)
                self.waiting.add(item)
            case "hold":
                self.lanes.hold(item)
                self.held.add(item)
            case "done":
                self.finish(item)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def retry(self, data):
        item = data.draw(st.sampled_from(sorted(self.waiting)))
        self.waiting.remove(item)
        self.lanes.retry(item)

    @precondition(lambda self: self.answered | self.held)
    @rule(data=st.data())
    def become_durable_or_settled(self, data):
        item = data.draw(st.sampled_from(sorted(self.answered | self.held)))
        self.answered.discard(item)
        self.held.discard(item)
        self.finish(item)

    @invariant()
    def counts_agree(self):
        if hasattr(self, "lanes"):
            assert self.lanes.under_way == len(self.started)
            assert len(self.lanes) == len(self.queued)
            self.excused |= self.parked()

    def teardown(self):
        """Nothing is stuck: once people and receivers have done their part, everything is sent, and in order."""
        if not hasattr(self, "lanes"):
            return
        for item in sorted(self.answered | self.held | self.started):
            self.finish(item)
        for item in self.waiting:
            self.lanes.retry(item)
        self.started, self.answered, self.held, self.waiting = set(), set(), set(), set()
        while self.queued:
            item = self.lanes.take()
            assert item is not None, "something never goes"
            self.check_start(item)
            self.finish(item)

    def finish(self, item):
        self.lanes.done(item)
        del self.queued[item]

    def earlier(self, item):
        return {i for i, patients in self.queued.items() if i < item and patients & self.queued[item]}

    def parked(self):
        """What waits for a person, and what stands behind that, at whatever distance."""
        parked = set()
        for item in self.queued:
            if item in self.held or self.earlier(item) & parked:
                parked.add(item)
        return parked

    def stands_before(self, item, later):
        """Whether `later` waits for `item`, at whatever distance."""
        earlier = self.earlier(later)
        return item in earlier or any(self.stands_before(item, between) for between in earlier if between > item)

    def unanswered_line(self):
        gone = self.answered | self.held
        return [item for item in self.line if item in self.queued and item not in gone]

    def must_go(self):
        """What nothing keeps from starting, whatever one thinks of those that stood behind a person's decision."""
        idle = [i for i in self.queued if i not in self.started | self.answered | self.held | self.waiting]
        free = {item for item in idle if not self.earlier(item)}
        if not self.strict:
            return free
        parked = self.parked()
        line = [item for item in self.unanswered_line() if item not in parked]
        return {item for item in free if line[:1] == [item]} if line else free


TestOrder = Order.TestCase
TestOrder.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_a_merge_waits_for_both_patients_and_both_wait_for_it():
    lanes = Lanes(4, strict=False)
    lanes.add(1, ["A"])
    lanes.add(2, ["B"])
    lanes.add(3, ["A", "B"])  # A40
    lanes.add(4, ["B"])
    lanes.add(5, ["C"])
    assert [lanes.take(), lanes.take(), lanes.take(), lanes.take()] == [1, 2, 5, None]
    lanes.done(1)
    assert lanes.take() is None
    lanes.done(2)
    assert (lanes.take(), lanes.take()) == (3, None)
    lanes.done(3)
    assert lanes.take() == 4


def test_a_strict_destination_waits_for_its_first_message_whoever_it_is_about():
    lanes = Lanes()
    lanes.add(1, ["A"])
    lanes.add(2, ["B"])
    assert lanes.take() == 1
    lanes.put_back(1)
    assert lanes.take() is None
    lanes.retry(1)
    assert lanes.take() == 1


def test_an_answer_that_is_not_durable_yet_holds_back_its_patient_only():
    lanes = Lanes(2, strict=False)
    for item, patient in enumerate("AAB", 1):
        lanes.add(item, [patient])
    assert (lanes.take(), lanes.take()) == (1, 3)
    lanes.answered(1)
    assert lanes.take() is None
    lanes.done(1)
    assert lanes.take() == 2


def test_what_waits_for_a_person_stops_its_patients_and_no_others():
    lanes = Lanes()
    lanes.add(1, ["A", "B"])
    lanes.hold(1)
    lanes.add(2, ["B", "C"])
    lanes.add(3, ["C"])
    lanes.add(4, ["D"])
    assert lanes.take() == 4, "2 waits for 1, and 3 for 2"
    lanes.done(4)
    assert lanes.take() is None
    lanes.done(1)
    assert lanes.take() == 2


def test_an_initial_load_gives_way_and_is_hastened_by_what_waits_behind_it():
    lanes = Lanes()
    lanes.add(1, ["A"], background=True)
    lanes.add(2, ["B"], background=True)
    lanes.add(3, ["C"])
    lanes.add(4, ["B"])
    order = []
    while (item := lanes.take()) is not None:
        order.append(item)
        lanes.done(item)
    assert order == [3, 2, 4, 1]


def test_items_come_in_the_order_of_their_ids():
    lanes = Lanes()
    lanes.add(2, ["A"])
    with pytest.raises(ValueError, match="order"):
        lanes.add(1, ["A"])


def test_a_strict_destination_has_one_lane():
    with pytest.raises(ValueError, match="one only when it is strict"):
        Lanes(2)
