"""`insigne report quality`: the figures of a small base, as table, CSV and JSON."""

import csv
import io
from datetime import date, timedelta

import pytest

from insigne.simulate.insi.control import Change
from insigne.simulate.insi.script import Effects


@pytest.fixture
def base(desk):
    """One qualified identity, one provisional with a call that failed, one fictitious."""
    identity = desk.create()
    desk.act("identity", "retrieve-ins", identity)
    desk.act("identity", "accept", identity)
    desk.act("identity", "record-proof", identity, "--type", "PA")
    other = desk.create("DURAND", "PAULE", born="1980-01-01")
    desk.nation.call(lambda: desk.nation.simulator.control.change(Change(effects=Effects(http=503))))
    desk.act("identity", "retrieve-ins", other, status=3)
    desk.create("ANONYME", "X", born="1980-01-02", more=("--attribute", "FICT"))
    return desk


def report(desk, *options):
    [document] = desk.lines("report", "quality", *options)
    return {(one["site"], one["code"]): one for one in document["indicators"]}


def test_the_base_and_what_was_done_are_counted(base):
    found = report(base)
    assert found["", "active"]["value"] == 3
    assert (found["", "status.QUAL"]["part"], found["", "status.QUAL"]["whole"]) == (1, 3)
    assert (found["", "qualified"]["part"], found["", "qualified"]["whole"]) == (1, 2)
    assert found["", "attribute.FICT"]["part"] == 1
    assert (found["", "insi.calls"]["value"], found["", "insi.00"]["part"]) == (2, 1)
    assert found["", "insi.available"]["value"] == 0.5
    assert found["", "insi-fault.http_503"]["part"] == 1
    assert found["", "document.PA"]["value"] == 1
    assert {site for site, _ in found} == {"", "INSIGNE"}


def test_a_period_without_anything_has_a_base_and_no_flow(base):
    found = report(base, "--from", "2020-01-01", "--to", "2020-02-01")
    assert (found["", "active"]["value"], found["", "came"]["value"]) == (3, 0)
    assert found["", "qualified"]["value"] is None
    assert found["", "insi.calls"]["value"] == 0


def test_a_site_alone_may_be_asked_for(base):
    assert {site for site, _ in report(base, "--site", "INSIGNE")} == {"INSIGNE"}


def test_csv_has_the_same_figures_as_json(base):
    day = ("--from", str(date.today() - timedelta(days=2)))
    rows = list(csv.DictReader(io.StringIO(base.run("report", "quality", *day, "--csv").out)))
    found = report(base, *day)
    assert {(row["site"], row["code"]) for row in rows} == set(found)
    assert next(row["value"] for row in rows if row["code"] == "insi.available") == "0.5"


def test_a_person_reads_the_figures_in_french(base):
    shown = base.run("report", "quality").out
    assert "Taux de qualification" in shown
    assert "50 %" in shown.replace(".0 %", " %")
    assert "ADRUN" not in shown


@pytest.mark.parametrize("options", [("--from", "soon"), ("--from", "2026-02-01", "--to", "2026-01-01")])
def test_a_wrong_period_is_exit_2(desk, options):
    assert desk.run("report", "quality", *options).status == 2


def test_an_empty_base_has_an_empty_report(desk):
    assert report(desk)["", "active"]["value"] == 0
    assert "aucune" in desk.run("report", "quality").out
