"""A simulated hospital written to a folder: the feed, the answers expected and the truth.

Each file is complete or absent: it is written beside its place and moved there at the end.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from insigne.hl7 import frame
from insigne.simulate.hospital import GeneratedMessage, HospitalSettings, generate, truth

FEED: Final = "messages.mllp"
TRUTH: Final = "truth.jsonl"
EXPECTED: Final = "expected.jsonl"
SPLIT: Final = "messages"

Progress = Callable[[str, int], None]
"""Called with the stage ("messages" or "truth") and how many people it has reached."""


@dataclass(slots=True)
class Summary:
    """What was written: messages, bytes of the feed, expected answers by code, lines of the truth file."""

    messages: int = 0
    bytes: int = 0
    expected: Counter[str] = field(default_factory=Counter)
    people: int = 0


def write_hospital(settings: HospitalSettings, folder: Path, *, split: bool, progress: Progress) -> Summary:
    """Write the feed (MLLP frames), the expected answers and the truth; with `split`, each message in its own file too.

    Files of a former run are replaced. Raises OSError when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    _write_feed(settings, folder, summary, progress, _emptied(folder / SPLIT) if split else None)
    with _whole(folder / TRUTH) as file:
        for person in truth(settings):
            file.write(msgspec.json.encode(person) + b"\n")
            summary.people += 1
            progress("truth", summary.people)
    return summary


def _write_feed(
    settings: HospitalSettings, folder: Path, summary: Summary, progress: Progress, each: Path | None
) -> None:
    arrived = 0
    with _whole(folder / FEED) as feed, _whole(folder / EXPECTED) as expected:
        for message in generate(settings):
            feed.write(frame(message.payload))
            expected.write(_expectation(message))
            summary.messages += 1
            summary.bytes += len(message.payload)
            summary.expected[message.expected_code] += 1
            if each is not None:
                name = f"{summary.messages:07d}_{message.event.replace('^', '_')}.hl7"
                (each / name).write_bytes(message.payload)
            if message.event == "ADT^A28":
                arrived += 1
                progress("messages", arrived)


def _expectation(message: GeneratedMessage) -> bytes:
    line = {
        "control_id": message.control_id,
        "event": message.event,
        "code": message.expected_code,
        "why": message.why,
    }
    return msgspec.json.encode(line) + b"\n"


def _emptied(folder: Path) -> Path:
    """Return the folder of single messages, without those of a former run."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("[0-9]*_ADT_*.hl7"):
        old.unlink()
    return folder


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name once it is complete."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        yield file
    part.replace(path)
