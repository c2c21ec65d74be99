"""Bearer tokens and their scopes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.access import (
    AccessDenied,
    Denial,
    Scope,
    Token,
    authenticate,
    authorise,
    generate_token,
    issue,
    token_id,
)

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
RANDOM = bytes(range(40))


class Shelf:
    """Tokens in a dictionary."""

    def __init__(self, *tokens: Token) -> None:
        self.tokens = {token.id: token for token in tokens}

    def get(self, identifier: str) -> Token | None:
        return self.tokens.get(identifier)


def make(*scopes: Scope, **changes: object) -> tuple[str, Token]:
    return issue("laboratory", scopes or [Scope.FHIR_READ], random_bytes=RANDOM, now=NOW, **changes)


@given(st.binary(min_size=40, max_size=40))
def test_an_issued_token_is_recognised_whatever_its_random_bytes(random_bytes):
    text, token = issue("any", [Scope.API_READ], random_bytes=random_bytes, now=NOW)
    assert token_id(text) == token.id
    assert authenticate(text, Shelf(token)) == token


def test_what_is_stored_does_not_contain_the_secret():
    text, token = make()
    secret = text.removeprefix(f"insigne_{token.id}_")
    assert len(secret) == 43
    assert secret not in repr(token)


def test_the_stored_hash_is_the_one_generated_with_the_text():
    text, stored = generate_token(RANDOM)
    assert make() == (text, make()[1])
    assert make()[1].stored_hash == stored


def test_another_secret_under_a_known_id_is_refused():
    text, token = make()
    other, _ = issue("other", [Scope.ADMIN], random_bytes=RANDOM[:8] + bytes(32), now=NOW)
    assert token_id(other) == token_id(text)
    with pytest.raises(AccessDenied) as denied:
        authenticate(other, Shelf(token))
    assert denied.value.reason is Denial.UNKNOWN


def test_a_token_that_is_not_stored_is_refused():
    text, _ = make()
    with pytest.raises(AccessDenied) as denied:
        authenticate(text, Shelf())
    assert denied.value.reason is Denial.UNKNOWN


@pytest.mark.parametrize("text", ["", "insigne_", "Bearer x", "insigne_0001020304050607_é" + "a" * 42, "x" * 10_000])
def test_a_text_that_is_no_token_is_refused_as_unknown(text):
    with pytest.raises(AccessDenied) as denied:
        authenticate(text, Shelf())
    assert denied.value.reason is Denial.UNKNOWN


def test_a_token_with_a_line_end_after_it_is_refused():
    text, token = make()
    with pytest.raises(AccessDenied):
        authenticate(text + "\n", Shelf(token))


@pytest.mark.parametrize("granted", list(Scope))
@pytest.mark.parametrize("required", list(Scope))
def test_a_scope_grants_itself_and_nothing_else(granted, required):
    _, token = make(granted)
    if granted is required:
        authorise(token, required, NOW)
        return
    with pytest.raises(AccessDenied, match=str(required)) as denied:
        authorise(token, required, NOW)
    assert denied.value.reason is Denial.SCOPE


def test_a_token_stops_at_the_moment_it_expires():
    _, token = make(expires=NOW + timedelta(hours=1))
    authorise(token, Scope.FHIR_READ, NOW + timedelta(minutes=59, seconds=59))
    with pytest.raises(AccessDenied) as denied:
        authorise(token, Scope.FHIR_READ, NOW + timedelta(hours=1))
    assert denied.value.reason is Denial.EXPIRED


def test_a_revoked_token_gives_no_access():
    _, token = make()
    revoked = Token(
        id=token.id,
        name=token.name,
        scopes=token.scopes,
        stored_hash=token.stored_hash,
        created=token.created,
        revoked=NOW,
    )
    with pytest.raises(AccessDenied) as denied:
        authorise(revoked, Scope.FHIR_READ, NOW)
    assert denied.value.reason is Denial.REVOKED


def test_a_token_without_scope_cannot_be_made():
    with pytest.raises(ValueError, match="at least one"):
        issue("useless", [], random_bytes=RANDOM, now=NOW)


def test_too_little_randomness_is_refused():
    with pytest.raises(ValueError, match="40 random bytes"):
        generate_token(b"short")
