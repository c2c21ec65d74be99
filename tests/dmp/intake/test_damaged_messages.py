"""Whatever comes, the intake answers, and takes all of a message or nothing of it."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insigne.dmp.model import Intent

V1, V2 = "1.2.250.1.999.7.1", "1.2.250.1.999.7.2"
CHECKS = {"suppress_health_check": [HealthCheck.function_scoped_fixture]}
VALUES = ["", '""', "^^^", "~~", "&", "\\F\\", "X^Y^Z", "é" * 50, "9" * 300, "0"]
PLACES = st.integers(0, 999_999)
FORMS = ("oru", "oru of two", "mdm", "mdm of replacement", "mdm of deletion")


def message_of(pfi, forms, form):
    mailed = {"yes": ("DESTDMP", "DESTMSSANTEPS"), "prt": (forms.SB, forms.RCT, forms.REPLY)}
    match form:
        case "oru":
            return pfi.oru(pfi.cda(code="11502-2"), **mailed)
        case "oru of two":
            return pfi.oru(pfi.cda(code="11502-2"), pfi.cda(V2, code="11502-2"), **mailed)
        case "mdm":
            return pfi.mdm(pfi.cda(), unique=V1, **mailed)
        case "mdm of replacement":
            newer = pfi.cda(V2, version=2, replaces=V1)
            return pfi.mdm(newer, intent=Intent.REPLACE, unique=V2, parent=V1, **mailed)
        case _:
            return pfi.mdm(pfi.cda(), intent=Intent.DELETE, unique=V1, **mailed)


def posted(pfi, raw):
    """Send bytes; whatever is answered, all is kept or nothing, and what is kept is whole.

    Damaged bytes may ask for the enhanced mode, or be an acknowledgement: then nothing is answered.
    """
    before, count = pfi.everything(), len(pfi.documents())
    [answer] = pfi.answers(raw)
    assert answer.durable
    assert b"internal error" not in answer.payload.lower().replace(b"application internal error", b"")
    if answer.code not in ("AA", "CA"):
        assert pfi.everything() == before
    for document in pfi.documents()[count:]:
        assert document.identity
        assert pfi.channels(document)
        assert len(pfi.content(document)) == document.content.size
    return answer.code


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_message_is_taken(pfi, forms, form):
    assert posted(pfi, message_of(pfi, forms, form).encode()) == "AA"


@pytest.mark.parametrize("form", FORMS)
@given(place=PLACES)
@settings(max_examples=25, **CHECKS)
def test_a_message_cut_anywhere_is_answered(pfi, forms, form, place):
    raw = message_of(pfi, forms, form).encode()
    posted(pfi, raw[: 4 + place % (len(raw) - 4)])


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, **CHECKS)
def test_a_message_whose_segments_are_shuffled_is_answered(pfi, forms, form, seed):
    first, *others = message_of(pfi, forms, form).split("\r")[:-1]
    random.Random(seed).shuffle(others)
    posted(pfi, "".join(f"{line}\r" for line in (first, *others)).encode())


@pytest.mark.parametrize("form", FORMS)
@given(wounds=st.lists(st.tuples(PLACES, st.integers(0, 20), st.binary(max_size=20)), min_size=1, max_size=4))
@settings(max_examples=40, **CHECKS)
def test_a_message_with_damaged_bytes_is_answered(pfi, forms, form, wounds):
    raw = bytearray(message_of(pfi, forms, form).encode())
    for place, size, other in wounds:
        start = place % len(raw)
        raw[start : start + size] = other
    posted(pfi, bytes(raw))


@pytest.mark.parametrize("form", FORMS)
@given(rank=PLACES, place=PLACES, value=st.sampled_from(VALUES))
@settings(max_examples=40, **CHECKS)
def test_a_message_with_a_damaged_field_is_answered(pfi, forms, form, rank, place, value):
    lines = message_of(pfi, forms, form).split("\r")[:-1]
    line = 1 + rank % (len(lines) - 1)
    fields = lines[line].split("|")
    fields[1 + place % (len(fields) - 1)] = value
    lines[line] = "|".join(fields)
    posted(pfi, "".join(f"{one}\r" for one in lines).encode())
