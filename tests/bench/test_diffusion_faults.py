"""kill -9 of the sender and of receivers, in short: `./run bench faults` does it a hundred times."""

import pytest
from bench.diffusion_faults import Crash, Receipt, Row, inversions, repeated_without_crash

from bench import diffusion_faults


@pytest.mark.slow
def test_everything_is_told_in_order_and_twice_only_after_a_crash_through_five_kills():
    outcome = diffusion_faults.run(5, seed=3)
    found = {row[0]: row[1] for row in outcome.table.rows}
    assert outcome.problems == []
    assert outcome.ok
    for name in diffusion_faults.LANES:
        assert found[f"{name}: delivered"] > 0
        assert found[f"{name}: its registry equals ours"] == "yes"


def row(place, *patients):
    return Row(place, frozenset(patients))


def test_an_inversion_is_seen_within_a_patient_and_not_between_two():
    assert inversions([row(1, "a"), row(3, "b"), row(2, "a"), row(4, "a", "b")]) == 0
    assert inversions([row(2, "a"), row(1, "b")]) == 0
    assert inversions([row(2, "a", "b"), row(1, "b")]) == 1


def test_a_repeat_after_a_later_message_about_the_patient_is_an_inversion():
    assert inversions([row(1, "a"), row(1, "a"), row(2, "a")]) == 0
    assert inversions([row(1, "a"), row(2, "a"), row(1, "a")]) == 1


def test_a_repeat_is_excused_by_a_crash_between_the_two_and_by_no_other():
    once, again = Receipt("A", "accepted", "2026-01-01T10:00:00.000Z"), "2026-01-01T10:00:02.000Z"
    received = [once, Receipt("B", "accepted", again), Receipt("A", "duplicate", again)]
    between = Crash("2026-01-01T10:00:01.000Z", "2026-01-01T10:00:01.500Z")
    assert repeated_without_crash(received, [between]) == 0
    assert repeated_without_crash(received, [Crash("2026-01-01T10:00:03.000Z")]) == 1
    assert repeated_without_crash(received, [Crash("2026-01-01T09:00:00.000Z", "2026-01-01T09:00:01.000Z")]) == 1
    assert repeated_without_crash(received, []) == 1


def test_what_a_killed_sender_had_sent_may_arrive_until_it_is_back():
    received = [
        Receipt("A", "accepted", "2026-01-01T10:00:00.500Z"),
        Receipt("A", "duplicate", "2026-01-01T10:00:02.000Z"),
    ]
    assert repeated_without_crash(received, [Crash("2026-01-01T10:00:00.000Z", "2026-01-01T10:00:01.000Z")]) == 0


def test_one_place_out_of_order_is_told_by_the_longest_rise():
    assert diffusion_faults.longest_rise([1, 2, 3, 4]) == 4
    assert diffusion_faults.longest_rise([1, 2, 4, 3, 5]) == 4
    assert diffusion_faults.longest_rise([5, 1, 2]) == 2
