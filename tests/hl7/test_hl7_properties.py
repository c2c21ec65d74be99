"""What holds for every message, every byte stream and every set of delimiters."""

from hypothesis import example, given
from hypothesis import strategies as st

from insigne.hl7 import (
    AckError,
    Frame,
    Hl7Error,
    Junk,
    Location,
    Message,
    MllpDecoder,
    build_ack,
    frame,
    parse_ack,
    split_messages,
)
from insigne.hl7.delimiters import Delimiters, delimiters_of
from insigne.hl7.segment import FieldTree

# All but those of "UNICODE UTF-8", "8859/1" and "2.5", which a header could not hold.
PUNCTUATION = "|^~\\&#!$%*+,:;<=>?@_`{}'()[]\"¤§¶·¦"
CHARSETS = {"8859/1": "latin-1", "UNICODE UTF-8": "utf-8"}

characters = st.lists(st.sampled_from(PUNCTUATION), min_size=3, max_size=6, unique=True)
delimiters = characters.map(lambda chosen: delimiters_of(chosen[0], "".join(chosen[1:])))
with_escape = st.lists(st.sampled_from(PUNCTUATION), min_size=5, max_size=6, unique=True).map(
    lambda chosen: delimiters_of(chosen[0], "".join(chosen[1:]))
)
leaves = st.text(st.characters(codec="latin-1"), max_size=6)
components = st.lists(leaves, min_size=1, max_size=3).map(tuple)
repetitions = st.lists(components, min_size=1, max_size=3)
fields = st.lists(repetitions, min_size=1, max_size=3)
names = st.from_regex(r"\A(?!MSH|BHS|FHS)[A-Z][A-Z0-9]{2}\Z")
segments = st.lists(st.tuples(names, st.lists(fields, max_size=5)), max_size=5)
pieces = st.sampled_from(
    [b"\x0b", b"\x1c", b"\r", b"\n", b"\x1c\r", b"MSH", b"\x0bMSH|^~\\&|A\r", b"\0", b"PID|1\r", b"x" * 40]
)
streams = st.lists(pieces | st.binary(max_size=8), max_size=25).map(b"".join)


def written(tree: list, by: Delimiters) -> str:
    """Join a field tree whose leaves are texts."""
    return by.repetition.join(
        by.component.join(by.subcomponent.join(map(by.escape, component)) for component in repetition)
        for repetition in tree
    )


def header(by: Delimiters, declared: str) -> str:
    msh = ["MSH", by.encoding_characters, *[""] * 6, "ADT", "C1", "P", "2.5", *[""] * 5, declared]
    return by.field.join(msh)


def component(by: Delimiters, found: str | tuple[str, ...]) -> str:
    return found if isinstance(found, str) else by.subcomponent.join(found)


def field_text(by: Delimiters, field: FieldTree) -> str:
    if isinstance(field, str):
        return field
    return by.repetition.join(by.component.join(component(by, c) for c in repetition) for repetition in field)


def rejoined(message: Message) -> list[str]:
    by = message.delimiters
    lines = []
    for name, tree in message.tree():
        texts = [field_text(by, field) for field in tree]
        if name == "MSH":
            texts = texts[1:]
        lines.append(by.field.join([name, *texts]))
    return lines


@given(with_escape, segments, st.sampled_from(sorted(CHARSETS)))
def test_what_was_written_is_read_back_and_its_bytes_kept(by, content, declared):
    lines = [header(by, declared)]
    lines += [by.field.join([name, *(written(tree, by) for tree in trees)]) for name, trees in content]
    raw = "".join(line + "\r" for line in lines).encode(CHARSETS[declared])
    message = Message.parse(raw)
    assert message.encode() == raw
    assert message.control_id == "C1"
    assert message.names == ("MSH", *(name for name, _ in content))
    for segment, (_, trees) in zip(message.segments()[1:], content, strict=True):
        expected = [tree if written(tree, by) else [] for tree in trees]
        assert [segment.decoded(n + 1) for n in range(len(trees))] == expected
        for n, tree in enumerate(trees, 1):
            for place, component in enumerate(tree[0], 1):
                assert segment.value(n, place, len(component)) == component[-1]
    assert rejoined(message) == lines


@given(delimiters, st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=60))
def test_a_tree_joined_again_gives_the_segments_whatever_they_hold(by, content):
    # A last segment, for what ends with FS would end as a frame does.
    lines = [header(by, "UNICODE UTF-8"), "ZZZ" + by.field + content, "ZZZ"]
    message = Message.parse("\r".join(lines).encode())
    assert rejoined(message) == [segment.text for segment in message.segments()] == lines


@given(with_escape, st.text(st.characters(codec="utf-8")))
@example(delimiters_of("|", "^~\\&"), "ends with \\")
@example(delimiters_of("|", "^~\\&"), "\\X09\\ \\E\\ \\")
def test_unescape_gives_back_what_escape_was_given(by, text):
    escaped = by.escape(text)
    assert by.unescape(escaped) == text
    assert not set(escaped) & {by.field, by.component, by.repetition, by.subcomponent, "\r", "\n", "\x0b", "\x1c"}


