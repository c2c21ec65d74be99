"""Files of messages: one message, several MLLP frames, or several messages one after another."""

import re
from typing import Final

_LEADER: Final = rb"(?:\xef\xbb\xbf|[\s\x00]){0,16}"
_FRAME_BYTES: Final = re.compile(rb"\x1c\r|\x1c\Z|\x0b(?=" + _LEADER + rb"MSH)")
_NEXT_MESSAGE: Final = re.compile(rb"(?<=[\r\n])(?=(?:\xef\xbb\xbf)?MSH[^A-Za-z0-9\r\n])")
_BATCH_SEGMENT: Final = re.compile(
    rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)?(?:FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9\r\n][^\r\n]*)?(?:[\r\n]+|\Z)"
)
_LAST_LINES: Final = re.compile(rb"(\r\n|\r|\n)[\r\n\x00]*\Z")


def split_messages(data: bytes) -> list[bytes]:
    """Return the messages of a file, each with its bytes as they are.

    Only the bytes of MLLP frames, the blank lines between messages and the segments of the batch protocol (FHS, BHS,
    BTS, FTS) are left out. What is no message is returned in its place, for the reader to refuse it.
    """
    return [
        _LAST_LINES.sub(rb"\1", message.lstrip(b"\r\n\x00"))
        for framed in _FRAME_BYTES.split(data)
        for message in _NEXT_MESSAGE.split(_BATCH_SEGMENT.sub(b"", framed))
        if message.strip(b"\xef\xbb\xbf\x0b\x1c\r\n\x00 \t")
    ]
