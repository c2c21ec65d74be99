"""The instruments themselves: the load, the lanes, the reports."""

import msgspec
import pytest
from bench.corpus import feed, lanes
from bench.report import Report, Spread, Table, Target, document, number, save, text

from bench import fields, load
from insigne.hl7 import Message, build_ack, frame


@pytest.fixture(scope="module")
def sent():
    return feed(400, seed=5)


def test_a_feed_is_the_same_every_time(sent):
    assert feed(400, seed=5) == sent
    assert feed(50, seed=6) != sent[:50]


def test_lanes_share_every_message_and_keep_the_order_of_each_patient(sent):
    shared = lanes(sent, 7)
    assert sorted(control_id for lane in shared for control_id, _ in lane) == sorted(one.control_id for one in sent)
    rank = {one.control_id: position for position, one in enumerate(sent)}
    lane_of = {}
    for number_of_lane, lane in enumerate(shared):
        assert [rank[one.control_id] for one in lane] == sorted(rank[one.control_id] for one in lane)
        for one in lane:
            patient = Message.parse(one.payload).value("PID-3.1")
            assert lane_of.setdefault(patient, number_of_lane) == number_of_lane


def test_the_patient_and_the_one_merged_into_them_share_a_lane(sent):
    merges = [one for one in feed(3000, seed=5) if b"ADT^A40" in one.payload]
    assert merges
    shared = lanes(feed(3000, seed=5), 16)
    for merge in merges:
        message = Message.parse(merge.payload)
        numbers = {message.value("PID-3.1"), message.value("MRG-1.1")}
        concerned = [
            rank
            for rank, lane in enumerate(shared)
            if any(Message.parse(one.payload).value("PID-3.1") in numbers for one in lane)
        ]
        assert len(concerned) == 1


@pytest.mark.parametrize("code", ["AA", "AE", "AR"])
def test_an_answer_is_read_for_the_message_it_names(sent, code):
    ack = frame(build_ack(sent[0].payload, code, time="20260101000000+0100", control_id="X1"))
    assert load.answer_code(ack, sent[0].control_id) == code
    assert load.answer_code(ack, sent[1].control_id) == "?"
    assert load.answer_code(ack, sent[0].control_id[:-1]) == "?"


def test_what_is_no_acknowledgement_is_told():
    assert load.answer_code(b"\x0bgarbage\x1c\r", "1") == "?"


def test_quantiles_are_values_that_were_measured():
    assert load.quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert load.quantile([1.0, 2.0, 3.0, 4.0], 0.99) == 4.0
    assert load.quantile([7.0], 0.5) == 7.0


@pytest.mark.parametrize(
    "reader", [fields.ours, fields.python_hl7, fields.read_hl7kit, fields.read_medforge], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("charset", ["utf-8", "8859-1"])
def test_every_reader_finds_the_same_fields(reader, charset):
    messages = [one.payload for one in feed(150, seed=9, charset=charset)]
    assert [reader(raw) for raw in messages] == [fields.hand_written(raw) for raw in messages]


def target(measured, **others):
    return Target(what="speed", measured=measured, unit="×", must=2, **others)


def test_a_target_is_missed_met_or_stretched():
    assert target(1.9, stretch=4).verdict == "missed"
    assert target(2.0, stretch=4).verdict == "met"
    assert target(4.0, stretch=4).verdict == "stretch met"
    assert target(1.9, at_least=False).verdict == "met"
    assert target(2.1, at_least=False).verdict == "missed"


def test_a_report_is_kept_as_json_with_its_verdicts(tmp_path):
    report = Report(
        name="parse",
        quick=True,
        date="2026-01-01",
        machine={"cores": 2},
        tables=[Table("speed", ["reader", "µs"], [["ours", Spread(2.0, 1.0, 3.0, 3)], ["theirs", None]])],
        targets=[target(3.0)],
    )
    path = save(report, tmp_path)
    assert path.name == "parse-quick.json"
    kept = msgspec.json.decode(path.read_bytes())
    assert kept == msgspec.json.decode(msgspec.json.encode(document(report)))
    assert kept["targets"][0]["verdict"] == "met"
    assert kept["tables"][0]["rows"][0][1]["median"] == 2.0


def test_figures_show_what_matters():
    assert [number(value) for value in (0.00123, 2.345, 41.26, 1234.5, 7)] == ["0.00123", "2.35", "41.3", "1,234", "7"]
    assert text(Spread(2.0, 1.0, 3.0, 5)) == "2 (1 - 3)"
    assert text(None) == "-"
