"""What becomes of a message that a receiver refuses, does not answer, or cannot be told."""

import asyncio

from structlog.testing import capture_logs

from insigne.exchange.delivery import acts
from insigne.exchange.delivery.ports import SendFailed
from insigne.hl7 import Message
from insigne.store.moments import utc_now

FAST = "delivery = { first_retry_seconds = 0.01, longest_retry_seconds = 0.02%s }"
STRICT = FAST % ""


def numbers(receiver):
    return [number for _, number in receiver.told]


def test_an_application_error_sets_the_message_aside_and_the_next_ones_go(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE 207"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver) as channels:
            await labo.until(lambda: labo.states() == ["dead", "delivered"])
        assert numbers(receiver) == ["1", "2"]
        row, [attempt] = labo.kept()
        assert (row.code, row.reason) == ("AE", "refused with AE (condition 207)")
        assert (attempt.outcome, attempt.code) == ("refused", "AE")
        assert attempt.ack.startswith(b"MSA|AE|"), "the acknowledgement is kept as it came"
        assert channels["LABO"].counters.dead == 1
        assert [item.kind for item in labo.work()] == ["message-refused"]

    asyncio.run(play())


def test_an_application_error_stops_a_destination_that_wants_it_until_a_person_decides(site, make_receiver):
    labo = site(LABO=FAST % ', on_refusal = "stop"')

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE", "AE"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.kept()[0].code == "AE")
            assert [alarm.kind for alarm in labo.alarms.on()] == ["destination-stopped"]
            labo.decide("LABO", state="running")
            await receiver.wait_for(2)
            with labo.store.read() as view:
                await labo.until(lambda: len(labo.kept()[1]) == 2)
                assert numbers(receiver) == ["1", "1"], "it stopped again at the same message"
                assert view.destination("LABO").revision == 1
            labo.act(lambda transaction, row, now: acts.skip(transaction, row, "by hand", now), 1)
            labo.decide("LABO", state="running")
            await labo.until(lambda: labo.states() == ["skipped", "delivered"])
        assert numbers(receiver) == ["1", "1", "2"]
        assert labo.alarms.on() == []

    asyncio.run(play())


def test_a_stop_outlives_a_restart(site, make_receiver):
    labo = site(LABO=FAST % ', on_refusal = "stop"')

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE"]
        labo.admit(1)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.kept()[0].code == "AE")
        async with labo.dispatching(LABO=receiver) as channels:
            await labo.until(lambda: channels["LABO"].destination.state == "stopped")
            assert numbers(receiver) == ["1"]

    asyncio.run(play())


def test_a_fault_in_the_header_is_not_sent_again(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AR 203"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["dead", "delivered"])
        assert numbers(receiver) == ["1", "2"]

    asyncio.run(play())


def test_a_rejection_is_tried_again_with_the_same_bytes_until_it_is_accepted(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AR 207", "AR", "CR", "AA"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert numbers(receiver) == ["1", "1", "1", "1", "2"]
        assert len(set(receiver.got[:4])) == 1

    asyncio.run(play())


def test_tries_have_a_limit_where_the_site_sets_one(site, make_receiver):
    labo = site(LABO=FAST % ", reject_attempts = 3, unanswered_attempts = 2")

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AR", "AR", "AR", SendFailed("timeout", "silent"), SendFailed("timeout", "silent"), "AA"]
        labo.admit(1, 2, 3)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["dead", "dead", "delivered"])
        assert numbers(receiver) == ["1", "1", "1", "2", "2", "3"]

    asyncio.run(play())


def test_an_unreachable_receiver_loses_nothing_and_is_announced_once_at_each_end(site, make_receiver):
    labo = site(LABO=FAST % ", unanswered_attempts = 1")

    async def play():
        receiver = make_receiver()
        receiver.answers = [SendFailed("unreachable", "connection refused") for _ in range(8)]
        labo.admit(1, 2)
        with capture_logs() as logs:
            async with labo.dispatching(LABO=receiver) as channels:
                await labo.until(lambda: labo.kept()[0].code == "unreachable")
                row, attempts = labo.kept()
                assert (row.state, row.reason, attempts) == ("encoded", "connection refused", [])
                await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert [(log["event"], log["kind"]) for log in logs if log["event"].startswith("alarm")] == [
            ("alarm.raised", "destination-down"),
            ("alarm.ended", "destination-down"),
        ]
        assert channels["LABO"].counters.outages == 1
        assert labo.kept()[0].attempts == 1, "what was not sent does not count"

    asyncio.run(play())


def test_a_receiver_that_refuses_everything_raises_one_alarm(site, make_receiver):
    labo = site(LABO=FAST % ", refusal_alarm = 3")

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE"] * 6
        labo.admit(*range(6))
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["dead"] * 6)
            assert [alarm.kind for alarm in labo.alarms.on()] == ["destination-refuses"]
            labo.admit(7)
            await labo.until(lambda: labo.states()[-1] == "delivered")
        assert labo.alarms.on() == []

    asyncio.run(play())


