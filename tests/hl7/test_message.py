"""Reading and changing ER7 messages."""

import pytest

from insigne.hl7 import Hl7Error, Location, Message

ADMISSION = (
    "MSH|^~\\&|GAM^1.2.250.1.999.3^ISO|CHU-NORD|INSIGNE|CHU-SUD|20260301101500+0100||ADT^A28^ADT_A05|MSG01|P"
    "|2.5^FRA^2.11|||||FRA|UNICODE UTF-8|FR\r"
    "EVN||20260301101500+0100\r"
    "PID|1||77001^^^CHU-NORD&1.2.250.1.999.1&ISO^PI~555^^^LABO^PI||ORMEAU^ÉLISE^^^^^L||19870314|F\r"
    'PV1|1|N|""\r'
    "ZBE|1\rZBE|2^B\r"
).encode()


def codes(message: Message) -> set[str]:
    return {note.code for note in message.notes}


def with_lines(*lines: str, end: str = "\r") -> Message:
    return Message.parse("".join(line + end for line in lines).encode())


def test_the_header_is_read_by_name():
    message = Message.parse(ADMISSION)
    assert (message.message_code, message.trigger, message.structure) == ("ADT", "A28", "ADT_A05")
    assert (message.version, message.version_country, message.version_extension) == ("2.5", "FRA", "2.11")
    assert (message.control_id, message.processing_id) == ("MSG01", "P")
    assert (message.sending_application, message.sending_facility) == ("GAM", "CHU-NORD")
    assert (message.receiving_application, message.receiving_facility) == ("INSIGNE", "CHU-SUD")


def test_what_the_header_lacks_is_empty():
    message = with_lines("MSH|^~\\&|GAM")
    assert (message.control_id, message.message_code, message.trigger, message.version) == ("", "", "", "")


def test_header_values_outside_ascii_are_decoded():
    message = Message.parse(b"MSH|^~\\&|H\xe9bergement||||||ADT^A28|1|P|2.5||||||8859/1\r")
    assert message.sending_application == "Hébergement"


def test_a_message_written_again_unchanged_has_the_same_bytes():
    assert Message.parse(ADMISSION).encode() == ADMISSION


def test_a_plain_message_has_no_note():
    assert Message.parse(ADMISSION).notes == ()


def test_segments_are_found_by_name_with_their_rank():
    message = Message.parse(ADMISSION)
    assert message.names == ("MSH", "EVN", "PID", "PV1", "ZBE", "ZBE")
    pid = message.segment("PID")
    assert pid is not None
    assert (pid.name, pid.position, pid.occurrence) == ("PID", 3, 1)
    assert [(zbe.position, zbe.occurrence) for zbe in message.segments("ZBE")] == [(5, 1), (6, 2)]
    assert message.segment("ZFD") is None
    assert message.segments("ZFD") == []


def test_the_header_is_the_first_one_when_there_are_two():
    raw = b"MSH|^~\\&|ONE\rPID|1\rMSH|^~\\&|TWO\r"
    read, split = Message.parse(raw), Message.parse(raw)
    assert len(split.segments()) == 3
    assert [read.value("MSH-3"), split.value("MSH-3")] == ["ONE", "ONE"]


def test_a_segment_is_not_found_by_the_start_of_its_name():
    message = with_lines("MSH|^~\\&|GAM", "PIDX|wrong", "PID|right", "PV1")
    assert message.value("PID-1") == "right"
    assert message.names == ("MSH", "PIDX", "PID", "PV1")
    assert message.segment("PV1").field_count == 0


def test_a_segment_has_the_same_rank_however_it_is_reached():
    message = with_lines("MSH|^~\\&|GAM", "", "EVN|1", "", "PID|1")
    lazily = message.segment("PID")
    assert lazily.position == message.segments("PID")[0].position == message.names.index("PID") + 1 == 3


