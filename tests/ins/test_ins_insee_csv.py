"""INSEE's own COG files. The rows are invented, the columns are those of the files."""

from pathlib import Path

import pytest

from insigne.ins.cog import Cog, Place
from insigne.ins.insee_csv import CogFileError, load_insee_csv

COMMUNES = """TYPECOM,COM,TNCC,NCC,NCCENR,LIBELLE,DATE_DEBUT,DATE_FIN
COM,99901,0,VALBRUME,Valbrume,Valbrume,1943-01-01,2027-01-01
COM,99902,0,ORLISSE,Orlisse,Orlisse,1943-01-01,
COMD,99901,0,VALBRUME,Valbrume,Valbrume,2027-01-01,
COM,2A901,0,CASAVERTE,Casaverte,Casaverte,1976-01-01,
ARM,99903,0,ORLISSE 1ER,Orlisse 1er,Orlisse 1er Arrondissement,1943-01-01,
CTCD,75C,0,PARIS,Paris,Paris,1943-01-01,
"""
EVENTS = """MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,LIBELLE_AP
32,2027-01-01,COM,99901,Valbrume,COM,99902,Orlisse
32,2027-01-01,COM,99901,Valbrume,COMD,99901,Valbrume
21,2027-01-01,COM,99902,Orlisse,COM,99904,Autre
"""
OVERSEAS = """NATURE_ZONAGE,COM_COMER,TNCC,NCC,NCCENR,LIBELLE,DATE_DEBUT,DATE_FIN
COM,98991,0,LAGON,Lagon,Lagon,1943-01-01,
COMER,989,0,ILE,Ile,Ile,1943-01-01,
"""
DATED_COUNTRIES = """COG,CRPAY,LIBCOG,LIBENR,DATE_DEBUT,DATE_FIN
99801,,SYLDAVIE,Royaume de Syldavie,1943-01-01,1992-01-01
99802,99801,BORDURIE,République de Bordurie,1992-01-01,
"""
COUNTRIES = """COG,ACTUAL,CRPAY,ANI,LIBCOG,LIBENR,CODEISO2,CODEISO3,CODENUM3
99803,1,,0,San Theodoros,République de San Theodoros,,,
"""
BASE = Cog.of(
    [
        Place("35238", "Rennes", "commune"),
        Place("99902", "Ancien nom", "commune"),
        Place("99903", "Orlisse 1er", "arrondissement", parent="99902"),
    ]
)


@pytest.fixture
def files(tmp_path):
    def write(*texts: str) -> list[Path]:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"file{number}.csv"
            path.write_text(text, encoding="utf-8", newline="\r\n")
            paths.append(path)
        return paths

    return write


def test_communes_are_read_with_their_dates_and_kinds(files):
    cog = load_insee_csv(files(COMMUNES), BASE)
    assert cog.history("99901") == (
        Place("99901", "Valbrume", "commune", "", "2027-01-01"),
        Place("99901", "Valbrume", "delegated", "2027-01-01"),
    )
    assert cog.lookup("75C") is None


def test_the_file_of_events_gives_the_successor_of_a_merged_commune(files):
    cog = load_insee_csv(files(COMMUNES, EVENTS), BASE)
    assert cog.later_codes("99901", "20200101") == ("99902",)
    assert cog.lookup("99902").successor == ""


def test_the_file_replaces_the_codes_it_has_and_keeps_the_others(files):
    cog = load_insee_csv(files(COMMUNES), BASE)
    assert [place.label for place in cog.history("99902")] == ["Orlisse"]
    assert cog.lookup("35238").label == "Rennes"


def test_the_commune_of_an_arrondissement_comes_from_the_table_completed(files):
    assert load_insee_csv(files(COMMUNES), BASE).lookup("99903").parent == "99902"


def test_a_code_of_divided_corsica_is_accepted_before_the_division(files):
    assert load_insee_csv(files(COMMUNES), BASE).lookup("2A901", "19500101").label == "Casaverte"


def test_overseas_communes_and_both_files_of_countries_are_recognised_by_their_columns(files):
    cog = load_insee_csv(files(OVERSEAS, DATED_COUNTRIES, COUNTRIES), BASE)
    assert cog.lookup("98991").kind == "commune"
    assert cog.lookup("99801", "19900101").label == "SYLDAVIE"
    assert cog.lookup("99801", "20000101") is None
    assert cog.lookup("99802", "20000101").parent == "99801"
    assert cog.lookup("99803", "19500101").kind == "country"


def test_french_algeria_stays_known_when_the_files_of_the_day_are_loaded(files):
    assert load_insee_csv(files(COMMUNES)).lookup("91228", "19500314").kind == "territory"


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "bom.csv"
    path.write_text(COMMUNES, encoding="utf-8-sig")
    assert load_insee_csv([path], BASE).lookup("99902").label == "Orlisse"


def test_another_file_is_refused_with_its_name_and_columns(files):
    with pytest.raises(CogFileError, match=r"file0\.csv: no column set .* found nom, code_postal"):
        load_insee_csv(files("nom,code_postal\nRennes,35000\n"), BASE)


def test_an_empty_file_and_one_in_another_charset_are_refused(tmp_path, files):
    with pytest.raises(CogFileError, match=r"file0\.csv: empty"):
        load_insee_csv(files(""), BASE)
    latin = tmp_path / "latin.csv"
    latin.write_bytes(COMMUNES.replace("Valbrume", "Évrebrume").encode("latin-1"))
    with pytest.raises(CogFileError, match=r"latin\.csv: not a CSV file in UTF-8"):
        load_insee_csv([latin], BASE)


def test_a_file_beyond_the_limit_is_not_read(files, monkeypatch):
    monkeypatch.setattr("insigne.ins.insee_csv.MAX_SIZE", 10)
    with pytest.raises(CogFileError, match="larger than 10 bytes"):
        load_insee_csv(files(COMMUNES), BASE)
