"""Files holding one message or many."""

import pytest

from insigne.hl7 import frame, split_messages

ONE = b"MSH|^~\\&|GAM||||||ADT^A28|1\rPID|1\r"
TWO = b"MSH|^~\\&|GAM||||||ADT^A28|2\rPID|2\r"


def test_a_file_may_hold_one_message():
    assert split_messages(ONE) == [ONE]


def test_a_file_may_hold_frames():
    assert split_messages(frame(ONE) + b"\r\n" + frame(TWO) + b"\n") == [ONE, TWO]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("blank", [0, 1, 3])
def test_messages_may_follow_one_another(end, blank):
    one, two = ONE.replace(b"\r", end), TWO.replace(b"\r", end)
    assert split_messages(one + end * blank + two + end * blank) == [one, two]


def test_the_last_segment_may_have_no_end():
    assert split_messages(ONE + TWO[:-1]) == [ONE, TWO[:-1]]
    assert split_messages(frame(ONE[:-1])) == [ONE[:-1]]


def test_bytes_are_kept_byte_order_mark_and_inner_blank_lines_included():
    raw = b"\xef\xbb\xbfMSH|^~\\&|GAM\r\rPID|\xe9\x0b|MSH|\r"
    assert split_messages(raw) == [raw]
    assert split_messages(frame(raw)) == [raw]


def test_each_message_may_have_its_byte_order_mark():
    bom = b"\xef\xbb\xbf"
    assert split_messages(bom + ONE + bom + TWO) == [bom + ONE, bom + TWO]


def test_the_batch_envelope_is_left_out():
    batch = b"FHS|^~\\&|GAM\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    assert split_messages(batch) == [ONE, TWO]


def test_what_is_no_message_is_returned_to_be_refused():
    assert split_messages(b"PID|1\r" + ONE) == [b"PID|1\r", ONE]
    assert split_messages(b"hello") == [b"hello"]


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\xef\xbb\xbf", b"\x0b\x1c\r", b" \r\n\0"])
def test_an_empty_file_holds_nothing(data):
    assert split_messages(data) == []


def test_a_message_type_in_a_field_does_not_start_a_message():
    raw = b"MSH|^~\\&|GAM\rNTE|1||\nMSHAPE\r"
    assert split_messages(raw) == [raw]