def test_fields_of_the_header_are_numbered_from_the_separator():
    header = Message.parse(ADMISSION).segment("MSH")
    assert (header.field(1), header.field(2), header.field(10)) == ("|", "^~\\&", "MSG01")
    assert (header.value(1), header.value(2)) == ("|", "^~\\&")
    assert (header.repetitions(2), header.components(2)) == (["^~\\&"], [["^~\\&"]])
    assert header.decoded(2) == [[("^~\\&",)]]


def test_a_value_is_found_by_its_location():
    message = Message.parse(ADMISSION)
    assert message.value("PID-3[1].4.2") == "1.2.250.1.999.1"
    assert message.value("PID-3[2].4") == "LABO"
    assert message.value("PID-5.2") == "ÉLISE"
    assert message.value("ZBE(2)-1.2") == "B"


@pytest.mark.parametrize("path", ["PID-3[3]", "PID-5.9", "PID-5.1.2", "PID-99", "ZBE(3)-1", "ZFD-1", "PID-7[2]"])
def test_an_absent_value_is_empty(path):
    assert Message.parse(ADMISSION).value(path) == ""


def test_a_segment_alone_is_not_a_value():
    with pytest.raises(ValueError, match="names a segment"):
        Message.parse(ADMISSION).value("PID")


def test_a_deletion_is_not_an_empty_field():
    message = Message.parse(ADMISSION)
    assert message.value("PV1-3") == '""'
    assert message.value("PV1-4") == ""


def test_a_field_is_decoded_whole():
    pid = Message.parse(ADMISSION).segment("PID")
    assert pid.decoded(3) == [
        [("77001",), ("",), ("",), ("CHU-NORD", "1.2.250.1.999.1", "ISO"), ("PI",)],
        [("555",), ("",), ("",), ("LABO",), ("PI",)],
    ]
    assert pid.decoded(20) == []


def test_escapes_are_read_after_splitting():
    message = with_lines("MSH|^~\\&|GAM", "PID|1||A\\S\\B^C\\T\\D&E\\R\\F~G\\F\\H")
    pid = message.segment("PID")
    assert pid.decoded(3) == [[("A^B",), ("C&D", "E~F")], [("G|H",)]]
    assert pid.value(3, 1) == "A^B"
    assert pid.value(3, 2, 2) == "E~F"
    assert pid.components(3) == [["A\\S\\B", "C\\T\\D&E\\R\\F"], ["G\\F\\H"]]


def test_an_unknown_segment_is_kept_verbatim():
    message = with_lines("MSH|^~\\&|GAM", "ZZZ|a^b~c\\Zxyz\\|||")
    assert message.segment("ZZZ").text == "ZZZ|a^b~c\\Zxyz\\|||"
    assert message.segment("ZZZ").field_count == 4


def test_repetitions_of_an_empty_field_are_none():
    pid = Message.parse(ADMISSION).segment("PID")
    assert pid.repetitions(2) == []
    assert pid.components(2) == []
    assert pid.repetitions(7) == ["19870314"]


def test_the_tree_reaches_every_subcomponent():
    tree = with_lines("MSH|^~\\&|GAM", "PID||a&b^c~d|").tree()
    assert tree == [
        ("MSH", ["|", "^~\\&", "GAM"]),
        ("PID", ["", [[("a", "b"), "c"], ["d"]], ""]),
    ]
    assert Message.parse(ADMISSION).segment("EVN").tree() == ["", "20260301101500+0100"]


def test_a_segment_and_a_message_do_not_show_their_content_when_printed():
    message = Message.parse(ADMISSION)
    assert "ORMEAU" not in repr(message) + repr(message.segment("PID"))


def test_a_location_is_given_for_each_segment():
    zbe = Message.parse(ADMISSION).segments("ZBE")[1]
    assert zbe.location(1, component=2) == Location("ZBE", 2, 1, None, 2)


