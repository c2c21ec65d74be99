"""Remembering what a text says: messages repeat the same places, practitioners and patients."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

from insigne.hl7 import Delimiters

T = TypeVar("T")

_ENTRIES: Final = 1024
_USUAL_LENGTH: Final = 256


def remembered(read: Callable[[str, Delimiters], T]) -> Callable[[str, Delimiters], T]:
    """Remember the last answers of a pure reading; texts too long to be usual are read each time, and never kept."""
    cached = lru_cache(_ENTRIES)(read)

    @wraps(read)
    def reading(raw: str, delimiters: Delimiters) -> T:
        return cached(raw, delimiters) if len(raw) <= _USUAL_LENGTH else read(raw, delimiters)

    return reading
