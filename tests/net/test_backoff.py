"""Delays between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.net.backoff import Backoff


def test_delays_double_up_to_the_limit():
    backoff = Backoff(first=0.5, limit=3.0)
    assert [backoff.delay(failures, 0.0) for failures in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_chance_takes_away_a_part_of_the_delay():
    assert Backoff(first=8.0, jitter=0.25).delay(1, 0.5) == 7.0


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_longer_than_the_limit_nor_nothing(failures, chance):
    assert 0 < Backoff().delay(failures, chance) <= 60.0


def test_there_is_no_delay_before_a_failure():
    with pytest.raises(ValueError, match="failure"):
        Backoff().delay(0, 0.0)
