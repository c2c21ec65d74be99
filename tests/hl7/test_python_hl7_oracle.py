"""The structure read is the one that python-hl7, an independent implementation, reads."""

from hypothesis import given
from hypothesis import strategies as st

import hl7
from insigne.hl7 import Message

# No white space: python-hl7 strips it from the ends of a segment. No escape: the two differ on unknown ones.
leaf = st.text(st.sampled_from("ABcdé1-"), max_size=4)
field = st.lists(
    st.lists(st.lists(leaf, min_size=1, max_size=3).map("&".join), min_size=1, max_size=4).map("^".join),
    min_size=1,
    max_size=3,
).map("~".join)
segment = st.tuples(st.sampled_from(["PID", "PV1", "ZBE", "ZFD"]), st.lists(field, min_size=1, max_size=6)).map(
    lambda parts: "|".join([parts[0], *parts[1]])
)


@given(st.lists(segment, min_size=1, max_size=4))
def test_every_value_is_the_one_python_hl7_reads(lines):
    text = "\r".join(["MSH|^~\\&|GAM||||||ADT^A28|1|P|2.5||||||UNICODE UTF-8", *lines]) + "\r"
    ours, theirs = Message.parse(text.encode()), hl7.parse(text)
    assert ours.names == tuple(str(line[0]) for line in theirs)
    for mine, other in zip(ours.segments(), theirs, strict=True):
        assert mine.field_count == len(other) - 1
        for n in range(1, len(other)):
            assert mine.field(n) == str(other[n])
            if mine.name == "MSH" and n < 3:
                continue
            for r, repetition in enumerate(mine.decoded(n), 1):
                for c, component in enumerate(repetition, 1):
                    for s, value in enumerate(component, 1):
                        rank = mine.occurrence
                        assert value == mine.value(n, c, s, r) == theirs.extract_field(mine.name, rank, n, r, c, s)
