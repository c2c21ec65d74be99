r"""Very large values, taken out of a message before it is read, so that they are not copied as its text is.

A document of a hundred megabytes is one component of one field: `Message` would decode it, split it and keep each
copy. `lighten` leaves a mark in its place (a local escape sequence, `\Zbulk0\`) and says where it stands in the bytes.
"""

import re
from typing import Final, NamedTuple

BULK: Final = 262_144
"""Bytes of a value from which it is taken out."""
_STEP: Final = BULK // 2
_MARK: Final = re.compile(r"\\Zbulk([0-9]{1,6})\\")
_NAME: Final = b"MSH"


class Light(NamedTuple):
    """A message without its very large values: its bytes with marks in them, and where each is in the original."""

    raw: bytes
    spans: tuple[tuple[int, int], ...]


def lighten(raw: bytes) -> Light:
    """Take out the values of more than `BULK` bytes; a message that has none is returned as it is, in constant time
    when it is small.
    """
    if len(raw) <= BULK:
        return Light(raw, ())
    spans = tuple(_runs(raw))
    if not spans:
        return Light(raw, ())
    view = memoryview(raw)
    pieces: list[bytes | memoryview] = []
    position = 0
    for number, (start, end) in enumerate(spans):
        pieces += (view[position:start], b"\\Zbulk%d\\" % number)
        position = end
    pieces.append(view[position:])
    return Light(b"".join(pieces), spans)


def bulk_of(text: str) -> int | None:
    """The number of the value that a mark stands for; None when a text is no mark."""
    found = _MARK.fullmatch(text)
    return int(found[1]) if found else None


def _runs(raw: bytes) -> list[tuple[int, int]]:
    """Runs without separator, found by looking at one byte in every `_STEP`: none that counts falls between two."""
    separators = _separators(raw)
    found: list[tuple[int, int]] = []
    position = 0
    while (probe := position + _STEP) < len(raw):
        before = max(raw.rfind(separator, position, probe) for separator in separators)
        start = before + 1 if before >= 0 else position
        end = _next(raw, separators, probe)
        if end - start > BULK:
            found.append((start, end))
        position = end
    return found


def _next(raw: bytes, separators: list[bytes], start: int) -> int:
    """Where the next separator is; looked for a step at a time, so that one that is rare costs no more than another."""
    for window in range(start, len(raw), _STEP):
        end = min(window + _STEP, len(raw))
        found = end
        for separator in separators:
            place = raw.find(separator, window, found)
            found = place if place >= 0 else found
        if found < end:
            return found
    return len(raw)


def _separators(raw: bytes) -> list[bytes]:
    """The ends of segments, fields, components, repetitions and sub-components; the usual ones when MSH is odd."""
    start = raw.find(_NAME, 0, 64)
    declared = raw[start + 3 : start + 6] + raw[start + 7 : start + 8] if start >= 0 else b""
    usable = [c for c in declared if c < 0x80 and not chr(c).isalnum() and c not in b"+/="]
    return [bytes([c]) for c in (*(usable or b"|^~&"), *b"\r\n\x1c")]
