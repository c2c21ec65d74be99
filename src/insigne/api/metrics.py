"""Metrics of the HTTP interface, and the page Prometheus reads."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)


class HttpMetrics:
    """Requests by route, method and status. The route is its template, so that no identifier becomes a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "insigne_http_requests", "Requests answered", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "insigne_http_request_seconds", "Time to answer", ("route",), buckets=_SECONDS, registry=registry
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, method if method in ("GET", "HEAD") else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class Counts(Collector):
    """Numbers read when they are asked for, such as the sizes of tables: `insigne_objects{kind="…"}`."""

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        family = GaugeMetricFamily("insigne_objects", "What the registry holds", labels=["kind"])
        for kind, value in self._read().items():
            family.add_metric([kind], value)
        yield family

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering does not read the base."""
        return ()
