import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from insigne.hl7 import Message
from insigne.hl7.bulk import BULK, bulk_of, lighten

HEADER = b"MSH|^~\\&|DPI|H|PFI|H|20260301||ORU^R01|1|P|2.5\r"


def test_a_small_message_is_left_as_it_is():
    raw = HEADER + b"OBX|1|ED|X||^TEXT^XML^Base64^QUJD||||||F\r"
    light = lighten(raw)
    assert light.raw is raw
    assert light.spans == ()


def test_a_large_component_is_replaced_by_a_mark_and_its_place_is_said():
    value = b"QUJD" * (BULK // 2)
    raw = HEADER + b"OBX|1|ED|X||^TEXT^XML^Base64^" + value + b"||||||F\rNTE|1\r"
    light = lighten(raw)
    message = Message.parse(light.raw)
    [(start, end)] = light.spans
    assert raw[start:end] == value
    obx = message.segment("OBX")
    assert obx is not None
    assert bulk_of(obx.value(5, 5)) == 0
    assert obx.value(11) == "F"
    assert message.names == ("MSH", "OBX", "NTE")


def test_two_large_values_have_two_marks():
    first, second = b"A" * (BULK * 2), b"B" * (BULK + 1)
    raw = HEADER + b"OBX|1|ED|X||" + first + b"\rOBX|2|ED|X||" + second + b"\r"
    light = lighten(raw)
    assert [raw[start:end] for start, end in light.spans] == [first, second]


def test_nothing_is_copied_but_what_is_left():
    raw = HEADER + b"OBX|1|ED|X||" + b"A" * 20_000_000 + b"||||||F\r"
    tracemalloc.start()
    light = lighten(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(light.raw) < 200
    assert peak < 100_000


@given(st.lists(st.tuples(st.integers(0, BULK * 2), st.sampled_from(b"|^~&\r\n")), max_size=6), st.binary(max_size=40))
def test_marks_put_back_give_the_bytes_again(parts, tail):
    raw = HEADER + b"".join(b"x" * length + bytes([end]) for length, end in parts) + tail
    light = lighten(raw)
    rebuilt = light.raw
    for number, (start, end) in enumerate(light.spans):
        rebuilt = rebuilt.replace(b"\\Zbulk%d\\" % number, raw[start:end], 1)
    assert rebuilt == raw
    longest = max(
        (len(run) for run in light.raw.translate(bytes.maketrans(b"^~&\r\n", b"|||||")).split(b"|")), default=0
    )
    assert longest <= BULK + 64
