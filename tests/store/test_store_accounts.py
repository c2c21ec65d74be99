"""Users and invitations in the base, SQLite and PostgreSQL alike."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from insigne.access import Denial, Role
from insigne.access.attempts import Failures, key_of
from insigne.access.invitations import Invitation
from insigne.access.users import User
from insigne.exchange.errors import StoreError
from insigne.store.accounts import StoredUsers
from insigne.store.audit_verify import audit_verify
from insigne.store.tokens import StoredTokens

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
CLAIRE = User(
    id="U1",
    name="claire",
    roles=frozenset({Role.QUALIFIEUR, Role.ADMINISTRATEUR}),
    secret_hash="$argon2id$claire",
    created=NOW,
)
NADIA = replace(CLAIRE, id="U2", name="nadia", roles=frozenset({Role.ACCUEIL}), created=NOW + timedelta(seconds=1))
INVITATION = Invitation(
    id="I1", token_hash="a" * 64, created=NOW, expires=NOW + timedelta(hours=1), author="user:claire", label="Maternité"
)


@pytest.fixture
def users(store):
    return StoredUsers(store, "cli:root")


def acts(store):
    with store.read() as view:
        return [(entry.author, entry.act, entry.object, entry.details) for _, entry in view.acts()]


def test_a_user_comes_back_as_added(users):
    assert users.add(CLAIRE)
    assert users.add(NADIA)
    assert users.get("claire") == CLAIRE
    assert users.get("nobody") is None
    assert users.list() == [CLAIRE, NADIA]


def test_a_name_is_given_once_even_after_its_user_was_disabled(users):
    users.add(CLAIRE)
    assert not users.add(replace(NADIA, name="claire"))
    users.disable("claire", NOW)
    assert not users.add(replace(NADIA, name="claire"))
    assert users.get("claire").id == "U1"


def test_two_users_written_at_once_under_one_name_are_refused_by_the_base(store):
    with store.begin() as transaction:
        transaction.put_user(CLAIRE)
        with pytest.raises(StoreError):
            transaction.put_user(replace(NADIA, name="claire"))
    with store.read() as view:
        assert view.users() == []


def test_disabling_keeps_the_first_moment(users):
    users.add(CLAIRE)
    assert users.disable("claire", NOW + timedelta(days=1))
    assert users.disable("claire", NOW + timedelta(days=2))
    assert users.get("claire").disabled == NOW + timedelta(days=1)
    assert not users.disable("nobody", NOW)


def test_changing_a_user_is_audited_without_the_secret(store, users):
    users.add(CLAIRE)
    later = NOW + timedelta(days=1)
    users.change(replace(CLAIRE, roles=frozenset({Role.ACCUEIL})), later)
    users.change(replace(CLAIRE, roles=frozenset({Role.ACCUEIL}), secret_hash="$argon2id$other"), later)
    assert users.get("claire").secret_hash == "$argon2id$other"
    assert acts(store)[1:] == [
        ("cli:root", "user-roles-set", "claire", {"before": "administrateur qualifieur", "roles": "accueil"}),
        ("cli:root", "user-secret-set", "claire", {}),
    ]
    with pytest.raises(LookupError):
        users.change(NADIA, later)


def test_failures_are_counted_audited_and_forgotten(store, users):
    users.add(CLAIRE)
    key = key_of("claire")
    for minutes in (1, 2):
        users.failed(key, NOW + timedelta(minutes=minutes), "claire")
    users.failed(key_of("un secret"), NOW + timedelta(minutes=3), "")
    assert users.failures(key) == Failures(2, NOW + timedelta(minutes=2))
    assert acts(store)[1:] == [
        ("cli:root", "login-failed", "claire", {"failures": "1"}),
        ("cli:root", "login-failed", "claire", {"failures": "2"}),
        ("cli:root", "login-failed", "-", {"failures": "1"}),
    ]
    users.succeeded(key)
    assert users.failures(key) is None
    users.failed(key, NOW, "claire")
    users.failed(key_of("other"), NOW + timedelta(days=2), "")
    assert users.failures(key) is None
    assert audit_verify(store).ok


def test_making_and_disabling_users_is_audited_without_their_secrets(store, users):
    users.add(CLAIRE)
    users.add(replace(NADIA, name="claire"))
    users.disable("claire", NOW)
    users.disable("claire", NOW)
    assert acts(store) == [
        ("cli:root", "user-created", "claire", {"id": "U1", "roles": "administrateur qualifieur"}),
        ("cli:root", "user-disabled", "claire", {}),
    ]
    assert audit_verify(store).ok


def test_an_invitation_is_found_by_the_hash_of_its_token(store):
    with store.begin() as transaction:
        transaction.put_invitation(INVITATION)
        assert transaction.invitation("a" * 64) == INVITATION
        transaction.commit()
    with store.read() as view:
        assert view.invitation("a" * 64) == INVITATION
        assert view.invitation("b" * 64) is None


def test_an_invitation_used_says_when_and_what_came_of_it(store):
    used = replace(INVITATION, attempts=2, used=NOW + timedelta(minutes=5), identity="A")
    for invitation in (INVITATION, used):
        with store.begin() as transaction:
            transaction.put_invitation(invitation)
            transaction.commit()
    with store.read() as view:
        assert view.invitation("a" * 64) == used


def test_invitations_are_listed_newest_first_by_page(store):
    with store.begin() as transaction:
        for number in (1, 2, 3):
            transaction.put_invitation(replace(INVITATION, id=f"I{number}", token_hash=str(number) * 64))
        transaction.commit()
    with store.read() as view:
        assert [invitation.id for invitation in view.invitations(limit=2)] == ["I3", "I2"]
        assert [invitation.id for invitation in view.invitations(limit=2, after="I2")] == ["I1"]


def test_tokens_refused_to_an_address_are_audited_once_a_minute_and_make_it_wait(store):
    tokens = StoredTokens(store, refusals_a_minute=2)
    waits = [tokens.refused("192.0.2.7", "3f9a0c1b2d4e5f60", Denial.REVOKED, NOW) for _ in range(3)]
    assert [wait > 0 for wait in waits] == [False, False, True]
    assert tokens.refused("2001:db8::1", "", Denial.UNKNOWN, NOW) == 0
    assert acts(store) == [
        ("system", "token-refused", "3f9a0c1b2d4e5f60", {"address": "192.0.2.7", "reason": "revoked"}),
        ("system", "token-refused", "-", {"address": "2001:db8::/64", "reason": "unknown"}),
    ]


def test_a_base_that_is_busy_does_not_keep_a_refused_token_from_its_answer(store, url, opened):
    other = opened(url)
    with other.begin(5.0):
        assert StoredTokens(store).refused("192.0.2.7", "", Denial.UNKNOWN, NOW) == 0
    assert acts(store) == []
