"""What Prometheus reads, and with which types."""

from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from insigne.app.base import open_base
from insigne.app.metrics import metrics_of
from insigne.config import load
from insigne.insi.jobs import Job
from insigne.insi.service import InsiCounters
from insigne.net.breaker import BreakerRule, CircuitBreaker, Evidence
from insigne.store import upgrade
from insigne.transport.mllp_connection import MllpCounters


@pytest.fixture
def base(tmp_path):
    loaded = load(None, (), {}, tmp_path)
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(loaded)
    yield base
    base.close()


@pytest.fixture
def service():
    counters = MllpCounters(open=3, connections=12, frames=40)
    return SimpleNamespace(
        receiver=SimpleNamespace(waiting=2), mllp=SimpleNamespace(counters=counters), listening=True, insi=None
    )


@pytest.fixture
def read(base, service):
    """What is published: the type of each family, and each value by name and labels."""

    def read():
        page = generate_latest(metrics_of(service, base)).decode()
        families = list(text_string_to_metric_families(page))
        types = {family.name: family.type for family in families}
        values = {
            (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
        }
        return types, values

    return read


def test_messages_are_counted_by_disposition_and_nothing_else_is_called_one(base, read):
    base.intake.counters.accepted = 5
    base.intake.counters.batches = 3
    base.intake.counters.failures = 1
    types, values = read()
    dispositions = {name[1] for name in values if name[0] == "insigne_intake_total"}
    assert dispositions == {"accepted", "rejected", "duplicate", "ignored", "unframed"}
    assert values["insigne_intake_total", "accepted"] == 5
    assert values["insigne_intake_batches_total",] == 3
    assert values["insigne_intake_unavailable_total",] == 1
    assert values["insigne_intake_reused_control_ids_total",] == 0
    assert types["insigne_intake_batches"] == types["insigne_intake"] == "counter"
    assert (types["insigne_intake_waiting"], values["insigne_intake_waiting",]) == ("gauge", 2)


def test_open_connections_are_a_gauge_and_not_among_what_is_counted(read):
    types, values = read()
    assert (types["insigne_mllp_open_connections"], values["insigne_mllp_open_connections",]) == ("gauge", 3)
    assert ("insigne_mllp_total", "open") not in values
    assert values["insigne_mllp_total", "connections"] == 12


def test_without_a_worker_nothing_is_told_of_insi(read):
    types, _ = read()
    assert not [name for name in types if "insi_" in name.removeprefix("insigne_")]


def test_calls_outages_queue_and_breaker_of_insi_are_told(base, service, read):
    breaker = CircuitBreaker(BreakerRule(down=1))
    counters = InsiCounters(found=7, faults=2, outages=1)
    service.insi = SimpleNamespace(service=SimpleNamespace(breaker=breaker, counters=counters))
    with base.store.begin() as transaction:
        for job in ("J1", "J2"):
            now = "2026-03-01T08:00:00.000Z"
            transaction.put_job(Job(job, "retrieve", job, "automatic", "insigne", now, now))
        transaction.commit()
    types, values = read()
    assert (values["insigne_insi_calls_total", "found"], values["insigne_insi_calls_total", "fault"]) == (7, 2)
    assert values["insigne_insi_outages_total",] == 1
    assert types["insigne_insi_queue"] == types["insigne_insi_breaker"] == "gauge"
    assert [values["insigne_insi_queue", state] for state in ("waiting", "calling", "failed")] == [2, 0, 0]
    assert [values["insigne_insi_breaker", state] for state in ("closed", "open", "half-open")] == [1, 0, 0]
    breaker.record(Evidence.DOWN, "A", 1e9)
    _, values = read()
    assert [values["insigne_insi_breaker", state] for state in ("closed", "open", "half-open")] == [0, 1, 0]
