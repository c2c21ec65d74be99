"""Delimiters other than the recommended ones, and escape sequences."""

import pytest

from insigne.hl7 import NULL, Message
from insigne.hl7.delimiters import delimiters_of

STANDARD = delimiters_of("|", "^~\\&")


def test_the_delimiters_are_those_the_message_declares():
    message = Message.parse(b"MSH:;*!%:GAM;1.2.3%x;ISO::::::ADT;A28:C1\rPID:1::a%b;c*d!R!e\r")
    assert message.sending_application == "GAM"
    assert (message.message_code, message.trigger, message.control_id) == ("ADT", "A28", "C1")
    assert message.segment("PID").decoded(3) == [[("a", "b"), ("c",)], [("d*e",)]]


def test_the_same_characters_give_the_same_delimiters():
    one, other = (Message.parse(b"MSH#$~\\&#GAM\r") for _ in range(2))
    assert one.delimiters is other.delimiters


def test_two_encoding_characters_are_enough():
    message = Message.parse(b"MSH|^~|GAM||||||ADT^A28|C1\rPID|1||a&b^c\\F\\d~e\r")
    delimiters = message.delimiters
    assert (delimiters.component, delimiters.repetition) == ("^", "~")
    assert (delimiters.escape_character, delimiters.subcomponent, delimiters.truncation) == ("", "", "")
    assert message.segment("PID").decoded(3) == [[("a&b",), ("c\\F\\d",)], [("e",)]]
    assert message.encode().startswith(b"MSH|^~|GAM")


def test_a_fifth_encoding_character_is_the_truncation_character():
    message = Message.parse(b"MSH|^~\\&#|GAM||||||ADT^A28^ADT_A05|C1|P|2.7\rPID|1||long na#\\P\\\r")
    assert message.delimiters.truncation == "#"
    assert (message.trigger, message.version) == ("A28", "2.7")
    assert message.value("PID-3") == "long na##"


def test_a_lost_backslash_leaves_the_subcomponent_separator_and_the_bytes_as_received():
    raw = b"MSH|^~&|GAM||||||ADT^A28|C1\rPID|1||77^^^CHU&1.2.3&ISO\r"
    message = Message.parse(raw)
    assert (message.delimiters.escape_character, message.delimiters.subcomponent) == ("", "&")
    assert message.value("PID-3.4.2") == "1.2.3"
    assert message.value("MSH-2") == "^~&"
    assert message.encode() == raw


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_delimiters_may_be_outside_ascii(encoding):
    charset = {"utf-8": "UNICODE UTF-8", "latin-1": "8859/1"}[encoding]
    text = f"MSH¦§~\\&¦GAM¦¦¦¦¦¦ADT§A28¦C1¦P¦2.5¦¦¦¦¦¦{charset}\rPID¦1¦¦a§b\r"
    message = Message.parse(text.encode(encoding))
    assert (message.trigger, message.control_id, message.declared_charset) == ("A28", "C1", charset)
    assert message.value("PID-3.2") == "b"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("A\\F\\B\\S\\C\\T\\D\\R\\E\\E\\", "A|B^C&D~E\\"),
        ("ends with \\E\\", "ends with \\"),
        ("\\X09\\", "\t"),
        ("\\X0D0A\\", "\r\n"),
        ("\\XC389\\", "É"),  # UTF-8 bytes
        ("\\XC9\\", "É"),  # no UTF-8: Latin-1
        ("\\Xc9\\", "É"),
    ],
)
def test_an_escape_sequence_gives_its_character(raw, text):
    assert STANDARD.unescape(raw) == text


@pytest.mark.parametrize(
    "raw",
    [
        "\\",
        "a\\b",
        "C:\\dossier",
        "\\\\",
        "\\H\\bold\\N\\",
        "one\\.br\\two",
        "\\.sp+3\\",
        "\\C2842\\",
        "\\M2442\\",
        "\\Zlocal\\",
        "\\X\\",
        "\\X0\\",
        "\\XZZ\\",
        "\\f\\",
        "\\Q\\",
        "F\\",
    ],
)
def test_an_unknown_escape_or_a_lone_backslash_is_kept(raw):
    assert STANDARD.unescape(raw) == raw


def test_a_lone_backslash_does_not_hide_the_escape_that_follows():
    assert STANDARD.unescape("C:\\dir \\F\\ x") == "C:\\dir | x"


def test_an_unknown_escape_does_not_lend_its_end_to_what_follows():
    assert STANDARD.unescape("\\H\\F\\N\\") == "\\H\\F\\N\\"


def test_control_characters_are_escaped_so_that_they_end_no_segment_and_no_frame():
    assert STANDARD.escape("a\rb\x0bc\x1c") == "a\\X0D\\b\\X0B\\c\\X1C\\"


def test_an_explicit_deletion_is_written_as_it_is():
    assert STANDARD.escape(NULL) == '""'


def test_without_an_escape_character_what_cannot_be_written_becomes_a_space():
    assert delimiters_of("|", "^~").escape("A|B^C\rD\\E") == "A B C D\\E"
