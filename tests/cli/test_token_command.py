"""`insigne token`."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from insigne.access import AccessDenied, Scope, authenticate, authorise
from insigne.store import open_store
from insigne.store.tokens import StoredTokens


def made(insigne, site, *options):
    status, out, err = insigne("--data", site.folder, "token", "create", *options, "--json")
    assert status == 0, err
    return json.loads(out)


def listed(insigne, site):
    return [json.loads(line) for line in insigne("--data", site.folder, "token", "list", "--json").out.splitlines()]


def kept(site, text):
    store = open_store(site.url)
    try:
        return authenticate(text, StoredTokens(store))
    finally:
        store.close()


def test_a_token_that_was_made_opens_what_its_scopes_say(insigne, site):
    document = made(insigne, site, "--scope", "fhir.read", "--scope", "api.read", "--name", "portail")
    token = kept(site, document["token"])
    authorise(token, Scope.FHIR_READ, datetime.now(UTC))
    with pytest.raises(AccessDenied):
        authorise(token, Scope.ADMIN, datetime.now(UTC))
    assert (document["name"], document["scopes"], document["expires"]) == ("portail", ["api.read", "fhir.read"], None)


def test_the_secret_is_told_once(insigne, site):
    document = made(insigne, site, "--scope", "admin")
    out = insigne("--data", site.folder, "token", "list").out
    assert document["id"] in out
    assert document["token"] not in out
    assert document["token"].rpartition("_")[2] not in json.dumps(listed(insigne, site))


def test_without_json_the_secret_is_alone_on_stdout(insigne, site):
    _, out, err = insigne("--data", site.folder, "token", "create", "--scope", "fhir.read")
    assert kept(site, out.strip()).scopes == {Scope.FHIR_READ}
    assert "only time" in err


def test_the_first_token_makes_the_base(insigne, tmp_path):
    assert insigne("--data", tmp_path / "new", "token", "create", "--scope", "admin").status == 0


@pytest.mark.parametrize("text", ["90d", (datetime.now(UTC) + timedelta(days=89)).strftime("%Y-%m-%d")])
def test_a_token_may_end(insigne, site, text):
    document = made(insigne, site, "--scope", "fhir.read", "--expires", text)
    left = datetime.fromisoformat(document["expires"]) - datetime.now(UTC)
    assert timedelta(days=88) < left < timedelta(days=91)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--scope", "fhir.write"],
        ["--scope", "admin", "--expires", "soon"],
        ["--scope", "admin", "--expires", "2020-01-01"],
        ["--scope", "admin", "--expires", "2099-01-01T10:00:00"],
    ],
)
def test_a_wrong_token_is_exit_2(insigne, site, options):
    assert insigne("--data", site.folder, "token", "create", *options).status == 2
    assert listed(insigne, site) == []


def test_a_revoked_token_opens_nothing(insigne, site):
    first, second = (made(insigne, site, "--scope", "admin") for _ in range(2))
    assert insigne("--data", site.folder, "token", "revoke", first["id"]).status == 0
    assert insigne("--data", site.folder, "token", "revoke", second["token"]).status == 0
    assert [line["state"] for line in listed(insigne, site)] == ["revoked", "revoked"]
    with pytest.raises(AccessDenied):
        authorise(kept(site, first["token"]), Scope.ADMIN, datetime.now(UTC))


def test_revoking_an_unknown_token_is_exit_1(insigne, site):
    assert insigne("--data", site.folder, "token", "revoke", "0000000000000000").status == 1
