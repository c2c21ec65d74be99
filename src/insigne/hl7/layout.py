"""How the segments of a message are laid out in its text: the standard end is CR; LF and CRLF are met in files."""

import re
from typing import Final

from insigne.hl7.errors import Note

# After LF alone in a message that also has CR, only what looks like a segment is one: a free text may hold a LF.
_MIXED_END: Final = re.compile(r"\r\n?|\n(?=[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s]|[\r\n]|\Z)")


def split_segments(text: str) -> list[str]:
    """Return the segments of a message, without their ends and without empty ones.

    White space alone is empty at the end of the text only: elsewhere it is kept, as an unknown segment.
    """
    if "\n" not in text:
        lines = text.split("\r")
    elif "\r" not in text:
        lines = text.split("\n")
    else:
        lines = _MIXED_END.split(text)
    if not lines[-1].strip("\0 \t"):
        lines.pop()
    return lines if all(lines) else [line for line in lines if line]


def find_segment(text: str, segments: list[str], index: int) -> int:
    """Return where the segment of rank `index` (from 0) starts in `text`."""
    offset = 0
    for segment in segments[:index]:
        offset = text.index(segment, offset) + len(segment)
    return text.index(segments[index], offset)


def layout_notes(text: str) -> list[Note]:
    """Describe what is unusual in the ends of the segments."""
    if text.endswith("\r") and "\r\r" not in text and "\n" not in text and "\0" not in text:
        return []  # nearly all messages: what follows would find nothing
    notes = []
    lf, crlf = text.count("\n"), text.count("\r\n")
    if crlf:
        notes.append(Note("crlf", "segments end in CR LF instead of CR"))
    if lf > crlf:
        found = "a line feed is used inside the message" if "\r" in text else "segments end in LF instead of CR"
        notes.append(Note("lf", found))
    if "\0" in text:
        notes.append(Note("nul", "the message holds NUL characters"))
    if not text.endswith(("\r", "\n")):
        notes.append(Note("unended", "the last segment has no end"))
    lines = text.replace("\r\n", "\r").split("\n" if "\r" not in text else "\r")
    if "" in lines[:-1]:
        notes.append(Note("blank-segment", "blank segments were left out"))
    return notes
