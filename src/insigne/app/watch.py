"""What an operator sees of the running service: health checks and metrics."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from insigne.api.health import (
    Health,
    Probe,
    alive_probe,
    backlog_probe,
    certificate_probe,
    disk_probe,
    store_probe,
)
from insigne.api.metrics import Counts
from insigne.app.base import Base, utc_now
from insigne.exchange.groupcommit import GroupCommit
from insigne.transport.mllp_server import MllpServer


class Watched(Protocol):
    """The running service, as far as it is watched."""

    receiver: GroupCommit
    mllp: MllpServer
    listening: bool


def health_of(service: Watched, base: Base) -> Health:
    """The checks of `/health/ready`."""
    probes: dict[str, Probe] = {
        "store": store_probe(base.store.read),
        "disk": disk_probe(base.data_dir),
        "intake": backlog_probe("intake", lambda: service.receiver.waiting, many=base.config.exchange.queue // 2),
    }
    if base.config.mllp.tls is not None:
        tls = base.config.mllp.tls
        probes["mllp-certificate"] = certificate_probe("mllp-certificate", tls.cert_file, utc_now)
    if base.config.http.tls is not None:
        probes["http-certificate"] = certificate_probe("http-certificate", base.config.http.tls.cert_file, utc_now)
    probes["mllp"] = alive_probe("mllp", lambda: service.listening)
    return Health(probes)


def metrics_of(service: Watched, base: Base) -> CollectorRegistry:
    """What `/metrics` reads."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Numbers("insigne_intake", "Messages taken in", "disposition", lambda: _intake(base)))
    registry.register(_Numbers("insigne_mllp", "MLLP listener", "what", lambda: _mllp(service)))
    registry.register(_Gauge("insigne_intake_waiting", "Messages not committed yet", lambda: service.receiver.waiting))
    registry.register(Counts(lambda: _counts(base)))
    return registry


def _intake(base: Base) -> Mapping[str, float]:
    counters = base.intake.counters
    return {name: getattr(counters, name) for name in counters.__slots__}


def _mllp(service: Watched) -> Mapping[str, float]:
    counters = service.mllp.counters
    return {name: getattr(counters, name) for name in counters.__slots__}


def _counts(base: Base) -> Mapping[str, float]:
    with base.store.read() as view:
        return view.counts()


class _Numbers(Collector):
    """Counters kept elsewhere, by one label."""

    def __init__(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._text, self._label, self._read = name, text, label, read

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for kind, value in self._read().items():
            family.add_metric([kind], value)
        yield family

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering reads nothing."""
        return ()


class _Gauge(Collector):
    """One number kept elsewhere."""

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self._name, self._text, self._read = name, text, read

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        yield GaugeMetricFamily(self._name, self._text, value=self._read())

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering reads nothing."""
        return ()
