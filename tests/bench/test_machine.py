"""What is said of the machine beside the figures."""

from bench.machine import facts, stolen_percent


def test_the_time_that_other_machines_took_is_told_of_that_which_was_wanted():
    """A line of /proc/stat: user, nice, system, idle, disk, interrupts, stolen, guests."""
    before = [100, 0, 50, 1000, 20, 0, 0, 10, 0, 0]
    after = [160, 0, 60, 1900, 60, 0, 0, 40, 0, 0]
    assert stolen_percent(before, after) == 30
    assert stolen_percent(before, before) == 0
    assert stolen_percent([], []) == 0


def test_the_facts_say_it():
    assert 0 <= facts()["stolen_percent"] <= 100
