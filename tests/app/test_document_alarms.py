"""Services of documents and boxes that do not answer: told once when it begins, once when it ends."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from insigne.app.base import open_base
from insigne.app.dmp import DmpWorker
from insigne.app.dmp_alarms import DocumentAlarms, FaultWatch, heard
from insigne.config import load
from insigne.dmp.mss.connection import MailFault
from insigne.dmp.ports import Arrived, Failed
from insigne.exchange.delivery.alarms import Alarms
from insigne.net.breaker import BreakerRule, CircuitBreaker, Evidence
from insigne.store import upgrade
from insigne.store.moments import rfc3339

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
FIVE = 5 * MINUTES


class Server:
    """A server that fails as it is told, at the hour it is told."""

    def __init__(self, about=("mailbox-down", "pfi"), *, proving=True):
        self.fault = None
        self.done = 0
        self.now = NOW
        self.watch = FaultWatch(about, self._work, lambda: self.now, proving=proving)

    def _work(self):
        if self.fault is not None:
            raise self.fault
        return self.done

    def fail(self, kind="unreachable"):
        self.fault = MailFault(kind, "imap.exemple: connection refused")
        with pytest.raises(MailFault):
            self.watch.work()

    def answer(self, done=0):
        self.fault, self.done = None, done
        self.watch.work()


class Carrier:
    """A carrier whose outcome is the one it is given."""

    def __init__(self, outcome):
        self.outcome = outcome

    def carry(self, _errand):
        return self.outcome

    def close(self):
        """Nothing is open."""


def on(alarms):
    return [(alarm.kind, alarm.subject) for alarm in alarms.on()]


def watching(*servers, breakers=None, carriers=None):
    return DocumentAlarms(breakers or {}, carriers or {}, [one.watch for one in servers], FIVE)


def test_a_box_that_cannot_be_read_is_told_once_after_a_while_and_once_when_it_is_read_again():
    server, alarms = Server(), Alarms()
    looking = watching(server)
    with capture_logs() as logs:
        for minute in range(8):
            server.now = NOW + minute * MINUTES
            server.fail()
            looking.look(alarms, server.now)
            assert on(alarms) == ([("mailbox-down", "pfi")] if minute >= 5 else [])
        [alarm] = alarms.on()
        assert alarm.text == "since 2026-03-02T12:00:00.000Z: unreachable: imap.exemple: connection refused"
        server.answer()
        looking.look(alarms, server.now)
    assert on(alarms) == []
    assert [entry["event"] for entry in logs] == ["alarm.raised", "alarm.ended"]


def test_a_box_that_fails_from_time_to_time_is_no_alarm():
    server, alarms = Server(), Alarms()
    looking = watching(server)
    for minute in range(0, 12, 3):
        server.now = NOW + minute * MINUTES
        server.fail()
        server.answer()
        server.fail()
        looking.look(alarms, server.now + MINUTES)
    assert on(alarms) == []


def test_a_server_that_puts_one_mail_off_is_there():
    server, alarms = Server(("documents-down", "mss"), proving=False), Alarms()
    server.fail("busy")
    watching(server).look(alarms, NOW + timedelta(hours=1))
    assert on(alarms) == []


def test_a_service_that_answers_no_call_is_told_until_it_answers():
    breaker, alarms = CircuitBreaker(BreakerRule(down=2)), Alarms()
    looking = watching(breakers={"mss-ps": breaker, "mss-patient": CircuitBreaker()})
    breaker.record(Evidence.DOWN, "A", 1.0)
    looking.look(alarms, NOW)
    assert on(alarms) == []
    breaker.record(Evidence.DOWN, "B", 2.0)
    looking.look(alarms, NOW)
    looking.look(alarms, NOW + MINUTES)
    assert on(alarms) == [("documents-down", "mss")]
    breaker.record(Evidence.ALIVE, "A", 3.0)
    looking.look(alarms, NOW + FIVE)
    assert on(alarms) == []


@pytest.mark.parametrize(
    ("outcome", "left"),
    [(Arrived(), []), (Failed("421", "", evidence="alive"), []),
     (Failed("timeout", "", evidence="down"), [("documents-down", "mss")])],
)  # fmt: skip
def test_an_alarm_of_the_last_run_ends_once_the_service_was_heard(outcome, left):
    alarms = Alarms()
    alarms.raised("documents-down", "mss", rfc3339(NOW), "")
    carrier = Carrier(outcome)
    carriers = heard({"mss-ps": carrier, "mss-patient": carrier})
    looking = watching(carriers=carriers)
    looking.look(alarms, NOW)
    assert on(alarms) == [("documents-down", "mss")], "nothing was heard yet"
    carriers["mss-patient"].carry(None)
    looking.look(alarms, NOW)
    assert on(alarms) == left


def test_an_alarm_of_a_box_that_is_configured_no_more_ends():
    alarms = Alarms()
    alarms.raised("mailbox-down", "former", rfc3339(NOW), "")
    alarms.raised("queue-late", "LABO", rfc3339(NOW), "")
    watching(Server()).look(alarms, NOW)
    assert on(alarms) == [("queue-late", "LABO")]


CONFIG = """
environment = "test"
roles = ["consumer", "pfi"]
[dmp.mss]
alarm_seconds = 0
[[dmp.mss.mailboxes]]
name = "pfi"
imap = { host = "127.0.0.1", port = 1, encryption = "none", timeout_seconds = 2 }
"""


def test_a_server_watches_the_boxes_it_reads(tmp_path):
    file = tmp_path / "insigne.toml"
    file.write_text(CONFIG, encoding="utf-8")
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    base = open_base(load(file, (), {}, tmp_path), wait=5.0)
    worker, alarms = DmpWorker(base, base.documents.site), Alarms()
    worker.start()
    try:
        deadline, pause = time.monotonic() + 20, threading.Event()
        while not alarms.on():
            assert time.monotonic() < deadline
            worker.alarms.look(alarms, datetime.now(UTC))
            pause.wait(0.02)
    finally:
        worker.stop()
        base.close()
    assert on(alarms) == [("mailbox-down", "pfi")]
