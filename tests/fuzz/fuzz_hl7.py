"""Fuzz everything that reads bytes from a peer: `python tests/fuzz/fuzz_hl7.py [CORPUS] [-max_total_time=60]`.

The contract: a message is accepted or refused with Hl7Error, and answered in both cases; nothing else is ever raised.
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["insigne.hl7"]):
    from insigne.hl7 import (
        AckError,
        CharsetPolicy,
        Frame,
        Hl7Error,
        Message,
        MllpDecoder,
        build_ack,
        frame,
        parse_ack,
        split_messages,
    )

POLICIES = (CharsetPolicy(), CharsetPolicy(real="utf-8"), CharsetPolicy(real="latin-1", fallback="iso8859-15"))


def read(raw: bytes, policy: CharsetPolicy) -> list[AckError]:
    """Look into every corner of a message; return the errors to answer with."""
    try:
        message = Message.parse(raw, policy)
    except Hl7Error as error:
        return [AckError.of(error)]
    if message.encode() != raw:
        raise AssertionError("the bytes changed")
    names = [name for name, _ in message.tree()]
    if tuple(names) != message.names:
        raise AssertionError("the segments changed")
    for segment in message.segments():
        for number in range(1, segment.field_count + 1):
            segment.decoded(number)
            segment.value(number, 2, 2, 2)
    str(message.notes)
    for path in ("MSH-9.2", "PID-3[2].4.2", "ZBE(2)-1"):
        message.value(path)
    return []


def answer(raw: bytes, errors: list[AckError]) -> None:
    """Build an acknowledgement, send it through a frame and read it."""
    built = build_ack(raw, "AE" if errors else "AA", time="20260301101501+0100", control_id="A1", errors=errors)
    if MllpDecoder().receive(frame(built)) != [Frame(built)]:
        raise AssertionError("the answer does not fit a frame")
    parse_ack(built)


def one_input(data: bytes) -> None:
    """Run the contract on one input."""
    policy = POLICIES[len(data) % len(POLICIES)]
    answer(data, read(data, policy))
    decoder = MllpDecoder(max_frame=4096)
    middle = len(data) // 2
    for event in decoder.receive(data[:middle]) + decoder.receive(data[middle:]) + decoder.end():
        if isinstance(event, Frame):
            answer(event.payload, read(event.payload, policy))
    split_messages(data)
    with contextlib.suppress(Hl7Error):
        parse_ack(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
