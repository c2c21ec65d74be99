"""Figures of the feeding of the DMP: volumes, the curve, targets, delays, and a site's past."""

from datetime import date
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.columns import ColumnsError
from insigne.dmp.indicators.chart import chart, describe
from insigne.dmp.indicators.figures import (
    Count,
    CurvePoint,
    Kind,
    Outcome,
    Passage,
    curve,
    delays,
    month_starts,
    months_between,
    outcome_of,
    totals,
    volumes,
)
from insigne.dmp.indicators.past import read_past
from insigne.dmp.indicators.targets import Received, Stay, ended_stay, targets
from insigne.dmp.settings_report import IndicatorSettings, TargetSettings
from insigne.registry.state import Encounter, Movement, StayHeader
from insigne.registry.values import Location

CLINIC = "350000113"


def count(
    month, identity=Kind.QUALIFIED, outcome=Outcome.FED, documents=1, *, past=False, place=CLINIC, kind="11490-0"
):
    return Count(month, place, kind, identity, outcome, documents, past)


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("fed", "fed"),
        ("replaced", "fed"),
        ("deleted", "withdrawn"),
        ("refused", "refused"),
        ("cancelled", "cancelled"),
        ("waiting-ins", "held"),
        ("waiting-identity", "held"),
        ("waiting-consent", "held"),
        ("waiting-predecessor", "held"),
        ("ready", "held"),
        ("calling", "held"),
        ("to-confirm", "held"),
    ],
)
def test_each_state_counts_once(state, outcome):
    assert outcome_of(state) == outcome


def test_a_line_of_volumes_tells_what_became_of_the_documents_of_a_month():
    lines = volumes(
        [count("2026-03", documents=3), count("2026-03", outcome=Outcome.HELD, documents=2), count("2026-02")]
    )
    assert [(one.month, one.fed, one.held, one.refused) for one in lines] == [
        ("2026-02", 1, 0, 0),
        ("2026-03", 3, 2, 0),
    ]


def test_imported_documents_stay_apart_and_out_of_the_totals():
    counts = [count("2026-03"), count("2026-03", past=True, documents=40)]
    assert [(one.past, one.fed) for one in volumes(counts)] == [(False, 1), (True, 40)]
    assert totals(counts)["fed"] == 1


def test_the_curve_goes_from_ins_c_to_qualified_without_a_missing_month():
    points = curve(
        [
            count("2022-11", Kind.INS_C, documents=120, past=True),
            count("2023-02", Kind.INS_C, documents=30, past=True),
            count("2023-02", documents=90),
            count("2023-02", outcome=Outcome.HELD, documents=500),
        ]
    )
    assert [one.month for one in points] == ["2022-11", "2022-12", "2023-01", "2023-02"]
    assert [(one.qualified, one.ins_c, one.past) for one in points] == [
        (0, 120, 120),
        (0, 0, 0),
        (0, 0, 0),
        (90, 30, 30),
    ]
    assert points[-1].total == 120


def test_without_anything_fed_there_is_no_curve():
    assert curve([count("2026-03", outcome=Outcome.REFUSED)]) == []


def test_a_period_is_cut_at_the_first_of_each_month():
    assert month_starts(date(2025, 11, 15), date(2026, 2, 1)) == [
        date(2025, 11, 15), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)
    ]  # fmt: skip


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(1, 2000))
def test_the_cuts_of_a_period_grow_and_name_each_of_its_months(first, days):
    end = date.fromordinal(first.toordinal() + days)
    cuts = month_starts(first, end)
    assert cuts == sorted(set(cuts))
    assert (cuts[0], cuts[-1]) == (first, end)
    last = date.fromordinal(end.toordinal() - 1)
    assert [f"{cut:%Y-%m}" for cut in cuts[:-1]] == list(months_between(f"{first:%Y-%m}", f"{last:%Y-%m}"))


