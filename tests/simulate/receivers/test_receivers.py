"""Scripted receivers, as a client sees them, and the registry that an honest one ends with."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from insigne.net.settings import ClientTlsSettings
from insigne.net.tls import client_context
from insigne.simulate.receivers.compare import differences
from insigne.simulate.receivers.receiver import ReceiverSettings, ScriptedReceiver
from insigne.simulate.receivers.running import running
from insigne.simulate.receivers.script import Down, Script, When, read_script
from insigne.simulate.receivers.tls import receiver_tls
from insigne.simulate.timeline import ScriptError
from insigne.transport.mllp_client import ClientError, MllpClient, NoAnswer, Unreachable

PATIENCE = 20


def message(control_id, event="A28", name="BÉRANGER", ipp="9001", ward=""):
    stay = f"PV1||I|{ward}||||||||||||||||V{ipp}^^^GAM&1.2.250.1.999.1&ISO^VN\r" if ward else "PV1||N\r"
    zbe = f"ZBE|M{control_id}^GAM^1.2.250.1.999.1^ISO|20260301083000||INSERT|N||||HMS\r" if ward else ""
    structure = "ADT_A01" if ward else "ADT_A05"
    return (
        f"MSH|^~\\&|GAM|CHU|RI|GHT|20260301083000+0100||ADT^{event}^{structure}|{control_id}|P|2.5^FRA^2.11"
        "||||||UNICODE UTF-8\r"
        f"EVN||20260301083000+0100\r"
        f"PID|||{ipp}^^^GAM&1.2.250.1.999.1&ISO^PI||{name}^MAËLLE^MAËLLE JEANNE^^^^L||19810412|F{'|' * 24}PROV\r"
        f"{stay}{zbe}"
    ).encode()


def play(scenario, **settings):
    """Run a scenario with a receiver and a client of it."""

    async def run():
        receiver = ScriptedReceiver(ReceiverSettings(**settings))
        await receiver.start()
        client = MllpClient(*receiver.address, answer_timeout=0.5, connect_timeout=5, report=lambda _: None)
        try:
            return await scenario(receiver, client)
        finally:
            await client.close()
            await receiver.stop()

    return asyncio.run(asyncio.wait_for(run(), PATIENCE))


def sent(do, **options):
    """What a client gets for one message of a receiver with this fault: a code, or a failure."""

    async def scenario(_, client):
        try:
            return (await client.send(message("M1"))).ack.code
        except NoAnswer as failed:
            return failed.failure

    return play(scenario, script=Script((When(do, **options),)))


def test_an_honest_receiver_acknowledges_and_notes_what_it_got(tmp_path):
    async def scenario(receiver, client):
        reply = await client.send(message("M1"))
        assert reply.ack.code == "AA"
        return receiver.receipts[0]

    receipt = play(scenario, log=tmp_path / "log")
    assert (receipt.number, receipt.control_id, receipt.event, receipt.code) == (1, "M1", "ADT^A28", "AA")
    assert json.loads((tmp_path / "log").read_text())["control_id"] == "M1"


@pytest.mark.parametrize(
    ("do", "options", "seen"),
    [
        ("late", {"seconds": 2}, "timeout"),
        ("late", {"seconds": 0.01}, "AA"),
        ("silent", {}, "timeout"),
        ("drip", {"seconds": 0.3}, "timeout"),
        ("drip", {}, "AA"),
        ("close", {}, "closed"),
        ("reset", {}, "closed"),
        ("half-frame", {}, "closed"),
        ("half-frame", {"seconds": 2}, "timeout"),
        ("error", {}, "AE"),
        ("reject", {"condition": "203"}, "AR"),
        ("wrong-id", {}, "foreign"),
        ("twice", {}, "AA"),
        ("garbage", {}, "unreadable"),
        ("junk-around", {}, "AA"),
        ("double-frame", {}, "AA"),
        ("no-final-cr", {}, "AA"),
        ("other-delimiters", {}, "AA"),
        ("charset-lie", {}, "AA"),
        ("utf-16", {}, "unreadable"),
    ],
)
def test_each_fault_is_what_its_name_says(do, options, seen):
    assert sent(do, **options) == seen


def test_a_refusal_carries_the_condition_of_the_script():
    async def scenario(_, client):
        return (await client.send(message("M1"))).ack

    ack = play(scenario, script=Script((When("reject", condition="203"),)))
    assert [error.condition for error in ack.errors] == ["203"]


def test_a_message_may_be_rejected_some_times_and_then_accepted():
    async def scenario(_, client):
        codes = [(await client.send(message("M1"))).ack.code for _ in range(4)]
        return [*codes, (await client.send(message("M2"))).ack.code]

    assert play(scenario, script=Script((When("reject", times=3),))) == ["AR", "AR", "AR", "AA", "AR"]


def test_faults_choose_their_messages():
    script = Script((When("error", events=("ADT^A31",)), When("reject", every=3), When("error", messages=(5, 5))))

    async def scenario(_, client):
        events = ("A28", "A31", "A28", "A28", "A28")
        return [(await client.send(message(f"M{n}", event))).ack.code for n, event in enumerate(events)]

    assert play(scenario, script=script) == ["AA", "AE", "AR", "AA", "AE"]


def test_a_receiver_goes_down_and_comes_back_as_scripted():
    async def scenario(receiver, client):
        assert (await client.send(message("M1"))).ack.code == "AA"
        await receiver.go_down()
        with pytest.raises(Unreachable):
            await client.send(message("M2"))
        await receiver.listen()
        assert (await client.send(message("M2"))).ack.code == "AA"
        return [receipt.control_id for receipt in receiver.receipts]

    assert play(scenario) == ["M1", "M2"]
    script = Script(down=(Down(10, 20), Down(15, 30)))
    assert [script.listens(now) for now in (9, 10, 19, 25, 30)] == [True, False, False, False, True]
    assert [script.next_change(now) for now in (0, 10, 29, 30)] == [10, 15, 30, None]


def test_a_script_that_is_wrong_says_where(tmp_path):
    path = tmp_path / "script.toml"
    path.write_text('[[when]]\ndo = "explode"\n')
    with pytest.raises(ScriptError, match=r"script\.toml.*explode"):
        read_script(path)
    path.write_text('[[when]]\ndo = "late"\nseconds = 3\nfrom = 1\n[[down]]\nfrom = 1\nto = 2\n')
    assert read_script(path) == Script((When("late", seconds=3, start=1),), (Down(1, 2),))


# --- TLS


def connect(kind, tmp_path, *, certificate=False, crl=False):
    tls = receiver_tls(tmp_path, kind, datetime.now(UTC))
    files = {"cert_file": tls.cert, "key_file": tls.key} if certificate else {}
    settings = ClientTlsSettings(ca_file=tls.ca, crl_file=tls.crl if crl else "", **files)

    async def scenario(receiver, _):
        client = MllpClient(
            *receiver.address, ssl_context=client_context(settings), answer_timeout=5, report=lambda _: None
        )
        try:
            return (await client.send(message("M1"))).ack.code
        except ClientError as error:
            return str(error)
        finally:
            await client.close()

    return play(scenario, tls=tls.context)


@pytest.mark.parametrize(
    ("kind", "options", "seen"),
    [
        ("right", {"crl": True}, "AA"),
        ("wants-certificate", {"certificate": True}, "AA"),
        ("wants-certificate", {}, "closed the connection"),
        ("unknown-authority", {}, "its certificate is refused"),
        ("wrong-name", {}, "its certificate is refused"),
        ("expired", {}, "has expired"),
        ("revoked", {"crl": True}, "revoked"),
    ],
)
def test_tls_is_refused_for_the_reason_asked(tmp_path, kind, options, seen):
    assert seen in connect(kind, tmp_path, **options)


# --- the registry of a receiver


def test_two_receivers_given_the_same_messages_end_equal_and_a_lost_one_shows(tmp_path):
    feed = [message("M1"), message("M2", "A01", ward="CARDIO"), message("M3", "A31", name="BÉRANGER-ROUX")]

    async def send(receiver, messages):
        client = MllpClient(*receiver.address, report=lambda _: None)
        for raw in messages:
            assert (await client.send(raw)).ack.code == "AA"
        await client.close()

    def compared(other):
        with (
            running(ReceiverSettings(folder=tmp_path / f"a{len(other)}")) as one,
            running(ReceiverSettings(folder=tmp_path / f"b{len(other)}")) as two,
        ):
            one.call(send(one.receiver, feed))
            two.call(send(two.receiver, other))
            with one.receiver.registry.store.read() as ours, two.receiver.registry.store.read() as theirs:
                return differences(ours, theirs)

    assert compared(feed) == []
    lost = compared(feed[:1])
    assert {(found.key, found.field) for found in lost} == {
        ("1.2.250.1.999.1|9001", "birth_name"),
        ("stay 1.2.250.1.999.1|V9001", "present"),
    }


def test_what_a_receiver_kept_before_a_fault_is_kept(tmp_path):
    async def scenario(receiver, client):
        for control_id in ("M1", "M2"):
            with pytest.raises(NoAnswer):
                await client.send(message(control_id, ipp=control_id))
        with receiver.registry.store.read() as view:
            return [held.identifier.value for one in view.identities() for held in one.identifiers]

    script = Script((When("close", control_ids=("M1",)), When("close", applied=False)))
    assert play(scenario, folder=tmp_path, script=script) == ["M1"]


def test_the_command_listens_says_where_and_stops_when_told(tmp_path):
    ready = tmp_path / "ready.json"
    (tmp_path / "script.toml").write_text('[[when]]\ndo = "error"\n')
    command = [sys.executable, "-m", "insigne", "receiver", "--data", str(tmp_path), "--ready-file", str(ready)]
    with subprocess.Popen(
        [*command, "--script", str(tmp_path / "script.toml"), "--keep", "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        told = json.loads(process.stdout.readline())
        assert json.loads(ready.read_text()) == told
        assert told["pid"] == process.pid
        host, _, port = told["mllp"].rpartition(":")

        async def send():
            client = MllpClient(host, int(port))
            try:
                return (await client.send(message("M1"))).ack.code
            finally:
                await client.close()

        assert asyncio.run(send()) == "AE"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
