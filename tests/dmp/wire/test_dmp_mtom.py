"""Multipart messages: what is written is read back, what is damaged is refused, nothing is held that passes through."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.wire.model import WireError
from insigne.dmp.wire.mtom import Attachment, Multipart, is_multipart, read_multipart


def message(*contents, envelope=b"<e/>"):
    parts = tuple(Attachment(f"p{n}@x", "text/xml", one, len(one)) for n, one in enumerate(contents))
    return Multipart("b-1", "urn:a", envelope, parts)


def written(made):
    return b"".join(made.pieces())


@given(st.lists(st.binary(max_size=200), max_size=5), st.binary(min_size=1, max_size=200))
def test_what_is_written_is_read_back(contents, envelope):
    made = message(*contents, envelope=envelope)
    body = written(made)
    assert len(body) == made.length
    if b"--b-1" in envelope or any(b"--b-1" in one for one in contents):
        return  # a boundary is a UUID, so that no content has it
    received = read_multipart(made.content_type, body)
    assert received.envelope == envelope
    assert [bytes(one) for one in received.parts.values()] == contents


#: Two parts, the root not the first: `start` says which it is. Content-ID and a header folded over two lines.
GOLDEN = (
    b"--=_x\r\n"
    b"Content-Type: text/xml\r\nContent-ID: <doc@y>\r\n\r\n"
    b"<a/>\r\n"
    b"--=_x\r\n"
    b'content-type: application/xop+xml;\r\n type="application/soap+xml"\r\nContent-ID: <root@y>\r\n'
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    b"<e/>"
    b"\r\n--=_x--\r\n"
)
KIND = 'Multipart/Related; boundary="=_x"; start="<root@y>"; type="application/xop+xml"'


def test_a_message_of_another_stack_is_read():
    received = read_multipart(KIND, GOLDEN)
    assert received.envelope == b"<e/>"
    assert bytes(received.parts["doc@y"]) == b"<a/>"


def test_without_a_start_the_first_part_is_the_root():
    assert read_multipart('multipart/related; boundary="=_x"', GOLDEN).envelope == b"<a/>"


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("text/xml", GOLDEN, "not a multipart"),
        ("multipart/related", GOLDEN, "without a boundary"),
        ('multipart/related; boundary="zz"', GOLDEN, "nowhere"),
        (KIND, GOLDEN.replace(b"root@y", b"doc@y"), "same Content-ID"),
        (KIND, GOLDEN.replace(b"root@y", b"r@y"), "root part"),
        (KIND, GOLDEN.replace(b"8bit", b"base64"), "encoded"),
        (KIND, GOLDEN.replace(b"Content-ID: <root@y>", b"X: y"), "without a Content-ID"),
        (KIND, GOLDEN.replace(b"Content-ID: <root@y>", b"no header"), "no header"),
        (KIND, GOLDEN.replace(b"Content-ID: <root@y>", b"Content-Type: x"), "twice"),
        (KIND, GOLDEN[:-10], "does not end"),
        (KIND, GOLDEN.replace(b"\r\n--=_x--", b"\r\n--=_x?"), "neither"),
        (KIND, GOLDEN.replace(b"text/xml", b"t" * 9000), "too long"),
        (KIND, b"--=_x\r\nContent-ID: <0>\r\n\r\n" + b"\r\n--=_x\r\nContent-ID: <%d>\r\n\r\n" * 20, "parts"),
    ],
    ids=range(13),
)
def test_a_message_that_is_not_whole_is_refused(kind, body, reason):
    numbered = body if b"<%d>" not in body else _numbered(body)
    with pytest.raises(WireError, match=reason):
        read_multipart(kind, numbered)


def _numbered(body):
    for number in range(1, 21):
        body = body.replace(b"<%d>", b"<n%d>" % number, 1)
    return body + b"\r\n--=_x--\r\n"


@given(st.integers(0, len(GOLDEN)), st.binary(max_size=8), st.integers(0, 12))
def test_damage_gives_an_answer_or_a_refusal_never_anything_else(at, piece, removed):
    damaged = GOLDEN[:at] + piece + GOLDEN[at + removed :]
    try:
        received = read_multipart(KIND, damaged)
    except WireError:
        return
    assert isinstance(received.envelope, bytes)


@given(st.text(max_size=60), st.binary(max_size=80))
def test_no_content_type_makes_the_reader_fail_otherwise(kind, body):
    for given_kind in (kind, f"multipart/related;{kind}"):
        try:
            read_multipart(given_kind, body)
        except WireError:
            continue


def test_a_large_part_passes_through():
    class Zeros(io.RawIOBase):
        left = 64 << 20

        def seek(self, *_):
            self.left = 64 << 20
            return 0

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    made = Multipart("b", "a", b"<e/>", (Attachment("x", "text/xml", Zeros(), 64 << 20),))
    tracemalloc.start()
    total = sum(len(piece) for piece in made.pieces())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == made.length
    assert peak < 2 << 20


@pytest.mark.parametrize(("size", "word"), [(3, "longer"), (5, "shorter")])
def test_a_stream_of_another_size_than_announced_is_no_message(size, word):
    made = Multipart("b", "a", b"<e/>", (Attachment("x", "text/xml", io.BytesIO(b"1234"), size),))
    with pytest.raises(WireError, match=word):
        written(made)


def test_the_type_is_recognised_whatever_its_case():
    assert is_multipart("Multipart/Related; a=b")
    assert not is_multipart("application/soap+xml; x=multipart/related")