@given(delimiters, st.text(st.characters(codec="utf-8") | st.sampled_from("\\FSTREXHNCMZ.0139")))
def test_unescaping_never_fails_and_leaves_text_without_escapes_alone(by, raw):
    text = by.unescape(raw)
    assert by.escape_character in raw or text == raw


@given(
    st.text(st.sampled_from("\\FX0D.Z"), max_size=12), st.sampled_from(["PID-3", "PID-3.2", "PID-3[2].1.2", "PID-9"])
)
def test_a_value_that_was_set_is_read_back(value, path):
    message = Message.parse(b"\xef\xbb\xbfMSH|^~\\&|GAM\r\n\nPID|1||a^b&c~d\r\n")
    assert message.with_value(path, value).value(path) == value


def same(events: list[Frame | Junk]) -> list[object]:
    """An oversized run is reported early: how much of it had been received depends on the reads."""
    return [event.reason if isinstance(event, Junk) and event.reason == "oversized" else event for event in events]


def decoded(reads: list[bytes], max_frame: int) -> list[object]:
    decoder = MllpDecoder(max_frame)
    events = []
    for read in reads:
        events += decoder.receive(read)
        assert decoder.pending <= sum(map(len, reads))
    return same(events + decoder.end())


@given(streams, st.data(), st.sampled_from([10, 30, 1000]))
def test_how_a_stream_is_cut_into_reads_changes_nothing(stream, data, max_frame):
    whole = decoded([stream], max_frame)
    assert decoded([stream[i : i + 1] for i in range(len(stream))], max_frame) == whole
    cut = data.draw(st.integers(0, len(stream)))
    assert decoded([stream[:cut], stream[cut:]], max_frame) == whole


@given(streams, st.sampled_from([10, 1000]))
def test_a_frame_is_never_empty_nor_oversized_nor_holds_frame_bytes(stream, max_frame):
    for event in MllpDecoder(max_frame).receive(stream):
        if isinstance(event, Frame):
            assert 0 < len(event.payload) <= max_frame
            assert not event.payload.startswith(b"\x0b")
            assert b"\x1c\r" not in event.payload
        else:
            assert len(event.data) == min(256, event.size)


@given(streams, st.integers(0, 20), st.binary(max_size=3))
def test_a_good_frame_comes_through_whatever_came_before(damaged, cut, inserted):
    good = b"MSH|^~\\&|GAM\rPID|1\r"
    decoder = MllpDecoder()
    events = decoder.receive(damaged[:cut] + inserted + damaged[cut:])
    events += decoder.receive(frame(good))
    assert events[-1] == Frame(good)


@given(st.lists(st.sampled_from([b"MSH|^~\\&|GAM\rPID|1\r", b"MSH|^~\\&|B\r\nEVN|2"]), max_size=5), st.booleans())
def test_a_file_of_frames_gives_its_messages(messages, spaced):
    data = b"".join(frame(message) + b"\r\n" * spaced for message in messages)
    assert split_messages(data) == messages


@given(
    with_escape,
    st.lists(st.text(st.sampled_from("AB12 -"), max_size=5), min_size=4, max_size=4),
    st.sampled_from(["AA", "AE", "AR", "CA", "CE", "CR"]),
    st.text(max_size=20),
)
def test_an_answer_swaps_the_parties_and_names_the_message(by, parties, code, text):
    raw = by.field.join(["MSH", by.encoding_characters, *parties, "", "", "ADT", "M1", "P", "2.5", *[""] * 5])
    raw = (raw + f"{by.field}UNICODE UTF-8\r").encode()
    place = Location("PID", 1, 3, 2, 4, 1)
    error = AckError("102", "W", place, text or "-", "R1")
    built = build_ack(raw, code, time="20260301101501", control_id="A1", errors=[error], text=text)
    answer = Message.parse(built)
    assert [answer.segment("MSH").field(n) for n in (5, 6, 3, 4)] == parties
    ack = parse_ack(built)
    assert (ack.code, ack.control_id, ack.message_control_id) == (code, "M1", "A1")
    assert ack.text == text
    assert ack.errors == [error]


@given(st.binary() | streams | streams.map(lambda tail: b"MSH|^~\\&|A|B|C|D||" + tail))
def test_any_bytes_are_accepted_or_refused_and_answered(raw):
    errors = []
    try:
        message = Message.parse(raw)
    except Hl7Error as refusal:
        errors.append(AckError.of(refusal))
    else:
        assert message.encode() == raw
        assert len(message.names) == len(message.tree()) == len(message.segments())
        assert message.control_id == message.value("MSH-10")
        assert message.trigger == message.value("MSH-9.2")
        assert all(note.code and note.text for note in message.notes)
    built = build_ack(raw, "AE", time="20260301101501", control_id="A1", errors=errors)
    assert MllpDecoder().receive(frame(built)) == [Frame(built)]
    assert parse_ack(built).message_control_id == "A1"
