"""What `/metrics` tells of delivery, destination by destination."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.app.delivery import DeliveryWorker
from insigne.exchange.delivery.alarms import Alarms
from insigne.net.breaker import BreakerState

_STATES: Final = ("running", "paused", "stopped")
_ENDS: Final = ("held", "dead")


def delivery_metrics(worker: DeliveryWorker, base: Base) -> Iterator[Metric]:
    """Queues, ends, failures, breakers and states of the destinations."""
    names = [one.name for one in base.config.destinations]
    with base.store.read() as view:
        queues, failed = view.queues(), view.failed()
        states = {one.name: one.state for one in view.destinations()}
    now = utc_now()
    yield _by_name(
        "insigne_outbox_queue", "Messages that wait", ((name, queues.get(name, (0, ""))[0]) for name in names)
    )
    ages = ((name, _age(queues[name][1], now) if name in queues else 0.0) for name in names)
    yield _by_name("insigne_outbox_oldest_seconds", "Age of the oldest message that waits", ages)
    unsettled = GaugeMetricFamily(
        "insigne_outbox_unsettled", "Messages that wait for a person", labels=["destination", "state"]
    )
    state = GaugeMetricFamily("insigne_destination_state", "1 for its state", labels=["destination", "state"])
    for name in names:
        for end in _ENDS:
            unsettled.add_metric([name, end], failed.get((name, end), 0))
        for one in _STATES:
            state.add_metric([name, one], float(states.get(name, "running") == one))
    yield unsettled
    yield state
    yield from _channels(worker)


def alarm_metrics(alarms: Alarms) -> Iterator[Metric]:
    """The alarms that are on."""
    family = GaugeMetricFamily("insigne_alarm", "1 for an alarm that is on", labels=["kind", "subject"])
    for alarm in alarms.on():
        family.add_metric([alarm.kind, alarm.subject], 1.0)
    yield family


def _channels(worker: DeliveryWorker) -> Iterator[Metric]:
    ended = CounterMetricFamily("insigne_delivery", "Messages that ended, by how", labels=["destination", "end"])
    failures = CounterMetricFamily(
        "insigne_delivery_failures", "Attempts that failed, by kind", labels=["destination", "kind"]
    )
    outages = CounterMetricFamily("insigne_delivery_outages", "Outages noticed", labels=["destination"])
    breaker = GaugeMetricFamily("insigne_delivery_breaker", "1 for its state", labels=["destination", "state"])
    moment = time.monotonic()
    for channel in worker.channels:
        name, counters = channel.name, channel.counters
        ended.add_metric([name, "delivered"], counters.delivered)
        ended.add_metric([name, "dead"], counters.dead)
        for kind, count in sorted(counters.failures.copy().items()):
            failures.add_metric([name, kind], count)
        outages.add_metric([name], counters.outages)
        current = channel.breaker.state(moment)
        for one in BreakerState:
            breaker.add_metric([name, str(one)], float(one is current))
    yield from (ended, failures, outages, breaker)


def _by_name(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["destination"])
    for destination, value in values:
        family.add_metric([destination], value)
    return family


def _age(then: str, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(then)).total_seconds())
