"""Birthplaces, resolved with the birth date."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.cog import UNKNOWN_PLACE, Cog, Place, bundled_cog

COG = bundled_cog()


def place(code: str, birth_date: str) -> tuple[str, str]:
    found = COG.lookup(code, birth_date)
    return (found.kind, found.label) if found else ("", "")


def test_a_code_of_91_is_algiers_in_1950_and_essonne_in_1980():
    assert place("91228", "19500314") == ("territory", "Alger (Algérie française)")
    assert place("91228", "19800314") == ("commune", "Évry")
    assert place("91228", "20200314") == ("commune", "Évry-Courcouronnes")


@pytest.mark.parametrize(
    ("code", "birth_date", "found"),
    [
        ("20004", "19500314", ("commune", "Ajaccio")),
        ("2A004", "19800314", ("commune", "Ajaccio")),
        ("2A004", "19500314", ("commune", "Ajaccio")),
        ("75056", "19800314", ("commune", "Paris")),
        ("75101", "19800314", ("arrondissement", "Paris 1er Arrondissement")),
        ("69381", "19500314", ("arrondissement", "Lyon 1er Arrondissement")),
        ("01340", "19800314", ("commune", "Saint-Bois")),
        ("01340", "20200314", ("delegated", "Saint-Bois")),
        ("99352", "19500314", ("country", "Algérie")),
        ("99141", "19800314", ("country", "République démocratique allemande")),
        ("99999", "19800314", ("unknown", "Lieu de naissance inconnu")),
        ("92001", "19600101", ("territory", "Oran (Algérie française)")),
        ("96012", "19550101", ("territory", "Tunisie (protectorat français)")),
        ("78217", "19660101", ("commune", "Épône")),
        ("75081", "19660101", ("commune", "Vitry-sur-Seine")),
        ("98511", "19900101", ("commune", "Mamoudzou")),
        ("97611", "20150101", ("commune", "Mamoudzou")),
        ("97123", "19900101", ("commune", "Saint-Barthélemy")),
        ("98735", "19900101", ("commune", "Papeete")),
        ("54454", "19300101", ("commune", "Remenauville")),
        ("78025", "19500101", ("commune", "Arthieul")),
    ],
)
def test_a_code_names_the_place_of_its_time(code, birth_date, found):
    assert place(code, birth_date) == found


@pytest.mark.parametrize(
    ("code", "birth_date"),
    [
        ("20004", "19800314"),  # Corsica is 2A and 2B since 1976
        ("94081", "19650101"),  # neither Algeria any more nor Val-de-Marne yet
        ("98511", "20150101"),
        ("35000", "19800314"),  # a postal code
        ("99888", "19800314"),
        ("FR", "19800314"),
        ("", ""),
        ("75", "19800314"),
        ("2C004", "19800314"),
    ],
)
def test_a_code_that_named_nothing_on_that_day_is_not_found(code, birth_date):
    assert COG.lookup(code, birth_date) is None


def test_the_first_day_of_a_code_is_included_and_the_last_is_not():
    assert place("91228", "19680101") == ("commune", "Évry")
    assert place("91228", "20181231") == ("commune", "Évry")
    assert place("91228", "20190101") == ("commune", "Évry-Courcouronnes")


def test_an_incomplete_date_finds_a_code_valid_at_some_time_of_its_span():
    assert place("20004", "1975") == ("commune", "Ajaccio")
    assert place("20004", "1976") == ("", "")
    assert place("91228", "1962") == ("territory", "Alger (Algérie française)")


def test_without_a_date_the_last_place_of_the_code_is_given():
    assert place("91228", "") == ("commune", "Évry-Courcouronnes")
    assert place("20004", "illisible") == ("commune", "Ajaccio")


def test_the_history_of_a_code_is_told_oldest_first():
    assert [version.label for version in COG.history("91228")] == [
        "Alger (Algérie française)",
        "Évry",
        "Évry-Courcouronnes",
    ]


def test_the_later_codes_of_a_place_lead_to_todays():
    assert COG.later_codes("78228", "19600101") == ("91228",)
    assert COG.later_codes("01340", "19800314") == ("01015",)
    assert COG.later_codes("01459", "19300101") == ("01185",)
    assert COG.later_codes("35238", "19800314") == ()


def test_changes_after_2020_are_dated_by_the_yearly_lists():
    ended = [version for version in COG if version.kind == "commune" and "2021" <= version.valid_to[:4] <= "2026"]
    assert len(ended) > 100
    assert all(version.valid_to.endswith("-01-01") for version in ended)
    assert all(version.successor for version in ended)


def test_two_codes_are_one_place_only_if_one_follows_or_holds_the_other():
    assert COG.same_place("20004", "2A004", "19500314")
    assert COG.same_place("91001", "99352", "19500314")
    assert not COG.same_place("91001", "99352", "19800314")
    assert COG.same_place("75056", "75101")
    assert not COG.same_place("75101", "75102")
    assert COG.same_place("95572", "78572", "19500314")
    assert not COG.same_place("ZZ", "75101")


def test_every_successor_and_parent_exists_and_no_two_communes_share_a_code_at_once():
    codes: dict[str, list[Place]] = {}
    for version in COG:
        codes.setdefault(version.code, []).append(version)
    assert len(codes) > 38_000
    for versions in codes.values():
        dates = [(version.valid_from, version.valid_to) for version in versions if version.kind != "delegated"]
        for (_, end), (start, _) in zip(sorted(dates), sorted(dates)[1:], strict=False):
            assert end
            assert end <= start
        for version in versions:
            assert not version.successor or version.successor in codes
            assert not version.parent or version.parent in codes


def test_every_line_of_the_table_is_found_by_its_code():
    assert all(version in COG.history(version.code) for version in COG)


def test_today_has_the_communes_of_the_cog():
    today = [version for version in COG if version.kind == "commune" and not version.valid_to]
    assert 34_900 < len(today) < 35_200
    assert sum(version.kind == "arrondissement" for version in COG) == 45
    assert COG.lookup(UNKNOWN_PLACE)


def test_importing_the_room_reads_no_table_and_a_first_lookup_is_quick():
    program = (
        "import sys; sys.addaudithook(lambda event, args: event == 'open' and str(args[0]).endswith('cog.tsv')"
        " and sys.exit('table read at import')); import insigne.ins"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    bundled_cog.cache_clear()
    start = time.perf_counter()
    bundled_cog().lookup("35238", "19800314")
    assert time.perf_counter() - start < 0.1


def test_the_table_is_small_and_names_its_source_and_licence():
    folder = Path(sys.modules[Cog.__module__].__file__).parent / "data"
    assert (folder / "cog.tsv").stat().st_size < 3_000_000
    assert "Licence Ouverte 2.0" in (folder / "NOTICE").read_text(encoding="utf-8")
    assert COG.table.startswith(b"# ")


codes = st.from_regex(r"[0-9][0-9AB][0-9]{3}", fullmatch=True)
dates = st.sampled_from(["", "1943-01-01", "1968-01-01", "1976-01-01", "2019-01-01"])
places = st.builds(
    Place,
    codes,
    st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8),
    st.sampled_from(["commune", "delegated", "country"]),
    dates,
    dates,
    codes | st.just(""),
    codes | st.just(""),
)


@given(st.lists(places, max_size=40, unique=True))
def test_a_table_gives_back_the_places_it_was_made_of(made):
    cog = Cog.of(made, ["a heading"])
    assert sorted(cog, key=repr) == sorted(made, key=repr)
    for version in made:
        assert version in cog.history(version.code)


@given(st.lists(places, max_size=10), st.text(max_size=6) | codes, st.text(max_size=10))
def test_any_code_and_date_are_answered(made, code, birth_date):
    cog = Cog.of(made)
    cog.lookup(code, birth_date)
    assert cog.same_place(code, code, birth_date)
    assert code not in cog.later_codes(code, birth_date)