def test_delays_are_those_of_documents_whose_times_make_sense():
    def passage(produced, accepted):
        return Passage(CLINIC, "11490-0", produced, accepted)

    found = delays(
        [passage(f"2026-03-01T{hour:02}:00:00+01:00", "2026-03-01T23:00:00.000Z") for hour in range(10)]
        + [passage("2026-03-03T00:00:00Z", "2026-03-01T00:00:00Z"), passage("hier", "2026-03-01T00:00:00Z")]
    )
    everything = found[0]
    # Produced at 23:00 the day before (UTC) to 08:00: 15 to 24 hours before; nine in ten took 23 hours or less.
    assert (everything.documents, everything.median_hours, everything.p90_hours) == (10, 19.5, 23.0)
    assert everything.incoherent == 2
    assert {(one.establishment, one.type_code) for one in found} == {("", ""), ("", "11490-0"), (CLINIC, "")}


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_nine_documents_in_ten_took_p90_at_most(hours):
    start = date(2020, 1, 1).toordinal()
    passages = [
        Passage("", "x", "2020-01-01T00:00:00Z", f"{date.fromordinal(start + one // 24)}T{one % 24:02}:00:00Z")
        for one in hours
    ]
    [found] = [one for one in delays(passages) if not one.type_code]
    within = sum(one <= found.p90_hours for one in hours)
    assert within * 10 >= 9 * len(hours)
    assert sum(one < found.p90_hours for one in hours) * 10 < 9 * len(hours)


# --- targets

LETTER = TargetSettings(code="sortie", type_codes=("11490-0",), threshold=0.5)
BIOLOGY = TargetSettings(code="biologie", type_codes=("11502-2",), eligible="documents")


def test_letters_are_told_against_stays_and_reports_against_what_was_received():
    found = targets(
        [LETTER, BIOLOGY],
        [Received(CLINIC, "11490-0", 7, 6), Received(CLINIC, "11502-2", 40, 30), Received("", "11490-0", 1, 0)],
        [Stay(CLINIC, "I")] * 10 + [Stay(CLINIC, "O")] * 5,
    )
    by_place = {(one.code, one.establishment): one for one in found}
    assert by_place["sortie", ""][3:] == (6, 10, 0.6, 0.5, True)
    assert by_place["sortie", CLINIC].reached is True
    assert by_place["biologie", ""][3:] == (30, 40, 0.75, None, None)


def test_a_target_nothing_was_eligible_for_has_no_share_and_no_verdict():
    [found] = targets([LETTER], [], [])
    assert (found.share, found.reached) == (None, None)


def test_the_targets_known_have_no_threshold_until_the_site_gives_one():
    assert {one.threshold for one in IndicatorSettings().targets} == {None}


def stay(*movements, discharged="", classes="I"):
    return Encounter("E", "P", 1, header=StayHeader(classes, discharge_time=discharged), movements=movements)


def moved(trigger, start, facility="CHEX"):
    return Movement(f"{trigger}{start}", trigger, start, patient_class="I", location=Location(facility=facility))


def test_a_stay_counts_in_the_period_it_ended_in():
    ended = stay(moved("A01", "20260301080000"), moved("A03", "20260305170000"))
    assert ended_stay(ended, "20260301", "20260401", {"CHEX": CLINIC}) == Stay(CLINIC, "I")
    assert ended_stay(ended, "20260306", "20260401", {}) is None
    assert ended_stay(ended, "20260301", "20260305", {}) is None
    assert ended_stay(stay(moved("A01", "20260301080000")), "20260301", "20260401", {}) is None


def test_the_discharge_time_of_the_stay_comes_before_that_of_its_movement():
    ended = stay(moved("A01", "20260301"), moved("A03", "20260305"), discharged="202604011200")
    assert ended_stay(ended, "20260301", "20260401", {}) is None
    assert ended_stay(ended, "20260401", "20260402", {}) == Stay("CHEX", "I")


# --- the past


