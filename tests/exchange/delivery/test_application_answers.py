"""Enhanced mode with a destination for application acknowledgements: CA at once, AA, AE or AR sent apart, once."""

import asyncio

import pytest

from insigne.app.clock import rfc3339_now
from insigne.config import ConfigError, load
from insigne.exchange.model import Peer, Received
from insigne.hl7 import Message

SENDERS = """
[[senders]]
application = "GAM"
application_answers = "BACK"
"""


def asked(raw, accept, application):
    """The message with MSH-15 and MSH-16."""
    return raw.replace(b"|||||FRA|", f"|||{accept}|{application}|FRA|".encode(), 1)


def unreadable(raw):
    """The same without a patient."""
    return raw.replace(b"\rPID|", b"\rQID|")


def take(site, *messages):
    """What each is answered on its connection."""
    batch = [Received(raw, Peer("GAM", "mllp"), rfc3339_now()) for raw in messages]
    return [(answer.code, answer.payload) for answer in site.base.intake.process(batch)]


@pytest.fixture
def answering(site):
    return site(BACK=f'subscription = {{ events = ["A40"] }}\n{SENDERS}')


def answers(site):
    """MSA-1, MSA-2 of each acknowledgement waiting for the sender, and whether it has errors."""
    found = []
    with site.store.read() as view:
        for row in view.outbox(limit=100)[::-1]:
            assert row.kind == "answer"
            message = Message.parse(view.outgoing_bytes(row.control_id).raw)
            assert message.control_id == row.control_id
            found.append((message.value("MSA-1"), message.value("MSA-2"), message.segment("ERR") is not None))
    return found


def test_a_message_is_told_received_at_once_and_accepted_apart(answering):
    [(code, payload)] = take(answering, asked(answering.adt("A28", "1"), "AL", "AL"))

    assert (code, Message.parse(payload).value("MSA-1")) == ("CA", "CA")
    assert answers(answering) == [("AA", "G1", False)]


def test_a_refusal_is_no_fault_of_reception_and_its_reason_comes_apart(answering):
    [(code, payload)] = take(answering, asked(unreadable(answering.adt("A28", "1")), "AL", "AL"))

    assert (code, b"ERR" in payload) == ("CA", False)
    assert answers(answering) == [("AE", "G1", True)]


@pytest.mark.parametrize(
    ("wanted", "good", "told"),
    [
        ("NE", True, 0),
        ("NE", False, 0),
        ("ER", True, 0),
        ("ER", False, 1),
        ("SU", True, 1),
        ("SU", False, 0),
        ("", True, 0),
    ],
)
def test_only_the_answers_that_msh_16_wants_are_sent(answering, wanted, good, told):
    raw = asked(answering.adt("A28", "1"), "AL", wanted)
    take(answering, raw if good else unreadable(raw))

    assert len(answers(answering)) == told


def test_original_mode_says_everything_at_once(answering):
    [(code, _)] = take(answering, answering.adt("A28", "1"))

    assert code == "AA"
    assert answers(answering) == []


def test_a_message_sent_again_is_answered_apart_once(answering):
    raw = asked(answering.adt("A28", "1"), "AL", "AL")

    first, second = take(answering, raw), take(answering, raw)

    assert first == second
    assert len(answers(answering)) == 1


def test_the_answer_leaves_for_its_destination_and_asks_to_be_acknowledged(answering, make_receiver):
    async def play():
        receiver = make_receiver()
        receiver.answers = ["CA"]
        take(answering, asked(answering.adt("A28", "1"), "AL", "AL"))
        async with answering.dispatching(BACK=receiver):
            await receiver.wait_for(1)
            await answering.until(lambda: answering.states() == ["delivered"])
        return receiver.got

    [raw] = asyncio.run(play())

    message = Message.parse(raw)
    assert (message.value("MSA-1"), message.value("MSA-2")) == ("AA", "G1")
    assert (message.value("MSH-9.1"), message.value("MSH-15"), message.value("MSH-16")) == ("ACK", "AL", "NE")


def test_a_destination_of_answers_that_does_not_exist_is_an_error_of_configuration(tmp_path):
    file = tmp_path / "insigne.toml"
    file.write_text(SENDERS, encoding="utf-8")

    with pytest.raises(ConfigError, match="no destination named BACK"):
        load(file, (), {}, tmp_path)
