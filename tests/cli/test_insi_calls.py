"""`insigne insi calls`: every call is traced; its answer is for who has the right."""

import json

import pytest


@pytest.fixture
def asked(desk):
    """An identity that INSi was asked about, and the call."""
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity, user="adele")
    [call] = desk.lines("insi", "calls")
    return identity, call


def test_a_call_tells_who_when_why_and_the_code_without_any_trait(desk, asked):
    identity, call = asked
    assert (call["author"], call["identity"], call["operation"], call["code"]) == (
        "user:adele",
        identity,
        "search",
        "00",
    )
    assert call["why"]
    assert "criteria" not in call
    assert "raw" not in call
    assert "ADRUN" not in desk.run("insi", "calls").out


def test_calls_are_filtered(desk, asked):
    _, call = asked
    assert desk.lines("insi", "calls", "--identity", "INSIGNE|1", "--code", "00") == [call]
    assert desk.lines("insi", "calls", "--author", "user:claire") == []
    assert "no call" in desk.run("insi", "calls", "--code", "02").out


def test_the_answer_is_read_unchanged_by_who_has_the_right_and_that_is_audited(desk, asked, tmp_path):
    _, call = asked
    document, _ = desk.act("insi", "calls", "show", call["id"], "--raw", tmp_path / "answer.xml")
    assert document["criteria"]["birth_name"] == "ADRUN"
    assert "RESULTAT" in document["raw"]
    assert (tmp_path / "answer.xml").read_text() == document["raw"]
    assert desk.run("audit", "verify").status == 0


@pytest.mark.parametrize("user", ["adele", "quentin"])
def test_the_answer_is_refused_without_the_right(desk, asked, user):
    _, call = asked
    result = desk.run("insi", "calls", "show", call["id"], "--as", user, "--json")
    assert (result.status, result.out) == (2, "")
    assert "insi.trace" in result.err


def test_an_unknown_call_is_exit_1(desk):
    assert "no such call" in desk.act("insi", "calls", "show", "01JM", status=1)[1]


def test_a_search_made_by_hand_is_traced_too(desk):
    traits = ("--name", "ADRUN", "--given", "ZOE", "--sex", "F", "--birth-date", "1975-12-31")
    found = desk.run("insi", "search", *traits, "--reason", "essai du certificat", "--json")
    assert json.loads(found.out)["code"] == "00"
    [call] = desk.lines("insi", "calls")
    assert (call["why"], call["identity"], call["code"]) == ("essai du certificat", "", "00")
    assert call["author"].startswith("cli:")


def test_a_search_without_a_base_says_that_it_is_not_traced(desk, tmp_path):
    traits = ("--name", "ADRUN", "--given", "ZOE", "--sex", "F", "--birth-date", "1975-12-31")
    elsewhere = desk.run("--data", tmp_path / "elsewhere", "insi", "search", *traits, "--json")
    assert elsewhere.status == 0
    assert "no trace" in elsewhere.err
