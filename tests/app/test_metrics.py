"""What Prometheus reads, and with which types."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from insigne.app.base import open_base
from insigne.app.clock import utc_now
from insigne.app.metrics import metrics_of
from insigne.config import load
from insigne.exchange.delivery.alarms import Alarms
from insigne.exchange.delivery.channel import ChannelCounters
from insigne.exchange.delivery.model import Draft
from insigne.insi.hearing import InsiCounters
from insigne.insi.jobs import Job
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
        receiver=SimpleNamespace(waiting=2),
        mllp=SimpleNamespace(seen=counters),
        listening=True,
        insi=None,
        dmp=None,
        delivery=None,
        alarms=Alarms(),
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


DESTINATIONS = """
[[destinations]]
name = "LABO"
mllp = { host = "127.0.0.1", port = 1 }
[[destinations]]
name = "DPI"
mllp = { host = "127.0.0.1", port = 1 }
"""


@pytest.fixture
def told(tmp_path, service):
    """A base with two destinations, one of which has a message that waits and one that was given up."""
    file = tmp_path / "insigne.toml"
    file.write_text(DESTINATIONS, encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'told.db'}")
    base = open_base(load(file, (f"store.url=sqlite:///{tmp_path / 'told.db'}",), {}, tmp_path), wait=5.0)
    hour_ago = (utc_now() - timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with base.store.begin() as transaction:
        rows = transaction.queue([Draft("LABO", "live", "A28", "P", "P", "M", b"", hour_ago) for _ in range(3)])
        transaction.settle(rows[0], "dead", "refused with AE", hour_ago)
        transaction.change_destination("DPI", "user:claire", hour_ago, state="paused")
        transaction.commit()
    counters = ChannelCounters(delivered=12, dead=1, outages=1)
    counters.failures.update({"AE": 4, "timeout": 2})
    breaker = CircuitBreaker(BreakerRule(down=1))
    breaker.record(Evidence.DOWN, "A", 1e9)
    service.delivery = SimpleNamespace(
        channels=[
            SimpleNamespace(name="LABO", counters=counters, breaker=breaker),
            SimpleNamespace(name="DPI", counters=ChannelCounters(), breaker=CircuitBreaker()),
        ]
    )
    yield base
    base.close()


def test_queues_ends_failures_and_states_are_told_for_each_destination(told, service):
    page = generate_latest(metrics_of(service, told)).decode()
    families = list(text_string_to_metric_families(page))
    types = {family.name: family.type for family in families}
    values = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
    assert (values["insigne_outbox_queue", "LABO"], values["insigne_outbox_queue", "DPI"]) == (2, 0)
    assert 3600 <= values["insigne_outbox_oldest_seconds", "LABO"] < 3700
    assert values["insigne_outbox_oldest_seconds", "DPI"] == 0
    assert [values["insigne_outbox_unsettled", "LABO", state] for state in ("held", "dead")] == [0, 1]
    assert [values["insigne_delivery_total", "LABO", end] for end in ("delivered", "dead")] == [12, 1]
    assert [values["insigne_delivery_failures_total", "LABO", kind] for kind in ("AE", "timeout")] == [4, 2]
    assert [values["insigne_delivery_outages_total", name] for name in ("LABO", "DPI")] == [1, 0]
    assert [values["insigne_delivery_breaker", "LABO", state] for state in ("closed", "open")] == [0, 1]
    assert [values["insigne_destination_state", "DPI", state] for state in ("running", "paused")] == [0, 1]
    assert types["insigne_delivery"] == types["insigne_delivery_failures"] == "counter"
    assert types["insigne_outbox_queue"] == types["insigne_delivery_breaker"] == "gauge"


def test_without_destinations_nothing_is_told_of_delivery(read):
    types, _ = read()
    assert not [name for name in types if "outbox" in name or "deliver" in name.removeprefix("insigne_mllp")]


def test_alarms_that_are_on_are_told(service, read):
    service.alarms.raised("queue-late", "LABO", "2026-03-01T08:00:00.000Z", "")
    _, values = read()
    assert values["insigne_alarm", "queue-late", "LABO"] == 1
    service.alarms.ended("queue-late", "LABO")
    _, values = read()
    assert ("insigne_alarm", "queue-late", "LABO") not in values
