"""A feed that turns a patient into another person, then says otherwise: nothing stale is offered, at no cost."""

from typing import Any

import pytest

from insigne.store import statements
from insigne.store.rebuild import rebuild
from insigne.store.sqlite import SqliteSession
from insigne.store.verify import verify

TWO_TRAITS = {"name": "DURAND^PAUL^PAUL^^^^L", "sex": "M"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that the base was asked."""
    texts: list[str] = []
    query = SqliteSession.query

    def asking(session: Any, sql: str, parameters: Any = ()) -> Any:
        texts.append(sql)
        return query(session, sql, parameters)

    monkeypatch.setattr(SqliteSession, "query", asking)
    return texts


def test_a_feed_that_says_the_old_traits_again_leaves_nothing_to_apply(hospital: Any, write: Any) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A31", write.pi("1"), **TWO_TRAITS)
    assert b"DURAND" in bytes(hospital.tasks()[0].held)

    reply = hospital.moves("A01", write.pi("1"), "M1")

    [item] = hospital.tasks()
    assert (reply.code, item.superseded, bytes(item.held)) == ("AA", True, b"null")
    assert "overlay-superseded" in hospital.findings()
    before = hospital.snapshot()
    rebuild(hospital.store, "claire")
    assert [row for row in before if row not in hospital.snapshot()] == []
    assert verify(hospital.store).document()["problems"] == []


def test_ordinary_messages_do_not_ask_the_base_for_open_work(hospital: Any, write: Any, asked: list[str]) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A31", write.pi("1"), name="MARTINE^ALICE^ALICE MARIE^^^^L")
    hospital.moves("A01", write.pi("1"), "M1", name="MARTINE^ALICE^ALICE MARIE^^^^L")
    assert asked
    assert statements.OPEN_WORK_ITEM not in asked


def test_the_first_message_after_a_start_does_not_either(hospital: Any, write: Any, asked: list[str]) -> None:
    hospital.says("A28", write.pi("1"))
    hospital.says("A28", write.pi("2"))
    hospital.says("A31", write.pi("2"), **TWO_TRAITS)
    hospital.store.forget()
    asked.clear()

    hospital.says("A31", write.pi("1"))
    hospital.says("A31", write.pi("2"))

    assert [item.superseded for item in hospital.tasks()] == [True]
    assert statements.OPEN_WORK_ITEM not in asked
