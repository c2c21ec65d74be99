"""A large frame is held once while it comes, whatever the pieces it comes in."""

import itertools
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from insigne.hl7 import Frame, Junk, MllpDecoder, mllp

MEGABYTE = 1_048_576
MESSAGE = b"MSH|^~\\&|DPI"


@pytest.fixture(scope="module", params=[1, 5, 9])
def aside(request):
    """Frames of a few bytes already count as large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mllp, "_LARGE", request.param)
        yield


def decoded(pieces, limit):
    decoder, events, pending = MllpDecoder(limit), [], []
    for piece in pieces:
        events += decoder.receive(piece)
        pending.append(decoder.pending)
    return [*events, *decoder.end()], pending, decoder.pending


@given(
    parts=st.lists(st.sampled_from([b"\x0b", b"\x0bMSH", b"\x1c\r", b"\x1c", b"\r", MESSAGE, b"x" * 20, b"a"])),
    cuts=st.lists(st.integers(0, 200)),
    limit=st.sampled_from([25, 1000]),
)
@example(parts=[b"\x0bMSH", b"x" * 20, b"\x1c", b"\r"], cuts=[0, 1, 23, 24, 25], limit=1000)
def test_what_is_put_aside_changes_nothing_of_what_is_read(aside, parts, cuts, limit):
    stream = b"".join(parts)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mllp, "_LARGE", MEGABYTE)
        expected = decoded(pieces, limit)
    assert decoded(pieces, limit) == expected


@pytest.mark.parametrize("piece", [65_536, 262_144])
def test_a_large_message_is_held_once_while_it_comes(piece):
    message = MESSAGE + b"|A" * (6 * MEGABYTE)
    stream = b"\x0b" + message + b"\x1c\r" + b"\x0b" + MESSAGE + b"\x1c\r"
    decoder, events = MllpDecoder(32 * MEGABYTE), []
    tracemalloc.start()
    try:
        for start in range(0, len(stream), piece):
            events += decoder.receive(stream[start : start + piece])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert events == [Frame(message), Frame(MESSAGE)]
    assert decoder.pending == 0
    assert peak < 1.5 * len(message)  # a buffer grows by an eighth


def test_a_large_message_that_is_never_ended_is_counted_whole():
    decoder = MllpDecoder(32 * MEGABYTE)
    content = MESSAGE + b"A" * (3 * MEGABYTE)
    for start in range(0, len(content), 100_000):
        assert decoder.receive((b"" if start else b"\x0b") + content[start : start + 100_000]) == []
    assert decoder.pending == len(content)
    assert decoder.end() == [Junk(content[: mllp.JUNK_KEPT], len(content), "unterminated")]
    assert decoder.pending == 0
    assert decoder.receive(b"\x0b" + MESSAGE + b"\x1c\r") == [Frame(MESSAGE)]
