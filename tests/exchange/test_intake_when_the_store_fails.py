"""Intake over a store that is busy, full, lost or broken: what is answered, and what is kept."""

from collections.abc import Callable
from typing import Any

import pytest

from insigne.exchange.arrival import Unframed
from insigne.exchange.errors import StoreBusy, StoreConflict, StoreError, StoreFull, StoreLost
from insigne.exchange.model import Peer
from insigne.hl7 import Junk


class Failing:
    """A store that fails as told, in order, where told; then works. `before` the commit or `after` it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.failures: list[tuple[str, Exception]] = []

    def fails(self, where: str) -> None:
        if self.failures and self.failures[0][0] == where:
            raise self.failures.pop(0)[1]

    def begin(self) -> Any:
        self.fails("begin")
        return FailingTransaction(self, self._store.begin())


class FailingTransaction:
    def __init__(self, storage: Failing, transaction: Any) -> None:
        self._storage = storage
        self._transaction = transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def previous(self, keys: Any, since: str) -> Any:
        self._storage.fails("previous")
        return self._transaction.previous(keys, since)

    def write(self, changes: Any, messages: Any) -> None:
        self._storage.fails("write")
        self._transaction.write(changes, messages)

    def commit(self) -> None:
        self._storage.fails("commit")
        self._transaction.commit()
        self._storage.fails("committed")


@pytest.fixture
def site(open_hospital: Callable[..., Any]) -> Any:
    """A hospital whose store may be told to fail: `site.storage.failures`."""
    made: list[Failing] = []

    def wrapped(store: Any) -> Failing:
        made.append(Failing(store))
        return made[0]

    hospital = open_hospital(wrap_store=wrapped)
    hospital.storage = made[0]
    return hospital


def _raws(hospital: Any, write: Any, count: int = 2) -> list[str]:
    pv1 = write.segment("PV1", {2: "N"})
    return [hospital.message("A28", write.pid(write.pi(str(n + 1))), pv1) for n in range(count)]


@pytest.mark.parametrize("where", ["begin", "previous", "write", "commit"])
@pytest.mark.parametrize("error", [StoreFull("disk full"), StoreError("broken")])
def test_a_store_that_fails_for_good_answers_ar_and_keeps_nothing(
    site: Any, write: Any, where: str, error: StoreError
) -> None:
    site.storage.failures = [(where, error)]

    replies = site.post(*_raws(site, write))

    assert [reply.code for reply in replies] == ["AR", "AR"]
    assert [reply.errors for reply in replies] == [[("", "207", "E")]] * 2
    assert [reply.acknowledged for reply in replies] == ["C1", "C2"]
    assert not any(reply.answer.durable for reply in replies)
    assert site.log() == []
    assert site.identities() == []


def test_a_message_not_kept_is_taken_when_it_is_sent_again(site: Any, write: Any) -> None:
    raws = _raws(site, write)
    site.storage.failures = [("commit", StoreFull("disk full"))]
    site.post(*raws)

    assert [reply.code for reply in site.post(*raws)] == ["AA", "AA"]
    assert site.log() == [("accepted", "AA")] * 2


@pytest.mark.parametrize("error", [StoreConflict("deadlock"), StoreLost("connection lost")])
def test_a_conflict_or_a_lost_connection_replays_the_batch_one_by_one(site: Any, write: Any, error: StoreError) -> None:
    site.storage.failures = [("commit", error), ("commit", StoreConflict("again"))]

    replies = site.post(*_raws(site, write, 3))

    assert [reply.code for reply in replies] == ["AR", "AA", "AA"]
    assert site.log() == [("accepted", "AA")] * 2
    assert len(site.identities()) == 2


def test_a_connection_lost_after_the_commit_applies_nothing_twice(site: Any, write: Any) -> None:
    site.storage.failures = [("committed", StoreLost("connection lost"))]

    replies = site.post(*_raws(site, write))

    assert [reply.code for reply in replies] == ["AA", "AA"]
    assert site.log() == [("accepted", "AA")] * 2 + [("duplicate", "AA")] * 2
    assert site.events() == ["identity-created"] * 2


@pytest.mark.parametrize("where", ["begin", "write", "commit"])
def test_a_busy_store_is_said_to_the_caller(site: Any, write: Any, where: str) -> None:
    site.storage.failures = [(where, StoreBusy("locked"))]

    with pytest.raises(StoreBusy):
        site.post(*_raws(site, write))

    assert site.log() == []


def test_a_defect_of_writing_costs_its_message_alone_and_is_logged_without_it(
    site: Any, write: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole batch fails to write, then the second of three messages alone does."""
    defect = [TypeError("cannot store MARTIN")] * 2

    def failing(where: str, state: list[int]) -> None:
        if where == "write":
            state[0] += 1
            if state[0] in {1, 3}:
                raise defect.pop()

    count = [0]
    site.storage.fails = lambda where: failing(where, count)

    replies = site.post(*_raws(site, write, 3))

    assert [reply.code for reply in replies] == ["AA", "AR", "AA"]
    assert len(site.identities()) == 2
    out, err = capfd.readouterr()
    assert "TypeError" in out + err
    assert "MARTIN" not in out + err


def test_what_is_decided_is_seen_by_nobody_before_it_is_concluded(site: Any, write: Any) -> None:
    intake = site.intake
    batch = intake.decide([intake.read(site.received(raw)) for raw in _raws(site, write)])
    assert site.log() == []

    assert [answer.code for answer in intake.conclude(batch)] == ["AA", "AA"]
    assert site.log() == [("accepted", "AA")] * 2


def test_what_is_not_kept_is_answered_in_enhanced_mode_when_it_was_asked(site: Any, write: Any) -> None:
    raw = site.message("A28", write.pid(write.pi("1")), msh15="AL")
    silent = site.message("A28", write.pid(write.pi("2")), msh15="NE")
    site.storage.failures = [("begin", StoreFull("disk full"))]

    replies = site.post(raw, silent)

    assert [reply.code for reply in replies] == ["CR", "CR"]
    assert replies[1].answer.payload == b""


def test_junk_that_cannot_be_kept_is_answered_to_nobody(site: Any) -> None:
    junk = Unframed(Junk(b"x", 1, "outside-frame"), Peer("gam", "mllp"), "2026-03-01T08:00:00.000Z")
    site.storage.failures = [("begin", StoreFull("disk full"))]

    [answer] = site.intake.process([junk])

    assert (answer.payload, answer.durable) == (b"", False)
