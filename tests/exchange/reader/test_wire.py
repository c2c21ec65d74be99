"""Frames between the two processes: whatever the pieces they come in, what was framed comes out."""

from hypothesis import given
from hypothesis import strategies as st

from insigne.exchange.reader.wire import Frames, frame

CONTENTS = st.lists(st.binary(max_size=300), max_size=8)


@given(CONTENTS, st.data())
def test_frames_come_out_whole_however_they_were_cut(contents, data):
    stream = b"".join(map(frame, contents))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    frames = Frames()
    assert [content for piece in pieces for content in frames.receive(piece)] == contents


@given(CONTENTS)
def test_frames_come_out_byte_by_byte(contents):
    frames = Frames()
    stream = b"".join(map(frame, contents))
    assert [content for byte in stream for content in frames.receive(bytes([byte]))] == contents


@given(st.binary(min_size=1, max_size=300), st.integers(1, 4))
def test_a_frame_that_is_not_whole_does_not_come_out(content, missing):
    assert list(Frames().receive(frame(content)[:-missing])) == []
