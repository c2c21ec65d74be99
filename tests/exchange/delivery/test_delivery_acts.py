"""What a person does about a message, while the dispatcher is about to send it."""

import asyncio

import pytest

from insigne.exchange.delivery import acts
from insigne.exchange.delivery.ports import SendFailed
from insigne.hl7 import Message
from insigne.store.moments import utc_now

FAST = "delivery = { first_retry_seconds = 0.01, longest_retry_seconds = 0.02 }"


def editing(raw, control_id="EDIT1"):
    """The act that sends these bytes instead."""
    written = acts.Bytes(control_id, "ADT^A28^ADT_A05", utc_now(), acts.with_control_id(raw, control_id))
    return lambda transaction, row, now: acts.edit(transaction, row, written, now)


def test_a_message_about_to_be_tried_again_is_not_edited_while_its_destination_runs(site, make_receiver):
    labo = site(LABO=FAST)

    async def play():
        receiver = make_receiver()
        receiver.answers = [SendFailed("timeout", "silent")]
        labo.admit(1)
        async with labo.dispatching(LABO=receiver):
            await receiver.wait_for(1)
            with pytest.raises(acts.ActRefused, match="pause LABO first"):
                labo.act(editing(labo.adt("A28", 1, name="BERENGER")), 1)
            await labo.until(lambda: labo.states() == ["delivered"])
        assert receiver.got[0] == receiver.got[-1], "what was written first is all that was sent"

    asyncio.run(play())


def test_a_message_accepted_while_it_was_being_edited_is_not_sent_a_second_time(site, make_receiver):
    labo = site(LABO=FAST)

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver) as channels:
            await receiver.wait_for(1)
            labo.decide("LABO", state="paused")
            labo.act(editing(receiver.got[0].replace(b"BERANGER", b"BERENGER")), 1)
            receiver.gate.set()
            await labo.until(lambda: labo.kept()[0].state == "delivered")
            labo.decide("LABO", state="running")
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert channels["LABO"].counters.delivered == 2
        assert [number for _, number in receiver.told] == ["1", "2"]
        row, [attempt] = labo.kept()
        assert attempt.control_id == row.control_id != "EDIT1", "the row says what was accepted"
        assert row.reason == "accepted as it was, before it was edited"

    asyncio.run(play())


def test_a_message_that_got_no_answer_while_it_was_edited_is_sent_as_edited_each_try_kept(site, make_receiver):
    labo = site(LABO=FAST)

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        receiver.answers = [SendFailed("closed", "no answer")]
        labo.admit(1)
        async with labo.dispatching(LABO=receiver):
            await receiver.wait_for(1)
            labo.decide("LABO", state="paused")
            labo.act(editing(receiver.got[0].replace(b"BERANGER", b"BERENGER")), 1)
            receiver.gate.set()
            await labo.until(lambda: len(labo.kept()[1]) == 1)
            labo.decide("LABO", state="running")
            await labo.until(lambda: labo.states() == ["delivered"])
        assert [b"BERENGER" in raw for raw in receiver.got] == [False, True]
        assert [(one.number, one.outcome) for one in labo.kept()[1]] == [(1, "closed"), (2, "delivered")]

    asyncio.run(play())


def test_a_message_held_for_a_person_is_edited_though_its_destination_runs(site, make_receiver):
    labo = site(LABO='subscription = { unsupported = { A40 = "hold" } }\n' + FAST)

    async def play():
        receiver = make_receiver()
        labo.admit(1, 2)
        labo.merge(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states()[2] == "held")
            labo.act(editing(labo.adt("A31", 1, name="BERENGER")), 3)
            await labo.until(lambda: labo.states() == ["delivered"] * 3)
        assert receiver.told[2] == ("A31", "1")

    asyncio.run(play())


def with_ins(matricule):
    return f"~{matricule}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"


INS, OTHER_INS = "284022901900127", "284022901900224"


def after_its_loss(site, make_receiver, *later):
    """An INS told, lost, then what `later` says; then the message that told of the loss is told again."""
    labo = site(LABO=FAST)
    receiver = make_receiver()

    async def play():
        labo.receive(labo.adt("A28", 1, ins=with_ins(INS), status="VALI"), labo.adt("A31", 1))
        labo.receive(*(labo.adt("A31", 1, ins=with_ins(one), status="VALI") for one in later))
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: set(labo.states()) == {"delivered"})
            [lost] = [row.id for row in labo.rows() if row.event == "A47"]
            again = labo.act(acts.retry, lost)
            await labo.until(lambda: labo.kept(again)[0].ended)
        told = labo.kept(again)[0]
        return told, (Message.parse(receiver.got[-1]) if told.state == "delivered" else None)

    return asyncio.run(play())


def test_the_loss_of_an_ins_told_again_is_told_as_it_was_while_there_is_none(site, make_receiver):
    told, message = after_its_loss(site, make_receiver)
    assert (told.state, message.trigger) == ("delivered", "A47")
    assert INS in message.value("MRG-1.1")
    assert message.value("PID-3[2].1") == '""'


def test_the_loss_of_an_ins_told_again_takes_nothing_from_one_that_has_it_back(site, make_receiver):
    told, _ = after_its_loss(site, make_receiver, INS)
    assert (told.state, told.reason) == ("ignored", "ins-valid-again")


def test_the_loss_of_an_ins_told_again_names_the_ins_there_is_today(site, make_receiver):
    told, message = after_its_loss(site, make_receiver, OTHER_INS)
    assert (told.state, message.trigger) == ("delivered", "A47")
    assert (message.value("MRG-1.1"), message.value("PID-3[2].1")) == (INS, OTHER_INS)
    assert message.value("PID-32") == "VALI"


def test_a_message_that_holds_back_its_patients_is_held_once_when_all_is_told_again(site, make_receiver):
    labo = site(LABO='subscription = { unsupported = { A40 = "hold" } }\n' + FAST)

    def everything(transaction, row, now):
        waiting = transaction.outbox_range("LABO", 1, 4, 10)
        return [acts.repeat(transaction, one, now) for one in waiting if acts.repeatable(one)]

    async def play():
        receiver = make_receiver()
        labo.admit(1, 2)
        labo.merge(1, 2)
        labo.update(1, "MARTIN")
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered", "delivered", "held", "encoded"])
            again = labo.act(everything, 3)
            assert len(again) == 4
            await labo.until(lambda: labo.states()[-4:] == ["delivered", "delivered", "held", "encoded"])
            assert labo.states()[:4] == ["delivered", "delivered", "skipped", "skipped"]
            assert [item.kind for item in labo.work()] == ["message-held"], "the person is asked once"
            labo.act(lambda transaction, row, now: acts.skip(transaction, row, "merged by hand", now), again[2])
            await labo.until(lambda: labo.states()[-1] == "delivered")
        assert receiver.told == [("A28", "1"), ("A28", "2")] * 2 + [("A31", "1")]

    asyncio.run(play())
