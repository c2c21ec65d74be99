"""`insigne document cda` and `check`."""

import json

import pikepdf
import pytest

from insigne.registry import events as ev
from insigne.registry.values import Ins

MARGOT = "01JMARGOT00000000000000000"
INS = Ins("285076311304226", "1.2.250.1.213.1.4.8")
DESCRIPTION = """
code = "11490-0"
title = "Lettre de liaison"
time = 2026-03-02T10:15:00+01:00

[author]
id = "810012345678"
family = "LEROUX"

[author.organization]
id = "1750000001"
name = "CH Exemple"
"""


@pytest.fixture
def desk(insigne, hospital, tmp_path):
    """A PDF, its description, and the command line on the base of the hospital."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.save(tmp_path / "letter.pdf")
    (tmp_path / "letter.toml").write_text(DESCRIPTION, encoding="utf-8")

    def run(*args):
        return insigne("--data", hospital.folder, "document", *args)

    return run


def build(desk, folder, identity=MARGOT):
    return desk(
        "cda",
        folder / "letter.pdf",
        folder / "letter.xml",
        "--identity",
        identity,
        "--description",
        folder / "letter.toml",
        "--json",
    )


def test_a_document_is_built_with_an_oid_of_its_own_and_passes_the_check(desk, tmp_path):
    done = build(desk, tmp_path)
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["id"].startswith("2.25.")
    assert (told["identity"], told["set_id"], told["version"]) == (MARGOT, told["id"], 1)
    checked = desk("check", tmp_path / "letter.xml", "--json")
    assert checked.status == 0, checked.out
    assert json.loads(checked.out) == {"file": str(tmp_path / "letter.xml"), "ok": True, "findings": []}


def test_a_document_is_compared_with_the_registry(desk, hospital, tmp_path):
    build(desk, tmp_path)
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.InsWithdrawn(INS, "deleted by INSi"))
    checked = desk("check", tmp_path / "letter.xml", "--json")
    assert checked.status == 1
    findings = json.loads(checked.out)["findings"]
    assert [finding["rule"] for finding in findings] == ["C30"]
    assert set(findings[0]) == {"rule", "severity", "location", "message", "message_fr", "reference"}
    words = desk("check", tmp_path / "letter.xml")
    assert "inconnu du référentiel" in words.out


def test_without_a_base_the_rest_is_checked_and_stderr_says_so(desk, insigne, tmp_path):
    build(desk, tmp_path)
    checked = insigne("--data", tmp_path / "nothing", "document", "check", tmp_path / "letter.xml")
    assert checked.status == 0
    assert "not compared" in checked.err


def test_an_identity_not_qualified_has_no_document(desk, hospital, tmp_path):
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.InsWithdrawn(INS, "deleted by INSi"))
    done = build(desk, tmp_path)
    assert done.status == 1
    assert "not qualified" in done.err
    assert not (tmp_path / "letter.xml").exists()


def test_a_wrong_description_names_file_and_key(desk, tmp_path):
    (tmp_path / "letter.toml").write_text(DESCRIPTION.replace("title", "titre"), encoding="utf-8")
    done = build(desk, tmp_path)
    assert done.status == 1
    assert "letter.toml" in done.err
    assert "titre" in done.err


def test_an_official_folder_that_is_none_is_wrong_use(desk, tmp_path):
    build(desk, tmp_path)
    checked = desk("check", tmp_path / "letter.xml", "--official", tmp_path)
    assert checked.status == 2
    assert "saxonche" in checked.err or "TestContenuCDA" in checked.err
