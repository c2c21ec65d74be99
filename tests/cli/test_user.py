"""`insigne user`, and `--as USER`."""

import io
import json
from types import SimpleNamespace

import pytest

from insigne.access import Right
from insigne.cli.acting import acting
from insigne.cli.common import CommandError
from insigne.config import Config
from insigne.store import open_store

CHOSEN = "un secret bien long"


@pytest.fixture
def add(insigne, site):
    def run(name, *roles):
        options = [part for role in roles for part in ("--role", role)]
        status, out, err = insigne("--data", site.folder, "user", "add", name, *options, "--json")
        assert status == 0, err
        return json.loads(out)

    return run


@pytest.fixture
def act(site, monkeypatch):
    """Acts as a user; what was refused, or the user."""

    def run(name, secret, right, *, as_json=False):
        monkeypatch.setenv("INSIGNE_SECRET", secret)
        store = open_store(site.url)
        try:
            return acting(SimpleNamespace(json=as_json, config=Config()), store, name, right)
        except CommandError as refused:
            return f"exit {refused.exit_code}: {refused}"
        finally:
            store.close()

    return run


def listed(insigne, site):
    return [json.loads(line) for line in insigne("--data", site.folder, "user", "list", "--json").out.splitlines()]


def test_a_user_acts_with_the_secret_that_was_printed_once(insigne, site, add, act):
    document = add("Claire.Dupont", "qualifieur")
    assert (document["name"], document["roles"], document["state"]) == ("claire.dupont", ["qualifieur"], "active")
    assert act("claire.dupont", document["secret"], Right.IDENTITY_QUALIFY).author == "user:claire.dupont"
    shown = insigne("--data", site.folder, "user", "list").out + json.dumps(listed(insigne, site))
    assert "claire.dupont" in shown
    assert document["secret"] not in shown
    assert "argon2" not in shown


def test_without_json_the_secret_is_alone_on_stdout(insigne, site, act):
    status, out, err = insigne("--data", site.folder, "user", "add", "claire", "--role", "accueil")
    assert status == 0
    assert act("claire", out.strip(), Right.IDENTITY_CREATE).name == "claire"
    assert "only time" in err


def test_a_secret_may_come_from_the_environment(site, add, act, monkeypatch):
    monkeypatch.setenv("INSIGNE_SECRET", CHOSEN)
    assert add("claire", "accueil")["secret"] == CHOSEN
    assert act("claire", CHOSEN, Right.INSI_CALL).name == "claire"


def test_a_secret_is_asked_for_on_demand(insigne, site, act, monkeypatch):
    monkeypatch.setattr("typer.prompt", lambda *_, **__: CHOSEN)
    status, out, _ = insigne("--data", site.folder, "user", "add", "claire", "--role", "accueil", "--prompt")
    assert (status, out) == (0, "claire added\n")
    assert act("claire", CHOSEN, Right.INSI_CALL).name == "claire"


def test_the_first_user_makes_the_base(insigne, tmp_path):
    assert insigne("--data", tmp_path / "new", "user", "add", "claire", "--role", "administrateur").status == 0


@pytest.mark.parametrize(
    "options",
    [
        ["claire"],
        ["claire", "--role", "directrice"],
        ["claire dupont", "--role", "accueil"],
        ["hélène", "--role", "accueil"],
    ],
)
def test_a_wrong_user_is_exit_2(insigne, site, options):
    assert insigne("--data", site.folder, "user", "add", *options).status == 2
    assert listed(insigne, site) == []


def test_a_secret_too_short_is_exit_2(insigne, site, monkeypatch):
    monkeypatch.setenv("INSIGNE_SECRET", "short")
    status, out, err = insigne("--data", site.folder, "user", "add", "claire", "--role", "accueil")
    assert (status, out) == (2, "")
    assert "12 to 256" in err


def test_a_name_is_given_once(insigne, site, add):
    add("claire", "accueil")
    status, _, err = insigne("--data", site.folder, "user", "add", "CLAIRE", "--role", "administrateur")
    assert status == 2
    assert "taken" in err
    assert [user["roles"] for user in listed(insigne, site)] == [["accueil"]]


