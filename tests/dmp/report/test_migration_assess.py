"""Where a site stands: known solutions, the inventory, measures and answers, the five steps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.dmp.migration.assess import assess
from insigne.dmp.migration.findings import Level
from insigne.dmp.migration.inventory import Answer, InventoryError, Sharing, read_answers, read_inventory
from insigne.dmp.migration.measures import Blocked, Measures, Template, Told
from insigne.dmp.migration.solutions import (
    SolutionsError,
    Verdict,
    bundled_solutions,
    match,
    numbers,
    older,
    read_solutions,
)
from insigne.dmp.migration.steps import BY_CODE, QUESTIONS, STEPS
from insigne.dmp.settings_report import MigrationSettings

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TABLE = read_solutions(bundled_solutions())
SETTINGS = MigrationSettings()

# --- the table of known solutions


@pytest.mark.parametrize(
    ("name", "version", "verdict", "solution"),
    [
        ("DXCARE", "7.7.7", Verdict.V1, "DXCARE"),
        ("DxCare", "7.7.6 patch 2", Verdict.V1, "DXCARE"),
        ("dxcare", "8.1", Verdict.BEYOND, "DXCARE"),
        ("Middlec@re", "5.2.6", Verdict.V1, "MIDDLEC@RE"),
        ("MiddleCare", "5", Verdict.V1, "MIDDLEC@RE"),
        ("Hôpital Manager", "1.17", Verdict.V1, "HOPITAL MANAGER"),
        ("Antares DMP", "2.20", Verdict.V2_NIR, "ANTARES-DMP"),
        ("Efficience Web", "2", Verdict.V2_NIR, "EFFICIENCE WEB"),
        ("Efficience Windows", "1", Verdict.V1, "EFFICIENCE WINDOWS"),
        ("Mediboard", "0.5.18.10", Verdict.V2_NIR, "OX MEDIBOARD"),
        ("Sillage", "", Verdict.NO_VERSION, "SILLAGE"),
        ("Sillage", "inconnue", Verdict.NO_VERSION, "SILLAGE"),
        ("Orbis", "8", Verdict.UNKNOWN, ""),
    ],
)
def test_a_name_and_a_version_are_found_however_they_are_written(name, version, verdict, solution):
    found = match(name, version, TABLE)
    assert (found.verdict, found.solution) == (verdict, solution)


def test_a_name_that_only_holds_a_known_one_is_to_be_confirmed():
    found = match("Softway Hopital Manager", "1.17", TABLE)
    assert (found.verdict, found.solution, found.sure) == (Verdict.V1, "HOPITAL MANAGER", False)


def test_an_unknown_name_is_said_with_what_looks_like_it():
    found = match("Sillages", "19", TABLE)
    assert (found.verdict, found.nearest) == (Verdict.UNKNOWN, ("SILLAGE",))


def test_a_site_adds_what_its_vendors_told_it():
    own = b'[[solutions]]\nname = "DxCare"\nversions = ["8.3"]\napi = "v2-qualified"\n'
    table = read_solutions(bundled_solutions(), own)
    verdicts = [match("DXCARE", version, table).verdict for version in ("7.7.7", "8.0", "8.3", "9")]
    assert verdicts == [Verdict.V1, Verdict.BEHIND, Verdict.READY, Verdict.READY]


def test_a_site_is_right_where_both_tables_name_a_version():
    own = b'[[solutions]]\nname = "SILLAGE"\nversions = ["19"]\napi = "v2-qualified"\n'
    assert match("Sillage", "19", read_solutions(bundled_solutions(), own)).verdict is Verdict.READY


@pytest.mark.parametrize(
    "text",
    [
        b"solutions = 3",
        b'[[solutions]]\nname = "X1"\nversions = ["last"]\napi = "v1"\n',
        b'[[solutions]]\nname = "X1"\nversions = ["1"]\napi = "v3"\n',
        b"\xff",
    ],
    ids=["no list", "no number", "no such api", "not text"],
)
def test_a_wrong_table_is_refused(text):
    with pytest.raises(SolutionsError):
        read_solutions(bundled_solutions(), text)


def test_every_solution_of_the_table_finds_itself_and_is_to_be_migrated():
    assert len(TABLE) == 19
    for one in TABLE:
        for version in one.versions:
            found = match(one.name, version, TABLE)
            assert (found.solution, found.verdict.value, found.sure) == (one.name, one.api, True)


versions = st.lists(st.integers(0, 30), min_size=1, max_size=5)


@given(versions, versions)
def test_versions_are_in_one_order(one, other):
    first, second = numbers(".".join(map(str, one))), numbers(".".join(map(str, other)))
    assert [older(first, second), older(second, first)].count(True) == (first != second)


# --- the inventory


def inventory(*components, head=""):
    tables = "".join(f"[[components]]\n{one}\n" for one in components)
    return read_inventory(f'site = "CH"\n{head}\n{tables}'.encode())


RI = 'name = "GAM"\nversion = "1"\nroles = ["gam", "ri"]'
DPI = 'name = "Dossier"\nversion = "1"\nroles = ["dpi"]\ndestination = "DPI"\nsending = "DPI|CH"'
PFI = 'name = "Cloverleaf"\nversion = "6"\nroles = ["pfi"]\ndestination = "PFI"'


@pytest.mark.parametrize(
    ("components", "sharing"),
    [
        (['name = "Tout"\nroles = ["gam", "ri", "dpi", "pfi"]'], Sharing.ONE_TOOL),
        ([RI, 'name = "Dossier"\nroles = ["dpi", "pfi"]'], Sharing.PFI_IN_DPI),
        ([RI, DPI, PFI], Sharing.PFI_APART),
        (['name = "Dossier"\nroles = ["ri", "dpi"]', PFI], Sharing.OTHER),
        ([RI, DPI], Sharing.OTHER),
    ],
    ids=["one tool", "PFI in the DPI", "PFI apart", "RI in the DPI", "no PFI"],
)
def test_the_sharing_of_the_roles_is_read_from_the_components(components, sharing):
    assert inventory(*components).shared is sharing


@pytest.mark.parametrize(
    "text",
    [
        b'site = "CH"\ncomponents = []\n',
        b'site = "CH"\n[[components]]\nname = "A"\nroles = ["chef"]\n',
        b'site = "CH"\nfiness = "12"\n[[components]]\nname = "A"\nroles = ["ri"]\n',
        b'site = "CH"\n[[components]]\nname = "A"\nroles = ["ri"]\n[[components]]\nname = "a"\nroles = ["dpi"]\n',
        b'site = "CH"\ncomponents = ' + b"[" * 5000 + b"]" * 5000,
        b'site = "CH"\nteam = "X"\n[[components]]\nname = "A"\nroles = ["ri"]\n',
    ],
    ids=["no component", "no such role", "no FINESS", "twice", "too deep", "no such key"],
)
def test_a_wrong_inventory_is_refused(text):
    with pytest.raises(InventoryError):
        read_inventory(text)


def test_an_answer_to_no_question_is_refused():
    with pytest.raises(InventoryError, match="no such question"):
        read_answers(b'[answers.weather]\nanswer = "yes"\n', frozenset(BY_CODE))


# --- the assessment


def measured(**fields):
    return Measures("2026-03-01T00:00:00.000Z", **fields)


def levels(found):
    return {(one.code, one.subject): one.level for one in found.findings}


def test_without_a_base_and_without_answers_all_is_asked():
    found = assess(inventory(RI, DPI, PFI), TABLE, None, {}, SETTINGS)
    assert set(found.questions) == set(BY_CODE) - {"pfi-version", "pfi-api"}
    assert [one.number for one in found.steps] == [1, 2, 3, 4, 5]
    assert {one.level for one in found.steps} == {Level.ASK, Level.TODO}


def test_what_is_measured_needs_no_answer():
    measures = measured(
        active=100,
        qualified=95,
        told=(Told("DPI", 50, 40), Told("PFI", 50, 0)),
        templates=(Template("DPI|CH", "11490-0", 10, 10), Template("DPI|CH", "34874-8", 10, 2)),
        blocked=(Blocked("waiting-ins", "ins-missing", "le patient n’a pas d’INS", 12),),
        fed={"qualified": 7},
    )
    found = assess(inventory(RI, DPI, PFI), TABLE, measures, {}, SETTINGS)
    assert levels(found) | {
        ("ri-qualifies", ""): Level.DONE,
        ("organisation", ""): Level.DONE,
        ("receive-ins", "Dossier"): Level.DONE,
        ("transmits-ins", "Dossier"): Level.DONE,
        ("transmits-ins", "Cloverleaf"): Level.TODO,
        ("templates", "DPI|CH 11490-0"): Level.DONE,
        ("templates", "DPI|CH 34874-8"): Level.TODO,
        ("blocked", "ins-missing"): Level.TODO,
        ("fed", ""): Level.DONE,
        ("certificates", ""): Level.ASK,
    } == levels(found)
    assert "12 documents : le patient n’a pas d’INS" in [one.text_fr for one in found.findings]
    assert "certificates" in found.questions
    assert not {"organisation", "templates", "transmits-ins"} & set(found.questions)


def test_an_answer_never_hides_a_measure():
    answers = {"organisation": Answer(answer="yes")}
    found = assess(inventory(RI, DPI, PFI), TABLE, measured(active=100, qualified=10), answers, SETTINGS)
    assert levels(found)["organisation", ""] is Level.TODO
    assert levels(found)["organisation-differs", ""] is Level.ASK


@pytest.mark.parametrize(
    ("qualified", "level"), [(90, Level.DONE), (89, Level.TODO)], ids=["at the threshold", "under it"]
)
def test_the_threshold_of_qualification_is_a_setting(qualified, level):
    found = assess(inventory(RI, DPI, PFI), TABLE, measured(active=100, qualified=qualified), {}, SETTINGS)
    assert levels(found)["organisation", ""] is level


def test_a_base_without_active_patients_measures_no_share():
    found = assess(inventory(RI, DPI, PFI), TABLE, measured(), {"organisation": Answer(answer="yes")}, SETTINGS)
    assert levels(found)["organisation", ""] is Level.DONE


def test_an_answer_counts_with_its_note():
    answers = {"certificates": Answer(answer="no", note="commande en cours"), "templates": Answer(answer="unknown")}
    found = assess(inventory(RI, DPI, PFI), TABLE, None, answers, SETTINGS)
    assert levels(found)["certificates", ""] is Level.TODO
    assert levels(found)["templates", ""] is Level.ASK
    assert any("non (commande en cours)" in one.text_fr for one in found.findings)


def test_an_unknown_solution_is_never_taken_for_a_good_one_but_the_site_may_say_it_is():
    unknown = 'name = "Passerelle"\nversion = "3"\nroles = ["pfi"]'
    found = assess(inventory(RI, DPI, unknown), TABLE, None, {}, SETTINGS)
    assert levels(found)["pfi-version", "Passerelle"] is Level.ASK
    assert "pfi-version" in found.questions
    told = assess(inventory(RI, DPI, unknown), TABLE, None, {"pfi-version": Answer(answer="yes")}, SETTINGS)
    assert levels(told)["pfi-version", "Passerelle"] is Level.DONE


def test_an_answer_never_makes_a_solution_to_migrate_a_good_one():
    found = assess(inventory(RI, DPI, PFI), TABLE, None, {"pfi-version": Answer(answer="yes")}, SETTINGS)
    assert levels(found)["pfi-version", "Cloverleaf"] is Level.TODO


def test_a_role_that_nobody_or_two_hold_and_another_sharing_are_told():
    found = assess(inventory(RI, DPI, head='sharing = "one-tool"'), TABLE, None, {}, SETTINGS)
    assert levels(found)["role-pfi", ""] is Level.ASK
    assert levels(found)["sharing", ""] is Level.ASK


def test_the_api_of_today_is_that_of_the_inventory_else_that_of_the_table():
    assert assess(inventory(RI, DPI, PFI), TABLE, None, {}, SETTINGS).api == "v1"
    declared = inventory(RI, DPI, f'{PFI}\napi = "v2-qualified"')
    assert assess(declared, TABLE, None, {}, SETTINGS).api == "v2-qualified"
    unknown = inventory(RI, DPI, 'name = "Passerelle"\nroles = ["pfi"]')
    assert assess(unknown, TABLE, None, {}, SETTINGS).api == ""


def test_the_example_inventory_gives_its_findings():
    site = read_inventory((EXAMPLES / "inventory.toml").read_bytes())
    answers = read_answers((EXAMPLES / "answers.toml").read_bytes(), frozenset(BY_CODE))
    table = read_solutions(bundled_solutions(), (EXAMPLES / "solutions.toml").read_bytes())
    found = assess(site, table, None, answers, SETTINGS)
    assert (found.site, found.finess, found.sharing, found.api) == (
        "Centre hospitalier d’Exemple", "350000113", Sharing.PFI_APART, "v1"
    )  # fmt: skip
    assert levels(found) == {
        ("version", "GAM Exemple"): Level.DONE,
        ("version", "DxCare"): Level.TODO,
        ("pfi-version", "Cloverleaf"): Level.TODO,
        ("version", "Labo Exemple"): Level.ASK,
        ("ri-qualifies", ""): Level.DONE,
        ("organisation", ""): Level.TODO,
        ("pfi-api", ""): Level.TODO,
        ("receive-ins", ""): Level.TODO,
        ("templates", ""): Level.TODO,
        ("transmits-ins", ""): Level.ASK,
        ("certificates", ""): Level.TODO,
    }
    assert [one.level for one in found.steps] == [Level.TODO, Level.TODO, Level.TODO, Level.ASK, Level.TODO]
    assert found.questions == ("transmits-ins", "all-versions")


def test_each_step_has_its_questions_in_both_languages():
    assert {one.step for one in QUESTIONS} == {one.number for one in STEPS}
    assert all(one.text and one.text_fr for one in QUESTIONS)
