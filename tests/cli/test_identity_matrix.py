"""The 4 × 4 matrix of statuses and the 8 sets of attributes, by the command line: the same tables as by HTTP."""

import json

import pytest

from insigne.app.base import open_base
from insigne.config import load
from insigne.ins.status import Status

from ..status_matrix import (
    CARD,
    CASES,
    FORBIDDEN,
    SET_NAMES,
    SETS,
    SYMBOL,
    UNKNOWN_MATRICULE,
    at,
    consistent,
    held,
    user,
)
from .conftest import SECRET

PROVE = ("record-proof", "--type", "PA", "--expiry", "2099-01-01")
MOVES = {
    "document": PROVE,
    "accept": ("accept",),
    "refuse": ("refuse", "--reason", "autre personne"),
    "card": ("qualify-by-card", "card.json"),
    "scan": ("scan", SYMBOL),
    "ok": ("verify-ins",),
    "ko": ("verify-ins",),
    "edit": ("edit", "--birth-name", "ADRUNE", "--reason", "pièce relue"),
    "first name": ("edit", "--first-given", "ZOE", "--reason", "choisi"),
    "HOMA": ("set-attribute", "HOMA", "--reason", "jumelles"),
    "DOUT": ("set-attribute", "DOUT", "--reason", "usurpation"),
    "FICT": ("set-attribute", "FICT", "--reason", "test"),
    "retrieve": ("retrieve-ins",),
}


@pytest.fixture
def counter(desk, tmp_path, monkeypatch):
    """A desk whose base the test reads and sets up; `do` acts and tells the exit status."""
    base = open_base(load(None, [], {}, desk.folder), wait=5)
    with base.store.begin() as transaction:
        transaction.put_user(user("zelie", "identitovigilance", SECRET))
        transaction.commit()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "card.json").write_text(json.dumps(CARD))

    def do(act, identity):
        command, *options = MOVES[act]
        return desk.run("identity", command, identity, *options, "--as", "zelie", "--json")

    desk.base, desk.do = base, do
    yield desk
    base.close()


@pytest.mark.parametrize(("act", "source", "expected"), CASES)
def test_each_act_leads_by_command_where_the_table_says(counter, act, source, expected):
    number = {"matricule": UNKNOWN_MATRICULE} if act == "ko" else {}
    identity = at(counter.base, source, **number)
    if act in ("accept", "refuse"):
        assert counter.do("retrieve", identity).status == 0
    before = held(counter.base, identity)
    done = counter.do(act, identity)
    after = held(counter.base, identity)
    if expected is None:
        assert (done.status, after) == (1, before)
        assert done.err
        return
    assert done.status == (1 if act == "ko" else 0), done.err
    assert consistent(after, expected)
    assert after.history == before.history + (before.ins and not after.ins)


@pytest.mark.parametrize(("asked", "expected"), SETS.items(), ids=SET_NAMES)
@pytest.mark.parametrize("source", Status)
def test_the_eight_sets_of_attributes_by_command(counter, asked, expected, source):
    identity = at(counter.base, source)
    before = held(counter.base, identity)
    done = counter.run("identity", "set-attribute", identity, *asked, "--reason", "x", "--as", "zelie", "--json")
    after = held(counter.base, identity)
    if expected is None:
        assert (done.status, after) == (1 if asked else 2, before)
        return
    forced = bool(expected & {"DOUT", "FICT"})
    assert (done.status, after.attributes) == (0, expected)
    assert consistent(after, Status.PROV if forced else source)
    assert after.history == int(forced and before.ins)


@pytest.mark.parametrize("act", FORBIDDEN)
@pytest.mark.parametrize("attribute", ["DOUT", "FICT"])
def test_a_doubtful_or_fictitious_identity_stays_provisional_by_command(counter, act, attribute):
    identity = at(counter.base, Status.PROV, [attribute])
    before = held(counter.base, identity)
    done = counter.do(act, identity)
    assert done.status == 1
    assert "EXI ID 26" in done.err
    assert held(counter.base, identity) == before