def test_a_disabled_user_acts_no_more(insigne, site, add, act):
    secret = add("claire", "accueil")["secret"]
    assert insigne("--data", site.folder, "user", "disable", "claire").status == 0
    assert [user["state"] for user in listed(insigne, site)] == ["disabled"]
    assert act("claire", secret, Right.INSI_CALL).startswith("exit 2: --as: no active user")


def test_disabling_an_unknown_user_is_exit_1(insigne, site):
    assert insigne("--data", site.folder, "user", "disable", "nadia").status == 1


def test_a_wrong_name_and_a_wrong_secret_are_refused_in_the_same_words(add, act):
    secret = add("claire", "accueil")["secret"]
    wrong_secret = act("claire", "not her secret", Right.INSI_CALL)
    assert wrong_secret == act("nadia", secret, Right.INSI_CALL)
    assert wrong_secret.startswith("exit 2")


def test_a_right_that_lacks_is_named(add, act):
    secret = add("claire", "accueil")["secret"]
    assert "identity.merge" in act("claire", secret, Right.IDENTITY_MERGE)


def test_without_a_name_or_a_secret_the_remedy_is_told(add, act, monkeypatch):
    secret = add("claire", "accueil")["secret"]
    assert "--as USER" in act("", secret, Right.INSI_CALL)
    assert "INSIGNE_SECRET" in act("claire", "", Right.INSI_CALL, as_json=True)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "INSIGNE_SECRET" in act("claire", "", Right.INSI_CALL)


def test_roles_show_their_rights(insigne):
    lines = [json.loads(line) for line in insigne("user", "roles", "--json").out.splitlines()]
    rights = {line["role"]: line["rights"] for line in lines}
    assert "identity.merge" in rights["identitovigilance"]
    assert "identity.merge" not in rights["accueil"]
    assert "admin" in insigne("user", "roles").out


def test_wrong_secrets_make_a_name_wait_and_another_secret_ends_the_wait(insigne, site, add, act, monkeypatch):
    secret = add("claire", "accueil")["secret"]
    refused = [act("claire", "not her secret", Right.INSI_CALL) for _ in range(6)]
    assert ["no active user" in one for one in refused] == [True] * 5 + [False]
    assert "wait a while" in act("claire", secret, Right.INSI_CALL)
    monkeypatch.delenv("INSIGNE_SECRET")
    status, out, _ = insigne("--data", site.folder, "user", "set-secret", "claire", "--json")
    assert status == 0
    assert act("claire", json.loads(out)["secret"], Right.INSI_CALL).name == "claire"
    assert act("claire", secret, Right.INSI_CALL).startswith("exit 2: --as: no active user")


def test_a_new_secret_is_alone_on_stdout_and_not_too_short(insigne, site, add, act, monkeypatch):
    add("claire", "accueil")
    status, out, err = insigne("--data", site.folder, "user", "set-secret", "Claire")
    assert (status, act("claire", out.strip(), Right.INSI_CALL).name) == (0, "claire")
    assert "only time" in err
    monkeypatch.setenv("INSIGNE_SECRET", "short")
    assert insigne("--data", site.folder, "user", "set-secret", "claire").status == 2


def test_roles_are_set_to_exactly_those_given(insigne, site, add, act):
    secret = add("claire", "accueil", "administrateur")["secret"]
    status, out, _ = insigne("--data", site.folder, "user", "set-roles", "claire", "--role", "identitovigilance")
    assert (status, out) == (0, "claire: identitovigilance\n")
    assert act("claire", secret, Right.IDENTITY_MERGE).name == "claire"
    assert "admin" in act("claire", secret, Right.ADMIN)
    assert insigne("--data", site.folder, "user", "set-roles", "claire", "--role", "directrice").status == 2


@pytest.mark.parametrize("command", [["set-secret"], ["set-roles", "--role", "accueil"]])
def test_nobody_and_who_is_disabled_are_not_changed(insigne, site, add, command):
    add("claire", "accueil")
    insigne("--data", site.folder, "user", "disable", "claire")
    for name in ("claire", "nadia"):
        assert insigne("--data", site.folder, "user", *command, name).status == 1
