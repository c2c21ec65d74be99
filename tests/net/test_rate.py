"""How long a caller is made to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.net.rate import TokenBucket


def test_a_burst_goes_at_once_then_the_rate_holds():
    bucket = TokenBucket(rate=4, burst=3)
    assert [bucket.reserve(100.0) for _ in range(5)] == [0, 0, 0, 0.25, 0.5]


def test_waiting_callers_keep_their_turns():
    bucket = TokenBucket(rate=2)
    assert [bucket.reserve(0.0), bucket.reserve(0.25), bucket.reserve(0.5)] == [0, 0.25, 0.5]


def test_an_idle_time_gives_a_burst_back_and_no_more():
    bucket = TokenBucket(rate=1, burst=2)
    for _ in range(4):
        bucket.reserve(0.0)
    assert [bucket.reserve(1000.0) for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_lets_nothing_through_is_refused(rate, burst):
    with pytest.raises(ValueError, match="rate"):
        TokenBucket(rate, burst)


@given(st.lists(st.floats(0, 3), min_size=2, max_size=40), st.integers(1, 5))
def test_no_window_holds_more_calls_than_the_rate_and_a_burst(pauses, burst):
    bucket, now, times = TokenBucket(rate=2, burst=burst), 0.0, []
    for pause in pauses:
        now += pause
        times.append(now + bucket.reserve(now))
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= (times[last] - times[first]) * 2 + burst + 1e-6