def test_past_figures_are_read_as_sites_write_them():
    found = read_past(
        ["\ufeffMonth;Identity;Fed;Establishment;Refused\n", "2019-03;INS-C;120;350000113;4\n", "2019-04;nir;80;;\n"]
    )
    assert found.problems == ()
    assert found.counts == (
        Count("2019-03", CLINIC, "", Kind.INS_C, Outcome.FED, 120, past=True),
        Count("2019-03", CLINIC, "", Kind.INS_C, Outcome.REFUSED, 4, past=True),
        Count("2019-04", "", "", Kind.OTHER, Outcome.FED, 80, past=True),
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0000-01,ins-c,3", "2019-03"),
        ("0001-01,ins-c,3", "2019-03"),
        ("2019-13,ins-c,1", "month"),
        ("2019-03,ins-z,1", "identity"),
        ("2019-03,ins-c,-1", "fed"),
        ("2019-03,ins-c,", "fed"),
        ("2019-02,ins-c,1", "twice"),
    ],
)
def test_a_wrong_row_is_told_and_left_out_alone(row, said):
    found = read_past(["month,identity,fed\n", "2019-02,ins-c,7\n", f"{row}\n"])
    assert [one.documents for one in found.counts] == [7]
    [problem] = found.problems
    assert "row 3" in problem
    assert said in problem


def test_a_number_that_holds_the_delimiter_is_not_read_as_another_one():
    """Twelve hundred documents written "1,200" are neither one document, nor of the establishment 200."""
    header = "month,identity,fed,establishment,type_code\n"
    with pytest.raises(ColumnsError, match="row 3"):
        read_past([header, "2019-03,ins-c,120,350000113,11490-0\n", "2019-04,ins-c,1,200,350000113,11490-0\n"])
    assert read_past([header, "2019-04,ins-c,12,350000113,11490-0,,\n"]).counts[0].documents == 12


@pytest.mark.parametrize("header", ["", "month;fed\n", "month;identity;fed;patient\n", "month;identity;fed;fed\n"])
def test_a_file_without_the_right_columns_is_refused(header):
    with pytest.raises(ColumnsError):
        read_past([header])


# --- the chart

SVG = "{http://www.w3.org/2000/svg}"


def points(*values):
    return [CurvePoint(f"2022-{month:02}", a, 0, b, 0, 0) for month, (a, b) in enumerate(values, 1)]


def test_the_chart_names_and_describes_itself_and_escapes_what_it_is_told():
    title = 'CH <script>"Été" & Cie</script>'
    root = ElementTree.fromstring(chart(points((0, 50), (30, 20)), title))
    named = root.get("aria-labelledby").split()
    assert root.get("role") == "img"
    assert [root.find(f"{SVG}{tag}").get("id") for tag in ("title", "desc")] == named
    assert root.find(f"{SVG}title").text == title
    assert "30 INS qualifié" in root.find(f"{SVG}desc").text
    assert "dépasse l’INS-C en 2022-02" in root.find(f"{SVG}desc").text
    assert {one.tag for one in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}a"} == set()


def test_each_month_has_a_mark_on_each_line_and_higher_means_more():
    root = ElementTree.fromstring(chart(points((0, 50), (30, 20), (60, 0)), "T"))
    qualified, ins_c = (line.get("points").split() for line in root.iter(f"{SVG}polyline"))
    assert len(qualified) == len(ins_c) == 3
    heights = [float(point.split(",")[1]) for point in qualified]
    assert heights == sorted(heights, reverse=True)
    assert len([one for one in root.iter(f"{SVG}g") if one.find(f"{SVG}title") is not None]) == 6


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=200), st.text(max_size=50))
def test_any_curve_is_a_well_formed_image_inside_its_frame(values, title):
    curve_points = [CurvePoint(f"{2000 + n // 12}-{n % 12 + 1:02}", a, 0, b, 0, 0) for n, (a, b) in enumerate(values)]
    root = ElementTree.fromstring(chart(curve_points, title))
    for line in root.iter(f"{SVG}polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 960
            assert 0 <= y <= 440


def test_an_empty_curve_says_so():
    assert describe([]) == "Aucun document alimenté sur la période."
    ElementTree.fromstring(chart([], "T"))
