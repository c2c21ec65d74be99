"""When a scripted receiver misbehaves, and how: read from TOML. Pure: moments are seconds since the start, passed in.

[[when]]                    # the first that applies to a message counts; a message none applies to gets its answer
do = "reject"
times = 3                   # for each message, then as usual
events = ["ADT^A40"]

[[down]]                    # nobody listens
from = 10
to = 20
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from insigne.simulate.timeline import decode_toml, read_toml

Fault = Literal[
    "late",
    "silent",
    "drip",
    "close",
    "reset",
    "half-frame",
    "error",
    "reject",
    "wrong-id",
    "twice",
    "garbage",
    "junk-around",
    "double-frame",
    "no-final-cr",
    "other-delimiters",
    "charset-lie",
    "utf-16",
]
"""What is wrong with an answer:

late: it comes after `seconds`; silent: it never comes, the connection stays open; drip: one byte every `seconds`;
close, reset: the connection ends instead; half-frame: half of it, then the connection ends after `seconds`;
error, reject: AE, AR with the condition told (ERR-3); wrong-id: MSA-2 is another; twice: it comes two times;
garbage: a frame that is no HL7; junk-around: bytes before and after its frame; double-frame: framed twice;
no-final-cr: its last CR lacks; other-delimiters: `:;~` and so on; charset-lie: MSH-18 says 8859/1, the bytes are
UTF-8; utf-16: in UTF-16 without saying so.
"""

Moment = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A fault, and the messages it is for: those that meet every condition given."""

    do: Fault
    seconds: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    condition: str = "207"
    """ERR-3 of `error` and `reject` (table 0357)."""
    applied: bool = True
    """Whether the message is kept before the fault shows; never with `error` and `reject`."""
    times: Annotated[int, Meta(ge=0)] = 0
    """How many times for one message (MSH-10), counted as it comes again; 0: always."""
    messages: tuple[Count, Count] | None = None
    """The first and the last message concerned, counted from 1 as they come, repeated ones included."""
    every: Annotated[int, Meta(ge=0)] = 0
    """One message in so many."""
    events: tuple[str, ...] = ()
    """Events concerned, as `ADT^A40`."""
    control_ids: tuple[str, ...] = ()
    start: Moment = 0.0
    end: Moment = float("inf")

    def concerns(self, number: int, event: str, control_id: str, earlier: int, now: float) -> bool:
        """Whether the fault is for this message, the `number`th, of which `earlier` ones had the same control id."""
        first, last = self.messages or (1, number)
        return (
            first <= number <= last
            and (not self.every or number % self.every == 0)
            and (not self.events or event in self.events)
            and (not self.control_ids or control_id in self.control_ids)
            and (not self.times or earlier < self.times)
            and self.start <= now < self.end
        )


class Down(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A stretch of time in which nobody listens."""

    start: Moment
    end: Moment


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receiver does wrong; nothing by default."""

    when: tuple[When, ...] = ()
    down: tuple[Down, ...] = ()

    def fault(self, number: int, event: str, control_id: str, earlier: int, now: float) -> When | None:
        """The fault of a message, None when it gets its answer; see `When.concerns`."""
        return next((one for one in self.when if one.concerns(number, event, control_id, earlier, now)), None)

    def listens(self, now: float) -> bool:
        """Whether somebody listens at this moment."""
        return not any(one.start <= now < one.end for one in self.down)

    def next_change(self, now: float) -> float | None:
        """The next moment when listening may begin or end, None when there is none."""
        return min((m for one in self.down for m in (one.start, one.end) if m > now), default=None)


def read_script(path: Path) -> Script:
    """Read a script. Raises ScriptError naming the file, and OSError."""
    return read_toml(path, lambda text: decode_toml(text, Script, "docs/receivers.md"))
