"""Wrong secrets: a few may be given, then the name waits, longer and longer."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from insigne.access import AccessDenied, Denial, Role
from insigne.access.attempts import Failures, key_of, one_more, waits_until
from insigne.access.settings import AccessSettings
from insigne.access.users import User, log_in

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
RULES = AccessSettings(attempts=3, first_seconds=10, limit_seconds=60)
CLAIRE = User(id="U1", name="claire", roles=frozenset({Role.ACCUEIL}), secret_hash="le bon", created=NOW)


class Site:
    """Users and failures in memory; secrets in clear, and how often one was looked at."""

    def __init__(self, *users):
        self.users = {user.name: user for user in users}
        self.kept, self.told, self.looked, self.now = {}, [], 0, NOW

    def get(self, name):
        return self.users.get(name)

    def failures(self, key):
        return self.kept.get(key)

    def failed(self, key, at, name):
        self.kept[key] = one_more(self.kept.get(key), at)
        self.told.append(name)

    def succeeded(self, key):
        del self.kept[key]

    def verify(self, expected, secret):
        self.looked += 1
        return expected == secret

    def enter(self, secret="le bon", name="claire"):
        try:
            return log_in(name, secret, self, self, RULES, self.now, self.verify).name
        except AccessDenied as denied:
            return denied.reason


@pytest.mark.parametrize("name", ["claire", "Claire", "personne"])
def test_after_a_few_failures_no_secret_is_looked_at_for_a_while_whoever_has_the_name(name):
    site = Site(CLAIRE)
    assert [site.enter("faux", name) for _ in range(5)] == [Denial.CREDENTIALS] * 3 + [Denial.WAIT] * 2
    assert site.looked == 3
    assert site.enter("le bon", name) is Denial.WAIT
    site.now += timedelta(seconds=10)
    assert site.enter("faux", name) is Denial.CREDENTIALS
    site.now += timedelta(seconds=19)
    assert site.enter("le bon", name) is Denial.WAIT


@pytest.mark.parametrize("secret", ["le bon", "faux"])
def test_of_secrets_tried_at_the_same_time_those_too_many_learn_nothing(secret):
    site = Site(CLAIRE)

    def meanwhile(expected, given):
        site.verify = type(site).verify.__get__(site)
        assert [site.enter("faux") for _ in range(3)] == [Denial.CREDENTIALS] * 3
        return expected == given

    site.verify = meanwhile
    assert site.enter(secret) is Denial.WAIT
    assert site.kept[key_of("claire")].count == (3 if secret == "le bon" else 4)


def test_the_right_secret_opens_once_the_wait_is_over_and_all_is_forgotten():
    site = Site(CLAIRE)
    for _ in range(3):
        site.enter("faux")
    site.now += timedelta(seconds=10)
    assert site.enter() == "claire"
    assert site.kept == {}
    assert site.enter("faux") is Denial.CREDENTIALS


def test_what_is_told_names_a_user_and_never_what_was_typed_in_their_place():
    site = Site(CLAIRE)
    site.enter("faux")
    site.enter("x", "trois petits chats")
    assert site.told == ["claire", ""]
    assert all("trois" not in key and "claire" not in key for key in site.kept)


def test_a_disabled_user_fails_as_any_other():
    site = Site(replace(CLAIRE, disabled=NOW))
    assert site.enter() is Denial.CREDENTIALS
    assert site.kept[key_of("claire")] == Failures(1, NOW)


def test_the_wait_doubles_up_to_its_limit_and_failures_of_days_before_count_no_more():
    seconds = [waits_until(Failures(count, NOW), RULES) for count in (2, 3, 4, 5, 6, 1000)]
    assert [None if one is None else (one - NOW).seconds for one in seconds] == [None, 10, 20, 40, 60, 60]
    assert one_more(Failures(7, NOW), NOW + timedelta(hours=20)).count == 8
    assert one_more(Failures(7, NOW), NOW + timedelta(hours=25)).count == 1
