"""`insigne document submit`."""

import json

import pytest

LETTER = """
code = "11490-0"
title = "Lettre de liaison"
time = 2026-03-02T10:15:00+01:00
id = "1.2.250.1.999.7.1"
author = { id = "801234500017", family = "LEROUX", organization = { id = "1140000019", name = "CH" } }
"""


@pytest.fixture
def run(pfi, insigne, tmp_path):
    """Run the command on the base of the site, in the role of a PFI."""
    roles, base = 'roles=["pfi"]', f"store.url=sqlite:///{pfi.path}"

    def run_(*arguments, roles=roles):
        given = ("--data", tmp_path, "--set", base, "--set", "environment=test", "--set", roles, "--json")
        result = insigne(*given, "document", "submit", *arguments)
        return result.status, json.loads(result.out) if result.out else None, result.err

    return run_


@pytest.fixture
def letter(tmp_path):
    document, description = tmp_path / "letter.pdf", tmp_path / "letter.toml"
    document.write_bytes(b"%PDF-1.4 letter")
    description.write_text(LETTER)
    return document, description


def test_a_pdf_and_its_description_are_taken(pfi, run, letter):
    document, description = letter
    status, told, _ = run(document, "--identity", "HOSP|4071", "--description", description)
    assert status == 0
    assert told["unique_id"] == "1.2.250.1.999.7.1"
    assert [one["channel"] for one in told["sendings"]] == ["dmp"]
    assert pfi.content(pfi.documents()[0]) == document.read_bytes()


def test_a_cda_needs_no_description(pfi, run, tmp_path):
    document = tmp_path / "letter.xml"
    document.write_bytes(pfi.cda())
    assert run(document, "--identity", "HOSP|4071")[0] == 0
    assert pfi.documents()[0].source == "cli"


def test_a_refused_document_is_exit_1_with_its_code(pfi, run, tmp_path):
    document = tmp_path / "letter.xml"
    document.write_bytes(pfi.cda(number="4072"))
    status, told, error = run(document, "--identity", "HOSP|4071")
    assert (status, told["code"]) == (1, "904")
    assert "904" in error
    assert pfi.documents() == []


def test_a_site_that_is_no_pfi_takes_no_document(run, letter):
    document, description = letter
    status, _, error = run(document, "--identity", "HOSP|4071", "--description", description, roles='roles=["ri"]')
    assert status == 2
    assert "pfi" in error


@pytest.fixture
def metadata(pfi, insigne, tmp_path):
    """`insigne document metadata` of the last document: the status, the fields by name, what stderr says."""

    def metadata_():
        with pfi.store.read() as view:
            [sending] = view.sendings_of(pfi.documents()[-1].id)
        settings = (f"store.url=sqlite:///{pfi.path}", "environment=test", "dmp.service.software.oid=1.2.250.1.999.70")
        given = ("--data", tmp_path, *(part for one in settings for part in ("--set", one)), "--json")
        result = insigne(*given, "document", "metadata", sending.id)
        told = {one["field"]: one for one in map(json.loads, result.out.splitlines())}
        return result.status, told, result.err

    return metadata_


def test_every_field_told_to_the_dmp_says_where_it_comes_from(pfi, run, letter, metadata):
    document, description = letter
    run(document, "--identity", "HOSP|4071", "--description", description)

    status, told, error = metadata()

    assert (status, error) == (0, "")
    assert told["DocumentEntry.unique_id"]["value"] == "1.2.250.1.999.7.1"
    assert told["DocumentEntry.type_code"]["origin"] == "cda"
    assert told["DocumentEntry.patient"]["origin"] == "registry"
    assert {one["origin"] for one in told.values()} <= {"message", "cda", "registry", "configuration", "computed"}


def test_a_version_that_replaces_another_says_that_its_entry_is_asked_of_the_dmp(pfi, run, letter, metadata):
    document, description = letter
    run(document, "--identity", "HOSP|4071", "--description", description)
    version = 'id = "1.2.250.1.999.7.2"\nreplaces = "1.2.250.1.999.7.1"\nversion = 2\nset_id = "1.2.250.1.999.7.1"'
    description.write_text(LETTER.replace('id = "1.2.250.1.999.7.1"', version))
    run(document, "--identity", "HOSP|4071", "--description", description)

    status, told, error = metadata()

    assert (status, error) == (0, "")
    assert told["DocumentEntry.unique_id"]["value"] == "1.2.250.1.999.7.2"
    assert "asked" in told["Association.RPLC"]["value"]


def test_nothing_is_told_of_a_patient_who_is_not_qualified(pfi, run, letter, metadata):
    document, description = letter
    pfi.admit("4073", status="PROV", ins=False, person="4072")
    run(document, "--identity", "HOSP|4073", "--description", description)

    status, told, error = metadata()

    assert (status, told) == (1, {})
    assert "qualified" in error


def test_nothing_to_submit_is_wrong_use(run):
    assert run()[0] == 2
