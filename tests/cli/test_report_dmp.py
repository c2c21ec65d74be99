"""`insigne report dmp`: the figures of a small base, the years before, as table, JSON, CSV and image."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from insigne.dmp.model import Document, Intent, Sending
from insigne.registry import events as ev
from insigne.registry.state import Movement, StayHeader
from insigne.registry.workingset import WorkingSet
from insigne.store import open_store

CLINIC = "350000113"
MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")
PAST = "month;identity;fed;establishment\n2019-03;ins-c;120;350000113\n2026-02;ins-c;30;350000113\n"


@pytest.fixture
def fed(hospital):
    """Two letters accepted under the INS of Margot, one held, and two stays of hers that ended in March."""
    store = open_store(hospital.url, wait=5)
    margot = "01JMARGOT00000000000000000"
    with store.begin() as transaction:
        working = WorkingSet(transaction)
        for name in ("E1", "E2"):
            opened = ev.EncounterOpened(margot, None, None, StayHeader("I", discharge_time="20260312"))
            left = ev.MovementRecorded(movement("A03", "20260312100000"))
            for version, event in enumerate((opened, left), 1):
                at = f"2026-03-12T09:00:0{version}.000Z"
                working.add(ev.Recorded("encounter", name, version, at, "GAM|CHU", "message", "M", event))
        transaction.write(working, ())
        for number, state in enumerate(("fed", "fed", "waiting-consent")):
            transaction.put_document(letter(number, margot))
            ended = {"ins": "oid|matricule", "ended": "2026-03-12T11:00:00.000Z"} if state == "fed" else {}
            transaction.put_sending(
                Sending(f"S{number}", f"D{number}", "dmp", "feed", margot, state, "", "2026-03-12T10:00:00.000Z", "",
                        **ended)
            )  # fmt: skip
        transaction.commit()
    store.close()
    return hospital


def movement(trigger, start):
    return Movement(f"{trigger}{start}", trigger, start, patient_class="I")


def letter(number, identity):
    return Document(
        id=f"D{number}", received="2026-03-12T10:00:00.000Z", source="cli", message="", control_id="", sending="DPI|CH",
        intent=Intent.INITIAL, unique_id=f"1.2.{number}", set_id=f"1.3.{number}", version=1, parent="",
        type_code="11490-0", title="", confidentiality="N", created="2026-03-12T09:00:00.000Z", identity=identity,
        patient=b"[]", facility=CLINIC,
    )  # fmt: skip


@pytest.fixture
def report(insigne, fed):
    def run(*options, status=0):
        found = insigne("--data", fed.folder, "report", "dmp", *options)
        assert found.status == status, found.err
        return found

    return run


def test_the_report_tells_what_was_fed_held_and_how_it_stands_to_what_was_eligible(report):
    found = json.loads(report(*MARCH, "--json").out)
    assert found["totals"] == {"fed": 2, "held": 1, "refused": 0, "withdrawn": 0, "cancelled": 0}
    [line] = found["volumes"]
    assert (line["month"], line["establishment"], line["type_code"], line["identity"]) == (
        "2026-03", CLINIC, "11490-0", "qualified"
    )  # fmt: skip
    target = next(one for one in found["targets"] if one["code"] == "sortie" and not one["establishment"])
    assert (target["documents"], target["eligible"], target["share"], target["reached"]) == (2, 2, 1.0, None)
    [overall] = [one for one in found["delays"] if not one["establishment"] and not one["type_code"]]
    assert (overall["documents"], overall["median_hours"], overall["p90_hours"]) == (2, 2.0, 2.0)


def test_a_threshold_gives_a_verdict(report, tmp_path):
    config = tmp_path / "insigne.toml"
    config.write_text('[[dmp.indicators.targets]]\ncode = "sortie"\ntype_codes = ["11490-0"]\nthreshold = 0.9\n')
    found = json.loads(report(*MARCH, "--json", "--config", config).out)
    assert {one["code"] for one in found["targets"]} == {"sortie"}
    assert found["targets"][0]["reached"] is True


def test_the_figures_of_the_years_before_complete_the_curve(report, tmp_path):
    file = tmp_path / "avant.csv"
    file.write_text(PAST)
    chart = tmp_path / "courbe.svg"
    found = json.loads(report(*MARCH, "--import", file, "--chart", chart, "--json").out)
    assert found["imported"] == {"figures": 2, "refused": 0, "problems": []}
    curve = {one["month"]: (one["qualified"], one["ins_c"]) for one in found["curve"]}
    assert len(curve) == 7 * 12 + 1  # March 2019 to March 2026, each month
    assert (curve["2019-03"], curve["2026-02"], curve["2026-03"]) == ((0, 120), (0, 30), (2, 0))
    assert "L’INS qualifié dépasse l’INS-C en 2026-03" in ElementTree.parse(chart).getroot()[1].text
    again = json.loads(report(*MARCH, "--import", file, "--json").out)
    assert again["curve"] == found["curve"]


def test_the_curve_has_no_hole_between_the_years_before_and_the_period(report, tmp_path):
    file = tmp_path / "avant.csv"
    file.write_text(PAST)
    found = json.loads(report("--from", "2026-05-10", "--to", "2026-06-01", "--import", file, "--json").out)
    curve = {one["month"]: (one["qualified"], one["ins_c"]) for one in found["curve"]}
    assert (curve["2026-02"], curve["2026-03"]) == ((0, 30), (2, 0))
    assert (found["volumes"], found["totals"]["fed"]) == ([], 0), "figures of the period are of the period alone"


def test_a_dry_run_brings_nothing_and_a_source_may_be_forgotten(report, tmp_path):
    file = tmp_path / "avant.csv"
    file.write_text(PAST)
    report(*MARCH, "--import", file, "--dry-run")
    assert len(json.loads(report(*MARCH, "--json").out)["curve"]) == 1
    report(*MARCH, "--import", file)
    assert len(json.loads(report(*MARCH, "--json").out)["curve"]) == 85
    report(*MARCH, "--forget", "avant.csv")
    assert len(json.loads(report(*MARCH, "--json").out)["curve"]) == 1
    assert "no figure came from" in report("--forget", "avant.csv", status=1).err


def test_wrong_rows_are_told_and_the_others_come(report, tmp_path):
    file = tmp_path / "avant.csv"
    file.write_text(PAST + "mars;ins-c;4;\n")
    found = report(*MARCH, "--import", file, "--json", status=1)
    assert json.loads(found.out)["imported"]["refused"] == 1
    assert "row 4: month" in found.err


def test_csv_has_one_line_for_each_volume(report, tmp_path):
    rows = list(csv.DictReader(io.StringIO(report(*MARCH, "--csv", "-").out)))
    assert [(row["month"], row["fed"], row["held"], row["past"]) for row in rows] == [("2026-03", "2", "1", "0")]
    report(*MARCH, "--csv", tmp_path / "dmp.csv")
    assert list(csv.DictReader(io.StringIO((tmp_path / "dmp.csv").read_text()))) == rows


def test_a_person_reads_the_report_in_french(report):
    shown = report(*MARCH).out
    assert "Lettre de liaison à la sortie" in shown
    assert "100.0 %" in shown
    assert "sans seuil" in shown
    assert "LESTREZ" not in shown


def test_another_establishment_has_nothing_and_an_empty_period_neither(report):
    assert json.loads(report(*MARCH, "--site", "750000001", "--json").out)["volumes"] == []
    assert json.loads(report("--from", "2020-01-01", "--to", "2020-02-01", "--json").out)["curve"] == []


@pytest.mark.parametrize(
    "options", [("--from", "mars"), ("--from", "2026-02-01", "--to", "2026-01-01"), ("--import", "/nowhere.csv")]
)
def test_wrong_use_is_exit_2(report, options):
    report(*options, status=2)
