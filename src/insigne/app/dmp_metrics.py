"""What `/metrics` tells of documents. Their meaning for an operator is in docs/dmp.md."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from insigne.app.base import Base
from insigne.app.clock import utc_now
from insigne.dmp.model import State
from insigne.dmp.service import DmpService
from insigne.dmp.states import PENDING
from insigne.net.breaker import BreakerState


def document_metrics(service: DmpService, base: Base) -> Iterator[Metric]:
    """Sendings by state, the age of the oldest in each state that it should leave, what came of calls."""
    with base.store.read() as view:
        states, (reviews, asked) = view.sending_states(), view.reviews_waiting()
    counts = GaugeMetricFamily("insigne_documents", "Documents on each channel, by state", labels=["state"])
    ages = GaugeMetricFamily(
        "insigne_documents_oldest_seconds", "Time the oldest document has been in a state", labels=["state"]
    )
    for state in get_args(State):
        count, since = states.get(state, (0, ""))
        counts.add_metric([state], count)
        if state in PENDING:
            ages.add_metric([state], _age(since))
    yield counts
    yield ages
    yield GaugeMetricFamily("insigne_documents_reviews", "Patients whose documents wait to be looked at", value=reviews)
    yield GaugeMetricFamily("insigne_documents_review_seconds", "Time the oldest of them has waited", value=_age(asked))
    calls = CounterMetricFamily("insigne_documents_calls", "Documents carried, by outcome", labels=["outcome"])
    for outcome in ("arrived", "refused", "faults"):
        calls.add_metric([outcome], getattr(service.counters, outcome))
    yield calls
    yield CounterMetricFamily("insigne_documents_outages", "Outages noticed", value=service.counters.outages)
    yield _breakers(service)


def _breakers(service: DmpService) -> Metric:
    family = GaugeMetricFamily(
        "insigne_documents_breaker", "1 for the state of each channel's breaker", labels=["channel", "state"]
    )
    now = time.monotonic()
    for channel, breaker in service.breakers.items():
        for state in BreakerState:
            family.add_metric([channel, str(state)], float(breaker.state(now) is state))
    return family


def _age(since: str) -> float:
    return (utc_now() - datetime.fromisoformat(since)).total_seconds() if since else 0.0
