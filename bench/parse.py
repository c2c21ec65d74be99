"""Reading and answering messages, against the parsers of PyPI: time, memory kept, and whether the fields are right."""

import gc
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import hl7kit
import medforge
from hl7apy.parser import parse_message

import hl7
from bench import fields, machine
from bench.corpus import feed
from bench.progress import bar
from bench.report import Cell, Report, Spread, Table, Target
from bench.rounds import interleaved, per_item, spread
from insigne.hl7 import Message, build_ack, frame, parse_ack, split_messages

POOL = 400
PYTHON_HL7 = "python-hl7"


class Subject(NamedTuple):
    """Something to time: `repeat` passes over every `every`-th message of the pool, so that a round lasts a while."""

    work: Callable[[bytes], object]
    repeat: int = 1
    every: int = 1


EXTRACT = {
    "insigne": Subject(fields.ours, repeat=10),
    "hand-written limit": Subject(fields.hand_written, repeat=10),
    "hl7kit (Rust)": Subject(fields.read_hl7kit, repeat=5),
    "medforge (Rust)": Subject(fields.read_medforge, repeat=2),
    PYTHON_HL7: Subject(fields.python_hl7),
    "hl7apy": Subject(fields.read_hl7apy, every=50),
}


def _tree(raw: bytes) -> object:
    return Message.parse(raw).tree()


def _python_hl7_parse(raw: bytes) -> object:
    return hl7.parse(fields.text_of(raw))


WHOLE = {
    "insigne, read (segments split when asked)": Subject(Message.parse, repeat=10),
    "insigne, every field down to sub-components": Subject(_tree, repeat=5),
    "hl7kit (Rust)": Subject(lambda raw: hl7kit.parse(fields.text_of(raw)), repeat=5),
    "medforge (Rust)": Subject(lambda raw: medforge.parse(fields.text_of(raw)), repeat=2),
    PYTHON_HL7: Subject(_python_hl7_parse),
    "hl7apy": Subject(lambda raw: parse_message(fields.text_of(raw)), every=50),
}


def _ack(raw: bytes) -> bytes:
    return build_ack(raw, "AA", time="20260105101500+0100", control_id="01KEXAMPLE0000000001")


def _python_hl7_ack(raw: bytes) -> bytes:
    return str(hl7.parse(fields.text_of(raw)).create_ack("AA")).encode()


def _python_hl7_header_ack(raw: bytes) -> bytes:
    return str(hl7.parse(fields.text_of(raw).partition("\r")[0]).create_ack("AA")).encode()


ANSWER: dict[str, Subject] = {
    "insigne, from the bytes": Subject(_ack, repeat=20),
    "medforge (Rust)": Subject(lambda raw: medforge.parse(fields.text_of(raw)).ack("AA").encode(), repeat=2),
    "python-hl7, MSH alone parsed": Subject(_python_hl7_header_ack),
    PYTHON_HL7: Subject(_python_hl7_ack),
}

KEPT: dict[str, Callable[[bytes], object]] = {
    "insigne": Message.parse,
    "insigne, every segment looked into": lambda raw: _looked_into(Message.parse(raw)),
    "insigne, with its tree": lambda raw: (message := Message.parse(raw), message.tree()),
    "hl7kit (Rust)": lambda raw: hl7kit.parse(fields.text_of(raw)),
    "medforge (Rust)": lambda raw: medforge.parse(fields.text_of(raw)),
    PYTHON_HL7: _python_hl7_parse,
}


def _looked_into(message: Message) -> Message:
    for name in message.names:
        segment = message.segment(name)
        assert segment is not None
        segment.field(1)
    return message


