"""One connection on a transport that keeps what is written to it."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from insigne.exchange.model import Answer, Peer
from insigne.hl7 import frame
from insigne.transport.mllp_connection import MllpConnection, MllpCounters
from insigne.transport.settings import MllpSettings

PEER = Peer("127.0.0.1", "mllp")


class FakeTransport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.written = []
        self.closing = False
        self.reading = True

    def write(self, data):
        self.written.append(bytes(data))

    def close(self):
        self.closing = True

    def is_closing(self):
        return self.closing

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Echo:
    """A listener and a receiver in one: it answers a message by itself, now or `later`."""

    def __init__(self, later=False):
        self.settings = MllpSettings(in_flight=2, junk_limit=1000)
        self.receiver = self
        self.counters = MllpCounters()
        self.events = []
        self.waiting = []
        self.later = later

    def clock(self):
        return "2026-03-01T07:30:00.000Z"

    moving = False

    def move(self, connection, transport):
        raise AssertionError("nothing moves")

    def admit(self, transport):
        return PEER

    def frame_limit(self, peer):
        return self.settings.max_frame_bytes

    def forget(self, connection):
        pass

    def submit_nowait(self, received, callback):
        self.events.append(received.raw)
        answer = Answer(received.raw, "AA", "01", durable=True)
        if self.later:
            self.waiting.append((callback, answer))
        else:
            callback(answer)

    def report_junk(self, junk, peer):
        self.events.append(junk)


def connect(echo):
    connection, transport = MllpConnection(echo, lambda: 0.0), FakeTransport()
    connection.connection_made(transport)
    return connection, transport


def test_an_answer_is_one_write():
    connection, transport = connect(Echo())
    connection.data_received(frame(b"MSH|1") + frame(b"MSH|2"))
    assert transport.written == [b"\x0bMSH|1\x1c\r", b"\x0bMSH|2\x1c\r"]


def test_reading_stops_while_too_much_is_in_hand():
    echo = Echo(later=True)
    connection, transport = connect(echo)
    connection.data_received(frame(b"MSH|1"))
    assert transport.reading
    connection.data_received(frame(b"MSH|2") + frame(b"MSH|3"))
    assert not transport.reading
    assert echo.events == [b"MSH|1", b"MSH|2"]  # the third waits its turn
    for callback, answer in echo.waiting[:2]:
        callback(answer)
    assert transport.reading
    assert echo.events[2:] == [b"MSH|3"]


def test_reading_stops_while_answers_are_not_taken():
    echo = Echo()
    connection, transport = connect(echo)
    connection.pause_writing()
    assert not transport.reading
    connection.resume_writing()
    assert transport.reading


def test_an_answer_that_cannot_be_framed_closes_the_connection_without_a_half_answer():
    echo = Echo(later=True)
    connection, transport = connect(echo)
    connection.data_received(frame(b"MSH|1"))
    (callback, _) = echo.waiting[0]
    callback(Answer(b"MSH|\x1c\rMSH|", "AA", "01", durable=True))
    assert transport.closing
    assert transport.written == []
    assert echo.counters.failures == 1


pieces = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=20).map(
            lambda data: frame(b"MSH|" + data.replace(b"\x0b", b"").replace(b"\x1c", b""))
        ),
        st.binary(max_size=30),
        st.sampled_from([b"\x0b", b"\x1c\r", b"\x0bMSH|", b"\x0b\x1c\r"]),
    ),
    max_size=8,
)


@given(pieces, st.lists(st.integers(1, 40), min_size=1))
def test_how_the_bytes_were_split_changes_nothing(parts, sizes):
    data = b"".join(parts)

    def play(chunks):
        echo = Echo()
        connection, transport = connect(echo)
        for chunk in chunks:
            connection.data_received(chunk)
        connection.connection_lost(None)
        messages = [event for event in echo.events if isinstance(event, bytes)]
        junk = [(event.reason, event.size) for event in echo.events if not isinstance(event, bytes)]
        assert transport.written == [frame(raw) for raw in messages]
        return messages, junk

    chunks, position = [], 0
    while position < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[position : position + size])
        position += size
    assert play(chunks) == play([data])
