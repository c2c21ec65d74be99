"""An outage, from its start to its end; time is a number the tests choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.net.backoff import Backoff
from insigne.net.breaker import BreakerRule, BreakerState, Change, CircuitBreaker, Evidence

RULE = BreakerRule(down=3, ailing_share=0.8, subjects=5, window=100, probe=Backoff(10, 40, jitter=0), probe_seconds=60)


@pytest.fixture
def breaker():
    return CircuitBreaker(RULE)


def feed(breaker, *told, now=0.0):
    return [breaker.record(evidence, subject, now) for evidence, subject in told]


def down(*subjects):
    return [(Evidence.DOWN, subject) for subject in subjects]


def ailing(*subjects):
    return [(Evidence.AILING, subject) for subject in subjects]


def alive(*subjects):
    return [(Evidence.ALIVE, subject) for subject in subjects]


def test_calls_without_any_answer_in_a_row_open_it_and_are_announced_once(breaker):
    assert feed(breaker, *down("a", "a", "a", "a")) == [None, None, Change.OPENED, None]
    assert breaker.state(5) is BreakerState.OPEN
    assert breaker.open_since() == 0
    assert not breaker.allows(5)


def test_one_answer_in_between_shows_that_the_service_is_there(breaker):
    feed(breaker, *down("a", "b"), *alive("c"), *down("a", "b"), *ailing("d"), *down("a", "b"))
    assert breaker.state(0) is BreakerState.CLOSED


def test_one_patient_whose_scheme_does_not_answer_is_no_outage_however_often(breaker):
    feed(breaker, *ailing(*["a"] * 50))
    assert breaker.allows(0)


def test_technical_faults_of_most_patients_are_an_outage(breaker):
    assert feed(breaker, *alive("a"), *ailing("b", "c", "d"))[-1] is None
    assert feed(breaker, *ailing("e"))[-1] is Change.OPENED  # 4 of 5: the share of the rule


def test_technical_faults_of_some_patients_are_none(breaker):
    feed(breaker, *alive(*"abcdef"), *ailing(*"ghijkl"))
    assert breaker.state(0) is BreakerState.CLOSED


def test_a_patient_counts_for_the_last_answer_only(breaker):
    feed(breaker, *ailing(*"abcd"), *alive(*"abcd"), *ailing("e"))
    assert breaker.state(0) is BreakerState.CLOSED


def test_what_was_seen_long_ago_does_not_count(breaker):
    feed(breaker, *ailing(*"abcd"))
    assert feed(breaker, *ailing("e"), now=101) == [None]


def test_during_an_outage_one_call_at_a_time_is_let_through(breaker):
    feed(breaker, *down(*"abc"))
    assert breaker.wait(4) == 6
    assert breaker.state(10) is BreakerState.HALF_OPEN
    assert breaker.allows(10)
    assert not breaker.allows(11)


def test_a_call_that_works_ends_it_and_is_announced_once(breaker):
    feed(breaker, *down(*"abc"))
    assert breaker.allows(10)
    assert breaker.record(Evidence.ALIVE, "d", 11) is Change.CLOSED
    assert breaker.allows(11)
    assert breaker.record(Evidence.ALIVE, "e", 12) is None
    assert breaker.open_since() is None


def test_a_technical_fault_shows_that_a_silent_service_is_back(breaker):
    feed(breaker, *down(*"abc"))
    assert breaker.allows(10)
    assert breaker.record(Evidence.AILING, "d", 11) is Change.CLOSED


def test_a_technical_fault_does_not_end_an_outage_made_of_them(breaker):
    feed(breaker, *ailing(*"abcde"))
    assert breaker.allows(10)
    assert breaker.record(Evidence.AILING, "f", 11) is None
    assert not breaker.allows(11)
    assert breaker.allows(31)
    assert breaker.record(Evidence.ALIVE, "g", 31) is Change.CLOSED


def test_tries_that_fail_come_later_and_later_up_to_a_limit_without_being_announced(breaker):
    feed(breaker, *down(*"abc"))
    now, waits = 0.0, []
    for _ in range(5):
        waits.append(breaker.wait(now))
        now += breaker.wait(now)
        assert breaker.allows(now)
        assert breaker.record(Evidence.DOWN, "a", now) is None
    assert waits == [10, 20, 40, 40, 40]


def test_calls_already_on_their_way_do_not_put_the_first_try_off(breaker):
    feed(breaker, *down(*"abc"))
    feed(breaker, *down(*"defgh"), now=5)
    assert breaker.wait(5) == 5


def test_a_try_whose_outcome_is_never_told_is_given_up(breaker):
    feed(breaker, *down(*"abc"))
    assert breaker.allows(10)
    assert not breaker.allows(69)
    assert breaker.allows(70)


def test_a_try_for_which_there_was_nothing_to_ask_may_be_made_at_once_by_another(breaker):
    feed(breaker, *down(*"abc"))
    assert breaker.allows(10)
    breaker.forgo()
    assert breaker.allows(11)
    assert not breaker.allows(12)


def test_after_an_outage_counting_starts_again(breaker):
    feed(breaker, *ailing(*"abcde"))
    assert breaker.allows(10)
    assert breaker.record(Evidence.ALIVE, "f", 10) is Change.CLOSED
    assert feed(breaker, *ailing("g"), *down("a", "b"), now=11) == [None] * 3


def test_a_share_above_one_never_opens_it():
    breaker = CircuitBreaker(BreakerRule(ailing_share=1.01, subjects=2))
    assert feed(breaker, *ailing(*"abcdefghij")) == [None] * 10


@given(st.lists(st.tuples(st.sampled_from(list(Evidence)), st.sampled_from("abcdefg"), st.floats(0, 50)), max_size=60))
def test_starts_and_ends_of_outages_alternate_and_agree_with_the_state(told):
    breaker, now, announced = CircuitBreaker(RULE), 0.0, []
    for evidence, subject, after in told:
        now += after
        if breaker.allows(now):
            change = breaker.record(evidence, subject, now)
            announced += [change] if change else []
        assert (breaker.open_since() is not None) == bool(announced and announced[-1] is Change.OPENED)
    assert announced == [Change.OPENED, Change.CLOSED] * (len(announced) // 2) + [Change.OPENED] * (len(announced) % 2)