class TestSegmentEnds:
    def test_line_feeds_are_accepted_and_noted(self):
        message = with_lines("MSH|^~\\&|GAM", "PID|1", end="\n")
        assert message.names == ("MSH", "PID")
        assert codes(message) == {"lf"}

    def test_carriage_return_line_feeds_are_accepted_and_noted(self):
        message = with_lines("MSH|^~\\&|GAM", "PID|1", end="\r\n")
        assert message.value("PID-1") == "1"
        assert codes(message) == {"crlf"}

    def test_ends_may_be_mixed(self):
        message = Message.parse(b"MSH|^~\\&|GAM\r\nEVN|1\rPID|1\nPV1|1\r")
        assert message.names == ("MSH", "EVN", "PID", "PV1")

    def test_a_line_feed_in_a_free_text_does_not_cut_a_segment_ended_by_cr(self):
        message = Message.parse(b"MSH|^~\\&|GAM\rNTE|1||first line\nsecond line\rPID|1\r")
        assert message.names == ("MSH", "NTE", "PID")
        assert message.value("NTE-3") == "first line\nsecond line"
        assert codes(message) == {"lf"}

    def test_blank_segments_are_left_out_and_noted(self):
        message = with_lines("MSH|^~\\&|GAM", "", "PID|1", "")
        assert message.names == ("MSH", "PID")
        assert codes(message) == {"blank-segment"}

    def test_the_last_segment_may_have_no_end(self):
        message = Message.parse(b"MSH|^~\\&|GAM\rPID|1")
        assert message.value("PID-1") == "1"
        assert codes(message) == {"unended"}

    def test_nul_characters_do_not_break_reading(self):
        message = with_lines("MSH|^~\\&|GAM", "PID|1|\0\0|77", "\0")
        assert message.value("PID-3") == "77"
        assert codes(message) == {"nul"}


class TestWhatSurroundsMsh:
    def test_a_byte_order_mark_is_left_out_and_noted(self):
        message = Message.parse(b"\xef\xbb\xbf" + ADMISSION)
        assert message.control_id == "MSG01"
        assert message.text.startswith("MSH")
        assert message.encode() == b"\xef\xbb\xbf" + ADMISSION
        assert codes(message) == {"bom"}

    def test_white_space_is_left_out_and_noted(self):
        message = Message.parse(b"\r\n  " + ADMISSION)
        assert message.value("PID-8") == "F"
        assert codes(message) == {"leading-space"}

    @pytest.mark.parametrize("end", [b"\x1c\r", b"\x1c"])
    def test_a_message_still_in_its_frame_is_read(self, end):
        message = Message.parse(b"\x0b" + ADMISSION + end)
        assert message.names[-1] == "ZBE"
        assert message.text.encode() == ADMISSION
        assert codes(message) == {"frame-bytes"}


class TestRefusal:
    @pytest.mark.parametrize(
        ("raw", "condition", "location"),
        [
            (b"", "100", Location("MSH")),
            (b" \r\n", "100", Location("MSH")),
            (b"PID|1\r", "100", Location("MSH")),
            (b"GET / HTTP/1.1\r\n\r\n", "100", Location("MSH")),
            (b"MSH", "101", Location("MSH", field=1)),
            (b"MSH\rPID|1\r", "101", Location("MSH", field=1)),
            (b"MSHA^~\\&A\r", "102", Location("MSH", field=1)),
            (b"MSH|\r", "101", Location("MSH", field=2)),
            (b"MSH||GAM\r", "101", Location("MSH", field=2)),
            (b"MSH|^^\\&|GAM\r", "102", Location("MSH", field=2)),
            (b"MSH|^~\\&#!|GAM\r", "102", Location("MSH", field=2)),
            (b"MSH|ABCD|GAM\r", "102", Location("MSH", field=2)),
        ],
    )
    def test_a_header_that_cannot_be_read_is_rejected_at_its_place(self, raw, condition, location):
        with pytest.raises(Hl7Error) as caught:
            Message.parse(raw)
        assert (caught.value.ack, caught.value.condition, caught.value.location) == ("AR", condition, location)

    def test_the_reason_holds_no_content_of_the_message(self):
        with pytest.raises(Hl7Error) as caught:
            Message.parse(b"PID|1||77001||ORMEAU")
        assert "ORMEAU" not in caught.value.text
        assert str(caught.value) == caught.value.text


