"""The instruments of `./run bench diffusion`: receivers, passages, the peer."""

import subprocess

import msgspec
import pytest
from bench.diffusion_engine import Passage, changes, destinations, measured, ours
from bench.diffusion_receiver import Receivers, answer, patient_of

from bench import diffusion_load, machine, mf_peer, server
from insigne.config import load
from insigne.hl7 import Message, parse_ack


def test_changes_are_about_people_of_their_own_and_the_same_every_time():
    given = changes(20)
    assert given == changes(20)
    assert len({change.patient for change in given}) == 20
    for change in given:
        message = Message.parse(change.sent.payload)
        assert message.value("PID-3.1") == change.patient == patient_of(change.sent.payload)
        assert message.control_id == change.sent.control_id


def test_a_receiver_answers_what_it_was_sent():
    sent = changes(1)[0].sent
    ack = parse_ack(answer(b"\x0b" + sent.payload).strip(b"\x0b\x1c\r") + b"\r")
    assert (ack.code, ack.control_id) == ("AA", sent.control_id)


@pytest.mark.parametrize("varied", [False, True])
def test_the_destinations_are_a_setting_of_the_product(tmp_path, varied):
    loaded = load(None, [destinations([1001, 1002, 1003, 1004, 1005], lanes=4, varied=varied)], {}, tmp_path)
    found = loaded.config.destinations
    assert [one.mllp.port for one in found] == [1001, 1002, 1003, 1004, 1005]
    assert {one.delivery.lanes for one in found} == {4}
    assert len({msgspec.json.encode(one.subscription) for one in found}) == (5 if varied else 1)


def test_times_of_a_passage_are_values_that_were_measured():
    passage = Passage(20, 4.0, [0.001 * rank for rank in range(1, 11)], [], [], [], 0.0, 0.0)
    assert passage.rate == 5.0
    assert passage.milliseconds(0.5) == pytest.approx(5)
    assert passage.milliseconds(0.99) == pytest.approx(10)


@pytest.mark.slow
def test_changes_go_through_the_engine_to_each_receiver_once(tmp_path):
    with server.running(Receivers(tmp_path / "receivers", 2)) as receivers:
        engine = ours(tmp_path / "engine", receivers.ports)
        passage = measured(engine, receivers, 2, changes(60), diffusion_load.FLAT_OUT)
    assert passage.wrong == []
    assert passage.delivered == 2 * 20
    assert passage.whole[0] >= passage.told[0]


def test_receivers_forget_what_was_collected(tmp_path):
    with server.running(Receivers(tmp_path, 1)) as receivers:
        assert receivers.collect() == []
        assert receivers.told["mllp"] == f"127.0.0.1:{receivers.ports[0]}"


def test_a_peer_that_cannot_be_installed_is_left_out_with_the_reason(tmp_path, monkeypatch):
    def refused(step, **_):
        status = 1 if "pip" in step else 0
        return subprocess.CompletedProcess(step, status, "", "a warning\nERROR: no index can be reached\n")

    monkeypatch.setattr(machine, "scratch", lambda: tmp_path)
    monkeypatch.setattr(mf_peer.subprocess, "run", refused)
    assert mf_peer.installed() == (None, "ERROR: no index can be reached")
