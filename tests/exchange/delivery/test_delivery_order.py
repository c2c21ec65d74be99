"""What receivers get, in which order, whatever they answer."""

import asyncio

import pytest

from insigne.exchange.delivery.ports import SendFailed
from insigne.exchange.errors import StoreError, StoreFull
from insigne.hl7 import Message

FAST = "delivery = { first_retry_seconds = 0.01, longest_retry_seconds = 0.02%s }"
STRICT = FAST % ""


def run(play):
    asyncio.run(play)


def control_ids(receiver):
    return [Message.parse(raw).control_id for raw in receiver.got]


def test_messages_arrive_in_the_order_of_the_events(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        labo.admit(*range(20))
        labo.update(3)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 21)
        assert receiver.told == [("A28", str(number)) for number in range(20)] + [("A31", "3")]

    run(play())


def test_a_message_without_answer_is_sent_again_as_it_was_before_any_other(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = [SendFailed("timeout", "silent"), SendFailed("foreign-ack", "late", b"MSA|AA|other\r"), "AA"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert [number for _, number in receiver.told] == ["1", "1", "1", "2"]
        assert receiver.got[0] == receiver.got[1] == receiver.got[2]
        with labo.store.read() as view:
            attempts = view.attempts(1)
        assert [(one.outcome, one.code) for one in attempts] == [
            ("timeout", ""),
            ("foreign-ack", ""),
            ("delivered", "AA"),
        ]
        assert attempts[1].ack == b"MSA|AA|other\r", "what came instead is kept to be looked at"

    run(play())


def test_a_late_acknowledgement_of_one_message_never_stands_for_the_next(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AA", SendFailed("foreign-ack", "late"), SendFailed("malformed-ack", "rubbish"), "AA"]
        labo.admit(1, 2, 3)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 3)
        assert [number for _, number in receiver.told] == ["1", "2", "2", "2", "3"]

    run(play())


def test_a_dead_destination_delays_no_other(site, make_receiver):
    both = site(LABO=STRICT, DPI=STRICT)

    async def play():
        labo, dpi = make_receiver(), make_receiver()
        labo.gate.clear()
        both.admit(*range(50))
        async with both.dispatching(LABO=labo, DPI=dpi):
            await both.until(lambda: both.states("DPI") == ["delivered"] * 50)
            assert len(labo.got) == 1
            labo.gate.set()
            await both.until(lambda: both.states("LABO") == ["delivered"] * 50)
        assert labo.told == dpi.told

    run(play())


def test_a_queue_longer_than_any_window_is_sent_to_its_last_message(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        for start in range(0, 1300, 100):
            labo.admit(*range(start, start + 100))
        async with labo.dispatching(LABO=receiver) as channels:
            await receiver.wait_for(1300)
            await labo.until(lambda: channels["LABO"].counters.delivered == 1300)
        assert [number for _, number in receiver.told] == [str(number) for number in range(1300)]
        assert set(labo.states()) == {"delivered"}

    run(play())


def test_patients_go_side_by_side_and_a_merge_waits_for_both(site, make_receiver):
    labo = site(LABO=FAST % ", lanes = 4")

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.admit(1, 2)
        labo.merge(1, 2)
        labo.update(1, "DURAND")
        async with labo.dispatching(LABO=receiver):
            await receiver.wait_for(2)
            assert sorted(receiver.told) == [("A28", "1"), ("A28", "2")]
            receiver.gate.set()
            await labo.until(lambda: labo.states() == ["delivered"] * 4)
        assert receiver.told[2:] == [("A40", "1"), ("A31", "1")]
        assert receiver.most == 2

    run(play())


def test_what_was_sent_and_not_recorded_is_sent_again_the_same_and_nothing_about_that_patient_came_between(
    site, make_receiver
):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.admit(1)
        labo.update(1)
        broken = Unwritable(labo.store)
        async with labo.dispatching(storage=broken, LABO=receiver):
            await receiver.wait_for(1)
            broken.failing = True
            receiver.gate.set()
            await labo.until(lambda: broken.refused >= 2)
        assert [event for event, _ in receiver.told] == ["A28"], "the update waits until the first is recorded"
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert [event for event, _ in receiver.told] == ["A28", "A28", "A31"]
        assert receiver.got[0] == receiver.got[1]

    run(play())


class Unwritable:
    """A base that cannot be written while `failing`."""

    def __init__(self, store, error=StoreError):
        self._store = store
        self._error = error
        self.failing = False
        self.refused = 0

    def begin(self, wait=None):
        if self.failing:
            self.refused += 1
            raise self._error("write: disk I/O error")
        return self._store.begin(wait)

    def read(self):
        return self._store.read()


@pytest.mark.parametrize("error", [StoreError, StoreFull])
def test_a_hiccup_of_the_base_stops_no_destination_for_ever(site, make_receiver, error):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        storage = Unwritable(labo.store, error)
        async with labo.dispatching(storage=storage, LABO=receiver):
            labo.admit(1)
            await labo.until(lambda: labo.states() == ["delivered"])
            storage.failing = True
            labo.admit(2)
            await labo.until(lambda: storage.refused >= 2)
            storage.failing = False
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert [number for _, number in receiver.told] == ["1", "2"]

    run(play())


def test_a_restart_under_load_keeps_the_order_and_sends_nothing_twice(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        labo.admit(*range(60))
        for stop in (10, 20, 45):
            async with labo.dispatching(LABO=receiver):
                await receiver.wait_for(stop)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: set(labo.states()) == {"delivered"})
        assert [number for _, number in receiver.told] == [str(number) for number in range(60)]

    run(play())
