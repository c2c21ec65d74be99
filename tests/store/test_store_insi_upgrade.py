"""From the tables of the first release to those of the second: nothing is lost, what follows is filled in."""

import pytest

from insigne.registry.index import replaced_ins_key
from insigne.registry.worklist_kinds import WorkFilter
from insigne.store import SchemaTooOld, open_store, upgrade
from insigne.store.audit_verify import audit_verify
from insigne.store.opening import REVISIONS
from insigne.store.verify import verify

TO_COME = "2027-01-01T00:00:00.000Z"


def test_a_base_of_the_first_release_asks_for_an_upgrade(old_url):
    with pytest.raises(SchemaTooOld, match="insigne db upgrade"):
        open_store(old_url)


def test_upgrading_keeps_everything_and_fills_what_follows(old_url, lived, opened):
    assert upgrade(old_url) == ("0001", REVISIONS[-1])
    store = opened(old_url)
    report = verify(store)
    assert report.problems == []
    assert report.checked["identity"] == 4
    assert report.checked["work_item_subject"] == 3
    assert audit_verify(store).ok
    with store.read() as view, lived.read() as before:
        assert view.installation() == before.installation()
        assert view.changes(0) == before.changes(0)
        assert list(view.messages()) == list(before.messages())
        assert view.identity("B") == before.identity("B")


def test_after_the_upgrade_what_was_there_is_found_by_the_new_questions(old_url, opened):
    upgrade(old_url)
    store = opened(old_url)
    with store.read() as view:
        obtained = view.identity("B").national.obtained
        assert view.to_verify("", TO_COME, 10) == ["A", "B"]
        assert view.to_verify("", obtained, 10) == ["A"]
        assert view.holders(replaced_ins_key("784022901900107")) == ("C",)
        assert [item.id for item in view.work_items(WorkFilter(subject="D"))] == ["V"]
        assert [item.id for item in view.work_items(WorkFilter(assignee="claire"))] == ["V"]
    with store.begin() as transaction:
        assert transaction.due_jobs(TO_COME, 10) == []
        assert transaction.next_number("local") == 1
