"""What the server does by itself: copies erased in time, the periodic verification started once, at its pace."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from insigne.access.document_copy import DocumentCopy
from insigne.app.base import open_base
from insigne.app.housekeeping import Housekeeper
from insigne.config import load
from insigne.exchange.errors import StoreBusy
from insigne.registry.acts import AcceptIns, CreateIdentity, NationalAnswer, PriorSearch
from insigne.registry.commands import DetailsAssertion, TraitsAssertion
from insigne.registry.source import Source
from insigne.registry.values import Authority, Identifier, Ins, Traits
from insigne.store import upgrade

VERIFYING = ("insi.endpoint=http://127.0.0.1:1/lps", "insi.verification.adapter=simulation")
THEN = "2022-03-01T08:00:00.000Z"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    """`house(setting, …)` opens a base where 3 people got their INS four years ago; returns it with its keeper."""
    upgrade(f"sqlite:///{tmp_path / 'insigne.db'}")
    bases = []

    def opening(*settings):
        bases.append(open_base(load(None, settings, {}, tmp_path), wait=5))
        return bases[-1], Housekeeper(bases[-1])

    base, _ = opening()
    source = Source(THEN, "user:alice", "user", "alice", local=True)
    for number in ("1", "2", "3"):
        traits = TraitsAssertion("MARTIN", "ALICE", "ALICE", "19800214", "F", "69123")
        search = PriorSearch((("birth_date", "1980-02-14"),), ())
        act = CreateIdentity(Identifier("PI", Authority("INSIGNE"), number), traits, DetailsAssertion(), search)
        identity = base.registrar.act(act, source).subject
        ins = Ins(f"28002691234{int(number):04d}", "1.2.250.1.213.1.4.8")
        national = Traits("MARTIN", "", "ALICE", "19800214", "F", "69123")
        base.registrar.act(AcceptIns(identity, 0, NationalAnswer(ins, national)), source)
    yield opening
    for one in bases:
        one.close()


def campaigns(base):
    with base.store.read() as view:
        return view.campaigns()


def test_the_periodic_verification_starts_once_at_a_pace_that_fills_its_nights(house):
    base, keeper = house(*VERIFYING)
    for hour in range(3):
        keeper.keep(NOW + timedelta(hours=hour))
    [started] = campaigns(base)
    assert (started.name, started.author, started.total) == ("revérification périodique", "insigne", 3)
    assert (started.from_hour, started.to_hour, started.per_minute) == (22, 6, 1)
    assert THEN < started.older_than < "2023-03-02"
    with base.store.read() as view:
        assert [entry.act for _, entry in view.acts()] == ["insi-campaign-started"]


def test_a_night_has_the_pace_that_its_share_needs(house):
    settings = ("insi.verification.periodic.nights=1", "insi.verification.periodic.from_hour=2")
    base, keeper = house(*VERIFYING, *settings, "insi.verification.periodic.to_hour=2")
    keeper.keep(NOW)
    [started] = campaigns(base)
    assert started.per_minute == 1  # 3 people over a whole day


@pytest.mark.parametrize("state", ["paused", "cancelled", "done"])
def test_what_a_person_paused_or_cancelled_is_not_started_again_at_once(house, state):
    base, keeper = house(*VERIFYING)
    keeper.keep(NOW)
    [started] = campaigns(base)
    with base.store.begin() as transaction:
        transaction.put_campaign(type(started)(**{**fields(started), "state": state}))
        transaction.commit()
    keeper.keep(NOW + timedelta(days=29))
    assert len(campaigns(base)) == 1
    keeper.keep(NOW + timedelta(days=31))
    assert len(campaigns(base)) == (1 if state == "paused" else 2)


def fields(campaign):
    return {name: getattr(campaign, name) for name in campaign.__struct_fields__}


@pytest.mark.parametrize(
    "settings",
    [
        (),
        VERIFYING[:1],
        (*VERIFYING, "insi.verification.periodic.enabled=false"),
        (*VERIFYING, "insi.verification.period_years=5"),
        (*VERIFYING, 'roles=["consumer"]'),
    ],
)
def test_nothing_starts_where_nothing_verifies_nothing_is_old_or_the_site_says_so(house, settings):
    base, keeper = house(*settings)
    keeper.keep(NOW)
    assert campaigns(base) == []


def put_copies(base):
    """Two copies, kept until 1 and 2 March."""
    with base.store.begin() as transaction:
        for number, day in (("1", 1), ("2", 2)):
            transaction.put_copy(
                DocumentCopy(
                    id=number,
                    identity="P",
                    document="CN",
                    media="image/png",
                    author="user:alice",
                    created=NOW - timedelta(days=1826),
                    expires=datetime(2026, 3, day, tzinfo=UTC),
                    vault="k",
                    content=b"x",
                )
            )
        transaction.commit()


def test_copies_are_erased_on_the_day_and_the_audit_trail_tells_it(house):
    base, keeper = house()
    put_copies(base)
    keeper.keep(NOW)
    with base.store.read() as view:
        assert [copy.content for copy in view.copies_of("P")] == [None, b"x"]
        [(_, entry)] = view.acts()
    assert (entry.act, entry.author, entry.details["copies"]) == ("copies-erased", "insigne", "1")


def test_what_is_due_is_done_soon_after_a_moment_when_others_wrote(house, monkeypatch):
    base, keeper = house()
    put_copies(base)
    busy, done, keep = threading.Event(), threading.Event(), keeper.keep

    def keeping(_):
        try:
            keep(NOW)
            done.set()
        except StoreBusy:
            busy.set()
            raise

    monkeypatch.setattr(keeper, "keep", keeping)
    with base.store.begin():
        keeper.start()
        assert busy.wait(20)
    try:
        assert done.wait(20)
    finally:
        keeper.stop()
    with base.store.read() as view:
        assert [copy.content for copy in view.copies_of("P")] == [None, b"x"]
