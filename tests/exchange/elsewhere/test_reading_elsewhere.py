"""What a message asks is the same wherever it is read: by its handler, or written down and read back."""

from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insigne.exchange.adt import AdtHandler
from insigne.exchange.arrival import Arrivals, Read
from insigne.exchange.elsewhere import UNREAD, Site, reader_of
from insigne.exchange.handler import Delivery, Prepared
from insigne.exchange.model import Peer, Received
from insigne.exchange.settings import SenderSettings
from insigne.hl7 import Message
from insigne.registry.commands import Command
from insigne.registry.settings import Policy

ACCOUNT = "A1^^^HOSP&1.2.250.1.999.1&ISO^AN"


class NeverReads(AdtHandler):
    """Only restores what another process read."""

    def prepare(self, delivery: Delivery, message: Message) -> Prepared:
        raise AssertionError("read here")


def reading(site: Site, handler: type[AdtHandler], raw: bytes, written: bytes = UNREAD) -> Read | None:
    """What the process that decides makes of a message; None when it asks nothing of the registry."""
    arrivals = Arrivals({"ADT": handler(site.policy, site.processing_ids, lambda: "id")}, site.senders, lambda: "id")
    found = arrivals.read(Received(raw, Peer("gam", "mllp"), "2026-03-01T08:00:00.000Z"), written)
    return found if isinstance(found, Read) and found.outcome is None else None


def here(site: Site, raw: bytes) -> Read | None:
    """The same by itself."""
    return reading(site, AdtHandler, raw)


def elsewhere(site: Site, read: Callable[[bytes], bytes], raw: bytes) -> Read | None:
    """The same from what the other process wrote, and nothing else."""
    written = read(raw)
    return None if written == UNREAD else reading(site, NeverReads, raw, written)


def test_every_message_of_a_hospital_asks_the_same(site, feed):
    ours = site()
    read = reader_of(ours)
    asked = [(here(ours, raw), elsewhere(ours, read, raw)) for raw in feed]
    assert [pair for pair in asked if pair[0] != pair[1]] == []
    assert sum(known is not None for known, _ in asked) > 300


def test_everything_a_message_may_ask_can_be_written_down(site, hospital, write):
    ours = site()
    read = reader_of(ours)
    one, other = write.pid(write.pi("1"), pid18=ACCOUNT), write.pid(write.pi("2"))
    retired = write.segment("MRG", {1: write.pi("2"), 3: ACCOUNT.replace("A1", "A2")})
    segments = {
        "A28": (one, write.segment("PV1", {2: "N"})),
        "A01": (one, write.pv1("V1"), write.zbe("M1", "20260301090000")),
        "A40": (one, retired),
        "A47": (one, retired),
        "A24": (one, write.segment("PV1", {2: "N"}), other, write.segment("PV1", {2: "N"})),
        "A44": (one, retired),
        "A49": (one, retired),
    }
    raws = [hospital.message(event, *content).encode() for event, content in segments.items()]
    asked = [here(ours, raw) for raw in raws]
    assert [elsewhere(ours, read, raw) for raw in raws] == asked
    assert {type(known.prepared.content.command) for known in asked if known is not None} == set(get_args(Command))


def test_findings_come_with_what_is_asked(site, hospital, write):
    ours = site()
    raw = hospital.message("A28", write.pid(write.pi("1"), sex="X", birth="19801399"), msh11="").encode()
    known = here(ours, raw)
    assert known is not None
    assert len(known.prepared.content.findings) >= 2
    assert elsewhere(ours, reader_of(ours), raw) == known


@pytest.mark.parametrize(
    ("event", "sender"),
    [
        ("A28", SenderSettings(application="GAM", edition="2.3")),
        ("A28", SenderSettings(application="GAM", charset="latin-1")),
        ("A08", SenderSettings(facility="HOSP", a08="update")),
        ("A28", SenderSettings(application="GAM", rules={"V16": "ignore"})),
        ("A28", SenderSettings(application="GAM", rules={"V16": "reject"})),
    ],
    ids=["edition", "charset", "a08", "rules-ignored", "rules-refused"],
)
def test_the_settings_of_its_sender_count(site, hospital, write, event, sender):
    ours, default = site(sender), site()
    text = hospital.message(event, write.pid(write.pi("1"), name="LÉVÊQUE^ZOÉ^^^^^L", sex="X"), write.pv1("V1"))
    raw = text.encode(sender.charset or "utf-8")
    assert elsewhere(ours, reader_of(ours), raw) == here(ours, raw)
    assert here(ours, raw) != here(default, raw)


def test_how_it_wants_to_be_answered_comes_with_it(site, hospital, write):
    ours = site()
    raw = hospital.message("A28", write.pid(write.pi("1")), msh15="AL", msh16="NE").encode()
    second = b"MSH|^~\\&|LABO|HOSP|||||ADT^A28|C9|P|2.5|||NE|NE\r"  # another message in the same frame
    found = [elsewhere(ours, reader_of(ours), one) for one in (raw, raw + second)]
    assert found == [here(ours, raw), here(ours, raw + second)]
    assert {(one.delivery.heading.accept, one.delivery.heading.application) for one in found} == {("AL", "NE")}


@pytest.mark.parametrize(
    ("event", "changes"),
    [("A08", {}), ("A60", {}), ("A28", {"msh11": "T"}), ("A28", {"msh12": "2.6"}), ("A28", {"msh18": "ISO IR87"})],
    ids=["excluded-event", "unknown-event", "test", "version", "charset"],
)
def test_a_message_that_is_refused_is_left_to_the_process_that_answers(site, hospital, write, event, changes):
    raw = hospital.message(event, write.pid(write.pi("1")), **changes).encode()
    assert reader_of(site())(raw) == UNREAD


def test_what_cannot_be_written_down_is_left_to_the_process_that_answers(site, hospital, write):
    lax = SenderSettings(application="GAM", charset="raw_unicode_escape")  # lets half of a character through
    raw = hospital.message("A28", write.pid(write.pi("1"), name="LEVEQUE\\ud800^ZOE^^^^^L")).encode("ascii")
    assert here(site(lax), raw) is not None
    assert reader_of(site(lax))(raw) == UNREAD


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_damaged_message_never_stops_the_reader_nor_asks_anything_else(site, feed, data):
    ours = site()
    raw = bytearray(data.draw(st.sampled_from(feed)))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=5)):
        raw[place] = data.draw(st.sampled_from(b'|^~\\&\r\n\x00\xffA9"'))
    damaged = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    assert elsewhere(ours, reader_of(ours), damaged) == here(ours, damaged)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_left(raw):
    assert isinstance(reader_of(Site(Policy(), (), ()))(raw), bytes)
