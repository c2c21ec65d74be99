"""What the two processes say to each other: whatever the pieces it comes in, it comes out as it was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from insigne.exchange.elsewhere import Site
from insigne.exchange.model import Answer, Peer, Received
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import Junk
from insigne.net.settings import TlsSettings
from insigne.registry.settings import AuthoritySettings, RegistrySettings, policy
from insigne.transport.front.wire import (
    Answered,
    Closed,
    Counted,
    Frames,
    FromFront,
    Ready,
    Reported,
    Setup,
    Stop,
    Submitted,
    ToFront,
    frame,
)
from insigne.transport.mllp_connection import MllpCounters
from insigne.transport.settings import CertifiedSender, MllpSettings

CONTENTS = st.lists(st.binary(max_size=300), max_size=8)
PEER = Peer("GAM", "mllp", "ab" * 32, "gam.chu.example")
SETTINGS = MllpSettings(
    host="::",
    idle_seconds=2.5,
    tls=TlsSettings("registry.pem", "registry.key", client_ca_file="authority.pem"),
    senders=(CertifiedSender("GAM", fingerprint="ab" * 32, max_frame_bytes=50_000_000),),
)
AUTHORITIES = (AuthoritySettings(name="CHU", oid="1.2.250.1.999.1", aliases=("CH",)),)
SITE = Site(
    policy(
        "test", (AuthoritySettings(name="CHU", oid="1.2.250.1.999.1", aliases=("CH",)),), RegistrySettings(), ("CHU",)
    ),
    ("P", "T"),
    (SenderSettings(application="GAM", rules={"V16": "reject"}, charset="latin-1"),),
)
COUNTERS = MllpCounters(*range(1, 11))


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


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=6), st.integers(1, 6))
def test_frames_that_somebody_did_not_wait_for_are_not_given_twice(contents, taken):
    """Whoever takes them may fail at one of them."""
    frames = Frames()
    coming = frames.receive(b"".join(map(frame, contents)))
    first = [next(coming) for _ in range(min(taken, len(contents)))]
    coming.close()
    rest = list(frames.receive(b""))
    assert first + rest == contents


@pytest.mark.parametrize(
    "said",
    [
        Setup("1.0", SETTINGS, SITE, 7, 20),
        Setup("1.0", MllpSettings(), Site(policy("production", (), RegistrySettings()), (), ()), 3, 0),
        Answered(2**40, Answer(b"MSH|\xe9\x00\x1c", "AA", "01", durable=True)),
        Answered(1, Answer(b"", "", "", durable=False)),
        Stop(),
    ],
    ids=["setup", "default-setup", "answer", "no-answer", "stop"],
)
def test_what_is_said_to_the_front_is_understood_there(said):
    assert msgpack.decode(msgpack.encode(said), type=ToFront) == said


@pytest.mark.parametrize(
    "said",
    [
        Ready("1.0"),
        Submitted(9, Received(b"MSH|\xff\x00", PEER, "2026-03-01T07:30:00.000Z", "01"), b"\x82\x00"),
        *(Reported(Junk(b"\x00\xff" * 128, 70_000, reason), PEER) for reason in ("outside-frame", "oversized")),
        *(Reported(Junk(b"", 0, reason), PEER) for reason in ("unterminated", "empty")),
        Closed(2**63),
        Counted(COUNTERS),
    ],
    ids=["ready", "message", "junk-outside", "junk-oversized", "junk-unterminated", "junk-empty", "closed", "counted"],
)
def test_what_the_front_says_is_understood_here(said):
    assert msgpack.decode(msgpack.encode(said), type=FromFront) == said


@given(st.binary(max_size=200), st.binary(max_size=200), st.text(max_size=20))
def test_a_message_comes_as_it_came_there_with_what_was_read_of_it(raw, written, name):
    said = Submitted(1, Received(raw, Peer(name, "mllp"), "2026-03-01T07:30:00.000Z"), written)
    (content,) = Frames().receive(frame(msgpack.encode(said)))
    understood = msgpack.decode(content, type=FromFront)
    assert understood == said
    assert type(understood.received.raw) is type(understood.written) is bytes
