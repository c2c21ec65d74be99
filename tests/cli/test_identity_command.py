"""`insigne identity`."""

import json
import subprocess
import sys

import fhirkit
import pytest

from insigne.ins.matricule import NIA_OID, NIR_OID
from insigne.registry import events as ev
from insigne.registry.values import Authority, Details, Identifier, Ins, Traits

MARGOT = "01JMARGOT00000000000000000"
DOUBLE = "01JDOUBLE00000000000000000"
INS = Ins("285076311304226", NIR_OID)


def shown(insigne, site, *args):
    status, out, err = insigne("--data", site.folder, "identity", "show", *args, "--json")
    assert status == 0, err
    patient = json.loads(out)
    assert fhirkit.validate(patient) == []
    return patient


def identifiers(patient):
    return {i["value"]: (i["type"]["coding"][0]["code"], i["use"]) for i in patient["identifier"]}


@pytest.mark.parametrize(
    "name",
    [
        "GAM|4071",
        "1.2.250.1.999.7.1|4071",
        "urn:oid:1.2.250.1.999.7.1|4071",
        MARGOT,
        f"{NIR_OID}|285076311304226",
        "GAM|9999",
        DOUBLE,
    ],
)
def test_a_person_is_shown_by_any_of_their_identifiers(insigne, hospital, name):
    patient = shown(insigne, hospital, name)
    assert patient["id"] == MARGOT
    assert identifiers(patient) == {
        "285076311304226": ("INS-NIR", "official"),
        "4071": ("PI", "usual"),
        "9999": ("PI", "old"),
    }
    assert patient["link"] == [{"other": {"reference": f"Patient/{DOUBLE}"}, "type": "replaces"}]


def test_an_ins_replaced_by_an_a47_leads_to_its_identity_where_it_is_old(insigne, hospital):
    new = Ins("285079911304278", NIR_OID)
    replaced = ev.InsRecorded(new, before=INS, reason="replaced by A47")
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", replaced)
    patient = shown(insigne, hospital, f"{NIR_OID}|285076311304226")
    assert patient["id"] == MARGOT
    assert identifiers(patient)["285076311304226"] == ("INS-NIR", "old")
    assert identifiers(patient)["285079911304278"] == ("INS-NIR", "official")
    assert insigne("--data", hospital.folder, "db", "verify").status == 0


def test_an_ins_deleted_by_an_a47_leads_to_nobody(insigne, hospital):
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.InsWithdrawn(INS, "deleted by A47"))
    assert insigne("--data", hospital.folder, "identity", "show", f"{NIR_OID}|285076311304226").status == 1


def test_a_name_that_the_configuration_joins_to_an_oid_finds_its_people(insigne, hospital, tmp_path):
    config = tmp_path / "insigne.toml"
    config.write_text('[[authorities]]\nname = "SIH"\noid = "1.2.250.1.999.7.1"\n')
    status, out, _ = insigne("--config", config, "--data", hospital.folder, "identity", "show", "SIH|4071", "--json")
    assert (status, json.loads(out)["id"]) == (0, MARGOT)


@pytest.mark.parametrize("name", ["GAM|1", "OTHER|4071", f"{NIA_OID}|285076311304226", "nobody"])
def test_an_unknown_identifier_is_exit_1_without_output(insigne, hospital, name):
    status, out, err = insigne("--data", hospital.folder, "identity", "show", name, "--json")
    assert (status, out) == (1, "")
    assert "no identity" in err


def test_a_billing_nir_does_not_find_anybody(insigne, hospital):
    nir = Identifier("NH", Authority("ASIP-SANTE-NIR", NIR_OID, "ISO"), "188066311304201")
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.IdentifierAdded(nir))
    assert insigne("--data", hospital.folder, "identity", "show", f"{NIR_OID}|188066311304201").status == 1


def test_the_past_is_shown_as_it_was(insigne, hospital):
    before_ins = shown(insigne, hospital, "GAM|4071", "--at", "2026-03-01T12:00:00+01:00")
    assert identifiers(before_ins) == {"4071": ("PI", "usual")}
    before_merge = shown(insigne, hospital, "GAM|9999", "--at", "2026-03-03T12:00:00Z")
    assert before_merge["id"] == DOUBLE
    assert "link" not in before_merge
    status, out, _ = insigne("--data", hospital.folder, "identity", "show", "GAM|4071", "--at", "2026-02-01T00:00:00Z")
    assert (status, out) == (1, "")


