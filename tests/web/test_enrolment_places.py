"""Birthplaces written by people, found in the COG of their day of birth."""

import pytest


@pytest.mark.parametrize(
    ("name", "department", "born", "code"),
    [
        ("Nanterre", "92", "19800101", "92050"),
        ("Nanterre", "92", "19600101", "75050"),  # Seine, until 1968
        ("nanterre", "75", "19600101", "75050"),
        ("Ajaccio", "2A", "19900101", "2A004"),
        ("Ajaccio", "20", "19900101", "2A004"),
        ("Ajaccio", "2A", "19500101", "20004"),  # Corsica was one département until 1976
        ("St Denis", "93", "19800101", "93066"),
        ("saint-denis", "974", "19800101", "97411"),
        ("Paris", "75", "19800101", "75056"),
        ("Paris 12", "75", "19800101", "75112"),
        ("paris 1er arrondissement", "75", "19800101", "75101"),
        ("Lyon 3ème", "69", "19800101", "69383"),
        ("L'Hay les Roses", "94", "19800101", "94038"),
        ("Œuilly", "51", "19800101", "51410"),
        ("Ambérieu-en-Bugey", "01", "19500101", "01004"),  # named Ambérieu until 1955
        ("Nulle-Part", "92", "19800101", "99999"),
        ("Nanterre", "13", "19800101", "99999"),
        ("", "92", "19800101", "99999"),
        ("C", "01", "19800101", "99999"),
        ("Nanterre\t92050", "92", "19800101", "99999"),
    ],
)
def test_a_commune_is_found_by_its_name_and_departement(places, name, department, born, code):
    assert places.commune(name, department, born) == code


@pytest.mark.parametrize(
    ("name", "born", "code"),
    [
        ("Portugal", "19800101", "99139"),
        ("cote d'ivoire", "19800101", "99326"),
        ("Etats Unis", "19800101", "99404"),
        ("Algérie", "19700101", "99352"),
        ("Algérie", "19500101", "99999"),  # French départements then: a professional tells which
        ("Grenade", "19800101", "99435"),  # a commune too
        ("France", "19800101", "99999"),
        ("Atlantide", "19800101", "99999"),
    ],
)
def test_a_country_is_found_by_its_name(places, name, born, code):
    assert places.country(name, born) == code
