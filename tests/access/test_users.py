"""Users: names, secrets, rights."""

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher
from msgspec.structs import replace

from insigne.access import AccessDenied, Denial, Right, Role
from insigne.access.rights import GRANTS, MEANINGS
from insigne.access.users import (
    LANES,
    MEMORY_KIB,
    NOBODY,
    PASSES,
    User,
    authenticate_user,
    authorise_user,
    generate_secret,
    hash_secret,
    user_name,
    verify_secret,
)

SECRET = "trois petits chats"
NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


class Users:
    """Users in memory."""

    def __init__(self, *users):
        self._users = {user.name: user for user in users}

    def get(self, name):
        return self._users.get(name)


class Checks:
    """Compares secrets in clear, and counts how often it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, secret_hash, secret):
        self.asked.append(secret_hash)
        return secret_hash == secret


def claire(*roles, **fields):
    user = User(id="U1", name="claire", roles=frozenset(roles or {Role.ACCUEIL}), secret_hash=SECRET, created=NOW)
    return replace(user, **fields)


def denied(name, secret, *users, verify=None):
    with pytest.raises(AccessDenied) as refusal:
        authenticate_user(name, secret, Users(*users), verify or Checks())
    return refusal.value


def test_a_secret_is_verified_against_its_hash_only():
    kept = hash_secret(SECRET, bytes(16))
    assert kept.startswith("$argon2id$")
    assert SECRET not in kept
    assert verify_secret(kept, SECRET)
    assert not verify_secret(kept, SECRET + " ")
    assert not verify_secret("not a hash", SECRET)


def test_the_same_secret_with_another_salt_has_another_hash():
    assert hash_secret(SECRET, bytes(16)) != hash_secret(SECRET, bytes(15) + b"1")


@pytest.mark.parametrize("secret", ["", "elevensigns", "x" * 257])
def test_a_secret_too_short_or_too_long_is_refused(secret):
    with pytest.raises(ValueError, match="12 to 256"):
        hash_secret(secret, bytes(16))


def test_a_secret_made_here_may_be_kept():
    secret = generate_secret(bytes(range(18)))
    assert verify_secret(hash_secret(secret, bytes(16)), secret)


def test_the_right_name_and_secret_give_the_user_whatever_the_case_of_the_name():
    user = claire()
    assert authenticate_user("claire", SECRET, Users(user), Checks()) == user
    assert authenticate_user("Claire", SECRET, Users(user), Checks()) == user


@pytest.mark.parametrize(
    ("name", "secret", "user"),
    [
        ("claire", "another secret", claire()),
        ("nadia", SECRET, claire()),
        ("", SECRET, claire()),
        ("claire", SECRET, claire(disabled=NOW)),
        ("claire", "x" * 10_000, claire()),
        ("n" * 10_000, SECRET, claire()),
    ],
)
def test_a_refusal_says_and_costs_the_same_whatever_is_wrong(name, secret, user):
    checks = Checks()
    refusal = denied(name, secret, user, verify=checks)
    assert refusal.reason is Denial.CREDENTIALS
    assert str(refusal) == str(denied("claire", "wrong", claire()))
    assert len(checks.asked) == 1


def test_an_unknown_name_costs_what_a_known_one_costs():
    assert not PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES).check_needs_rehash(NOBODY)
    checks = Checks()
    denied("nadia", SECRET, verify=checks)
    assert checks.asked == [NOBODY]


def test_what_no_role_grants_is_refused_with_the_right_named():
    authorise_user(claire(Role.ACCUEIL), Right.IDENTITY_CREATE)
    with pytest.raises(AccessDenied, match=r"identity\.merge") as refusal:
        authorise_user(claire(Role.ACCUEIL), Right.IDENTITY_MERGE)
    assert (refusal.value.reason, refusal.value.required) == (Denial.RIGHT, Right.IDENTITY_MERGE)


def test_roles_add_up():
    both = claire(Role.ACCUEIL, Role.ADMINISTRATEUR)
    authorise_user(both, Right.IDENTITY_CREATE)
    authorise_user(both, Right.ADMIN)


def test_somebody_without_a_role_may_do_nothing():
    nobody = replace(claire(), roles=frozenset())
    assert nobody.rights == frozenset()


def test_who_runs_the_machine_neither_reads_nor_changes_identities():
    technical = GRANTS[Role.ADMINISTRATEUR]
    assert not {right for right in technical if right.startswith(("identity.", "insi."))}
    assert Right.ADMIN in technical
    assert not {role for role in Role if Right.ADMIN in GRANTS[role]} - {Role.ADMINISTRATEUR}


def test_the_raw_answers_of_insi_merges_and_attributes_are_for_identitovigilance_alone():
    for right in (Right.INSI_TRACE, Right.IDENTITY_MERGE, Right.IDENTITY_ATTRIBUTE):
        assert {role for role in Role if right in GRANTS[role]} == {Role.IDENTITOVIGILANCE}


def test_each_right_is_explained_and_granted_by_some_role():
    assert set(MEANINGS) == set(Right)
    assert frozenset().union(*GRANTS.values()) == set(Right)


@pytest.mark.parametrize("name", ["claire", "Claire.Dupont", "c.dupont@chu.example", "agent-07", "7"])
def test_a_name_is_kept_in_small_letters(name):
    assert user_name(name) == name.lower()


@pytest.mark.parametrize("name", ["", " claire", "claire dupont", "-claire", "hélène", "a" * 65, "claire\n"])
def test_another_name_is_refused(name):
    with pytest.raises(ValueError, match=r"claire\.dupont"):
        user_name(name)


def test_what_a_user_does_is_told_from_what_a_sender_of_that_name_does():
    assert claire().author == "user:claire"