def test_an_ins_deleted_by_the_sender_is_only_in_the_history(insigne, hospital):
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", ev.InsWithdrawn(INS, "deleted by A47"))
    assert "285076311304226" not in str(shown(insigne, hospital, "GAM|4071"))
    out = insigne("--data", hospital.folder, "identity", "history", "GAM|4071", "--json").out
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("ins-withdrawn", "deleted by A47")
    assert last["before"]["ins"]["ins"]["matricule"] == "285076311304226"
    assert (last["before"]["status"], last["after"]["status"]) == ("QUAL", "VALI")
    assert last["after"]["ins"] is None


def test_the_history_tells_who_what_and_why_in_order(insigne, hospital):
    renamed = ev.TraitsChanged(
        before=Traits("LESTREZ", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113"),
        after=Traits("LESTRES", "MARGOT", "MARGOT ZOE", "19850712", "F", "63113"),
    )
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", renamed)
    status, out, _ = insigne("--data", hospital.folder, "identity", "history", "GAM|4071", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [line["event"] for line in lines] == [
        "identity-created",
        "ins-recorded",
        "identity-created",
        "identity-merged",
        "identity-absorbed",
        "traits-changed",
    ]
    assert lines[0]["author"] == "GAM|CHU"
    assert lines[0]["cause"] == {"kind": "message", "id": "01JM1"}
    assert lines[0]["before"] is None
    assert lines[0]["after"]["traits"]["birth_name"] == "LESTREZ"
    assert lines[-1]["before"] == {"traits": {"birth_name": "LESTREZ"}}
    assert lines[-1]["after"] == {"traits": {"birth_name": "LESTRES"}}


def test_a_search_gives_one_patient_a_line(insigne, hospital):
    for options in ([], ["--name", "les"], ["--given", "zoé"], ["--sex", "F"], ["--ins", "285076311304226"]):
        status, out, _ = insigne(
            "--data", hospital.folder, "identity", "search", "--birth-date", "1985-07-12", *options, "--json"
        )
        assert [json.loads(line)["id"] for line in out.splitlines()] == [MARGOT], options
        assert status == 0


def test_a_search_that_finds_nobody_is_empty_and_right(insigne, hospital):
    for options in (["--name", "zzz"], ["--sex", "M"], ["--ins", "1"]):
        result = insigne(
            "--data", hospital.folder, "identity", "search", "--birth-date", "1985-07-12", *options, "--json"
        )
        assert (result.status, result.out) == (0, "")


@pytest.mark.parametrize("options", [["--birth-date", "12/07/1985"], ["--birth-date", "1985-07-12", "--sex", "X"], []])
def test_a_wrong_search_is_exit_2(insigne, hospital, options):
    assert insigne("--data", hospital.folder, "identity", "search", *options).status == 2


def test_people_read_fields_and_columns(insigne, hospital):
    shown = insigne("--data", hospital.folder, "identity", "show", "GAM|4071").out
    assert "status" in shown
    assert "QUAL" in shown
    assert "LESTREZ MARGOT" in shown
    found = insigne("--data", hospital.folder, "identity", "search", "--birth-date", "1985-07-12").out
    assert "LESTREZ" in found
    assert "identity-created" in insigne("--data", hospital.folder, "identity", "history", "GAM|4071").out


def test_without_a_base_the_remedy_is_told(insigne, tmp_path):
    status, out, err = insigne("--data", tmp_path / "none", "identity", "show", "GAM|1")
    assert (status, out) == (2, "")
    assert "db upgrade" in err


def test_showing_an_identity_loads_no_web_server_and_no_schema_tools(hospital):
    script = (
        "import sys\nfrom insigne.cli import main\n"
        f"try: main(['--data', {str(hospital.folder)!r}, 'identity', 'show', 'GAM|4071', '--json'])\n"
        "except SystemExit: pass\n"
        "heavy = {'starlette', 'uvicorn', 'alembic', 'sqlalchemy', 'rich.console', 'cryptography', 'psycopg'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_person_reads_the_birth_given_names_and_whether_they_are_dead_in_words(insigne, hospital):
    told = ev.DetailsChanged(Details(), Details(death_indicator="N"))
    hospital.happened(MARGOT, 4, "2026-03-05T08:00:00.000Z", told)
    lines = insigne("--data", hospital.folder, "identity", "show", "GAM|4071").out.splitlines()
    said = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in lines}
    assert said["birth given names"] == "MARGOT ZOE"
    assert said["deceased"] == "no"