def run(*, quick: bool) -> Report:
    """Measure everything, `quick` with fewer rounds."""
    rounds = 3 if quick else 9
    pool = [sent.payload for sent in feed(POOL)]
    latin = [sent.payload for sent in feed(POOL, charset="8859-1")]
    extract = EXTRACT | {"insigne, ISO 8859-1": Subject(fields.ours, repeat=10)}
    total = rounds * (len(extract) + len(WHOLE) + len(ANSWER)) + len(KEPT)
    with bar("parse", total) as step:
        right = {name: _right(subject, latin if "8859" in name else pool) for name, subject in extract.items()}
        extracted = _timed(extract, pool, latin, rounds, step)
        whole = _timed(WHOLE, pool, latin, rounds, step)
        answered = _timed(ANSWER, pool, latin, rounds, step)
        kept = {}
        for name in KEPT:
            kept[name] = _kept_kb(name, pool)
            step()
    ack, tree = answered["insigne, from the bytes"], whole["insigne, every field down to sub-components"]
    targets = [
        _faster("extract: times python-hl7", extracted["insigne"], extracted[PYTHON_HL7], 30, 60),
        _faster("extract: times hl7kit (Rust)", extracted["insigne"], extracted["hl7kit (Rust)"], 2, 4),
        _faster("extract: times medforge (Rust)", extracted["insigne"], extracted["medforge (Rust)"], 2, 4),
        _faster("whole, lossless: times python-hl7", tree, whole[PYTHON_HL7], 15, 40),
        Target(what="kept a message read", measured=kept["insigne"], unit="KB", must=8, stretch=4, at_least=False),
        _faster("ACK from bytes: times python-hl7", ack, answered[PYTHON_HL7], 100, 200),
    ]
    lossless = all(_lossless(raw) for raw in [*pool, *latin])
    acknowledged = all(_acknowledges(raw) for raw in [*pool, *latin])
    return Report(
        name="parse",
        quick=quick,
        date=machine.today(),
        machine=machine.facts("hl7", "hl7apy", "hl7kit", "medforge"),
        tables=[
            _table("extract: MSH-9, MSH-10, PID-3, 5, 7, 8, birthplace, 32", extracted, right),
            _table("read the whole message", whole),
            _table("acknowledge", answered),
            Table("memory kept", ["reader", "KB a message"], [[*row] for row in kept.items()]),
        ],
        targets=targets,
        notes=[
            "from bytes to values, each reader decoding by MSH-18; 'right' counts messages with every field right",
            "times are of the processor, so that other work on the machine weighs less",
            f"written back byte for byte, and again from the tree: {'all' if lossless else 'NOT ALL'}",
            f"acknowledgements right: {'all' if acknowledged else 'NOT ALL'}",
        ],
        ok=lossless and acknowledged and right["insigne"] == right["insigne, ISO 8859-1"] == f"{POOL}/{POOL}",
    )


def _timed(
    subjects: dict[str, Subject], pool: Sequence[bytes], latin: Sequence[bytes], rounds: int, step: Callable[[], None]
) -> dict[str, Spread]:
    def timer(name: str, subject: Subject) -> Callable[[], float]:
        items = list(latin if "8859" in name else pool)[:: subject.every] * subject.repeat
        return lambda: per_item(subject.work, items)

    timers = {name: timer(name, subject) for name, subject in subjects.items()}
    return {name: spread(values) for name, values in interleaved(timers, rounds, step).items()}


def _right(subject: Subject, pool: Sequence[bytes]) -> str:
    sample = pool[:: subject.every]
    return f"{sum(subject.work(raw) == fields.hand_written(raw) for raw in sample)}/{len(sample)}"


def _table(title: str, times: dict[str, Spread], right: dict[str, str] | None = None) -> Table:
    slow = times[PYTHON_HL7].median
    rows: list[list[Cell]] = [[name, found, 1e6 / found.median, slow / found.median] for name, found in times.items()]
    columns = ["reader", "µs a message", "messages/s", "× python-hl7"]
    if right is None:
        return Table(title, columns, rows)
    return Table(title, [*columns, "right"], [[*row, right[str(row[0])]] for row in rows])


def _faster(what: str, ours: Spread, theirs: Spread, must: float, stretch: float) -> Target:
    return Target(what=what, measured=theirs.median / ours.median, unit="×", must=must, stretch=stretch)


def _lossless(raw: bytes) -> bool:
    message = Message.parse(raw)
    marks = message.delimiters
    separators = (marks.repetition, marks.component, marks.subcomponent)
    segments = []
    for name, tree in message.tree():
        read = [_joined(field, separators) for field in tree]
        segments.append(marks.field.join([name, *(read[1:] if name == "MSH" else read)]))
    return message.encode() == raw and "\r".join(segments) + "\r" == message.text


def _joined(tree: object, separators: tuple[str, ...]) -> str:
    """What a tree was split from; a text stands for itself at any depth."""
    if isinstance(tree, str):
        return tree
    assert isinstance(tree, list | tuple)
    return separators[0].join([_joined(part, separators[1:]) for part in tree])


def _acknowledges(raw: bytes) -> bool:
    ack = parse_ack(_ack(raw))
    return (ack.code, ack.control_id) == ("AA", fields.hand_written(raw).control_id)


def _kept_kb(name: str, pool: Sequence[bytes]) -> float:
    """What a process grows by for each message it holds, in KB; in a process of its own, since memory stays taken."""
    command = [sys.executable, "-m", "bench.parse", name]
    done = subprocess.run(
        command, check=True, capture_output=True, input=b"".join(map(frame, pool)), env=machine.environment()
    )
    return float(done.stdout)


def _grow(name: str, messages: Sequence[bytes], copies: int = 5) -> float:
    read = KEPT[name]
    held = [read(raw) for raw in messages]
    gc.collect()
    before = machine.resident_kb()
    for _ in range(copies):
        held += [read(bytes(bytearray(raw))) for raw in messages]  # bytes of its own: a reader may keep them
    gc.collect()
    return (machine.resident_kb() - before) / (len(messages) * copies)


if __name__ == "__main__":
    print(_grow(sys.argv[1], split_messages(sys.stdin.buffer.read())))
