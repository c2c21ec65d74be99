"""What other engines got wrong about acknowledgements, repetitions and queues; each test is one behaviour of ours."""

import asyncio

import pytest

from insigne.exchange.delivery.ports import SendFailed
from insigne.hl7 import Message

FAST = "delivery = { first_retry_seconds = 0.01, longest_retry_seconds = 0.02%s }"


@pytest.mark.parametrize("kind", ["foreign-ack", "malformed-ack", "closed", "timeout"])
def test_only_its_own_acknowledgement_ends_a_message_whatever_else_comes_it_goes_again(site, make_receiver, kind):
    labo = site(LABO=FAST % "")

    async def play():
        receiver = make_receiver()
        receiver.answers = [SendFailed(kind, "not what was waited for", b"MSA|AA")] * 2
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert [number for _, number in receiver.told] == ["1", "1", "1", "2"]
        assert len(set(receiver.got[:3])) == 1, "the same bytes, under the same MSH-10"
        _, attempts = labo.kept()
        assert [(one.outcome, one.code) for one in attempts] == [(kind, ""), (kind, ""), ("delivered", "AA")]

    asyncio.run(play())


def test_a_receiver_that_takes_messages_and_never_answers_is_not_flooded_with_repetitions(site, make_receiver):
    settings = ", lanes = 4, outage_after = 3"
    labo = site(LABO=FAST % settings)

    async def play():
        receiver = make_receiver()
        receiver.answers = [SendFailed("timeout", "silent")] * 12
        labo.admit(*range(1, 31))
        async with labo.dispatching(LABO=receiver) as channels:
            await receiver.wait_for(10)
            assert len(set(receiver.told)) <= 7, "once it is down, one message at a time is tried"
            await labo.until(lambda: labo.states() == ["delivered"] * 30)
        counters = channels["LABO"].counters
        assert (counters.unanswered, counters.failures["timeout"], counters.outages) == (12, 12, 1)
        sent = [Message.parse(raw).control_id for raw in receiver.got]
        assert len(sent) - len(set(sent)) == 12, "as many repetitions as answers that did not come"

    asyncio.run(play())


def test_a_receiver_that_is_down_for_long_costs_no_more_memory_the_longer_it_is(site, make_receiver):
    labo = site(LABO=FAST % ", lanes = 2, outage_after = 1")

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        receiver.answers = [SendFailed("timeout", "silent")] * 2
        labo.admit(*range(1, 5))
        async with labo.dispatching(LABO=receiver) as channels:
            await receiver.wait_for(2)
            receiver.gate.set()
            await asyncio.sleep(0)
            receiver.gate.clear()
            await receiver.wait_for(3)  # one is tried, to see: it gets no answer for long
            channel = channels["LABO"]
            for _ in range(100):
                channel.apply(channel.destination)
                await asyncio.sleep(0.001)
            assert len(channel._timers) < 10
            receiver.gate.set()
            await labo.until(lambda: labo.states() == ["delivered"] * 4)

    asyncio.run(play())


def test_the_order_of_destinations_in_the_configuration_means_nothing_to_their_queues(site, make_receiver):
    settings = {"LABO": FAST % "", "DPI": FAST % ', on_refusal = "stop"'}
    site(**settings).admit(1, 2)
    again = site(**dict(reversed(settings.items())))

    async def play():
        labo, dpi = make_receiver(), make_receiver()
        dpi.answers = ["AE"]
        async with again.dispatching(LABO=labo, DPI=dpi):
            await again.until(lambda: again.states("LABO") == ["delivered"] * 2)
            await again.until(lambda: again.rows("DPI")[0].code == "AE")
        assert [number for _, number in labo.told] == ["1", "2"]
        assert [number for _, number in dpi.told] == ["1"]

    asyncio.run(play())