def test_a_paused_destination_queues_and_resumes_where_it_was(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        labo.decide("LABO", state="paused", reason="upgrade")
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver) as channels:
            await labo.until(lambda: channels["LABO"].destination.state == "paused")
            assert receiver.got == []
            assert labo.states() == ["queued"] * 2
            labo.decide("LABO", state="running")
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert numbers(receiver) == ["1", "2"]

    asyncio.run(play())


NO_MERGE = 'subscription = { unsupported = { A40 = "hold" } }\n' + STRICT


def test_a_merge_its_receiver_does_not_take_is_told_to_a_person_and_holds_back_these_patients_only(site, make_receiver):
    labo = site(LABO=NO_MERGE)

    async def play():
        receiver = make_receiver()
        labo.admit(1, 2, 3)
        labo.merge(1, 2)
        labo.update(1)
        labo.update(3)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states()[5] == "delivered")
            assert receiver.told == [("A28", "1"), ("A28", "2"), ("A28", "3"), ("A31", "3")]
            held, _ = labo.kept(4)
            assert (held.state, held.ended) == ("held", None)
            [item] = labo.work()
            assert item.kind == "message-held"
            assert b"instruction" in bytes(item.held)
            labo.act(lambda transaction, row, now: acts.skip(transaction, row, "merged by hand", now), 4)
            await labo.until(lambda: labo.states()[4] == "delivered")
        assert receiver.told[-1] == ("A31", "1")

    asyncio.run(play())


def test_a_message_told_again_has_a_control_id_of_its_own_and_settles_the_one_that_failed(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE"]
        labo.admit(1)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["dead"])
            assert labo.act(acts.retry, 1) == 2
            await labo.until(lambda: labo.states() == ["skipped", "delivered"])
        first, second = map(Message.parse, receiver.got)
        assert first.control_id != second.control_id
        assert first.value("PID-3.1") == second.value("PID-3.1")
        again, _ = labo.kept(2)
        assert (again.kind, again.replaces) == ("replay", 1)

    asyncio.run(play())


def test_an_edited_message_goes_at_its_place(site, make_receiver):
    labo = site(LABO=FAST % ', on_refusal = "stop"')

    async def play():
        receiver = make_receiver()
        receiver.answers = ["AE"]
        labo.admit(1, 2)
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.kept()[0].code == "AE")
            raw = acts.with_control_id(receiver.got[0].replace(b"BERANGER", b"BERENGER"), "EDIT1")
            written = acts.Bytes("EDIT1", "ADT^A28^ADT_A05", utc_now(), raw)
            labo.act(lambda transaction, row, now: acts.edit(transaction, row, written, now), 1)
            labo.decide("LABO", state="running")
            await labo.until(lambda: labo.states() == ["delivered"] * 2)
        assert receiver.got[1] == raw
        assert numbers(receiver) == ["1", "1", "2"]
        _, attempts = labo.kept()
        assert [(one.outcome, one.control_id == "EDIT1") for one in attempts] == [
            ("refused", False),
            ("delivered", True),
        ]
        with labo.store.read() as view:
            assert view.outgoing_bytes(attempts[0].control_id).raw == receiver.got[0], "what was sent first is kept"

    asyncio.run(play())


