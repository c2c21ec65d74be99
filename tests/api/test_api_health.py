"""Health and metrics."""

import threading
from collections import namedtuple
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from trustme import CA

from insigne.api import health
from insigne.api.health import (
    Check,
    Health,
    Status,
    alive_probe,
    backlog_probe,
    certificate_probe,
    disk_probe,
    store_probe,
)
from insigne.api.metrics import Counts
from insigne.exchange.errors import StoreLost


def test_ready_tells_each_check(world, anonymous):
    assert anonymous.get("/health/live").json() == {"status": "live"}
    assert anonymous.get("/health/ready").json() == {
        "status": "ready",
        "checks": [{"name": "store", "status": "ok", "detail": ""}],
    }


@pytest.mark.parametrize(("worst", "code", "word"), [("degraded", 200, "degraded"), ("failing", 503, "failing")])
def test_the_worst_check_decides(world, anonymous, worst, code, word):
    world.checks["store"] = Check("store", Status(worst), "look at it")
    answer = anonymous.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (code, word)


def test_a_check_that_breaks_is_failing_and_says_only_its_kind():
    def broken():
        raise RuntimeError("LESTREZ")

    able, report = Health({"writer": broken}).report()
    assert not able
    assert report["checks"] == [{"name": "writer", "status": "failing", "detail": "RuntimeError"}]


def test_checks_are_not_run_for_every_caller():
    calls = []
    now = [0.0]

    def probe():
        calls.append(1)
        return Check("x", Status.OK)

    checked = Health({"x": probe}, clock=lambda: now[0])
    checked.report()
    checked.report()
    assert len(calls) == 1
    now[0] += health.REUSED_FOR
    checked.report()
    assert len(calls) == 2


def test_a_stuck_check_makes_the_others_fail_rather_than_wait(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    entered, release = threading.Event(), threading.Event()

    def stuck():
        entered.set()
        release.wait(10)
        return Check("x", Status.OK)

    checked = Health({"x": stuck})
    first = threading.Thread(target=checked.report)
    first.start()
    entered.wait(10)
    able, report = checked.report()
    release.set()
    first.join(10)
    assert (able, report["status"]) == (False, "failing")


def test_a_base_that_does_not_answer_is_failing():
    @contextmanager
    def lost():
        raise StoreLost("read: connection lost")
        yield

    @contextmanager
    def fine():
        yield

    assert store_probe(lost)().status is Status.FAILING
    assert store_probe(fine)().status is Status.OK


def test_a_stopped_part_is_failing():
    assert alive_probe("mllp", lambda: True)().status is Status.OK
    assert alive_probe("mllp", lambda: False)().status is Status.FAILING


@pytest.mark.parametrize(("free", "expected"), [(10, "failing"), (150_000_000, "degraded"), (10**12, "ok")])
def test_little_room_left_is_said_in_time(tmp_path, monkeypatch, free, expected):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: usage(10**13, 0, free))
    assert disk_probe(tmp_path)().status == expected


def test_a_certificate_near_its_end_is_an_alarm(tmp_path):
    now = datetime.now(UTC)
    pem = tmp_path / "cert.pem"
    issued = CA().issue_cert("insigne.example", not_after=now + timedelta(days=40))
    issued.cert_chain_pems[0].write_to_path(pem)
    status = {
        days: certificate_probe("tls", str(pem), lambda days=days: now + timedelta(days=days))().status
        for days in (0, 20, 50)
    }
    assert status == {0: Status.OK, 20: Status.DEGRADED, 50: Status.DEGRADED}
    assert certificate_probe("tls", str(tmp_path / "none.pem"), lambda: now)().status is Status.DEGRADED


def test_a_pile_of_work_is_an_alarm():
    assert backlog_probe("seal", lambda: 3, many=10)().status is Status.OK
    assert backlog_probe("seal", lambda: 11, many=10)().status is Status.DEGRADED


def test_sizes_are_read_when_asked_for():
    registry, reads = CollectorRegistry(), []

    def read():
        reads.append(1)
        return {"identities": 7}

    registry.register(Counts(read))
    assert reads == []
    assert b'insigne_objects{kind="identities"} 7.0' in generate_latest(registry)
