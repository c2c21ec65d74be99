"""Entry and comparison of names."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.names import (
    first_given_name_matches,
    first_given_name_of,
    fold_name,
    latin_letters,
    normalise_name,
    spaced_name,
)
from insigne.ins.remarks import EntryError


def refusal(text: str, kind: str = "family") -> EntryError:
    with pytest.raises(EntryError) as refused:
        normalise_name(text, kind)
    return refused.value


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("Œuvrard", "OEUVRARD"),
        ("Læticia", "LAETICIA"),
        ("François", "FRANCOIS"),
        ("NOËL", "NOEL"),
        ("Strauß", "STRAUSS"),
        ("Łukasz Øyvind", "LUKASZ OYVIND"),
        ("ĲSSELMEER", "IJSSELMEER"),
        ("Yılmaz", "YILMAZ"),
        ("İpek", "IPEK"),
        ("Nguyễn", "NGUYEN"),
    ],
)
def test_accents_cedillas_and_ligatures_become_plain_capitals(typed, held):
    assert normalise_name(typed, "family") == held


def test_an_accent_typed_after_its_letter_is_the_same_as_an_accented_letter():
    assert normalise_name(unicodedata.normalize("NFD", "Éloïse"), "given") == "ELOISE"


@pytest.mark.parametrize("apostrophe", ["’", "‘", "ʼ", "′", "´", "`"])
def test_a_curly_apostrophe_becomes_a_straight_one(apostrophe):
    assert normalise_name(f"d{apostrophe}Arc", "family") == "D'ARC"


@pytest.mark.parametrize("hyphen", ["‐", "‑", "–", "—", "−"])
def test_a_long_hyphen_becomes_a_plain_one(hyphen):
    assert normalise_name(f"Anne{hyphen}Lise", "given") == "ANNE-LISE"


def test_a_non_breaking_space_becomes_a_space_and_spaces_are_squeezed():
    assert normalise_name("\N{NO-BREAK SPACE}le \N{NARROW NO-BREAK SPACE} Gall\t", "family") == "LE GALL"


def test_a_comma_separates_given_names_but_not_birth_names():
    assert normalise_name("Jean, Paul,Luc", "given") == "JEAN PAUL LUC"
    assert refusal("Jean, Paul").character == ","


def test_a_double_hyphen_is_for_birth_names_only():
    assert normalise_name("Durand--Petit", "family") == "DURAND--PETIT"
    assert refusal("Anne--Lise", "given").rule == "hyphen"
    assert refusal("Durand---Petit").rule == "hyphen"


def test_a_leading_apostrophe_is_allowed_and_a_leading_hyphen_is_not():
    assert normalise_name("'t Hart", "family") == "'T HART"
    error = refusal("-Durand")
    assert (error.rule, error.position) == ("first-character", 1)


@pytest.mark.parametrize(("typed", "position"), [("D' ARC", 2), ("D 'ARC", 3), ("D''ARC", 3), ("D’’ARC", 3)])
def test_an_apostrophe_is_neither_doubled_nor_next_to_a_space(typed, position):
    error = refusal(typed)
    assert (error.rule, error.position) == ("apostrophe", position)
    assert "D'ARC" in error.remedy


@pytest.mark.parametrize("typed", ["Anne-", "Anne'", "Anne- Lise"])
def test_a_given_name_does_not_end_with_a_hyphen_or_an_apostrophe(typed):
    assert refusal(typed, "given").rule == "last-character"


def test_each_given_name_of_a_list_follows_the_rule_of_the_first_character():
    assert refusal("Anne -Lise", "given").rule == "first-character"


@pytest.mark.parametrize(
    ("typed", "character", "position"),
    [
        ("R2D2", "2", 2),
        ("DUPONT_MARTIN", "_", 7),
        ("D/E", "/", 2),
        ("AÏE!", "!", 4),
        ("J. P", ".", 2),
        ("Иван", "И", 1),
    ],
)
def test_a_character_without_equivalent_is_named_with_its_place_in_what_was_typed(typed, character, position):
    error = refusal(typed)
    assert (error.field, error.rule) == ("birth_name", "character")
    assert (error.character, error.position) == (character, position)
    assert f"position {position}" in str(error)


def test_the_place_of_a_character_counts_what_was_typed_before_any_replacement():
    assert refusal("Œœ  é9").position == 6


def test_an_invisible_character_is_shown_by_its_code_point():
    assert "U+200B" in str(refusal("DU\N{ZERO WIDTH SPACE}PONT"))


def test_an_error_quotes_one_character_of_the_name_at_most():
    assert "DUPONT" not in str(refusal("DUPONT7"))


def test_an_error_says_the_remedy_in_french_too():
    assert "trait d’union" in refusal("R2D2").message_fr


@pytest.mark.parametrize("typed", ["", "   ", "'", "\t"])
def test_a_name_has_at_least_one_letter(typed):
    assert refusal(typed).rule == "empty"


def test_a_name_has_at_most_100_characters_once_normalised():
    assert len(normalise_name("a" * 100, "family")) == 100
    assert refusal("Œ" * 51).rule == "length"


def test_an_error_can_name_another_field():
    with pytest.raises(EntryError, match=r"^used_name: "):
        normalise_name("R2", "family", "used_name")


@given(st.text(max_size=30), st.sampled_from(["family", "given"]))
def test_a_name_is_refused_at_a_place_of_the_text_or_normalised_for_good(text, kind):
    name, error = "", None
    try:
        name = normalise_name(text, kind)
    except EntryError as refused:
        error = refused
    if error is None:
        assert set(name) <= set(string.ascii_uppercase + " '-")
        assert normalise_name(name, kind) == name
    elif error.rule == "character":
        assert text[error.position - 1] == error.character
    else:
        assert 0 <= error.position <= len(text)


latin = st.text(
    st.sampled_from("abcdEFGéèàçÇôœŒæßøłñü '’-–\N{NO-BREAK SPACE}")
    | st.characters(max_codepoint=0x17F, categories=["L"]),
    max_size=30,
)


@given(latin, st.sampled_from(["family", "given"]))
def test_normalising_a_name_changes_nothing_to_its_comparison(text, kind):
    try:
        name = normalise_name(text, kind)
    except EntryError:
        return
    assert fold_name(name) == fold_name(text)
    assert spaced_name(name) == spaced_name(text)


@given(st.text(max_size=60))
def test_folding_takes_any_text_and_is_idempotent(text):
    folded = fold_name(text)
    assert fold_name(folded) == folded
    assert " " not in folded


@given(st.text(string.ascii_letters + "éÉçÇ", min_size=1, max_size=20))
def test_folding_ignores_case_and_accents(text):
    assert fold_name(text.upper()) == fold_name(text.lower())


def test_folding_ignores_hyphens_apostrophes_and_spaces():
    assert (
        len({fold_name(name) for name in ("D'Arc-Petit", "D’ARC PETIT", "darc--petit", "D ARC PETIT", "DARCPETIT")})
        == 1
    )


def test_folding_keeps_other_alphabets_and_digits():
    assert fold_name("Иван 2") == "ИВАН2"


def test_words_are_separated_by_one_space_whatever_separated_them():
    assert spaced_name("  D’Arc--Petit.Jean ") == "D ARC PETIT JEAN"


@pytest.mark.parametrize("first", ["JEAN", "JEAN CHRISTOPHE", "JEAN-CHRISTOPHE", "JEAN-CHRISTOPHE-PIERRE", "Jean"])
def test_a_first_given_name_is_the_beginning_of_the_list(first):
    assert first_given_name_matches(first, "JEAN CHRISTOPHE PIERRE")


@pytest.mark.parametrize("first", ["CHRISTOPHE", "PIERRE", "JEA", "JEAN CHRIS", "JEAN CHRISTOPHE PIERRE LUC", ""])
def test_a_later_given_name_or_a_part_of_a_word_is_not_the_first(first):
    assert not first_given_name_matches(first, "JEAN CHRISTOPHE PIERRE")


def test_the_first_given_name_of_a_list_keeps_its_hyphens():
    assert first_given_name_of("ANNE-LISE MARIE") == "ANNE-LISE"
    assert first_given_name_of("JEAN PIERRE LUC", words=2) == "JEAN PIERRE"
    assert first_given_name_of("") == ""


@given(st.characters())
def test_a_letter_is_replaced_by_capitals_or_by_nothing(character):
    assert set(latin_letters(character)) <= set(string.ascii_uppercase)


@given(st.from_regex(r"[A-Z]{1,9}([ '-][A-Z]{1,9}){0,9}", fullmatch=True) | st.text("AB '-", max_size=12))
def test_a_plain_name_is_held_as_typed_and_by_the_same_rules_as_any_other(typed):
    def held(name: str, kind: str) -> str:
        try:
            return normalise_name(name, kind)
        except EntryError as refused:
            return f"{refused.rule} {refused.character} {refused.position}"

    for kind in ("family", "given"):
        # A letter in small never is plain: its name is read letter by letter.
        assert held(typed, kind) == held(typed.lower(), kind)