def test_a_new_receiver_is_told_the_whole_base_behind_what_is_live(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        labo.admit(*range(40))
        labo.merge(0, 1)
        with labo.store.begin(5.0) as transaction:
            for row in labo.rows():
                acts.skip(transaction, row, "before its time", utc_now())
            last, total = transaction.last_identity()
            load = {"init_state": "running", "init_until": last, "init_total": total, "init_rate": 1000.0}
            transaction.change_destination("LABO", "user:claire", utc_now(), **load)
            transaction.commit()
        async with labo.dispatching(LABO=receiver):
            await receiver.wait_for(5)
            labo.update(39, "DURAND")
        async with labo.dispatching(LABO=receiver) as channels:
            await labo.until(lambda: channels["LABO"].destination.init_state == "done")
            await labo.until(lambda: set(labo.states()) <= {"skipped", "delivered"})
        assert channels["LABO"].destination.init_done == 39
        told = [number for trigger, number in receiver.told if trigger == "A28"]
        assert sorted(map(int, told)) == [0, *range(2, 40)], "each living identity, once"
        last = [raw for raw in receiver.got if Message.parse(raw).value("PID-3.1") == "39"][-1]
        assert Message.parse(last).value("PID-5.1") == "DURAND", "nobody is left with older news"

    asyncio.run(play())


def test_nothing_is_written_for_a_receiver_that_wants_nothing_of_it(site, make_receiver):
    labo = site(LABO='subscription = { events = ["A31"], unsupported = { A28 = "drop" } }\n' + STRICT)
    labo.admit(1)
    assert labo.rows() == []


def test_an_ins_that_is_no_longer_qualified_does_not_leave_with_a_message_that_waited(site, make_receiver, monkeypatch):
    monkeypatch.setattr("insigne.exchange.delivery.window.STALE_SECONDS", 0.0)
    labo = site(LABO=STRICT)
    matricule = "284022901900127"
    ins = f"~{matricule}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"

    def bytes_of(row_id):
        with labo.store.read() as view:
            return view.outgoing_bytes(view.outgoing(row_id).control_id).raw

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.receive(labo.adt("A28", 1), labo.adt("A28", 2, ins=ins, status="VALI"))
        async with labo.dispatching(LABO=receiver):
            await labo.until(lambda: labo.states() == ["encoded"] * 2)
            assert matricule.encode() in bytes_of(2)
            labo.receive(labo.adt("A31", 2))
            receiver.gate.set()
            await labo.until(lambda: set(labo.states()) == {"delivered"})
        assert [raw for raw in receiver.got if matricule.encode() in raw and b"ADT^A28" in raw] == []
        assert receiver.got[1] == bytes_of(2), "what was sent is what is kept"

    asyncio.run(play())


def test_what_an_edition_refuses_is_left_out_and_kept_with_what_was_sent(site, make_receiver):
    hospital = site(LABO=STRICT, DPI=STRICT)

    async def play():
        labo, dpi = make_receiver(), make_receiver()
        hospital.receive(hospital.adt("A28", 1).replace(b"|||||N|PROV", b"|||le 3 mars||N|PROV"))
        async with hospital.dispatching(LABO=labo, DPI=dpi):
            await hospital.until(lambda: hospital.states() == ["delivered"] * 2)
        for receiver in (labo, dpi):
            assert Message.parse(receiver.got[0]).value("PID-29") == ""
        with hospital.store.read() as view:
            assert [view.outgoing_bytes(row.control_id).left_out for row in hospital.rows()] == ["PID-29"] * 2

    asyncio.run(play())


QUALIFIED = "~284022901900127^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS"


def test_an_ins_lost_while_its_receiver_was_out_of_reach_does_not_leave(site, make_receiver, monkeypatch):
    monkeypatch.setattr("insigne.exchange.delivery.window.STALE_SECONDS", 0.0)
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        receiver.answers = [SendFailed("unreachable", "nobody listens")] * 2
        labo.receive(labo.adt("A28", 1, ins=QUALIFIED, status="VALI"))
        async with labo.dispatching(LABO=receiver):
            await receiver.wait_for(1)
            labo.receive(labo.adt("A31", 1))
            receiver.gate.set()
            await labo.until(lambda: set(labo.states()) == {"delivered"})
        assert b"^INS" in receiver.got[0], "it could not be reached then"
        assert [raw for raw in receiver.got[1:] if b"ADT^A28" in raw and b"^INS" in raw] == []

    asyncio.run(play())


def test_an_ins_lost_while_its_destination_was_paused_does_not_leave(site, make_receiver):
    labo = site(LABO=STRICT)

    async def play():
        receiver = make_receiver()
        receiver.gate.clear()
        labo.admit(1)
        labo.receive(labo.adt("A28", 2, ins=QUALIFIED, status="VALI"), labo.adt("A28", 3))
        async with labo.dispatching(LABO=receiver) as channels:
            await labo.until(lambda: labo.states() == ["encoded"] * 3)
            kept_as = [row.control_id for row in labo.rows()]
            labo.decide("LABO", state="paused")
            await labo.until(lambda: channels["LABO"].destination.state == "paused")
            receiver.gate.set()
            labo.receive(labo.adt("A31", 2))
            labo.decide("LABO", state="running")
            await labo.until(lambda: set(labo.states()) == {"delivered"})
        told = [(m.trigger, m.value("PID-3.1"), b"^INS" in m.raw) for m in map(Message.parse, receiver.got)]
        assert told[:3] == [("A28", "1", False), ("A28", "2", False), ("A28", "3", False)]
        now_as = [row.control_id for row in labo.rows()[:3]]
        assert (now_as[0], now_as[2]) == (kept_as[0], kept_as[2]), "what may leave as it is, goes as it is"

    asyncio.run(play())
