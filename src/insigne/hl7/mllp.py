"""MLLP framing without sockets: bytes in, frames out (HL7 v2.5 appendix C; IHE ITI TF-2 appendix C.2.1).

A frame is VT, the message, FS, CR. The rules of this decoder, which no input can make raise:

- FS that is not followed by CR belongs to the message;
- VT followed by "MSH" starts a frame wherever it stands: a frame begun before it was never ended;
- every run of bytes that is not a message is reported as `Junk`, so that nothing is lost unseen. Only CR, LF and FS
  left between two frames are not: they are what some senders add around each frame.
"""

import io
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

START: Final = b"\x0b"
END: Final = b"\x1c\r"
#: Bytes of a rejected run that are kept for diagnosis.
JUNK_KEPT: Final = 256
#: Bytes of a frame from which those searched are put aside.
_LARGE: Final = 1_048_576

_RESTART: Final = b"\x0bMSH"
_BOUNDARY: Final = re.compile(END + b"|" + _RESTART)
_RESIDUE: Final = b"\r\n\x1c"

Reason: TypeAlias = Literal["outside-frame", "oversized", "unterminated", "empty"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A message as sent, without its frame bytes."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that are not a message: the first 256 of them, how many had been seen, and why they were rejected.

    An oversized run is reported as soon as it passes the limit: its size is what had been received by then.
    """

    data: bytes
    size: int
    reason: Reason


def frame(payload: bytes) -> bytes:
    """Return `payload` framed for sending.

    Raises ValueError when it holds the end of a frame: the receiver would see a truncated message.
    """
    if END in payload:
        raise ValueError("a message that holds the bytes 1C 0D cannot be sent over MLLP; remove them")
    return START + payload + END


class MllpDecoder:
    """Cut one received byte stream into frames, however it was split on the way.

    max_frame: the largest message accepted, in bytes. At most that is buffered, plus what one `receive` brings.
    """

    def __init__(self, max_frame: int = 1_048_576) -> None:
        self._max_frame = max_frame
        self._buffer = bytearray()
        # What precedes the buffer in a large frame. A `BytesIO` gives its bytes without a copy of them, which a buffer
        # cannot: a document is held once while it comes, not twice when it is complete.
        self._aside = io.BytesIO()
        self._searched = 0  # bytes of the buffer known to hold no end and no restart
        self._inside = False
        self._skipping = False  # inside a frame already reported as oversized
        self._outside = bytearray()  # first bytes of the current run outside any frame
        self._outside_size = 0

    @property
    def pending(self) -> int:
        """How many bytes have been received and not been reported yet."""
        return self._aside.tell() + len(self._buffer) + self._outside_size

    @property
    def between_frames(self) -> bool:
        """Whether what was received is all reported, and the next byte may be the first that another decoder sees."""
        return not (self._inside or self._outside_size or self._buffer)

    def receive(self, data: bytes) -> list[Frame | Junk]:
        """Take the bytes just received and return what they complete, in order."""
        if not (self._inside or self._outside_size or self._buffer) and self._is_one_frame(data):
            return [Frame(data[1:-2])]
        self._buffer += data
        events: list[Frame | Junk] = []
        while self._buffer and (self._read_inside(events) if self._inside else self._read_outside(events)):
            pass
        return events

    def end(self) -> list[Frame | Junk]:
        """Tell that the peer sends no more; what was begun and not ended is returned as junk."""
        events: list[Frame | Junk] = []
        self._report_outside(events)
        if self._buffer and not self._skipping:
            events.append(_junk(self._content(len(self._buffer)), "unterminated"))
        self._buffer.clear()
        self._leave_frame()
        return events

    def _is_one_frame(self, data: bytes) -> bool:
        """Tell the usual case, one read that is one frame, where nothing needs to be buffered."""
        return (
            data.startswith(_RESTART)
            and data.find(END) == len(data) - 2 <= self._max_frame
            and data.rfind(_RESTART) == 0
        )

    def _read_outside(self, events: list[Frame | Junk]) -> bool:
        """Look for the start of a frame; return whether there is more to read."""
        start = self._buffer.find(START)
        run = self._buffer if start < 0 else self._buffer[:start]
        if not self._outside_size:
            run = run.lstrip(_RESIDUE)
        self._outside += run[: JUNK_KEPT - len(self._outside)]
        self._outside_size += len(run)
        if start < 0:
            self._buffer.clear()
            return False
        self._report_outside(events)
        del self._buffer[: start + 1]
        self._inside = True
        return True

    def _report_outside(self, events: list[Frame | Junk]) -> None:
        if self._outside_size:
            events.append(Junk(bytes(self._outside), self._outside_size, "outside-frame"))
            self._outside.clear()
            self._outside_size = 0

    def _read_inside(self, events: list[Frame | Junk]) -> bool:
        """Look for the end of the frame; return whether there is more to read."""
        buffer = self._buffer
        found = _BOUNDARY.search(buffer, self._searched)
        if found is None:
            self._keep_searching(events)
            return False
        position = found.start()
        ended = found.end() - position == len(END)
        if not self._skipping:
            content = self._content(position)
            if ended:
                events.append(self._completed(content))
            elif content:
                events.append(_junk(content, "unterminated" if len(content) <= self._max_frame else "oversized"))
        del buffer[: position + (len(END) if ended else len(START))]
        self._leave_frame()
        self._inside = not ended
        return True

    def _content(self, position: int) -> bytes:
        """What was received of the frame, as far as a place of the buffer."""
        with memoryview(self._buffer) as view, view[:position] as received:
            if not self._aside.tell():
                return bytes(received)
            self._aside.write(received)
        content = self._aside.getvalue()
        self._aside = io.BytesIO()
        return content

    def _completed(self, payload: bytes) -> Frame | Junk:
        if len(payload) > self._max_frame:
            return _junk(payload, "oversized")
        payload = payload.lstrip(START)
        if not payload[:JUNK_KEPT].strip(b"\r\n") and not payload.strip(b"\r\n"):
            return _junk(payload, "empty")
        return Frame(payload)

    def _keep_searching(self, events: list[Frame | Junk]) -> None:
        """Wait for more bytes, without keeping those of a frame that is too large."""
        buffer = self._buffer
        tail = len(_RESTART) - 1  # what the next bytes could complete
        if not self._skipping and self._aside.tell() + len(buffer) > self._max_frame + tail:
            events.append(_junk(self._content(len(buffer)), "oversized"))
            self._skipping = True
        if self._skipping:
            del buffer[:-tail]
        elif len(buffer) > _LARGE:
            with memoryview(buffer) as view, view[:-tail] as searched:
                self._aside.write(searched)
            del buffer[:-tail]
        self._searched = max(0, len(buffer) - tail)

    def _leave_frame(self) -> None:
        self._searched = 0
        self._inside = self._skipping = False


def _junk(data: bytes, reason: Reason) -> Junk:
    return Junk(data[:JUNK_KEPT], len(data), reason)
