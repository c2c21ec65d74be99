"""Timing by rounds: every subject in turn, several times, so that what disturbs the machine disturbs them all."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

from bench.report import Spread

T = TypeVar("T")


def spread(values: Sequence[float]) -> Spread:
    """Median, lowest and highest of the rounds."""
    return Spread(median(values), min(values), max(values), len(values))


def per_item(work: Callable[[T], object], items: Sequence[T]) -> float:
    """Microseconds of processor an item, over one pass in this thread."""
    gc.collect()
    start = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - start) / len(items) * 1e6


def interleaved(
    subjects: Mapping[str, Callable[[], float]], rounds: int, step: Callable[[], None]
) -> dict[str, list[float]]:
    """Run each subject once a round, the first one first in no two rounds running; `step` is called after each."""
    results: dict[str, list[float]] = {name: [] for name in subjects}
    names = list(subjects)
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            results[name].append(subjects[name]())
            step()
    return results
