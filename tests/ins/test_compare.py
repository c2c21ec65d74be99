"""INSi's traits beside ours: the table of tolerated differences, and the sentences that explain it."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigne.ins.compare import Comparison, FieldComparison, Verdict, compare, first_given_names, someone_else
from insigne.ins.compare_sentences import CONCLUSIONS, ENDINGS, SENTENCES
from insigne.ins.settings import ComparisonSettings, Tolerable
from insigne.ins.traits import StrictTraits

# As INSi answers: date with hyphens, list of given names only.
INSI = StrictTraits(
    birth_name="D'AUBREVAL-KERMOR",
    given_names="JEAN CHRISTOPHE PIERRE",
    birth_date="1971-03-08",
    sex="M",
    birth_place="01340",
)
LOCAL = StrictTraits(
    birth_name="D'AUBREVAL-KERMOR",
    first_given_name="JEAN CHRISTOPHE",
    given_names="JEAN CHRISTOPHE PIERRE",
    birth_date="19710308",
    sex="M",
    birth_place="01340",
)


def field(comparison: Comparison, name: str) -> FieldComparison:
    return next(one for one in comparison.fields if one.field == name)


def verdict(name: str, local: str, insi: str | None = None, **settings: tuple[Tolerable, ...]) -> tuple[str, str]:
    answer = INSI if insi is None else replace(INSI, **{name: insi})
    one = field(compare(replace(LOCAL, **{name: local}), answer, settings=ComparisonSettings(**settings)), name)
    return one.verdict, one.rule


def test_equal_traits_are_identical_whatever_the_spelling_of_dates():
    comparison = compare(LOCAL, INSI)
    assert {one.verdict for one in comparison.fields} == {Verdict.IDENTICAL}
    assert comparison.verdict is Verdict.IDENTICAL
    assert comparison.acceptable
    assert comparison.sentence_fr == "Tous les traits concordent"


def test_fewer_given_names_on_a_document_are_tolerated_and_the_sentence_says_why():
    one = field(compare(replace(LOCAL, given_names="JEAN"), INSI, side="document"), "given_names")
    assert one.verdict is Verdict.TOLERATED
    assert one.sentence_fr == "Le document porte moins de prénoms, dans le même ordre : toléré"
    assert one.sentence == "The document bears fewer given names, in the same order: tolerated"


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("d’Aubréval-Kermor", ("identical", "same")),  # case, accents and the curly apostrophe are no difference
        ("D AUBREVAL KERMOR", ("tolerated", "spelling")),
        ("D'AUBREVAL--KERMOR", ("tolerated", "spelling")),
        ("DAUBREVAL KERMOR", ("blocking", "joined-words")),
        ("D'AUBREVAL", ("blocking", "name-different")),  # a used name, or half a double surname
        ("", ("missing", "missing-local")),
    ],
)
def test_birth_names(local, expected):
    assert verdict("birth_name", local) == expected


def test_a_long_birth_name_cut_by_an_older_system_is_tolerated():
    long = "MONTESQUIOU-FEZENSAC DE LA TOUR"
    assert verdict("birth_name", "MONTESQUIOU FEZENSAC D", long) == ("tolerated", "truncated-name")
    assert verdict("birth_name", "MONTESQUIOU", long) == ("blocking", "name-different")


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("JEAN", ("identical", "same")),
        ("JEAN-CHRISTOPHE", ("tolerated", "spelling")),
        ("JEAN-CHRISTOPHE-PIERRE", ("tolerated", "spelling")),
        ("CHRISTOPHE", ("blocking", "first-given-name-later")),
        ("PIERRE", ("blocking", "first-given-name-later")),
        ("JEANNE", ("blocking", "first-given-name-different")),
        ("CHRIS", ("blocking", "first-given-name-different")),
    ],
)
def test_the_first_given_name_is_the_beginning_of_the_list(local, expected):
    assert verdict("first_given_name", local) == expected


def test_a_first_given_name_may_stop_at_a_hyphen_of_the_list():
    comparison = compare(replace(LOCAL, first_given_name="JEAN"), replace(INSI, given_names="JEAN-CHRISTOPHE PIERRE"))
    one = field(comparison, "first_given_name")
    assert (one.verdict, one.rule) == (Verdict.TOLERATED, "first-given-name-part")


def test_without_a_first_given_name_of_ours_the_list_gives_it():
    comparison = compare(replace(LOCAL, first_given_name=""), INSI)
    assert field(comparison, "first_given_name").verdict is Verdict.IDENTICAL


def test_without_a_list_insi_first_given_name_is_compared():
    answer = replace(INSI, given_names="", first_given_name="JEAN")
    comparison = compare(replace(LOCAL, first_given_name="JEAN", given_names=""), answer)
    assert field(comparison, "first_given_name").verdict is Verdict.IDENTICAL


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("Jean, Christophe, Pierre", ("identical", "same")),
        ("JEAN-CHRISTOPHE PIERRE", ("tolerated", "spelling")),
        ("JEAN PIERRE", ("tolerated", "fewer-given-names")),
        ("JEAN CHRISTOPHE PIERRE LUC", ("blocking", "more-given-names")),
        ("PIERRE JEAN CHRISTOPHE", ("blocking", "given-names-order")),
        ("CHRISTOPHE PIERRE", ("blocking", "given-names-different")),
        ("LUC", ("blocking", "given-names-different")),
        ("", ("missing", "missing-local")),
    ],
)
def test_lists_of_given_names(local, expected):
    assert verdict("given_names", local) == expected


def test_what_is_tolerated_is_a_setting():
    assert verdict("given_names", "JEAN", tolerated=()) == ("blocking", "fewer-given-names")
    more = ("more-given-names",)
    assert verdict("given_names", f"{INSI.given_names} LUC", tolerated=more) == ("tolerated", "more-given-names")


@pytest.mark.parametrize(
    ("local", "insi", "expected"),
    [
        ("1971", None, ("tolerated", "incomplete-date")),
        ("197103", None, ("tolerated", "incomplete-date")),
        ("19711231", "1971", ("tolerated", "incomplete-date")),  # the convention for a year alone
        ("19711231", None, ("blocking", "date-different")),
        ("19710803", None, ("blocking", "date-swapped")),
        ("19710309", None, ("blocking", "date-different")),
        ("8 mars 1971", None, ("blocking", "date-different")),
        ("", None, ("missing", "missing-local")),
        ("19710308", "", ("missing", "missing-insi")),
    ],
)
def test_birth_dates(local, insi, expected):
    assert verdict("birth_date", local, insi) == expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("F", ("blocking", "sex-different")),
        ("I", ("missing", "sex-undetermined")),
        ("", ("missing", "missing-local")),
    ],
)
def test_sexes(local, expected):
    assert verdict("sex", local) == expected


@pytest.mark.parametrize(
    ("local", "insi", "expected"),
    [
        ("01015", "01340", ("tolerated", "place-renamed")),  # Saint-Bois, merged into Arboys-en-Bugey in 2016
        ("2A004", "20004", ("tolerated", "place-corsica")),  # Ajaccio before and since 1976
        ("20004", "2A004", ("tolerated", "place-corsica")),
        ("75056", "75112", ("tolerated", "place-part")),  # Paris and its 12th arrondissement
        ("2B033", "20004", ("blocking", "place-different")),  # Bastia is not Ajaccio
        ("99350", "99352", ("blocking", "place-different")),
        ("35000", "35238", ("blocking", "place-different")),  # a postal code is not a COG code
        ("99999", "35238", ("missing", "missing-local")),
        ("35238", "99999", ("missing", "missing-insi")),
        ("Rennes", "35238", ("tolerated", "place-named")),
        ("Arboys en Bugey", "01340", ("tolerated", "place-named")),  # today's name of the commune of birth
        ("Algérie", "99352", ("tolerated", "place-named")),
        ("Tunis", "99351", ("tolerated", "town-abroad")),
        ("Brest", "35238", ("blocking", "place-different")),
    ],
)
def test_birthplaces(local, insi, expected):
    assert verdict("birth_place", local, insi) == expected


def test_a_code_of_french_algeria_is_read_with_the_birth_date():
    born = {"birth_date": "1950-03-14"}
    comparison = compare(
        replace(LOCAL, birth_place="99352", **born), replace(INSI, birth_place="91228", **born)
    )  # Algiers in 1950, Évry for those born since 1968
    assert field(comparison, "birth_place").rule == "place-renamed"
    assert verdict("birth_place", "99352", "91228") == ("blocking", "place-different")


def test_one_blocking_difference_blocks_the_whole():
    comparison = compare(replace(LOCAL, sex="F", given_names="JEAN"), INSI)
    assert comparison.verdict is Verdict.BLOCKING
    assert not comparison.acceptable


def test_what_insi_completes_does_not_prevent_acceptance():
    comparison = compare(replace(LOCAL, given_names="", birth_place="99999"), INSI)
    assert comparison.verdict is Verdict.TOLERATED
    assert comparison.acceptable


@pytest.mark.parametrize("trait", ["birth_name", "birth_date", "sex"])
def test_an_identity_without_a_searched_trait_is_not_acceptable(trait):
    comparison = compare(replace(LOCAL, **{trait: ""}), INSI)
    assert comparison.verdict is Verdict.MISSING
    assert not comparison.acceptable


def test_an_undetermined_sex_is_never_acceptable():
    assert not compare(replace(LOCAL, sex="I"), INSI).acceptable


def test_an_answer_about_someone_else_is_recognised():
    other = StrictTraits("BELCASTEL", "", "ODETTE RENEE", "1938-11-02", "F", "35238")
    assert someone_else(compare(LOCAL, other))


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_name": "BELCASTEL"},  # a used name in the place of the birth name
        {"birth_date": "19380211", "first_given_name": "ODETTE"},  # a relative: same name
        {"birth_name": "BELCASTEL", "first_given_name": "PIERRE", "birth_date": "19710803"},  # other errors of entry
        {"birth_name": "BELCASTEL", "first_given_name": "", "given_names": "", "birth_date": ""},  # too little is known
        {"sex": "F", "birth_place": "35238"},
    ],
)
def test_an_answer_that_shares_a_trait_is_not_about_someone_else(changes):
    assert not someone_else(compare(replace(LOCAL, **changes), INSI))


def test_every_beginning_of_the_list_is_proposed_as_first_given_name():
    proposals = first_given_names("JEAN CHRISTOPHE PIERRE")
    assert [(one.text, one.words) for one in proposals] == [
        ("JEAN", 1),
        ("JEAN CHRISTOPHE", 2),
        ("JEAN CHRISTOPHE PIERRE", 3),
    ]
    assert not any(one.ours for one in proposals)


def test_the_proposal_that_says_what_we_hold_is_marked():
    assert [one.ours for one in first_given_names("JEAN CHRISTOPHE PIERRE", "Jean-Christophe")] == [False, True, False]
    assert [one.text for one in first_given_names("MARIE-ANGE LUCE", "MARIE-ANGE") if one.ours] == ["MARIE-ANGE"]
    assert first_given_names("", "JEAN") == ()


def test_every_rule_has_its_sentences_in_both_languages():
    assert set(get_args(Tolerable)) <= SENTENCES.keys()
    assert ENDINGS.keys() == CONCLUSIONS.keys() == set(Verdict)


NAMES = st.text("ABÉŒ' -ñ李", max_size=24)
TRAITS = st.builds(
    StrictTraits,
    NAMES,
    NAMES,
    NAMES,
    st.sampled_from(["", "1971", "1971-03-08", "19710803", "19711331", "?"]),
    st.sampled_from(["", "M", "F", "I"]),
    st.sampled_from(["", "99999", "01340", "2A004", "20004", "Tunis", "99351", "35000"]),
)


@given(TRAITS, TRAITS)
def test_any_two_sets_of_traits_compare_and_no_sentence_holds_a_value(local, insi):
    comparison = compare(local, insi)
    assert [one.field for one in comparison.fields] == list(StrictTraits.__slots__)
    assert not any("{" in one.sentence + one.sentence_fr for one in comparison.fields)


@given(TRAITS)
def test_traits_compared_with_themselves_never_block(traits):
    same = replace(traits, first_given_name="")  # the list alone: drawn apart, the two may contradict each other
    assert compare(same, same).verdict is not Verdict.BLOCKING