class TestChange:
    def test_a_control_id_is_replaced_and_nothing_else(self):
        changed = Message.parse(ADMISSION).with_value("MSH-10", "MSG02")
        assert changed.encode() == ADMISSION.replace(b"MSG01", b"MSG02")
        assert changed.control_id == "MSG02"

    def test_the_original_is_not_changed(self):
        message = Message.parse(ADMISSION)
        message.with_value("PID-5.1", "SAULE")
        assert message.encode() == ADMISSION

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            ("PID-5", "|ORMEAU^ÉLISE^^^^^L|", "|X|"),
            ("PID-5.1", "|ORMEAU^ÉLISE", "|X^ÉLISE"),
            ("PID-3[2]", "~555^^^LABO^PI", "~X"),
            ("PID-3[1].4.2", "&1.2.250.1.999.1&", "&X&"),
            ("PID-3[3].2", "LABO^PI|", "LABO^PI~^X|"),
            ("ZBE(2)-3", "ZBE|2^B\r", "ZBE|2^B||X\r"),
        ],
    )
    def test_what_is_named_is_replaced_as_a_whole(self, path, before, after):
        changed = Message.parse(ADMISSION).with_value(path, "X")
        assert changed.text == ADMISSION.decode().replace(before, after)
        assert Message.parse(changed.encode()).value(path) == "X"

    def test_a_value_is_escaped(self):
        changed = Message.parse(ADMISSION).with_value("PID-5.1", "A^B|C\\D\r")
        assert "PID|1||" in changed.text
        assert changed.value("PID-5.1") == "A^B|C\\D\r"
        assert changed.names == Message.parse(ADMISSION).names

    def test_segment_ends_byte_order_mark_and_blank_lines_are_kept(self):
        raw = b"\xef\xbb\xbfMSH|^~\\&|GAM\r\n\r\nEVN|A\r\nPID|A\x1c\r"
        changed = Message.parse(raw).with_value("PID-1", "B")
        assert changed.encode() == b"\xef\xbb\xbfMSH|^~\\&|GAM\r\n\r\nEVN|A\r\nPID|B\x1c\r"

    def test_the_character_set_is_kept(self):
        latin = ADMISSION.decode().replace("UNICODE UTF-8", "8859/15").encode("iso8859-15")
        assert b"H\xc9L\xc8NE" in Message.parse(latin).with_value("PID-5.2", "HÉLÈNE").encode()

    def test_a_new_character_set_is_obeyed(self):
        changed = Message.parse(ADMISSION).with_value("MSH-18", "8859/1")
        assert changed.encode() == ADMISSION.decode().replace("UNICODE UTF-8", "8859/1").encode("latin-1")
        assert (changed.declared_charset, changed.charset) == ("8859/1", "iso8859-1")

    def test_a_value_that_the_character_set_lacks_is_refused(self):
        message = with_lines("MSH|^~\\&|GAM", "PID|1")
        with pytest.raises(ValueError, match="change MSH-18 first"):
            message.with_value("PID-1", "É")

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("ZFD-1", "no such segment"), ("PID", "no field"), ("MSH-2", "delimiters"), ("MSH-18", "not a supported")],
    )
    def test_what_cannot_be_replaced_is_refused_with_the_reason(self, path, reason):
        with pytest.raises(ValueError, match=reason):
            Message.parse(ADMISSION).with_value(path, "X")

    def test_a_separator_that_msh_2_does_not_declare_cannot_be_added(self):
        message = with_lines("MSH|^|GAM", "PID|1")
        with pytest.raises(ValueError, match="does not declare"):
            message.with_value("PID-1[2]", "X")
