"""The messages of the simulated hospital, read by the product's own parser and validator."""

from collections import Counter
from itertools import pairwise

import pytest

from insigne.hl7 import Hl7Error, Message
from insigne.ins.matricule import NIR_TEST_OID
from insigne.pam.editions import edition
from insigne.pam.rules.context import ValidationContext
from insigne.pam.validate import validate
from insigne.simulate.editions import CHARSETS, CODECS, EDITIONS
from insigne.simulate.hospital import HospitalSettings, generate


def feed(patients=150, **settings):
    return list(generate(HospitalSettings(patients, **settings)))


@pytest.fixture(scope="module")
def large():
    return feed(2500, seed=11, wrong=0)


def test_the_same_settings_give_the_same_bytes():
    assert feed(seed=3, wrong=0.1) == feed(seed=3, wrong=0.1)
    assert feed(seed=3) != feed(seed=4)


def test_control_ids_are_unique_and_short(large):
    ids = [message.control_id for message in large]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 20


def test_the_time_of_messages_never_goes_back(large):
    times = [message.payload.split(b"|")[6] for message in large]
    assert all(one <= next_one for one, next_one in pairwise(times))
    assert times[0] >= b"20260105070000"
    assert times[-1] < b"20261101000000"


def test_patients_are_interleaved(large):
    patients = [Message.parse(message.payload).value("PID-3") for message in large[:3000]]
    assert sum(one != other for one, other in pairwise(patients)) > 2000


def test_the_event_mix_covers_what_a_hospital_lives(large):
    events = Counter(message.event.removeprefix("ADT^") for message in large)
    expected = (
        "A01 A02 A03 A04 A05 A06 A07 A11 A12 A13 A14 A15 A16 A21 A22 A24 A25 A26 A27 A28 A31 A37 A38 A40 A44 A47 A49"
    )
    expected += " A52 A53 A54 A55 Z99"
    assert set(expected.split()) - set(events) == set()
    assert set(events) - set(expected.split()) == set()


@pytest.mark.parametrize("number", EDITIONS)
def test_every_right_message_is_valid_for_its_edition(number):
    rules = edition(number)
    for message in feed(250, seed=21, wrong=0, edition=number):
        read = Message.parse(message.payload)
        assert read.version_extension == number
        assert [f"{message.event} {f.location} {f.message}" for f in validate(read, rules)] == []


def test_the_test_oid_replaces_every_nir():
    rules, here = edition("2.11"), ValidationContext(environment="test")
    messages = feed(200, wrong=0, test_oid=True)
    assert any(NIR_TEST_OID.encode() + b"&ISO^INS" in message.payload for message in messages)
    assert not any(b"1.4.8&ISO^INS" in m.payload or b"1.4.9&ISO^INS" in m.payload for m in messages)
    for message in messages:
        assert [f for f in validate(Message.parse(message.payload), rules, here) if f.severity == "error"] == []


@pytest.mark.parametrize("charset", CHARSETS)
def test_each_character_set_is_declared_and_used(charset):
    accents = set()
    for message in feed(wrong=0, charset=charset):
        text = message.payload.decode(CODECS[charset])
        assert f"|{CHARSETS[charset]}|" in text.split("\r", 1)[0]
        accents |= {letter for letter in "ÉÈÊÎÛàéŒ" if letter in text}
    assert {"É", "Ê", "Î"} <= accents
    assert ("Œ" in accents) == (charset != "8859-1")


def test_before_2_10_no_ins_travels_and_the_default_charset_is_8859_15():
    payloads = [message.payload for message in feed(300, edition="2.9", wrong=0)]
    assert not any(b"^INS|" in payload or b"^INS~" in payload for payload in payloads)
    assert all(b"|8859/15|" in payload for payload in payloads)


def test_wrong_messages_are_told_with_the_answer_they_deserve():
    messages = feed(1500, seed=9, wrong=0.3)
    answers = {(message.why.split("(")[-1].rstrip(")"), message.expected_code) for message in messages}
    for condition, code in (("201", "AR"), ("203", "AR"), ("101", "AE"), ("102", "AE"), ("103", "AE"), ("204", "AE")):
        assert (condition, code) in answers
    reasons = Counter(message.why for message in messages if message.why != "valid")
    assert len(reasons) == 15


def test_without_wrong_messages_every_answer_is_aa(large):
    assert {message.expected_code for message in large} == {"AA"}
    assert {message.why for message in large} == {"valid"}


def test_a_repeated_message_is_the_same_to_the_byte_and_a_reused_control_id_is_not():
    sent = {}
    seen = Counter()
    for message in feed(1000, seed=13, wrong=0.2):
        before = sent.setdefault(message.control_id, message.payload)
        if message.why.startswith("the same message again"):
            assert message.payload == before
            seen["again"] += 1
        elif message.why.startswith("other content"):
            assert message.payload != before
            seen["reused"] += 1
    assert min(seen["again"], seen["reused"]) > 5


def test_undecodable_bytes_are_really_undecodable():
    found = [message for message in feed(1000, seed=13, wrong=0.2) if "(102)" in message.why]
    assert found
    for message in found:
        with pytest.raises(Hl7Error) as refused:
            Message.parse(message.payload)
        assert (refused.value.ack, refused.value.condition) == ("AE", "102")


def test_wrong_messages_do_not_change_the_right_ones():
    def bodies(messages):
        return [m.payload.split(b"\r", 1)[1] for m in messages if m.why == "valid"]

    right = bodies(feed(400, wrong=0, seed=2))
    amid_wrong = bodies(feed(400, wrong=0.3, seed=2))
    assert set(amid_wrong) <= set(right)
    assert len(amid_wrong) > 0.99 * len(right)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"patients": -1}, "patients"),
        ({"patients": 5, "people": 4}, "people"),
        ({"patients": 1, "edition": "3.0"}, "edition"),
        ({"patients": 1, "charset": "koi8-r"}, "charset"),
        ({"patients": 1, "wrong": 1.5}, "wrong"),
    ],
)
def test_settings_out_of_range_are_named(settings, name):
    with pytest.raises(ValueError, match=f"^{name}:"):
        HospitalSettings(**settings)
