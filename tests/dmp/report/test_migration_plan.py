"""A dated plan: working days, owners, order, no day without feeding; its pages; its status later."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.migration.assess import assess
from insigne.dmp.migration.calendar import Span, first_tuesday, holidays, last_of, uncovered, working
from insigne.dmp.migration.inventory import Answer, read_answers, read_inventory
from insigne.dmp.migration.measures import Blocked, Measures
from insigne.dmp.migration.pages import Bullets, Grid, Heading, Paragraph, html, markdown
from insigne.dmp.migration.plan import PlanError, make_plan, read_plan, write_plan
from insigne.dmp.migration.plan_pages import plan_page, plan_title
from insigne.dmp.migration.solutions import bundled_solutions, read_solutions
from insigne.dmp.migration.status import Progress, actions_now, changes
from insigne.dmp.migration.steps import BY_CODE
from insigne.dmp.settings_report import MigrationSettings
from insigne.documents.render import render_html

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TABLE = read_solutions(bundled_solutions(), (EXAMPLES / "solutions.toml").read_bytes())
SITE = read_inventory((EXAMPLES / "inventory.toml").read_bytes())
ANSWERS = read_answers((EXAMPLES / "answers.toml").read_bytes(), frozenset(BY_CODE))
SETTINGS = MigrationSettings()
MADE = "2026-08-31T12:00:00.000Z"
START = date(2026, 9, 1)


def planned(site=SITE, answers=ANSWERS, measures=None, start=START, overlap=28):
    return make_plan(assess(site, TABLE, measures, answers, SETTINGS), site, answers, start, MADE, overlap)


# --- days


def test_the_holidays_of_france_are_not_worked():
    # Easter 2026 is 5 April: Monday 6 April, Ascension 14 May, Whit Monday 25 May.
    assert {date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25), date(2026, 7, 14)} <= holidays(2026)
    # Easter 2038 is 25 April, its latest.
    assert date(2038, 4, 26) in holidays(2038)
    assert len(holidays(2026)) == 11
    assert last_of(date(2026, 5, 7), 2) == date(2026, 5, 11)  # the 8th is a holiday, then a week-end
    assert first_tuesday(date(2026, 7, 8)) == date(2026, 7, 21)  # Tuesday 14 July is a holiday


days = st.integers(0, 60).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
spans = st.lists(st.tuples(days, st.one_of(st.none(), st.integers(0, 20))), max_size=6)


@given(spans, days, st.integers(0, 40))
def test_a_day_is_either_covered_or_told_to_be_uncovered(pairs, start, length):
    routes = [Span(first, None if more is None else first + timedelta(days=more)) for first, more in pairs]
    end = start + timedelta(days=length)
    gaps = uncovered(routes, start, end)
    day = start
    while day <= end:
        covered = any(one.start <= day and (one.end is None or day <= one.end) for one in routes)
        told = any(one.start <= day <= one.end for one in gaps)
        assert covered != told
        day += timedelta(days=1)


# --- the plan


def test_the_example_gives_its_plan():
    plan = planned()
    titles = [one.title_fr for one in plan.actions]
    assert "Commander la version de DxCare compatible avec l’INS qualifié et fixer sa date" in titles
    assert "Installer Cloverleaf : recette, puis production" in titles
    assert "Demander à l’éditeur quelle version de Labo Exemple est compatible avec l’INS qualifié" in titles
    assert not any("GAM Exemple" in title for title in titles)  # ready: nothing to do
    owners = {one.title_fr: one.owner for one in plan.actions}
    assert owners["Installer DxCare : recette, puis production"] == "Responsable du DPI"
    assert owners["Installer Cloverleaf : recette, puis production"] == "Direction des systèmes d’information"
    assert [one.name for one in plan.routes] == ["former", "new"]
    assert plan.without_feeding == ""
    assert {one.step for one in plan.actions} == {1, 2, 3, 4, 5}


def test_every_action_has_an_owner_working_days_and_comes_after_what_it_waits_for():
    plan = planned()
    by_id = {one.id: one for one in plan.actions}
    assert len(by_id) == len(plan.actions)
    for one in plan.actions:
        assert one.owner
        assert working(one.start)
        assert working(one.end)
        assert START <= one.start <= one.end <= plan.end
        assert all(by_id[other].end < one.start for other in one.after)


def test_the_switch_begins_on_a_tuesday_once_all_else_is_ready():
    plan = planned()
    switch = next(one for one in plan.actions if one.title_fr.startswith("Bascule"))
    assert switch.start.weekday() == 1
    close = next(one for one in plan.actions if one.title_fr.startswith("Fermer"))
    assert close.start >= switch.end + timedelta(days=28)
    installed = [one for one in plan.actions if one.title_fr.startswith("Installer")]
    assert installed
    assert all(one.end < switch.start for one in installed)


apis = st.sampled_from(["", "v1", "v2-nir", "v2-qualified"])
replies = st.dictionaries(
    st.sampled_from(sorted(BY_CODE)), st.sampled_from(["yes", "no", "partly", "unknown"]), max_size=9
)


@given(apis, replies, st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(1, 400))
def test_no_plan_leaves_a_day_without_feeding(api, answers, start, overlap):
    components = [msgspec.structs.replace(one, api=api if "pfi" in one.roles else "") for one in SITE.components]
    site = msgspec.structs.replace(SITE, components=tuple(components))
    given_answers = {code: Answer(answer=answer) for code, answer in answers.items()}
    plan = planned(site, given_answers, start=start, overlap=overlap)
    day = plan.start
    while day <= plan.end:
        assert any(one.start <= day and (one.end is None or day <= one.end) for one in plan.routes)
        day += timedelta(days=1)
    assert plan.without_feeding == ""


def test_a_site_that_does_not_feed_yet_is_told_from_when_it_will():
    components = [msgspec.structs.replace(one, api="none" if "pfi" in one.roles else "") for one in SITE.components]
    plan = planned(msgspec.structs.replace(SITE, components=tuple(components)))
    assert [one.name for one in plan.routes] == ["new"]
    assert f"{plan.routes[0].start:%d/%m/%Y}" in plan.without_feeding


def test_a_site_that_feeds_with_qualified_ins_only_follows():
    answers = {code: Answer(answer="yes") for code in BY_CODE}
    text = 'site = "CH"\n[[components]]\nname = "GAM EXEMPLE"\nversion = "2019.4"\nroles = ["ri","dpi","pfi"]\n'
    site = read_inventory(f'{text}api = "v2-qualified"\n'.encode())
    plan = planned(site, answers)
    assert [one.title for one in plan.actions] == ["follow the figures each month (`insigne report dmp`)"]


def test_what_waits_in_the_base_is_planned_once_for_each_reason_with_the_queue_until_the_switch():
    measures = Measures(
        MADE,
        active=10,
        qualified=5,
        patients_waiting=3,
        blocked=(Blocked("waiting-ins", "ins-missing", "pas d’INS", 4), Blocked("refused", "opposition", "opposé", 1)),
    )
    plan = planned(measures=measures)
    settled = [one.findings for one in plan.actions if "en attente ou refusés" in one.title_fr]
    assert settled == [("blocked|ins-missing",), ("blocked|opposition",)]
    queue = next(one for one in plan.actions if "migrate queue" in one.title_fr and "bascule" in one.title_fr)
    switch = next(one for one in plan.actions if one.title_fr.startswith("Bascule"))
    assert (queue.start, queue.end) == (plan.start, switch.end)


def test_a_plan_is_read_again_as_it_was():
    plan = planned()
    assert read_plan(write_plan(plan)) == plan
    for text in (b"{}", b"\xff", b"[1]"):
        with pytest.raises(PlanError):
            read_plan(text)


# --- pages


def test_nothing_in_a_text_is_markup():
    hostile = "a | b <script>x</script> *c* `d` [e](f) # g\n\nh"
    page = [Heading(1, hostile), Paragraph(hostile), Bullets((hostile,)), Grid(("t", "u"), ((hostile, ""),))]
    text = markdown(page)
    assert "<script>" not in text.replace("\\<", "")
    assert text.count("\n") == 9  # four blocks, a blank line between two, a table of three lines, the end
    assert r"a \| b" in text
    assert "<script>" not in html(page)


def test_the_page_says_it_all_with_its_accents():
    page = list(plan_page(planned()))
    text = markdown(page)
    for said in (
        "Plan de migration vers l’API V2 du DMP avec INS qualifié : Centre hospitalier d’Exemple",
        "Du 01/09/2026",
        "Chaque jour du plan a au moins une route ouverte.",
        "Questions restées sans réponse",
        "Risques et parades",
        "| 1.1 |",
    ):
        assert said in text


def test_the_page_becomes_a_pdf():
    plan = planned()
    pdf = render_html(html(plan_page(plan)), plan_title(plan), datetime(2026, 9, 1, tzinfo=UTC))
    with pikepdf.open(io.BytesIO(pdf)) as read:
        assert len(read.pages) >= 2


# --- status


def test_what_was_done_is_seen_and_what_is_late_is_told():
    plan = planned()
    components = [
        msgspec.structs.replace(one, version="8.3") if one.name == "DxCare" else one for one in SITE.components
    ]
    site = msgspec.structs.replace(SITE, components=tuple(components))
    answers = ANSWERS | {"certificates": Answer(answer="yes")}
    now = assess(site, TABLE, None, answers, SETTINGS)
    found = {one.title_fr: one for one in actions_now(plan, now, date(2026, 10, 15))}
    assert found["Installer DxCare : recette, puis production"].progress is Progress.DONE
    assert found["Commander les certificats d’organisation ORG_AUTH_CLI et ORG_SIGN"].progress is Progress.DONE
    late = found["Installer Cloverleaf : recette, puis production"]
    assert late.progress is Progress.LATE
    assert any("Cloverleaf" in text for text in late.missing)
    # no measure tells that an order was made: a person does
    order = "Commander la version de DxCare compatible avec l’INS qualifié et fixer sa date"
    assert found[order].progress is Progress.UNMEASURED
    switch = next(one for title, one in found.items() if title.startswith("Bascule"))
    assert switch.progress is Progress.TO_COME


def test_on_the_first_day_nothing_is_late():
    plan = planned()
    found = actions_now(plan, plan.assessment, START)
    assert {one.progress for one in found} == {Progress.RUNNING, Progress.TO_COME}


def test_what_waited_and_waits_no_more_is_done_only_if_it_was_measured():
    blocked = Measures(MADE, active=10, qualified=10, blocked=(Blocked("refused", "opposition", "opposé", 1),))
    plan = planned(measures=blocked)
    after = {
        measured is not None: {
            one.title: one.progress
            for one in actions_now(plan, assess(SITE, TABLE, measured, ANSWERS, SETTINGS), plan.end + timedelta(days=1))
        }
        for measured in (None, Measures(MADE, active=10, qualified=10))
    }
    title = "settle documents held or refused (opposition)"
    assert (after[False][title], after[True][title]) == (Progress.UNMEASURED, Progress.DONE)


def test_the_figures_are_those_of_the_plan_and_of_now():
    plan = planned(measures=Measures(MADE, active=10, qualified=5, patients_waiting=3))
    now = assess(SITE, TABLE, Measures(MADE, active=10, qualified=9, fed={"qualified": 4}), ANSWERS, SETTINGS)
    assert {one.code: (one.before, one.now) for one in changes(plan, now)} == {
        "qualified-share": (0.5, 0.9),
        "patients-waiting": (3, 0),
        "fed-qualified": (0, 4),
        "blocked": (0, 0),
    }
    unmeasured = changes(planned(), now)
    assert unmeasured[0].before is None
