"""Remembering what a text says: messages repeat the same places, practitioners and patients."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

from insigne.hl7 import Delimiters
from insigne.hl7.delimiters import STANDARD

T = TypeVar("T")

_ENTRIES: Final = 4096
_USUAL_LENGTH: Final = 512


def remembered(read: Callable[[str, Delimiters], T]) -> Callable[[str, Delimiters], T]:
    """Remember the last answers of a pure reading of a field, which must be immutable.

    Two messages in three repeat the names, addresses and identifiers that the patient had in the one before. Texts too
    long to be usual, or written with delimiters of their own, are read each time, and never kept.
    """

    @lru_cache(_ENTRIES)
    def standard(raw: str) -> T:
        return read(raw, STANDARD)

    @wraps(read)
    def reading(raw: str, delimiters: Delimiters) -> T:
        usual = delimiters is STANDARD and len(raw) <= _USUAL_LENGTH
        return standard(raw) if usual else read(raw, delimiters)

    return reading
