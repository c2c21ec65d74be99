"""Ids of messages and of what they create: ordered in time, whatever the clock does."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.exchange.ids import TimeOrderedIds


@given(st.lists(st.integers(0, 2**47), min_size=1, max_size=50))
def test_ids_always_increase_even_when_the_clock_stands_still_or_goes_back(times: list[int]) -> None:
    clock = iter(times)
    ids = TimeOrderedIds(lambda: next(clock), b"proc")

    made = [ids() for _ in times]

    assert made == sorted(set(made))
    assert {len(one) for one in made} == {26}


def test_more_ids_than_a_millisecond_holds_go_on_increasing() -> None:
    ids = TimeOrderedIds(lambda: 1_000, b"proc")
    ids._sequence = 0xFFFFFD  # as if 16 777 214 ids had been made in this millisecond
    ids._last = 1_000

    made = [ids() for _ in range(5)]

    assert made == sorted(set(made))


def test_two_processes_never_make_the_same_id() -> None:
    one, other = TimeOrderedIds(lambda: 5, b"one_"), TimeOrderedIds(lambda: 5, b"two_")

    assert one() != other()


def test_a_process_needs_its_own_bytes() -> None:
    with pytest.raises(ValueError, match="4 random bytes"):
        TimeOrderedIds(lambda: 0, b"")


def test_threads_that_share_an_instance_never_get_the_same_id() -> None:
    ids = TimeOrderedIds(lambda: 7, b"proc")

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: [ids() for _ in range(5_000)], range(4)))

    assert len({one for several in made for one in several}) == 20_000
