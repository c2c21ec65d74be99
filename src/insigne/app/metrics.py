"""What `/metrics` tells of the running service. Their meaning for an operator is in docs/operations.md."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from insigne.api.metrics import Counts
from insigne.app.base import Base
from insigne.app.delivery_metrics import alarm_metrics, delivery_metrics
from insigne.app.dmp_metrics import document_metrics
from insigne.app.watch import Watched
from insigne.exchange.intake import IntakeCounters
from insigne.insi.service import InsiService
from insigne.net.breaker import BreakerState
from insigne.transport.mllp_connection import MllpCounters

#: States of a question to INSi that somebody may have to look at; the others have ended well or were given up.
_QUEUED: Final = ("waiting", "calling", "failed")


def metrics_of(service: Watched, base: Base) -> CollectorRegistry:
    """What `/metrics` reads."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Counts(lambda: _objects(base)))
    registry.register(_Read(lambda: _intake(base.intake.counters, service.receiver.waiting)))
    registry.register(_Read(lambda: _mllp(service.mllp.seen)))
    if service.insi is not None:
        insi = service.insi.service
        registry.register(_Read(lambda: _insi(insi, base)))
    if service.dmp is not None:
        documents = service.dmp.service
        registry.register(_Read(lambda: document_metrics(documents, base)))
    registry.register(_Read(lambda: alarm_metrics(service.alarms)))
    if service.delivery is not None:
        delivery = service.delivery
        registry.register(_Read(lambda: delivery_metrics(delivery, base)))
    return registry


class _Read(Collector):
    """Numbers kept elsewhere, read when they are asked for."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        return self._read()

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering reads nothing."""
        return ()


def _objects(base: Base) -> Mapping[str, float]:
    with base.store.read() as view:
        return view.counts()


def _intake(counters: IntakeCounters, waiting: int) -> Iterator[Metric]:
    taken = {
        "accepted": counters.accepted,
        "rejected": counters.rejected,
        "duplicate": counters.duplicates,
        "ignored": counters.ignored,
        "unframed": counters.unframed,
    }
    yield _counters("insigne_intake", "Messages recorded, by what became of them", "disposition", taken)
    yield CounterMetricFamily("insigne_intake_batches", "Commits of messages", value=counters.batches)
    yield CounterMetricFamily(
        "insigne_intake_unavailable", "Messages that could not be kept, answered AR 207", value=counters.failures
    )
    yield CounterMetricFamily(
        "insigne_intake_reused_control_ids", "Messages refused: MSH-10 of another message", value=counters.alarms
    )
    yield GaugeMetricFamily("insigne_intake_waiting", "Messages not committed yet", value=waiting)


def _mllp(counters: MllpCounters) -> Iterator[Metric]:
    counted = {name: getattr(counters, name) for name in counters.__slots__ if name != "open"}
    yield _counters("insigne_mllp", "What the MLLP listener met", "what", counted)
    yield GaugeMetricFamily("insigne_mllp_open_connections", "MLLP connections open", value=counters.open)


def _insi(service: InsiService, base: Base) -> Iterator[Metric]:
    counters = service.counters
    calls = {
        "found": counters.found,
        "not_found": counters.not_found,
        "several": counters.several,
        "fault": counters.faults,
    }
    yield _counters("insigne_insi_calls", "Calls to INSi, by outcome", "outcome", calls)
    yield CounterMetricFamily("insigne_insi_outages", "Outages of INSi noticed", value=counters.outages)
    with base.store.read() as view:
        jobs = view.job_states()
    yield _gauges("insigne_insi_queue", "Questions to INSi", "state", {state: jobs.get(state, 0) for state in _QUEUED})
    state = service.breaker.state(time.monotonic())
    states = {str(one): float(one is state) for one in BreakerState}
    yield _gauges("insigne_insi_breaker", "1 for the state the circuit breaker of INSi is in", "state", states)


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family
