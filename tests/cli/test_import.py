"""Bringing an existing base in from a CSV file."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

MAPPING = """
source = "ANCIEN-GAM"
date_format = "DD/MM/YYYY"

[columns]
birth_name = "NOM"
first_given_name = "PRENOM"
birth_date = "DDN"
sex = "SEXE"
birth_place = "COG"
city = "VILLE"

[[identifiers]]
column = "IPP"
authority = "CH-EXEMPLE"
oid = "1.2.250.1.999.1"

[[identifiers]]
column = "LABO"
authority = "LABO"

[sexes]
"1" = "M"
"2" = "F"
"""
HEADER = "IPP;LABO;NOM;PRENOM;DDN;SEXE;COG;VILLE"
ROWS = [
    "9001;L1;LE GOFF;YANN;05/03/1962;1;29019;BREST",
    "9002;;BERANGER;MAELLE;12/04/1981;2;35238;RENNES",
    "9003;;Garçon;Élodie;00/00/1950;2;99999;",
]


def insigne(data, *args, check=None, **options):
    done = subprocess.run(
        [sys.executable, "-m", "insigne", *args, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


@pytest.fixture
def site(tmp_path):
    class Site:
        data = tmp_path / "data"
        mapping = tmp_path / "people.toml"

        def load(self, *rows, mapping=MAPPING, header=HEADER, options=(), check=0, encoding="utf-8"):
            self.mapping.write_text(mapping, encoding="utf-8")
            self.file = tmp_path / "people.csv"
            self.file.write_text("\n".join((header, *rows)) + "\n", encoding=encoding)
            done = insigne(
                self.data, "import", str(self.file), "--mapping", str(self.mapping), "--json", *options, check=check
            )
            return json.loads(done.stdout) if done.stdout else done.stderr

        def show(self, identifier):
            done = insigne(self.data, "identity", "show", identifier, "--json")
            return json.loads(done.stdout) if done.returncode == 0 else None

    return Site()


def rules(report):
    return {(item["row"], item["rule"], item["field"]) for item in report["findings"]["items"]}


def test_people_are_created_with_their_identifiers_and_said_to_come_from_the_source(site):
    report = site.load(*ROWS)
    assert {name: report[name] for name in ("ok", "rows", "created", "refused")} == {
        "ok": True,
        "rows": 3,
        "created": 3,
        "refused": 0,
    }
    patient = site.show("LABO|L1")
    assert patient["name"][0]["family"] == "LE GOFF"
    assert patient["birthDate"] == "1962-03-05"
    assert patient["gender"] == "male"
    assert patient["address"][0]["city"] == "BREST"
    history = insigne(site.data, "identity", "history", "CH-EXEMPLE|9001", "--json", check=0).stdout.splitlines()
    assert json.loads(history[0])["author"] == "ANCIEN-GAM"
    assert json.loads(history[0])["cause"]["kind"] == "import"


def test_entry_rules_are_findings_and_the_row_is_loaded_as_written(site):
    report = site.load("9004;;DUPONT2;JEAN;01/01/1970;1;00000;")
    assert report["created"] == 1
    assert {(rule, field) for _, rule, field in rules(report)} >= {("entry-cog", "birth_place")}
    assert site.show("CH-EXEMPLE|9004")["name"][0]["family"] == "DUPONT2"


def test_entry_rules_may_refuse_the_row_alone(site):
    report = site.load(
        "9004;;DUPONT2;JEAN;01/01/1970;1;29019;", ROWS[0], mapping='entry = "reject"\n' + MAPPING, check=1
    )
    assert (report["created"], report["refused"], report["ok"]) == (1, 1, False)
    assert site.show("CH-EXEMPLE|9004") is None


def test_what_cannot_be_read_is_told_with_its_row_and_never_quoted(site):
    report = site.load("9001;;A;B;1962-03-05;X;29019;", ";;SECRET;NAME;05/03/1962;1;29019;", "9002;;short", check=1)
    assert rules(report) >= {(2, "date", "birth_date"), (2, "sex", "sex"), (3, "identifier", "IPP"), (4, "fields", "")}
    assert (report["created"], report["refused"]) == (1, 2)
    assert "SECRET" not in json.dumps(report)
    assert all(item["message_fr"] for item in report["findings"]["items"])


def test_a_file_without_header_is_told_so_and_its_first_row_is_not_quoted(site):
    said = site.load(*ROWS[1:], header=ROWS[0], check=2)
    assert "no column 'NOM'" in said
    assert "header" in said
    assert "LE GOFF" not in said
    assert "9001" not in said


def test_a_header_that_lacks_a_column_is_told_with_those_it_has(site):
    said = site.load(*ROWS, header=HEADER.replace("VILLE", "COMMUNE"), check=2)
    assert "no column 'VILLE'" in said
    assert "it has NOM, PRENOM, DDN, SEXE, COG, IPP, LABO" in said


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
def test_a_field_too_long_refuses_its_row_alone(site, quote):
    long = f"9004;;{quote}{'X' * 70_000}{quote};YANN;05/03/1962;1;29019;"
    report = site.load(ROWS[0], long, ROWS[1], check=1)
    assert (report["created"], report["refused"]) == (2, 1)
    assert (3, "too-long", "") in rules(report)


@pytest.mark.parametrize("following", [1, 2000])
def test_a_quote_that_is_never_closed_refuses_its_row_and_none_after_it(site, following):
    rows = [f"{n};;DUPONT;JEAN;05/03/1962;1;29019;" for n in range(20_000, 20_000 + following)]
    report = site.load(ROWS[0], '9004;;"GRAND;YANN;05/03/1962;1;29019;', *rows, check=1)
    assert (report["created"], report["refused"]) == (1 + following, 1)
    assert [item["row"] for item in report["findings"]["items"] if item["severity"] == "error"] == [3]


@pytest.mark.parametrize("city", ["NANTES", '"NANTES"'], ids=["until the end", "until a quote of another row"])
def test_a_quote_that_opens_the_last_field_takes_no_row_into_it(site, city):
    report = site.load(ROWS[0], '9004;;GRAND;YANN;05/03/1962;1;29019;"BREST', ROWS[1], f"9005;;A;B;;1;;{city}", check=1)
    assert (report["created"], report["refused"]) == (3, 1)
    assert [item["row"] for item in report["findings"]["items"] if item["severity"] == "error"] == [3]
    assert site.show("CH-EXEMPLE|9005")["address"][0]["city"] == "NANTES"


def test_a_field_of_two_lines_is_one_field(site):
    report = site.load('9001;;LE GOFF;YANN;05/03/1962;1;29019;"BREST\nCEDEX"', ROWS[1])
    assert report["created"] == 2
    assert site.show("CH-EXEMPLE|9001")["address"][0]["city"] == "BREST\nCEDEX"


def test_a_dry_run_reports_the_same_and_writes_nothing(site):
    dry = site.load(*ROWS, options=("--dry-run",))
    assert site.show("CH-EXEMPLE|9001") is None
    real = site.load(*ROWS)
    assert dry["dry_run"]
    assert {name: dry[name] for name in ("rows", "created", "findings")} == {
        name: real[name] for name in ("rows", "created", "findings")
    }


def test_the_same_file_again_changes_nothing(site):
    site.load(*ROWS)
    again = site.load(*ROWS)
    assert (again["rows"], again["resumed_after"]) == (0, 3)
    restarted = site.load(*ROWS, options=("--restart",))
    assert (restarted["known"], restarted["created"]) == (3, 0)


def test_known_people_are_updated_only_when_asked(site):
    site.load(ROWS[0])
    moved = ROWS[0].replace("BREST", "QUIMPER")
    assert site.load(moved)["known"] == 1
    assert site.load(moved, mapping='existing = "update"\n' + MAPPING)["updated"] == 1
    assert site.show("CH-EXEMPLE|9001")["address"][0]["city"] == "QUIMPER"


def test_the_same_number_twice_in_the_file_is_told_and_loaded_once(site):
    report = site.load(ROWS[0], ROWS[0].replace("YANN", "AUTRE"))
    assert (report["created"], report["known"]) == (1, 1)
    assert (3, "identifier-twice", "") in rules(report)


def test_names_of_our_own_authority_are_written_as_the_rniv_wants(site):
    ours = 'normalise = "always"\n' + MAPPING
    report = site.load(ROWS[2], mapping=ours)
    patient = site.show("CH-EXEMPLE|9003")
    assert patient["name"][0]["family"] == "GARCON"
    assert (2, "birth-date-completed", "") in rules(report)


def test_the_encoding_is_that_of_the_mapping(site):
    assert site.load(ROWS[2], mapping='encoding = "cp1252"\n' + MAPPING, encoding="cp1252")["created"] == 1
    assert site.show("CH-EXEMPLE|9003")["name"][0]["family"] == "Garçon"
    assert "not utf-8-sig" in site.load(ROWS[2].replace("9003", "9005"), encoding="cp1252", check=2)


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (MAPPING.replace('"NOM"', '"NAME"'), "no column 'NAME'"),
        (MAPPING.replace("birth_name", "surname"), "'surname' is none of"),
        (MAPPING.replace("DD/MM/YYYY", "DD/MM"), "must hold YYYY, MM and DD"),
        ('[columns]\nsex = "SEXE"\n', "identifiers"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_to_change(site, mapping, reason):
    assert reason in site.load(*ROWS, mapping=mapping, check=2)


def test_an_import_that_was_killed_goes_on_where_it_was(site, tmp_path):
    rows = [f"{n};;DUPONT;JEAN;05/03/1962;1;29019;" for n in range(10_000, 12_000)]
    site.load(options=("--dry-run",))  # writes the mapping
    site.file.write_text("\n".join((HEADER, *rows)) + "\n")
    command = ["import", str(site.file), "--mapping", str(site.mapping), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "insigne", *command, "--data", str(site.data), "--pace", "400"],
        stdout=subprocess.DEVNULL,
    )
    kept = site.data / "imports"
    deadline = time.monotonic() + 40
    while not (kept.exists() and list(kept.glob("*.json"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    report = json.loads(insigne(site.data, *command, check=0).stdout)
    assert 0 < report["resumed_after"] < 2000
    assert report["resumed_after"] + report["rows"] == 2000
    assert report["created"] + report["known"] == report["rows"]
    assert report["known"] <= 200  # at most the batch that was committed and not yet noted
    assert insigne(site.data, "db", "verify", "--json", check=0).returncode == 0
