"""From the tables of the first release to those of the second: nothing is lost, what follows is filled in."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, inspect, select, table

from insigne.registry import events as ev
from insigne.registry.values import Authority, Identifier, Ins
from insigne.store import SchemaTooOld, migrate, open_store, upgrade
from insigne.store.audit_verify import audit_verify
from insigne.store.queries import WorkFilter
from insigne.store.schema import metadata
from insigne.store.verify import verify

HOSPITAL = Authority("HOSPITAL", "1.2.250.1.999.1", "ISO")
INS = Ins("284022901900127", "1.2.250.1.213.1.4.8")
TO_COME = "2027-01-01T00:00:00.000Z"


@pytest.fixture
def lived(sqlite_hospital):
    """A base with some of everything the first release kept."""
    hospital = sqlite_hospital
    for name in ("A", "B", "C", "D"):
        hospital.admit(name, Identifier("PI", HOSPITAL, name))
    hospital.record(*(("identity", name, ev.InsRecorded(INS)) for name in ("A", "B", "D")))
    hospital.record(("identity", "B", ev.NationalAnswerAccepted("INSI", "C1", ())))
    hospital.record(("identity", "D", ev.InsContested(INS, contested=True)))
    hospital.record(
        ("work-item", "V", ev.WorkItemRaised("same-ins", "same-ins|A|D", ("A", "D"))),
        ("work-item", "W", ev.WorkItemRaised("overlay", "overlay|B", ("B",))),
        messages=[hospital.message(1), hospital.message(2)],
    )
    hospital.record(("work-item", "V", ev.WorkItemAssigned("", "claire")))
    hospital.record(("work-item", "W", ev.WorkItemClosed("kept")))
    return hospital.store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old_url(request, tmp_path, lived, sqlite_url):
    """What `lived` holds, in tables of revision 0001."""
    if request.param == "postgresql":
        url = request.getfixturevalue("new_postgres")()
    else:
        url = f"sqlite:///{tmp_path / 'old.db'}"
    source, target = migrate.engine_of(sqlite_url), migrate.engine_of(url)
    with source.connect() as old, target.begin() as new:
        config = Config(attributes={"connection": new})
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        command.upgrade(config, "0001")
        for name in set(inspect(new).get_table_names()) - {"alembic_version"}:
            present = [metadata.tables[name].c[found["name"]] for found in inspect(new).get_columns(name)]
            rows = [dict(row) for row in old.execute(select(*present)).mappings()]
            if rows:
                new.execute(insert(table(name, *(column(one.name, one.type) for one in present))), rows)
    source.dispose()
    target.dispose()
    return url


def test_a_base_of_the_first_release_asks_for_an_upgrade(old_url):
    with pytest.raises(SchemaTooOld, match="insigne db upgrade"):
        open_store(old_url)


def test_upgrading_keeps_everything_and_fills_what_follows(old_url, lived, opened):
    assert upgrade(old_url) == ("0001", "0002")
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
        assert [item.id for item in view.work_items(WorkFilter(subject="D"))] == ["V"]
        assert [item.id for item in view.work_items(WorkFilter(assignee="claire"))] == ["V"]
    with store.begin() as transaction:
        assert transaction.due_jobs(TO_COME, 10) == []
        assert transaction.next_number("local") == 1
