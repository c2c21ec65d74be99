"""A queue that grows is told of once, and again when it is over."""

import asyncio

from insigne.exchange.delivery.watch import QueueWatch

SETTINGS = "delivery = { queue_alarm = 3, late_alarm_seconds = 3600 }"


def test_a_long_queue_raises_one_alarm_and_ends_it(site, make_receiver):
    labo = site(LABO=SETTINGS)

    def kinds():
        return [(alarm.kind, alarm.subject) for alarm in labo.alarms.on()]

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.admit(1, 2, 3)
        async with labo.dispatching(LABO=receiver) as channels:
            times = iter(["2026-11-22T08:00:00.000Z"] * 2 + ["2126-11-22T08:00:00.000Z"] * 1000)
            watch = QueueWatch(labo.store, list(channels.values()), labo.alarms, now=lambda: next(times), every=0.01)
            task = asyncio.create_task(watch.run())
            await labo.until(lambda: ("queue-long", "LABO") in kinds())
            await labo.until(lambda: ("queue-late", "LABO") in kinds())
            assert watch.queued["LABO"][0] == 3
            receiver.gate.set()
            await labo.until(lambda: kinds() == [])
            task.cancel()

    asyncio.run(play())
