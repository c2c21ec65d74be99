"""MLLP frames cut out of a byte stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import Frame, Hl7Error, Junk, Message, MllpDecoder, build_ack, frame

ONE = b"MSH|^~\\&|GAM||||||ADT^A28|1\rPID|1\r"
TWO = b"MSH|^~\\&|GAM||||||ADT^A28|2\rPID|2\r"


def decode(*reads: bytes, max_frame: int = 1_048_576) -> list[Frame | Junk]:
    decoder = MllpDecoder(max_frame)
    return [event for read in reads for event in decoder.receive(read)] + decoder.end()


def test_a_frame_is_the_message_between_its_frame_bytes():
    assert frame(ONE) == b"\x0b" + ONE + b"\x1c\r"
    assert decode(frame(ONE)) == [Frame(ONE)]


def test_frames_in_one_read_come_out_in_order():
    assert decode(frame(ONE) + frame(TWO) + frame(ONE)) == [Frame(ONE), Frame(TWO), Frame(ONE)]


def test_a_frame_may_come_byte_by_byte():
    assert decode(*(bytes([byte]) for byte in frame(ONE))) == [Frame(ONE)]


def test_the_end_may_be_split_between_two_reads():
    decoder = MllpDecoder()
    assert decoder.receive(b"\x0b" + ONE + b"\x1c") == []
    assert decoder.pending == len(ONE) + 1
    assert decoder.receive(b"\r" + frame(TWO)) == [Frame(ONE), Frame(TWO)]
    assert decoder.pending == 0


def test_bytes_before_a_frame_are_reported_not_lost():
    assert decode(b"\n\0HELLO" + frame(ONE)) == [Junk(b"\0HELLO", 6, "outside-frame"), Frame(ONE)]


def test_nul_bytes_between_frames_are_reported_and_the_frames_kept():
    assert decode(frame(ONE) + b"\0\0" + frame(TWO)) == [Frame(ONE), Junk(b"\0\0", 2, "outside-frame"), Frame(TWO)]


def test_only_the_first_bytes_of_junk_are_kept():
    assert decode(b"x" * 1000) == [Junk(b"x" * 256, 1000, "outside-frame")]


def test_a_first_byte_outside_ascii_does_not_stall_the_stream():
    assert decode("é".encode(), frame(ONE)) == [Junk("é".encode(), 2, "outside-frame"), Frame(ONE)]


def test_a_message_that_never_got_its_start_byte_is_reported():
    assert decode(b"\n" + ONE + b"\x1c\r" + frame(TWO)) == [
        Junk(ONE + b"\x1c\r", len(ONE) + 2, "outside-frame"),
        Frame(TWO),
    ]


def test_line_ends_between_frames_are_ignored():
    assert decode(frame(ONE) + b"\r\n\r" + frame(TWO) + b"\r") == [Frame(ONE), Frame(TWO)]


def test_a_file_separator_in_the_message_belongs_to_it():
    message = ONE.replace(b"PID|1", b"PID|1\x1c2\x1c|")
    assert decode(frame(message)) == [Frame(message)]


def test_a_doubled_start_or_end_is_never_part_of_a_message():
    doubled = b"\x0b\x0b" + ONE + b"\x1c\r\x1c\r"
    assert decode(doubled + doubled) == [Frame(ONE), Frame(ONE)]


def test_a_vertical_tab_in_a_text_does_not_start_a_frame():
    message = ONE + b"NTE|1||one\x0btwo\r"
    assert decode(frame(message)) == [Frame(message)]


def test_a_frame_that_never_ended_is_reported_when_the_next_starts():
    assert decode(b"\x0b" + ONE + frame(TWO)) == [Junk(ONE, len(ONE), "unterminated"), Frame(TWO)]


def test_a_frame_cut_by_the_end_of_the_connection_is_reported():
    decoder = MllpDecoder()
    assert decoder.receive(b"\x0b" + ONE) == []
    assert decoder.end() == [Junk(ONE, len(ONE), "unterminated")]
    assert decoder.end() == []


def test_an_empty_frame_is_reported_as_such():
    assert decode(b"\x0b\x1c\r\x0b\r\x1c\r" + frame(ONE)) == [
        Junk(b"", 0, "empty"),
        Junk(b"\r", 1, "empty"),
        Frame(ONE),
    ]


def test_a_message_of_the_largest_size_is_accepted():
    assert decode(frame(ONE), max_frame=len(ONE)) == [Frame(ONE)]
    assert decode(*(bytes([byte]) for byte in frame(ONE)), max_frame=len(ONE)) == [Frame(ONE)]


def test_one_byte_more_is_oversized_and_the_next_message_is_read():
    assert decode(frame(ONE + b"\r") + frame(ONE), max_frame=len(ONE)) == [
        Junk(ONE + b"\r", len(ONE) + 1, "oversized"),
        Frame(ONE),
    ]


def test_an_oversized_frame_is_reported_once_before_it_ends_and_not_buffered():
    decoder = MllpDecoder(max_frame=100)
    events = decoder.receive(b"\x0b" + b"x" * 150)
    assert events == [Junk(b"x" * 150, 150, "oversized")]
    for _ in range(50):
        assert decoder.receive(b"y" * 1000) == []
        assert decoder.pending < 10
    assert decoder.receive(b"\x1c\r" + frame(ONE)) == [Frame(ONE)]


def test_an_oversized_frame_that_never_ends_lets_the_next_one_through():
    assert decode(b"\x0b" + b"x" * 500, b"\x0bM", b"SH|" + ONE[4:] + b"\x1c\r", max_frame=100) == [
        Junk(b"x" * 256, 500, "oversized"),
        Frame(ONE),
    ]
    assert decode(b"\x0b" + b"x" * 500, max_frame=100) == [Junk(b"x" * 256, 500, "oversized")]


def test_a_decoder_can_be_used_again_after_the_end():
    decoder = MllpDecoder()
    decoder.receive(b"\x0bhalf")
    decoder.end()
    assert decoder.receive(frame(ONE)) == [Frame(ONE)]


def test_utf_16_frames_are_reported_or_refused_but_never_blank_messages():
    text = ONE.decode()
    wide = f"\x0b{text}\x1c\r".encode("utf-16-be")
    events = decode(wide)
    assert events
    assert all(isinstance(event, Junk) for event in events)
    (framed,) = decode(frame(text.encode("utf-16-le")))
    with pytest.raises(Hl7Error, match="UTF-16"):
        Message.parse(framed.payload)


def test_a_message_that_holds_the_end_of_a_frame_cannot_be_sent():
    with pytest.raises(ValueError, match="1C 0D"):
        frame(b"MSH|\x1c\rPID|1\r")


def test_an_answer_can_always_be_framed():
    hostile = b"MSH|^~\\&|A|B|C|D|||ADT^A28|id\x1c|P|2.5|||||FRA\x1c||\x1c\rPID|1\r"
    answer = build_ack(hostile, "AA", time="20260301101501", control_id="A1\x1c", text="\x1c\r")
    assert decode(frame(answer)) == [Frame(answer)]


def test_a_flood_of_starts_or_ends_is_read_in_one_pass():
    assert len(decode(b"\x0bMSH" * 20_000)) == 20_000
    assert len(decode(b"\x0bx\x1c\r" * 20_000)) == 20_000


@given(st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\x1c\r", b"MSH|", b"\n", b"\x00", b"A"]), max_size=24))
def test_between_two_frames_another_decoder_may_go_on(parts):
    alone, shared = MllpDecoder(6), MllpDecoder(6)
    items, others = [], []
    for part in parts:
        items += alone.receive(part)
        others += shared.receive(part)
        if shared.between_frames:
            shared = MllpDecoder(6)
    assert others + shared.end() == items + alone.end()
