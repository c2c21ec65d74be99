"""Users and invitations in the base, SQLite and PostgreSQL alike."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from insigne.access import Role
from insigne.access.invitations import Invitation
from insigne.access.users import User
from insigne.exchange.errors import StoreError
from insigne.store.accounts import StoredUsers
from insigne.store.audit_verify import audit_verify

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
